/* STM32F401 (RM0368) at 84 MHz and STM32F446 (RM0390) at 180 MHz; USART2 on PA2 / PA3, which is the virtual COM port of a
 * Nucleo-64 (UM1724, USART communication). */
#include "stm32_f4_f7_clock.h"
#include "stm32_gpio.h"

#define USART2 0x40004400u
#define USART_SR REG32(USART2 + 0x00u)
#define USART_DR REG32(USART2 + 0x04u)
#define USART_BRR REG32(USART2 + 0x08u)
#define USART_CR1 REG32(USART2 + 0x0Cu)
#define RXNE (1u << 5)
#define TXE (1u << 7)

#define FLASH_CACHES (7u << 8) /* prefetch, instruction cache, data cache */
#if TN_CLOCK_HZ == 84000000u
#define APB1_HZ (TN_CLOCK_HZ / 2u)
static const tn_f4_f7_clock clock = {16, 336, 4, DIV2, 0, FLASH_CACHES | 2u, 0, 2u}; /* scale 2, 2 wait states */
#elif TN_CLOCK_HZ == 180000000u
#define APB1_HZ (TN_CLOCK_HZ / 4u)
static const tn_f4_f7_clock clock = {8, 180, 2, DIV4, DIV2, FLASH_CACHES | 5u, 1, 3u}; /* scale 1, over-drive, 5 wait states */
#else
#error "this port sets up 84 MHz (STM32F401) or 180 MHz (STM32F446)"
#endif

static int uart_received(void) { return (USART_SR & RXNE) != 0; }
static uint8_t uart_take(void) { return (uint8_t)USART_DR; }
static void uart_send(uint8_t byte) {
  while (!(USART_SR & TXE)) {
  }
  USART_DR = byte;
}

#include "console.h"

void tn_port_init(void) {
  tn_f4_f7_clock_init(&clock);
  tn_set(RCC_AHB1ENR, GPIO_CLOCK('A'));
  tn_set(RCC_APB1ENR, 1u << 17);
  tn_alternate(GPIO('A'), 2, 7);
  tn_alternate(GPIO('A'), 3, 7);
  USART_BRR = (APB1_HZ + TN_BAUD / 2u) / TN_BAUD;
  USART_CR1 = (1u << 13) | (1u << 3) | (1u << 2); /* on, transmitter, receiver */
  cycles_init();
}
