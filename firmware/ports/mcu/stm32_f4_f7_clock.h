/* Clock tree shared by STM32 F4 and F7 (RM0368, RM0390, RM0385: RCC, PWR): the 16 MHz HSI through the PLL. HSI is within 1 % at 25 C,
 * and needs neither crystal nor solder bridge; times in cycles do not depend on it. */
#ifndef TN_STM32_F4_F7_CLOCK_H
#define TN_STM32_F4_F7_CLOCK_H

#include "bits.h"

#define RCC 0x40023800u
#define RCC_CR (RCC + 0x00u)
#define RCC_PLLCFGR (RCC + 0x04u)
#define RCC_CFGR (RCC + 0x08u)
#define RCC_AHB1ENR (RCC + 0x30u)
#define RCC_APB1ENR (RCC + 0x40u)
#define RCC_APB2ENR (RCC + 0x44u)
#define PWR_CR 0x40007000u
#define PWR_CSR 0x40007004u
#define FLASH_ACR 0x40023C00u
#define GPIO(letter) (0x40020000u + 0x400u * ((letter) - 'A'))
#define GPIO_CLOCK(letter) (1u << ((letter) - 'A'))
#define HSI_HZ 16000000u

#define DIV2 4u /* PPRE1, PPRE2 */
#define DIV4 5u

typedef struct {
  uint32_t m, n, p;          /* HSI_HZ / m * n / p; p is 2 or 4 */
  uint32_t apb1, apb2;       /* PPRE1, PPRE2: DIV2, DIV4, or 0 for undivided */
  uint32_t flash;            /* FLASH_ACR: wait states, prefetch, caches */
  uint32_t over_drive, scale; /* over-drive needed (1) or not there (0); PWR_CR.VOS */
} tn_f4_f7_clock;

static inline void tn_f4_f7_clock_init(const tn_f4_f7_clock *clock) {
  tn_set(RCC_APB1ENR, 1u << 28); /* PWREN */
  tn_field(PWR_CR, 14, 2, clock->scale);
  REG32(RCC_PLLCFGR) = clock->m | (clock->n << 6) | ((clock->p / 2u - 1u) << 16) | (8u << 24); /* source HSI; Q unused */
  tn_set(RCC_CR, 1u << 24);      /* PLLON */
  if (clock->over_drive) {
    tn_set(PWR_CR, 1u << 16); /* ODEN */
    tn_await(PWR_CSR, 1u << 16, 1u << 16);
    tn_set(PWR_CR, 1u << 17); /* ODSWEN */
    tn_await(PWR_CSR, 1u << 17, 1u << 17);
  }
  tn_await(RCC_CR, 1u << 25, 1u << 25); /* PLLRDY */
  REG32(FLASH_ACR) = clock->flash;
  tn_await(FLASH_ACR, 0xFu, clock->flash & 0xFu);
  tn_field(RCC_CFGR, 10, 3, clock->apb1);
  tn_field(RCC_CFGR, 13, 3, clock->apb2);
  tn_field(RCC_CFGR, 0, 2, 2u); /* SW: the PLL */
  tn_await(RCC_CFGR, 3u << 2, 2u << 2);
}

#endif
