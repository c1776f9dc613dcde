/* STM32F746 (RM0385) at 216 MHz, both caches on. TN_USART picks the virtual COM port: 3 is a Nucleo-144's, PD8 / PD9
 * (UM1974); 1 is the STM32F746G-DISCO's, PA9 / PB7 (UM1907). */
#include "m7_caches.h"
#include "stm32_f4_f7_clock.h"
#include "stm32_gpio.h"

#if TN_USART == 3
#define UART_BASE 0x40004800u
#define UART_HZ (TN_CLOCK_HZ / 4u) /* APB1 */
#elif TN_USART == 1
#define UART_BASE 0x40011000u
#define UART_HZ (TN_CLOCK_HZ / 2u) /* APB2 */
#else
#error "this port knows USART 1 and 3"
#endif
#include "stm32_usart.h"
#include "console.h"

#if TN_CLOCK_HZ != 216000000u
#error "this port sets up 216 MHz"
#endif
/* 7 wait states and prefetch (RM0385, Embedded flash memory), over-drive, voltage scale 1 */
static const tn_f4_f7_clock clock = {8, 216, 2, DIV4, DIV2, (1u << 8) | 7u, 1, 3u};

static void pins_init(void) {
#if TN_USART == 3
  tn_set(RCC_AHB1ENR, GPIO_CLOCK('D'));
  tn_set(RCC_APB1ENR, 1u << 18);
  tn_alternate(GPIO('D'), 8, 7);
  tn_alternate(GPIO('D'), 9, 7);
#else
  tn_set(RCC_AHB1ENR, GPIO_CLOCK('A') | GPIO_CLOCK('B'));
  tn_set(RCC_APB2ENR, 1u << 4);
  tn_alternate(GPIO('A'), 9, 7);
  tn_alternate(GPIO('B'), 7, 7);
#endif
}

void tn_port_init(void) {
  tn_f4_f7_clock_init(&clock);
  tn_m7_caches_on();
  pins_init();
  usart_init((UART_HZ + TN_BAUD / 2u) / TN_BAUD);
  cycles_init();
}
