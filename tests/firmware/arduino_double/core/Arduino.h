/* What the port uses of the Arduino language reference, with the reference's types; what one board family adds stands
 * under that family's macro. */
#ifndef Arduino_h
#define Arduino_h

#include <stddef.h>
#include <stdint.h>

extern "C" {
unsigned long micros(void);
unsigned long millis(void);
void delay(unsigned long ms);
void yield(void);
}

void setup(void);
void loop(void);

class HardwareSerial {
 public:
  void begin(unsigned long baud);
  int available(void);
  int read(void);
  size_t write(uint8_t byte);
  size_t write(const uint8_t *bytes, size_t size);
  size_t print(const char *text);
  void flush(void);
  operator bool() const;
#ifdef ARDUINO_ARCH_ESP32
  size_t setRxBufferSize(size_t size);
#endif
};
extern HardwareSerial Serial;

#ifdef ARDUINO_ARCH_ESP32
struct EspClass {
  uint32_t getCycleCount(void);
};
extern EspClass ESP;
#endif

#if defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED)
struct RP2040 {
  uint32_t getCycleCount(void);
};
extern RP2040 rp2040;
#endif

#endif
