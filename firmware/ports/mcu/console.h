/* Clock and byte channel for a core with a cycle counter; a port includes this once, after it has defined
 *
 *   static int uart_received(void)          a byte is there
 *   static uint8_t uart_take(void)          takes it
 *   static void uart_send(uint8_t byte)     waits until there is room
 *
 * CYCCNT (Armv7-M manual, Data Watchpoint and Trace) has 32 bits. Its wraps are counted whenever it is read, and waiting for a byte reads it, so
 * only an inference of 2^32 cycles (8.9 s at 480 MHz) would be timed wrongly. The core never sleeps: CYCCNT would stop. */
#include "cortexm.h"
#include "tn_port.h"

#define DEMCR REG32(0xE000EDFCu)
#define DWT_CTRL REG32(0xE0001000u)
#define DWT_CYCCNT REG32(0xE0001004u)
#define DWT_LAR REG32(0xE0001FB0u)

static uint32_t last_cycles, wraps;

static void cycles_init(void) {
  DEMCR |= 1u << 24;     /* TRCENA */
  DWT_LAR = 0xC5ACCE55u; /* Cortex-M7 locks the unit; elsewhere this does nothing */
  DWT_CYCCNT = 0;
  DWT_CTRL |= 1u;
}

uint64_t tn_port_ticks(void) {
  uint32_t now = DWT_CYCCNT;
  wraps += now < last_cycles;
  last_cycles = now;
  return ((uint64_t)wraps << 32) | now;
}

uint8_t tn_port_get(void) {
  while (!uart_received()) (void)tn_port_ticks();
  return uart_take();
}

int tn_port_get_soon(void) {
  uint64_t start = tn_port_ticks();
  while (!uart_received()) {
    if (tn_port_ticks() - start > TN_CLOCK_HZ) return -1;
  }
  return uart_take();
}

void tn_port_put(uint8_t byte) { uart_send(byte); }
