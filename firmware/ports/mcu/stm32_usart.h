/* USART of STM32 F7, H7, L4, U5 (their reference manuals agree; LPUART alike): a port defines UART_BASE and includes this
 * once, then console.h. 8 data bits, no parity, one stop bit. */
#include "bits.h"

#define USART_CR1 REG32(UART_BASE + 0x00u)
#define USART_CR3 REG32(UART_BASE + 0x08u)
#define USART_BRR REG32(UART_BASE + 0x0Cu)
#define USART_ISR REG32(UART_BASE + 0x1Cu)
#define USART_RDR REG32(UART_BASE + 0x24u)
#define USART_TDR REG32(UART_BASE + 0x28u)
#define RXNE (1u << 5)
#define TXE (1u << 7)

static void usart_init(uint32_t divider) {
  USART_BRR = divider;
  USART_CR3 = 1u << 12;                     /* OVRDIS: an overrun loses a byte, which a checksum notices, not the line */
  USART_CR1 = 1u | (1u << 2) | (1u << 3); /* on, receiver, transmitter */
}

static int uart_received(void) { return (USART_ISR & RXNE) != 0; }
static uint8_t uart_take(void) { return (uint8_t)USART_RDR; }
static void uart_send(uint8_t byte) {
  while (!(USART_ISR & TXE)) {
  }
  USART_TDR = byte;
}
