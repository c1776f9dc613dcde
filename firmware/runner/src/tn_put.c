/* `put`: an input tensor in frames that are checked one by one, several in flight, continued after a cut line. */
#include <stddef.h>

#include "tn_crc32.h"
#include "tn_port.h"
#include "tn_runner.h"
#include "tn_text.h"

#define FRAME_BYTES 248u        /* of payload; with number and CRC below 254, so that COBS has no full blocks */
#define AROUND_BYTES 6u         /* what `unpack` counts beside the payload: COBS's first code, number, CRC */
#define CRC_RESIDUE 0x2144DF1Cu /* CRC-32 of anything followed by its own CRC-32 */
#define NUMBERS 64u

typedef enum { GOOD, BAD, EMPTY, ABORT, SILENT } frame;

/* Undoes COBS while the bytes arrive: 0 ends a frame, and a code says how many bytes on the next 0 stood. Bytes past
 * `bytes` are dropped, so a frame in disorder does no harm. */
static frame unpack(uint8_t *into, uint32_t bytes, uint32_t number) {
  uint32_t count = 0, crc = 0;
  int to_code = 1, good = 0, byte;
  while ((byte = tn_port_get_soon()) > 0) {
    if (--to_code == 0) {
      to_code = byte;
      byte = 0;
    }
    if (count) crc = tn_crc32(crc, (uint8_t)byte);
    if (count == 1u) good = (uint32_t)byte == number;
    if (count >= 2u && count - 2u < bytes) into[count - 2u] = (uint8_t)byte;
    count++;
  }
  if (byte < 0) return SILENT;
  if (count < 2u) return count ? ABORT : EMPTY;
  return good && to_code == 1 && count == bytes + AROUND_BYTES && crc == CRC_RESIDUE ? GOOD : BAD;
}

/* Which frame is wanted next. Two bytes that no text holds, the second the complement of the first; a UART takes both
 * without making the reader wait. */
static void acknowledge(uint32_t number) {
  tn_port_put((uint8_t)(0x80u | number));
  tn_port_put((uint8_t)(0xC0u | (number ^ (NUMBERS - 1u))));
}

/* NULL when all bytes are there, else why not. */
static const char *receive(tn_runner *runner, uint8_t *into, uint32_t bytes) {
  uint32_t number = 0; /* wraps as the frames' numbers do */
  for (uint32_t at = 0; at < runner->put_at; at += FRAME_BYTES) number++;
  while (runner->put_at < bytes) {
    uint32_t left = bytes - runner->put_at, size = left < FRAME_BYTES ? left : FRAME_BYTES;
    frame got = unpack(into + runner->put_at, size, number % NUMBERS);
    if (got == SILENT) return "timeout";
    if (got == ABORT) return "aborted";
    if (got == GOOD) {
      runner->put_at += size;
      number++;
    }
    if (got != EMPTY) acknowledge(number % NUMBERS);
  }
  return NULL;
}

static uint32_t crc_of(const uint8_t *at, uint32_t bytes) {
  uint32_t crc = 0;
  while (bytes--) crc = tn_crc32(crc, *at++);
  return crc;
}

/* Starts at 0, unless this very tensor was begun and nothing has touched the arena since. */
static void begin(tn_runner *runner, uint32_t input, uint32_t crc) {
  if (runner->runs == 0 && runner->put_input == input && runner->put_crc == crc) return;
  tn_inputs_loaded(runner);
  runner->put_input = input;
  runner->put_crc = crc;
}

/* put INPUT BYTES CRC (hex): answers `m-[Expecting ...]`, then takes frames */
void tn_cmd_put(tn_runner *runner, char *args) {
  uint32_t input, bytes, crc;
  const tn_model *model = runner->model;
  if (!tn_parse_u(tn_word(&args), &input) || !tn_parse_u(tn_word(&args), &bytes) ||
      !tn_parse_hex(tn_word(&args), &crc)) {
    tn_error("usage", "put INPUT BYTES CRC");
    return;
  }
  if (input >= model->input_count || bytes != model->inputs[input].bytes) {
    tn_error("bad-size", "see io");
    return;
  }
  begin(runner, input, crc);
  tn_put("m-[Expecting ");
  tn_put_u(bytes);
  tn_put(" bytes from ");
  tn_put_u(runner->put_at);
  tn_put("]\r\n");
  uint8_t *into = runner->arena + model->inputs[input].offset;
  const char *trouble = receive(runner, into, bytes);
  if (trouble == NULL && crc_of(into, bytes) != crc) {
    runner->put_at = 0;
    trouble = "bad-crc";
  }
  if (trouble == NULL) {
    tn_put("m-load-done\r\n");
  } else {
    tn_error(trouble, "put again");
  }
}
