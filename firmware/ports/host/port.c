/* This machine: the byte channel is standard input (one end of a pseudo-terminal), ticks are nanoseconds. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tn_port.h"

#define CHANNEL 0
#define PATIENCE_MS 1000

void tn_port_init(void) {}

uint8_t tn_port_get(void) {
  uint8_t byte;
  if (read(CHANNEL, &byte, 1) != 1) exit(0); /* the host closed the line */
  return byte;
}

int tn_port_get_soon(void) {
  struct pollfd channel = {.fd = CHANNEL, .events = POLLIN, .revents = 0};
  return poll(&channel, 1, PATIENCE_MS) == 1 ? tn_port_get() : -1;
}

void tn_port_put(uint8_t byte) {
  if (write(CHANNEL, &byte, 1) != 1) exit(0);
}

uint64_t tn_port_ticks(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

tn_status tn_port_empty(uint8_t *arena, tn_mark mark, void *user) {
  (void)arena, (void)mark, (void)user;
  return TN_OK;
}

uint8_t *tn_port_arena(const tn_model *model) {
  size_t bytes = (model->arena_bytes + TN_CANARY_BYTES + TN_ARENA_ALIGN - 1u) / TN_ARENA_ALIGN * TN_ARENA_ALIGN;
  uint8_t *arena = aligned_alloc(TN_ARENA_ALIGN, bytes);
  if (arena == NULL) exit(1);
  return arena;
}

tn_stack tn_port_stack(void) { return (tn_stack){NULL, NULL}; }

uint32_t *tn_port_stack_pointer(void) { return NULL; }
