/* Any board with an Arduino core: Serial, the core's cycle counter or micros(), and the arena from the heap.
 *
 * The Arduino core starts the chip and stays: its interrupts run while a model is timed. A main of its own calls setup(),
 * which never returns from the runner. */
#include <Arduino.h>
#include <stdlib.h>
#ifdef ARDUINO_NRF52_ADAFRUIT
#include <Adafruit_TinyUSB.h> /* Serial is in there */
#endif

extern "C" {
#include "tn_port.h"
int TN_MAIN(void);
}

#if defined(F_CPU) && !defined(ARDUINO_ARCH_MBED)
static_assert(F_CPU == TN_CLOCK_HZ, "the board file's clock_hz is not what the Arduino core sets up");
#endif

#define CHUNK 64u
static uint8_t unsent[CHUNK]; /* one by one, USB would send a packet for each byte */
static size_t unsent_bytes;

static void hand_over(void) {
  Serial.write(unsent, unsent_bytes);
  unsent_bytes = 0;
}

static void flush(void) {
  if (unsent_bytes) hand_over();
  Serial.flush();
}

/* 32-bit counter of the core's cycles, where there is one: tick_count() counts its wraps. */
#if defined(ARDUINO_ARCH_ESP32)
static void cycles_init(void) {}
static uint32_t cycles(void) { return ESP.getCycleCount(); }
#elif defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED)
static void cycles_init(void) {}
static uint32_t cycles(void) { return rp2040.getCycleCount(); }
#elif defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__)
#define REG32(address) (*(volatile uint32_t *)(address))
static void cycles_init(void) { /* Armv7-M manual, Data Watchpoint and Trace */
  REG32(0xE000EDFCu) |= 1u << 24; /* DEMCR.TRCENA */
  REG32(0xE0001FB0u) = 0xC5ACCE55u; /* Cortex-M7 locks the unit; elsewhere this does nothing */
  REG32(0xE0001000u) |= 1u;
}
static uint32_t cycles(void) { return REG32(0xE0001004u); }
#else
#define TN_NO_CYCLES
#endif

#ifdef TN_NO_CYCLES
static void cycles_init(void) {}
static uint32_t last_us, wraps;
uint64_t tn_port_ticks(void) {
  uint32_t now = (uint32_t)micros();
  wraps += now < last_us;
  last_us = now;
  return (((uint64_t)wraps << 32) | now) * (TN_CLOCK_HZ / 1000000u);
}
#else
static uint32_t last_cycles, wraps;
uint64_t tn_port_ticks(void) {
  uint32_t now = cycles();
  wraps += now < last_cycles;
  last_cycles = now;
  return ((uint64_t)wraps << 32) | now;
}
#endif

void tn_port_init(void) {
#ifdef ARDUINO_ARCH_ESP32
  Serial.setRxBufferSize(4096); /* the host sends up to 8 frames of 255 bytes ahead */
#endif
  Serial.begin(TN_BAUD);
  while (!Serial) yield(); /* over USB: until somebody opens the port, who then sees the start */
  cycles_init();
}

static void wait_a_little(void) {
  (void)tn_port_ticks(); /* sees every wrap of the counter */
  yield();
}

uint8_t tn_port_get(void) {
  if (Serial.available() <= 0) flush();
  while (Serial.available() <= 0) wait_a_little();
  return (uint8_t)Serial.read();
}

int tn_port_get_soon(void) {
  if (Serial.available() <= 0) flush();
  for (uint32_t start = (uint32_t)millis(); Serial.available() <= 0; wait_a_little()) {
    if ((uint32_t)millis() - start > 1000u) return -1;
  }
  return Serial.read();
}

void tn_port_put(uint8_t byte) {
  unsent[unsent_bytes++] = byte;
  if (unsent_bytes == CHUNK) hand_over();
}

__attribute__((noinline)) tn_status tn_port_empty(uint8_t *arena, tn_mark mark, void *user) {
  (void)arena, (void)mark, (void)user;
  return TN_OK;
}

uint8_t *tn_port_arena(const tn_model *model) {
  size_t bytes = model->arena_bytes + TN_CANARY_BYTES;
  uintptr_t start = (uintptr_t)malloc(bytes + TN_ARENA_ALIGN - 1u);
  while (start == 0) { /* somebody may open the port at any time */
    Serial.print("e-[memory: the heap has no room for the model]\r\n");
    delay(1000);
  }
  return (uint8_t *)((start + TN_ARENA_ALIGN - 1u) / TN_ARENA_ALIGN * TN_ARENA_ALIGN);
}

/* The core's own stack: of what is left of it where the runner starts, the half of TN_STACK_BYTES is watched. */
static uint32_t *stack_top;

tn_stack tn_port_stack(void) { return {stack_top - TN_STACK_BYTES / 8u, stack_top}; }

__attribute__((noinline)) uint32_t *tn_port_stack_pointer(void) {
  return (uint32_t *)((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)3u);
}

void setup() {
  stack_top = tn_port_stack_pointer();
  (void)TN_MAIN();
}

void loop() {}
