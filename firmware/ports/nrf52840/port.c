/* nRF52840 (product specification 1.7) at 64 MHz from the 32 MHz crystal, instruction cache on; UART0 on P0.06 / P0.08, the
 * virtual COM port of the nRF52840-DK (its hardware user guide). */
#include "bits.h"

#define CLOCK 0x40000000u
#define HFCLKSTART REG32(CLOCK + 0x000u)
#define HFCLKSTARTED (CLOCK + 0x100u)
#define NVMC_ICACHECNF REG32(0x4001E540u)
#define P0 0x50000000u
#define P0_OUTSET REG32(P0 + 0x508u)
#define P0_DIRSET REG32(P0 + 0x518u)
#define P0_PIN_CNF(pin) REG32(P0 + 0x700u + 4u * (pin))
#define UART0 0x40002000u
#define STARTRX REG32(UART0 + 0x000u)
#define STARTTX REG32(UART0 + 0x008u)
#define RXDRDY REG32(UART0 + 0x108u)
#define TXDRDY REG32(UART0 + 0x11Cu)
#define ENABLE REG32(UART0 + 0x500u)
#define PSEL_TXD REG32(UART0 + 0x50Cu)
#define PSEL_RXD REG32(UART0 + 0x514u)
#define RXD REG32(UART0 + 0x518u)
#define TXD REG32(UART0 + 0x51Cu)
#define BAUDRATE REG32(UART0 + 0x524u)
#define TX_PIN 6u
#define RX_PIN 8u

#if TN_CLOCK_HZ != 64000000u || TN_BAUD != 115200u
#error "this port sets up 64 MHz and 115200 baud"
#endif

static int uart_received(void) { return RXDRDY != 0; }
static uint8_t uart_take(void) {
  RXDRDY = 0; /* before RXD is read, which lets the next byte of the FIFO raise it again */
  return (uint8_t)RXD;
}
static void uart_send(uint8_t byte) {
  TXDRDY = 0;
  TXD = byte;
  while (!TXDRDY) {
  }
}

#include "console.h"

static void uart_init(void) {
  P0_OUTSET = 1u << TX_PIN;
  P0_DIRSET = 1u << TX_PIN;
  P0_PIN_CNF(RX_PIN) = 0; /* input, connected */
  PSEL_TXD = TX_PIN;
  PSEL_RXD = RX_PIN;
  BAUDRATE = 0x01D7E000u; /* 115200 */
  ENABLE = 4u;
  STARTTX = 1u;
  STARTRX = 1u;
}

void tn_port_init(void) {
  HFCLKSTART = 1u;
  tn_await(HFCLKSTARTED, 1u, 1u);
  NVMC_ICACHECNF = 1u;
  uart_init();
  cycles_init();
}
