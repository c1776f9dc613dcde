/* Stack painting and canaries. */
#include "tn_port.h"
#include "tn_runner.h"

#define PAINT 0xA5C3F00Du
#define CANARY_BYTE 0x5Au
#define CANARY_WORDS 8u /* lowest words of the stack */

void tn_canary_set(const tn_runner *runner) {
  uint8_t *after = runner->arena + runner->model->arena_bytes;
  for (uint32_t i = 0; i < TN_CANARY_BYTES; i++) after[i] = CANARY_BYTE;
}

const char *tn_canary_broken(const tn_runner *runner) {
  const uint8_t *after = runner->arena + runner->model->arena_bytes;
  for (uint32_t i = 0; i < TN_CANARY_BYTES; i++) {
    if (after[i] != CANARY_BYTE) return "arena";
  }
  tn_stack stack = tn_port_stack();
  for (uint32_t i = 0; stack.limit != NULL && i < CANARY_WORDS; i++) {
    if (stack.limit[i] != PAINT) return "stack";
  }
  return NULL;
}

void tn_stack_paint(uint32_t *below) {
  tn_stack stack = tn_port_stack();
  if (stack.limit == NULL) return;
  for (volatile uint32_t *word = stack.limit; word < below; word++) *word = PAINT;
}

uint32_t tn_stack_used(uint32_t *below) {
  tn_stack stack = tn_port_stack();
  if (stack.limit == NULL) return 0;
  const volatile uint32_t *word = stack.limit;
  while (word < below && *word == PAINT) word++;
  return (uint32_t)((uintptr_t)below - (uintptr_t)word);
}
