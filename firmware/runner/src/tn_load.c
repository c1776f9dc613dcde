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

static void db_print(const tn_runner *runner) {
  for (uint32_t i = 0; i < runner->load_bytes; i++) {
    tn_put(i % 8u == 0 ? "m-buffer-" : "-");
    tn_put_hex(*input_byte(runner, i), 2);
    if (i % 8u == 7u || i + 1u == runner->load_bytes) tn_end_line();
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
    db_print(runner);
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
