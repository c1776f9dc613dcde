/* MPS2 with a CMSDK subsystem (Arm DDI 0479): UART0; TIMER0 counts down, the dual timer counts its 256ths. */
#define UART_BASE 0x40004000u
#define UART_RX_IRQ 0u
#include "cmsdk_uart.h"

#define TIMER0 0x40000000u
#define DUALTIMER 0x40002000u

static void clock_init(void) {
  REG32(TIMER0 + 0x8u) = 0xFFFFFFFFu; /* reload */
  REG32(TIMER0 + 0x4u) = 0xFFFFFFFFu; /* value */
  REG32(DUALTIMER + 0x0u) = 0xFFFFFFFFu;
  REG32(DUALTIMER + 0x8u) = (1u << 7) | (1u << 6) | (2u << 2) | 2u; /* on, periodic, clock / 256, 32 bits */
  REG32(TIMER0 + 0x0u) = 1u;
}

uint64_t tn_port_ticks(void) {
  uint32_t fine = ~REG32(TIMER0 + 0x4u);
  return tn_join_ticks(fine, ~REG32(DUALTIMER + 0x4u));
}

void tn_port_init(void) {
  uart_init();
  clock_init();
}
