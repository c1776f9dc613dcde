/* Small formatters for the serial line: no printf. */
#ifndef TN_TEXT_H
#define TN_TEXT_H

#include <stdint.h>

/* value / by and the rest, one bit at a time: the compiler's own takes 700 B of flash. */
uint64_t tn_divide(uint64_t value, uint32_t by, uint32_t *rest);

void tn_put_byte(char byte);
void tn_put(const char *text);
void tn_put_u(uint64_t value);
void tn_put_hex(uint32_t value, unsigned digits);
void tn_put_milli(int32_t thousandths); /* 996 as 0.996 */
void tn_end_line(void);

/* CRC-32 of a command and of what was put since: `tag` closes an answer with it. */
void tn_answer_begin(const char *command);
uint32_t tn_answer_crc(void);

/* `e-[code: detail]` and the end of the line. */
void tn_error(const char *code, const char *detail);

/* Next word of *at, ended by a space (which becomes its terminator), or NULL; *at moves past it. */
char *tn_word(char **at);

/* 1 and *value if `word` is a decimal (or, for tn_parse_hex, hexadecimal) number below 2^32, else 0. */
int tn_parse_u(const char *word, uint32_t *value);
int tn_parse_hex(const char *word, uint32_t *value);

/* Value of a hex digit, or -1. */
int tn_hex_digit(char digit);

int tn_same(const char *a, const char *b);

#endif
