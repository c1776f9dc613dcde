/* STM32L4R5 (RM0432) at 120 MHz; LPUART1 on PG7 / PG8, the virtual COM port of a NUCLEO-L4R5ZI (UM2179). The 16 MHz HSI
 * feeds the PLL: within 1 % at 25 C. */
#include "stm32_gpio.h"

#define UART_BASE 0x40008000u /* LPUART1 */
#include "stm32_usart.h"
#include "console.h"

#define RCC 0x40021000u
#define RCC_CR (RCC + 0x00u)
#define RCC_CFGR (RCC + 0x08u)
#define RCC_PLLCFGR (RCC + 0x0Cu)
#define RCC_AHB2ENR (RCC + 0x4Cu)
#define RCC_APB1ENR1 (RCC + 0x58u)
#define RCC_APB1ENR2 (RCC + 0x5Cu)
#define PWR_CR1 0x40007000u
#define PWR_CR2 0x40007004u
#define PWR_SR2 0x40007014u
#define PWR_CR5 0x40007080u
#define FLASH_ACR 0x40022000u
#define GPIOG 0x48001800u

#if TN_CLOCK_HZ != 120000000u
#error "this port sets up 120 MHz"
#endif

/* Range 1 in boost mode (RM0432, PWR): above 80 MHz AHB is divided by 2 during the switch and for 1 us after it. */
static void clock_init(void) {
  tn_set(RCC_APB1ENR1, 1u << 28); /* PWREN */
  tn_field(PWR_CR1, 9, 2, 1u);
  tn_await(PWR_SR2, 1u << 10, 0);
  tn_set(RCC_CR, 1u << 8); /* HSION */
  tn_await(RCC_CR, 1u << 10, 1u << 10);
  REG32(RCC_PLLCFGR) = 2u | (1u << 4) | (30u << 8) | (1u << 24); /* 16 MHz / 2 * 30 / 2, output R on */
  tn_set(RCC_CR, 1u << 24);
  tn_await(RCC_CR, 1u << 25, 1u << 25);
  tn_field(RCC_CFGR, 4, 4, 8u); /* HPRE: half */
  tn_field(PWR_CR5, 8, 1, 0);   /* R1MODE: boost */
  REG32(FLASH_ACR) = (7u << 8) | 5u; /* 5 wait states, prefetch, both caches */
  tn_await(FLASH_ACR, 0xFu, 5u);
  tn_field(RCC_CFGR, 0, 2, 3u); /* SW: the PLL */
  tn_await(RCC_CFGR, 3u << 2, 3u << 2);
  for (uint32_t polls = 0; polls < 120u; polls++) (void)REG32(RCC_CFGR);
  tn_field(RCC_CFGR, 4, 4, 0);
}

void tn_port_init(void) {
  clock_init();
  tn_set(PWR_CR2, 1u << 9); /* IOSV: the pins of port G have their own supply */
  tn_set(RCC_AHB2ENR, 1u << 6);
  tn_set(RCC_APB1ENR2, 1u);
  tn_alternate(GPIOG, 7, 8);
  tn_alternate(GPIOG, 8, 8);
  usart_init((uint32_t)((256ull * TN_CLOCK_HZ + TN_BAUD / 2u) / TN_BAUD)); /* RM0432, LPUART baud rate */
  cycles_init();
}
