/* Commands that run the model or tell its results. */
#include "tn_crc32.h"
#include "tn_port.h"
#include "tn_runner.h"
#include "tn_text.h"

#define DEFAULT_WARMUPS 10u
#define HEX_BYTES_PER_LINE 64u

static uint64_t ticks_to_us(uint64_t ticks) {
  uint32_t rest;
  uint64_t instructions = tn_divide(ticks * TN_TICKS_DEN, TN_TICKS_NUM, &rest);
  return tn_divide(instructions * 1000000u, TN_CLOCK_HZ, &rest);
}

tn_status tn_report(const tn_runner *runner, tn_status status) {
  const char *overrun = tn_canary_broken(runner);
  if (status == TN_ERR_CANARY) {
    tn_error("canary", overrun != NULL && tn_same(overrun, "stack") ? "stack overflow" : "write past the arena");
  } else if (status != TN_OK) {
    tn_put("e-[invoke: status ");
    tn_put_u((uint64_t)status);
    tn_put("]\r\n");
  }
  return status;
}

static void put_number(const char *before, uint64_t value) {
  tn_put(before);
  tn_put_u(value);
  tn_end_line();
}

/* What a timed loop may hold: only the first since a load is watched more closely. */
static tn_status repeat(tn_runner *runner, uint32_t times) {
  tn_status status = TN_OK;
  uint64_t ticks;
  for (; times && status == TN_OK; times--) status = runner->runs ? tn_run_bare(runner) : tn_run(runner, &ticks);
  if (status == TN_OK && runner->runs && tn_canary_broken(runner) != NULL) status = TN_ERR_CANARY;
  return tn_report(runner, status);
}

void tn_cmd_timestamp(tn_runner *runner, char *args) {
  (void)runner, (void)args;
  put_number("m-lap-us-", ticks_to_us(tn_port_ticks()));
}

/* infer N [W]: MLPerf Tiny's performance and accuracy run */
void tn_cmd_infer(tn_runner *runner, char *args) {
  uint32_t times, warmups = DEFAULT_WARMUPS;
  int good = tn_parse_u(tn_word(&args), &times) && times > 0;
  char *word = tn_word(&args);
  if (!good || (word != NULL && !tn_parse_u(word, &warmups))) {
    tn_error("usage", "infer N [W]");
    return;
  }
  put_number("m-warmup-start-", warmups);
  if (repeat(runner, warmups) != TN_OK) return;
  tn_put("m-warmup-done\r\n");
  put_number("m-infer-start-", times);
  tn_cmd_timestamp(runner, args);
  if (repeat(runner, times) != TN_OK) return;
  tn_cmd_timestamp(runner, args);
  tn_put("m-infer-done\r\n");
  tn_cmd_results(runner, args);
}

static int outputs_known(const tn_runner *runner) {
  if (tn_outputs_hold(runner)) return 1;
  tn_error("no-results", "infer once after loading");
  return 0;
}

/* results: the outputs as real numbers, as MLPerf Tiny prints them */
void tn_cmd_results(tn_runner *runner, char *args) {
  (void)args;
  if (!outputs_known(runner)) return;
  uint32_t at = 0;
  tn_put("m-results-[");
  for (uint32_t i = 0; i < runner->model->output_count; i++) {
    const tn_io *output = &runner->model->outputs[i];
    for (uint32_t k = 0; k < output->bytes; k++, at++) {
      float real = output->scale * (float)((int8_t)tn_output_byte(runner, at) - output->zero_point);
      if (at) tn_put_byte(',');
      tn_put_milli((int32_t)(real * 1000.0f + (real < 0 ? -0.5f : 0.5f)));
    }
  }
  tn_put("]\r\n");
}

/* out: the outputs' int8 bytes, exactly */
void tn_cmd_out(tn_runner *runner, char *args) {
  (void)args;
  if (!outputs_known(runner)) return;
  uint32_t bytes = tn_output_bytes(runner->model), crc = 0;
  for (uint32_t i = 0; i < bytes; i++) {
    uint8_t byte = tn_output_byte(runner, i);
    crc = tn_crc32(crc, byte);
    if (i % HEX_BYTES_PER_LINE == 0) tn_put(i ? "\r\nm-hex-" : "m-hex-");
    tn_put_hex(byte, 2);
  }
  tn_put("\r\nm-crc-");
  tn_put_hex(crc, 8);
  tn_end_line();
}

/* run: one inference, answered with its outputs */
void tn_cmd_run(tn_runner *runner, char *args) {
  uint64_t ticks;
  if (tn_report(runner, tn_run(runner, &ticks)) == TN_OK) tn_cmd_out(runner, args);
}

/* time N: each inference by itself, in ticks, and what timing itself costs */
void tn_cmd_time(tn_runner *runner, char *args) {
  uint32_t times;
  uint64_t ticks;
  if (!tn_parse_u(tn_word(&args), &times) || times == 0) {
    tn_error("usage", "time N");
    return;
  }
  put_number("m-overhead-", tn_empty_ticks());
  while (times--) {
    if (tn_report(runner, tn_run(runner, &ticks)) != TN_OK) return;
    put_number("m-ticks-", ticks);
  }
}

/* ops FIRST: ticks of up to 256 ops from FIRST on; needs a profiling image */
void tn_cmd_ops(tn_runner *runner, char *args) {
  uint32_t first, ops = runner->model->ops;
  if (!tn_parse_u(tn_word(&args), &first) || first >= ops) {
    tn_error("usage", "ops FIRST");
    return;
  }
  put_number("m-overhead-", tn_empty_mark_ticks(runner));
  if (tn_report(runner, tn_run_marked(runner, first)) != TN_OK) return;
  if (runner->op_seen == 0) {
    tn_error("no-profile", "not a profiling image");
    return;
  }
  for (uint32_t i = 0; i < TN_KEPT_BYTES / 4u && first + i < ops; i++) {
    tn_put("m-op-");
    tn_put_u(first + i);
    put_number("-", runner->kept.op_ticks[i]);
  }
}
