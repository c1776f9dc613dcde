/* The CMSDK APB UART (Arm DDI 0479, 4.3); a port defines UART_BASE and UART_RX_IRQ and includes this once. */
#include "cortexm.h"
#include "tn_port.h"

#define DATA REG32(UART_BASE + 0x00u)
#define STATE REG32(UART_BASE + 0x04u)
#define CTRL REG32(UART_BASE + 0x08u)
#define INTCLEAR REG32(UART_BASE + 0x0Cu)
#define BAUDDIV REG32(UART_BASE + 0x10u)
#define TX_FULL 1u
#define RX_FULL 2u
#define PATIENCE (1u << 23) /* polls without a byte */

static void uart_init(void) {
  BAUDDIV = 16u;
  CTRL = 1u | 2u | 8u; /* transmitter, receiver, receive interrupt */
  tn_irq_wakes(UART_RX_IRQ);
}

static uint8_t take(void) {
  uint8_t byte = (uint8_t)DATA;
  INTCLEAR = 2u;
  tn_irq_clear(UART_RX_IRQ);
  return byte;
}

uint8_t tn_port_get(void) {
  while (!(STATE & RX_FULL)) {
    __asm volatile("wfi");
  }
  return take();
}

int tn_port_get_soon(void) {
  for (uint32_t polls = 0; polls < PATIENCE; polls++) {
    if (STATE & RX_FULL) return take();
  }
  return -1;
}

void tn_port_put(uint8_t byte) {
  while (STATE & TX_FULL) {
  }
  DATA = byte;
}
