/* Register access of the ports for real microcontrollers. */
#ifndef TN_BITS_H
#define TN_BITS_H

#include "cortexm.h"

#ifndef TN_BARRIER /* tests run the ports on the host, where registers are plain memory */
#define TN_BARRIER() __asm volatile("dsb\n\tisb" ::: "memory")
#endif

/* Bits `at + width - 1` .. `at` of the register become `value`. */
static inline void tn_field(uint32_t address, unsigned at, unsigned width, uint32_t value) {
  uint32_t mask = ((1u << width) - 1u) << at;
  REG32(address) = (REG32(address) & ~mask) | (value << at);
}

/* Sets bits, and reads them back: a peripheral whose clock was just switched on must not be used before. */
static inline void tn_set(uint32_t address, uint32_t bits) {
  REG32(address) |= bits;
  (void)REG32(address);
}

/* A clock or supply that never becomes ready leaves the board silent, which the host reports. */
static inline void tn_await(uint32_t address, uint32_t mask, uint32_t value) {
  while ((REG32(address) & mask) != value) {
  }
}

#endif
