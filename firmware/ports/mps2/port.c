/* MPS2 with a CMSDK subsystem (Arm DDI 0479), or with an SSE-200 (AN505: its secure addresses): UART0; TIMER0 counts down,
 * the dual timer counts its 256ths. */
#ifdef TN_SSE200
#define UART_BASE 0x50200000u
#define UART_RX_IRQ 32u
#define TIMERS 0x50000000u
#else
#define UART_BASE 0x40004000u
#define UART_RX_IRQ 0u
#define TIMERS 0x40000000u
#endif
#include "cmsdk_uart.h"

#define TIMER0 (TIMERS + 0x0000u)
#define DUALTIMER (TIMERS + 0x2000u)

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
