/* Loading inputs in hex, as MLPerf Tiny does: straight into the input tensors. */
#include <stddef.h>

#include "tn_port.h"
#include "tn_runner.h"
#include "tn_text.h"

static uint32_t input_bytes(const tn_model *model) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < model->input_count; i++) bytes += model->inputs[i].bytes;
  return bytes;
}

/* Byte `at` of all inputs laid end to end. */
static uint8_t *input_byte(const tn_runner *runner, uint32_t at) {
  const tn_io *input = runner->model->inputs;
  while (at >= input->bytes) at -= (input++)->bytes;
  return &runner->arena[input->offset + at];
}

static void db_load(tn_runner *runner, char *args) {
  uint32_t bytes;
  if (!tn_parse_u(tn_word(&args), &bytes) || bytes == 0) {
    tn_error("usage", "db load BYTES");
    return;
  }
  if (bytes > input_bytes(runner->model)) {
    tn_error("too-big", "see io");
    return;
  }
  runner->load_bytes = bytes;
  runner->load_at = 0;
  tn_inputs_loaded(runner);
  tn_put("m-[Expecting ");
  tn_put_u(bytes);
  tn_put(" bytes]\r\n");
}

/* print [N] [OFFSET]: of the bytes that were announced; all of them, if N is not given */
static void db_print(const tn_runner *runner, char *args) {
  uint32_t count = runner->load_bytes, from = 0;
  char *words[2] = {tn_word(&args), NULL};
  if (words[0] != NULL) words[1] = tn_word(&args);
  if ((words[0] != NULL && !tn_parse_u(words[0], &count)) || (words[1] != NULL && !tn_parse_u(words[1], &from))) {
    tn_error("usage", "db print [N] [OFFSET]");
    return;
  }
  for (uint32_t i = 0; i < count && from + i < runner->load_bytes; i++) {
    int last = i + 1u == count || from + i + 1u == runner->load_bytes;
    tn_put(i % 8u == 0 ? "m-buffer-" : "-");
    tn_put_hex(*input_byte(runner, from + i), 2);
    if (i % 8u == 7u || last) tn_end_line();
  }
}

static void db_hex(tn_runner *runner, const char *digits) {
  for (; runner->load_at < runner->load_bytes && *digits; digits += 2) {
    int high = tn_hex_digit(digits[0]);
    int low = high < 0 || digits[1] == '\0' ? -1 : tn_hex_digit(digits[1]);
    if (low < 0) {
      tn_error("bad-hex", "wanted pairs of hex digits");
      return;
    }
    *input_byte(runner, runner->load_at++) = (uint8_t)(high * 16 + low);
    if (runner->load_at == runner->load_bytes) tn_put("m-load-done\r\n");
  }
}

void tn_cmd_db(tn_runner *runner, char *args) {
  char *word = tn_word(&args);
  if (word == NULL) {
    tn_error("usage", "db load BYTES|print|HEX");
  } else if (tn_same(word, "load")) {
    db_load(runner, args);
  } else if (tn_same(word, "print")) {
    db_print(runner, args);
  } else {
    db_hex(runner, word);
  }
}

/* loaded: the inputs were written by a debugger */
void tn_cmd_loaded(tn_runner *runner, char *args) {
  (void)args;
  tn_inputs_loaded(runner);
  tn_put("m-load-done\r\n");
}
