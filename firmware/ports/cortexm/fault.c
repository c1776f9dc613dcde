/* Faults and the stack guard. */
#include "cortexm.h"
#include "tn_text.h"

#define MPU_CTRL REG32(0xE000ED94u)
#define MPU_RNR REG32(0xE000ED98u)
#define MPU_RBAR REG32(0xE000ED9Cu)
#define MPU_RASR REG32(0xE000EDA0u)
#define CFSR REG32(0xE000ED28u)
#define MMFAR REG32(0xE000ED34u)
#define BFAR REG32(0xE000ED38u)

#define CFSR_DACCVIOL (1u << 1)
#define CFSR_MSTKERR (1u << 4)
#define CFSR_STKERR (1u << 12)
#define CFSR_STKOF (1u << 20)

void tn_guard_stack(uint32_t *guard, uint32_t *limit) {
#if defined(__ARM_ARCH_6M__) /* neither: a stack that overflows leaves SRAM, which faults too */
  (void)guard, (void)limit;
#elif defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
  (void)guard;
  __asm volatile("msr psplim, %0" ::"r"(limit));
#else
  (void)limit;
  MPU_RNR = 0;
  MPU_RBAR = (uint32_t)(uintptr_t)guard;
  MPU_RASR = (1u << 28) | (4u << 1) | 1u; /* execute never, no access, 2^(4+1) bytes, on */
  MPU_CTRL = 5u;                          /* on; elsewhere the default map */
  __asm volatile("dsb\n\tisb");
#endif
}

void tn_fault(const uint32_t *frame) {
  uint32_t cause = CFSR;
  uint32_t overflow = CFSR_DACCVIOL | CFSR_MSTKERR | CFSR_STKERR | CFSR_STKOF;
  tn_put("\r\ne-[fault: ");
  tn_put(cause & overflow ? "stack overflow" : "see cfsr");
  tn_put(" cfsr=");
  tn_put_hex(cause, 8);
  tn_put(" mmfar=");
  tn_put_hex(MMFAR, 8);
  tn_put(" bfar=");
  tn_put_hex(BFAR, 8);
  if (!(cause & overflow)) { /* else there is no frame to read */
    tn_put(" pc=");
    tn_put_hex(frame[6], 8);
  }
  tn_put("]\r\n");
  for (;;) {
    __asm volatile("wfi");
  }
}
