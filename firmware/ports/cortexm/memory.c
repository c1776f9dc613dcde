/* memcpy and memset byte by byte: start-up needs them, kernels hardly do, and the C library's take 470 B. */
#include <stddef.h>
#include <stdint.h>

/* else the loops would be taken for calls of the functions that they are in */
#define NO_CALLS __attribute__((optimize("no-tree-loop-distribute-patterns")))

NO_CALLS void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  const uint8_t *in = from;
  for (uint8_t *out = to; bytes > 0u; --bytes) *out++ = *in++;
  return to;
}

NO_CALLS void *memset(void *to, int value, size_t bytes) {
  for (uint8_t *out = to; bytes > 0u; --bytes) *out++ = (uint8_t)value;
  return to;
}
