#include "tn_text.h"

#include <stddef.h>

#include "tn_crc32.h"
#include "tn_port.h"

static uint32_t answer_crc;

void tn_put_byte(char byte) {
  answer_crc = tn_crc32(answer_crc, (uint8_t)byte);
  tn_port_put((uint8_t)byte);
}

void tn_answer_begin(const char *command) {
  answer_crc = 0;
  while (*command) answer_crc = tn_crc32(answer_crc, (uint8_t)*command++);
}

uint32_t tn_answer_crc(void) { return answer_crc; }

void tn_put(const char *text) {
  while (*text) tn_put_byte(*text++);
}

uint64_t tn_divide(uint64_t value, uint32_t by, uint32_t *rest) {
  uint64_t quotient = 0, left = 0;
  for (unsigned bit = 64; bit--;) {
    left = left << 1 | (value >> bit & 1u);
    quotient <<= 1;
    if (left >= by) left -= by, quotient |= 1u;
  }
  *rest = (uint32_t)left;
  return quotient;
}

void tn_put_u(uint64_t value) {
  char digits[20];
  unsigned count = 0;
  do {
    uint32_t digit;
    value = tn_divide(value, 10u, &digit);
    digits[count++] = (char)('0' + digit);
  } while (value);
  while (count) tn_put_byte(digits[--count]);
}

void tn_put_hex(uint32_t value, unsigned digits) {
  while (digits--) tn_put_byte("0123456789abcdef"[(value >> (4u * digits)) & 15u]);
}

void tn_put_milli(int32_t thousandths) {
  uint32_t size = thousandths < 0 ? 0u - (uint32_t)thousandths : (uint32_t)thousandths;
  if (thousandths < 0) tn_put_byte('-');
  tn_put_u(size / 1000u);
  tn_put_byte('.');
  for (uint32_t unit = 100u; unit; unit /= 10u) tn_put_byte((char)('0' + size / unit % 10u));
}

void tn_end_line(void) { tn_put("\r\n"); }

void tn_error(const char *code, const char *detail) {
  tn_put("e-[");
  tn_put(code);
  tn_put(": ");
  tn_put(detail);
  tn_put("]\r\n");
}

char *tn_word(char **at) {
  char *word = *at;
  while (*word == ' ' || *word == '\r' || *word == '\n') word++;
  if (*word == '\0') return NULL;
  char *end = word;
  while (*end != ' ' && *end != '\0') end++;
  *at = end;
  if (*end == ' ') {
    *end = '\0';
    *at = end + 1;
  }
  return word;
}

static int parse(const char *word, uint32_t base, uint32_t *value) {
  uint64_t sum = 0;
  if (word == NULL || *word == '\0') return 0;
  for (; *word; word++) {
    int digit = tn_hex_digit(*word);
    if (digit < 0 || (uint32_t)digit >= base) return 0;
    sum = sum * base + (uint32_t)digit;
    if (sum > UINT32_MAX) return 0;
  }
  *value = (uint32_t)sum;
  return 1;
}

int tn_parse_u(const char *word, uint32_t *value) { return parse(word, 10u, value); }

int tn_parse_hex(const char *word, uint32_t *value) { return parse(word, 16u, value); }

int tn_hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

int tn_same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
