/* Serial is standard input, one end of a pseudo-terminal; nothing written arrives before flush() or 256 bytes of it. */
#include "Arduino.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL 0
#define BUFFER_BYTES 256

static bool begun;
static uint8_t buffer[BUFFER_BYTES];
static size_t buffered;

static unsigned long since_start(unsigned long per_second) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (unsigned long)now.tv_sec * per_second + (unsigned long)now.tv_nsec / (1000000000ul / per_second);
}
unsigned long micros(void) { return (uint32_t)since_start(1000000ul); } /* 32 bits, as on a board */
unsigned long millis(void) { return (uint32_t)since_start(1000ul); }
void delay(unsigned long ms) { usleep((useconds_t)ms * 1000u); }
void yield(void) { usleep(50); }

HardwareSerial Serial;
void HardwareSerial::begin(unsigned long baud) { begun = baud == 115200; }
HardwareSerial::operator bool() const { return begun; }

int HardwareSerial::available(void) {
  struct pollfd channel = {CHANNEL, POLLIN, 0};
  return begun && poll(&channel, 1, 0) == 1;
}

int HardwareSerial::read(void) {
  uint8_t byte;
  if (!available()) return -1;
  if (::read(CHANNEL, &byte, 1) != 1) exit(0); /* the host closed the line */
  return byte;
}

void HardwareSerial::flush(void) {
  for (size_t at = 0; at < buffered;) {
    ssize_t sent = ::write(CHANNEL, buffer + at, buffered - at);
    if (sent <= 0) exit(0);
    at += (size_t)sent;
  }
  buffered = 0;
}

size_t HardwareSerial::write(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (buffered == BUFFER_BYTES) flush();
    buffer[buffered++] = bytes[i];
  }
  return size;
}
size_t HardwareSerial::write(uint8_t byte) { return write(&byte, 1); }
size_t HardwareSerial::print(const char *text) { return write((const uint8_t *)text, strlen(text)); }

int main() {
  setup();
  for (;;) loop();
}
