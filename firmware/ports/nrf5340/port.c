/* nRF5340 (product specification 1.5), application core, secure as it starts, at 128 MHz from the 32 MHz crystal, cache on;
 * UARTE0 on the pins TN_TX_PIN and TN_RX_PIN of port 0. The UARTE moves bytes by DMA: one at a time, and between two the
 * receiver's FIFO of 4 holds what arrives. */
#include "bits.h"

#define FICR_TRIMCNF 0x00FF0300u /* pairs of address and value */
#define TRIMS 32u
#define CACHE_ENABLE REG32(0x50001500u)
#define CLOCK 0x50005000u
#define HFCLKSTART REG32(CLOCK + 0x000u)
#define HFCLKSTARTED (CLOCK + 0x100u)
#define HFCLKSRC REG32(CLOCK + 0x514u)
#define HFCLKCTRL REG32(CLOCK + 0x558u)
#define P0 0x50842500u
#define OUTSET REG32(P0 + 0x008u)
#define DIRSET REG32(P0 + 0x018u)
#define PIN_CNF(pin) REG32(P0 + 0x200u + 4u * (pin))
#define UARTE0 0x50008000u
#define STARTRX REG32(UARTE0 + 0x000u)
#define STARTTX REG32(UARTE0 + 0x008u)
#define ENDRX REG32(UARTE0 + 0x110u)
#define ENDTX REG32(UARTE0 + 0x120u)
#define ENABLE REG32(UARTE0 + 0x500u)
#define PSEL_TXD REG32(UARTE0 + 0x50Cu)
#define PSEL_RXD REG32(UARTE0 + 0x514u)
#define BAUDRATE REG32(UARTE0 + 0x524u)
#define RXD_PTR REG32(UARTE0 + 0x534u)
#define RXD_MAXCNT REG32(UARTE0 + 0x538u)
#define TXD_PTR REG32(UARTE0 + 0x544u)
#define TXD_MAXCNT REG32(UARTE0 + 0x548u)

#if TN_CLOCK_HZ != 128000000u || TN_BAUD != 115200u
#error "this port sets up 128 MHz and 115200 baud"
#endif

static volatile uint8_t received, sent; /* DMA reaches RAM only */

static void uart_expect(void) {
  ENDRX = 0;
  STARTRX = 1u;
}

static int uart_received(void) { return ENDRX != 0; }

static uint8_t uart_take(void) {
  uint8_t byte = received;
  uart_expect();
  return byte;
}

static void uart_send(uint8_t byte) {
  sent = byte;
  ENDTX = 0;
  STARTTX = 1u;
  while (!ENDTX) {
  }
}

#include "console.h"

static void uart_init(void) {
  OUTSET = 1u << TN_TX_PIN;
  DIRSET = 1u << TN_TX_PIN;
  PIN_CNF(TN_RX_PIN) = 0; /* input, connected */
  PSEL_TXD = TN_TX_PIN;
  PSEL_RXD = TN_RX_PIN;
  BAUDRATE = 0x01D60000u; /* 115200 */
  RXD_PTR = (uint32_t)(uintptr_t)&received;
  RXD_MAXCNT = 1u;
  TXD_PTR = (uint32_t)(uintptr_t)&sent;
  TXD_MAXCNT = 1u;
  ENABLE = 8u;
  uart_expect();
}

/* What the factory measured of this chip goes into the registers that FICR names (FICR, TRIMCNF); unused entries are all ones. */
static void trim(void) {
  for (uint32_t at = FICR_TRIMCNF; at < FICR_TRIMCNF + 8u * TRIMS; at += 8u) {
    uint32_t address = REG32(at);
    if (address != 0xFFFFFFFFu && address != 0u) REG32(address) = REG32(at + 4u);
  }
}

void tn_port_init(void) {
  trim();
  HFCLKSRC = 1u; /* the crystal */
  HFCLKSTART = 1u;
  tn_await(HFCLKSTARTED, 1u, 1u);
  HFCLKCTRL = 0; /* 128 MHz, undivided */
  CACHE_ENABLE = 1u;
  uart_init();
  cycles_init();
}
