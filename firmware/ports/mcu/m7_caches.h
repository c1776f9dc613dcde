/* Instruction and data cache of the Cortex-M7 on (Armv7-M manual, Cache and branch predictor maintenance). Nothing here uses DMA. */
#ifndef TN_M7_CACHES_H
#define TN_M7_CACHES_H

#include "bits.h"

#define SCB_CCR REG32(0xE000ED14u)
#define SCB_CCSIDR REG32(0xE000ED80u)
#define SCB_CSSELR REG32(0xE000ED84u)
#define SCB_ICIALLU REG32(0xE000EF50u)
#define SCB_DCISW REG32(0xE000EF60u)
#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)

static inline void tn_m7_caches_on(void) {
  SCB_CSSELR = 0; /* level 1 data cache */
  TN_BARRIER();
  uint32_t sets = ((SCB_CCSIDR >> 13) & 0x7FFFu) + 1u, ways = ((SCB_CCSIDR >> 3) & 0x3FFu) + 1u;
  for (uint32_t set = 0; set < sets; set++) {
    for (uint32_t way = 0; way < ways; way++) SCB_DCISW = (way << 30) | (set << 5); /* 4 ways, lines of 32 bytes */
  }
  SCB_ICIALLU = 0;
  TN_BARRIER();
  SCB_CCR |= CCR_IC | CCR_DC;
  TN_BARRIER();
}

#endif
