/* STM32H743 revision V (RM0433) at 480 MHz, both caches on; USART3 on PD8 / PD9, the virtual COM port of a
 * NUCLEO-H743ZI2 (UM2407). The 64 MHz HSI feeds the PLL: within 1 % at 25 C, no solder bridge needed. */
#include "m7_caches.h"
#include "stm32_gpio.h"

#define UART_BASE 0x40004800u /* USART3 */
#include "stm32_usart.h"
#include "console.h"

#define RCC 0x58024400u
#define RCC_CR (RCC + 0x00u)
#define RCC_CFGR (RCC + 0x10u)
#define RCC_D1CFGR (RCC + 0x18u)
#define RCC_D2CFGR (RCC + 0x1Cu)
#define RCC_D3CFGR (RCC + 0x20u)
#define RCC_PLLCKSELR (RCC + 0x28u)
#define RCC_PLLCFGR (RCC + 0x2Cu)
#define RCC_PLL1DIVR (RCC + 0x30u)
#define RCC_AHB4ENR (RCC + 0xE0u)
#define RCC_APB1LENR (RCC + 0xE8u)
#define RCC_APB4ENR (RCC + 0xF4u)
#define PWR_CSR1 0x58024804u
#define PWR_CR3 0x5802480Cu
#define PWR_D3CR 0x58024818u
#define SYSCFG_PWRCR 0x58000404u
#define FLASH_ACR 0x52002000u
#define GPIOD 0x58020C00u
#define READY (1u << 13) /* ACTVOSRDY, VOSRDY */

#if TN_CLOCK_HZ != 480000000u
#error "this port sets up 480 MHz"
#endif
#define APB1_HZ (TN_CLOCK_HZ / 4u)

/* RM0433, PWR: supply by LDO, scale 1, then VOS0 by SYSCFG's over-drive. */
static void voltage_init(void) {
  tn_field(PWR_CR3, 0, 3, 2u); /* LDOEN alone; this locks the supply until power is removed */
  tn_await(PWR_CSR1, READY, READY);
  tn_field(PWR_D3CR, 14, 2, 3u);
  tn_await(PWR_D3CR, READY, READY);
  tn_set(RCC_APB4ENR, 1u << 1); /* SYSCFG */
  tn_set(SYSCFG_PWRCR, 1u);     /* ODEN */
  tn_await(PWR_D3CR, READY, READY);
}

/* 64 MHz / 8 * 120 / 2 for the core; half of it for AXI and AHB; a quarter for every APB. */
static void clock_init(void) {
  tn_field(RCC_PLLCKSELR, 0, 2, 0); /* HSI */
  tn_field(RCC_PLLCKSELR, 4, 6, 8u);
  tn_field(RCC_PLLCFGR, 0, 4, 3u << 2); /* input 8 to 16 MHz, wide VCO, no fraction */
  tn_set(RCC_PLLCFGR, 1u << 16);        /* DIVP1EN */
  REG32(RCC_PLL1DIVR) = (120u - 1u) | ((2u - 1u) << 9) | (1u << 16) | (1u << 24);
  tn_set(RCC_CR, 1u << 24);
  tn_await(RCC_CR, 1u << 25, 1u << 25);
  tn_field(FLASH_ACR, 0, 6, (2u << 4) | 4u); /* 4 wait states, WRHIGHFREQ 2: RM0433, Embedded flash memory: VOS0 to 240 MHz */
  tn_await(FLASH_ACR, 0xFu, 4u);
  tn_field(RCC_D1CFGR, 0, 4, 8u); /* HPRE: half */
  tn_field(RCC_D1CFGR, 4, 3, 4u);
  tn_field(RCC_D2CFGR, 4, 3, 4u);
  tn_field(RCC_D2CFGR, 8, 3, 4u);
  tn_field(RCC_D3CFGR, 4, 3, 4u);
  tn_field(RCC_CFGR, 0, 3, 3u); /* SW: PLL1 */
  tn_await(RCC_CFGR, 7u << 3, 3u << 3);
}

void tn_port_init(void) {
  voltage_init();
  clock_init();
  tn_m7_caches_on();
  tn_set(RCC_AHB4ENR, 1u << 3);    /* GPIOD */
  tn_set(RCC_APB1LENR, 1u << 18); /* USART3 */
  tn_alternate(GPIOD, 8, 7);
  tn_alternate(GPIOD, 9, 7);
  usart_init((APB1_HZ + TN_BAUD / 2u) / TN_BAUD);
  cycles_init();
}
