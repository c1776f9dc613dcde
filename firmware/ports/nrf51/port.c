/* nRF51 (reference manual 3.0) as QEMU's micro:bit has it: UART0 on P0.24 / P0.25, TIMER0 at 4 MHz. */
#include "cortexm.h"
#include "tn_port.h"

#define UART0 0x40002000u
#define STARTRX REG32(UART0 + 0x000u)
#define STARTTX REG32(UART0 + 0x008u)
#define RXDRDY REG32(UART0 + 0x108u)
#define TXDRDY REG32(UART0 + 0x11Cu)
#define INTENSET REG32(UART0 + 0x304u)
#define ENABLE REG32(UART0 + 0x500u)
#define PSEL_TXD REG32(UART0 + 0x50Cu)
#define PSEL_RXD REG32(UART0 + 0x514u)
#define RXD REG32(UART0 + 0x518u)
#define TXD REG32(UART0 + 0x51Cu)
#define BAUDRATE REG32(UART0 + 0x524u)
#define UART0_IRQ 2u
#define PATIENCE (1u << 21) /* polls without a byte */

#define TIMER0 0x40008000u
#define TIMER_START REG32(TIMER0 + 0x000u)
#define TIMER_CAPTURE0 REG32(TIMER0 + 0x040u)
#define TIMER_BITMODE REG32(TIMER0 + 0x508u)
#define TIMER_PRESCALER REG32(TIMER0 + 0x510u)
#define TIMER_CC0 REG32(TIMER0 + 0x540u)

static uint32_t last_ticks, wraps; /* a wrap takes 2^32 ticks, 18 minutes of guest time */

void tn_port_init(void) {
  PSEL_TXD = 24u;
  PSEL_RXD = 25u;
  BAUDRATE = 0x01D7E000u; /* 115200 */
  ENABLE = 4u;
  STARTTX = 1u;
  STARTRX = 1u;
  INTENSET = 1u << 2; /* RXDRDY */
  tn_irq_wakes(UART0_IRQ);
  TIMER_BITMODE = 3u;   /* 32 bits */
  TIMER_PRESCALER = 2u; /* 16 MHz / 2^2 */
  TIMER_START = 1u;
}

uint64_t tn_port_ticks(void) {
  TIMER_CAPTURE0 = 1u;
  uint32_t now = TIMER_CC0;
  wraps += now < last_ticks;
  last_ticks = now;
  return ((uint64_t)wraps << 32) | now;
}

static uint8_t take(void) {
  RXDRDY = 0; /* before RXD is read, which lets the next byte of the FIFO raise it again */
  tn_irq_clear(UART0_IRQ);
  return (uint8_t)RXD;
}

uint8_t tn_port_get(void) {
  while (!RXDRDY) {
    __asm volatile("wfi");
  }
  return take();
}

int tn_port_get_soon(void) {
  for (uint32_t polls = 0; polls < PATIENCE; polls++) {
    if (RXDRDY) return take();
  }
  return -1;
}

void tn_port_put(uint8_t byte) {
  TXDRDY = 0;
  TXD = byte;
  while (!TXDRDY) {
  }
}
