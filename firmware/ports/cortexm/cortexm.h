/* Shared by the Cortex-M ports. */
#ifndef TN_CORTEXM_H
#define TN_CORTEXM_H

#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define TN_GUARD_BYTES 32u /* smallest MPU region */

/* Makes a write into the TN_GUARD_BYTES at `guard`, just under the stack, a fault. */
void tn_guard_stack(uint32_t *guard, uint32_t *limit);

/* Reports a fault as an `e-[fault: ...]` line and stops; `frame` is what the core stacked on the process stack. */
__attribute__((noreturn)) void tn_fault(const uint32_t *frame);

/* Wakes WFI, but is never taken: interrupts stay masked. */
static inline void tn_irq_wakes(unsigned irq) { REG32(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u); }
static inline void tn_irq_clear(unsigned irq) { REG32(0xE000E280u + 4u * (irq / 32u)) = 1u << (irq % 32u); }

/* 64-bit time from a 32-bit counter and a slower one counting its 256ths, read in this order. */
static inline uint64_t tn_join_ticks(uint32_t fine, uint32_t coarse) {
  uint64_t about = (uint64_t)coarse << 8;
  return about + (uint64_t)(int64_t)(int32_t)(fine - (uint32_t)about);
}

#endif
