/* STM32U575 (RM0456), TrustZone off as delivered, at 160 MHz, instruction cache on; USART1 on PA9 / PA10, the virtual COM
 * port of a NUCLEO-U575ZI-Q (UM2861). The 16 MHz HSI feeds the PLL: within 1 % at 25 C. */
#include "stm32_gpio.h"

#define UART_BASE 0x40013800u /* USART1 */
#include "stm32_usart.h"
#include "console.h"

#define RCC 0x46020C00u
#define RCC_CR (RCC + 0x00u)
#define RCC_CFGR1 (RCC + 0x1Cu)
#define RCC_PLL1CFGR (RCC + 0x28u)
#define RCC_PLL1DIVR (RCC + 0x34u)
#define RCC_AHB2ENR1 (RCC + 0x8Cu)
#define RCC_AHB3ENR (RCC + 0x94u)
#define RCC_APB2ENR (RCC + 0xA4u)
#define PWR_VOSR 0x4602080Cu
#define FLASH_ACR 0x40022000u
#define ICACHE_CR 0x40030400u
#define GPIOA 0x42020000u

#if TN_CLOCK_HZ != 160000000u
#error "this port sets up 160 MHz"
#endif

/* Range 1, and its booster fed with half of the PLL's source (RM0456, PWR and RCC). */
static void clock_init(void) {
  tn_set(RCC_AHB3ENR, 1u << 2); /* PWREN */
  tn_field(PWR_VOSR, 16, 2, 3u);
  tn_await(PWR_VOSR, 1u << 15, 1u << 15);
  tn_set(RCC_CR, 1u << 8); /* HSION */
  tn_await(RCC_CR, 1u << 10, 1u << 10);
  REG32(RCC_PLL1CFGR) = 2u | ((4u - 1u) << 8) | (1u << 12) | (1u << 18); /* HSI / 4, booster HSI / 2, output R on */
  REG32(RCC_PLL1DIVR) = (80u - 1u) | (1u << 9) | (1u << 16) | ((2u - 1u) << 24); /* * 80 / 2 */
  tn_set(PWR_VOSR, 1u << 18);                                                    /* BOOSTEN */
  tn_await(PWR_VOSR, 1u << 14, 1u << 14);
  tn_set(RCC_CR, 1u << 24);
  tn_await(RCC_CR, 1u << 25, 1u << 25);
  REG32(FLASH_ACR) = (1u << 8) | 4u; /* 4 wait states, prefetch */
  tn_await(FLASH_ACR, 0xFu, 4u);
  tn_field(RCC_CFGR1, 0, 2, 3u); /* SW: PLL1 */
  tn_await(RCC_CFGR1, 3u << 2, 3u << 2);
  tn_set(ICACHE_CR, 1u);
}

void tn_port_init(void) {
  clock_init();
  tn_set(RCC_AHB2ENR1, 1u);
  tn_set(RCC_APB2ENR, 1u << 14);
  tn_alternate(GPIOA, 9, 7);
  tn_alternate(GPIOA, 10, 7);
  usart_init((TN_CLOCK_HZ + TN_BAUD / 2u) / TN_BAUD);
  cycles_init();
}
