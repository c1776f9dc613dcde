/* nRF52840 (product specification 1.7) at 64 MHz from the 32 MHz crystal, instruction cache on; UART0 on the pins TN_TX_PIN
 * and TN_RX_PIN: 0 to 31 are those of port 0, 32 to 47 those of port 1, as the chip's PSEL registers count them. */
#include "bits.h"

#define CLOCK 0x40000000u
#define HFCLKSTART REG32(CLOCK + 0x000u)
#define HFCLKSTARTED (CLOCK + 0x100u)
#define NVMC_ICACHECNF REG32(0x4001E540u)
#define GPIO(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define OUTSET(pin) REG32(GPIO(pin) + 0x508u)
#define DIRSET(pin) REG32(GPIO(pin) + 0x518u)
#define PIN_CNF(pin) REG32(GPIO(pin) + 0x700u + 4u * ((pin) % 32u))
#define TEMP_START REG32(0x4000C000u)
#define TEMP_READY 0x4000C100u
#define TEMP_QUARTERS REG32(0x4000C508u) /* of a degree, signed */
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
#define TX_PIN ((unsigned)TN_TX_PIN)
#define RX_PIN ((unsigned)TN_RX_PIN)

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
  ENABLE = 0; /* a bootloader may have left it on, with other pins */
  OUTSET(TX_PIN) = 1u << (TX_PIN % 32u);
  DIRSET(TX_PIN) = 1u << (TX_PIN % 32u);
  PIN_CNF(RX_PIN) = 0; /* input, connected */
  PSEL_TXD = TX_PIN;
  PSEL_RXD = RX_PIN;
  BAUDRATE = 0x01D7E000u; /* 115200 */
  ENABLE = 4u;
  STARTTX = 1u;
  STARTRX = 1u;
}

int32_t tn_port_millicelsius(void) {
  TEMP_START = 1u;
  tn_await(TEMP_READY, 1u, 1u);
  REG32(TEMP_READY) = 0;
  return (int32_t)TEMP_QUARTERS * 250;
}

void tn_port_init(void) {
  HFCLKSTART = 1u;
  tn_await(HFCLKSTARTED, 1u, 1u);
  NVMC_ICACHECNF = 1u;
  uart_init();
  cycles_init();
}
