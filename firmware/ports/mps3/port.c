/* MPS3 AN547 (SSE-300), secure addresses: UART0 and the 64-bit system counter seen through system timer 0. */
#define UART_BASE 0x59303000u
#define UART_RX_IRQ 33u
#include "cmsdk_uart.h"

#define COUNTER_CONTROL 0x58100000u
#define TIMER0 0x58000000u

uint64_t tn_port_ticks(void) {
  uint32_t before = REG32(TIMER0 + 0x4u);
  uint32_t low = REG32(TIMER0 + 0x0u);
  uint32_t after = REG32(TIMER0 + 0x4u);
  /* low wrapped between the reads of the high word only if it is small now */
  uint32_t small = (uint32_t)-(int32_t)(low < 0x80000000u);
  return ((uint64_t)((after & small) | (before & ~small)) << 32) | low;
}

void tn_port_init(void) {
  uart_init();
  REG32(COUNTER_CONTROL) = 1u;
}
