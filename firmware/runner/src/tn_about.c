/* Commands that tell where things lie and how much memory was used. */
#include "tn_port.h"
#include "tn_runner.h"
#include "tn_text.h"

static void put_place(const char *before, uint32_t index, const tn_runner *runner, const tn_io *io) {
  tn_put(before);
  tn_put_u(index);
  tn_put_byte(',');
  tn_put_hex((uint32_t)(uintptr_t)(runner->arena + io->offset), 8);
  tn_put_byte(',');
  tn_put_u(io->bytes);
  tn_put("]\r\n");
}

/* io: number, address and bytes of every input and output */
void tn_cmd_io(tn_runner *runner, char *args) {
  (void)args;
  for (uint32_t i = 0; i < runner->model->input_count; i++) {
    put_place("m-input-[", i, runner, &runner->model->inputs[i]);
  }
  for (uint32_t i = 0; i < runner->model->output_count; i++) {
    put_place("m-output-[", i, runner, &runner->model->outputs[i]);
  }
}

__attribute__((weak)) int32_t tn_port_millicelsius(void) { return INT32_MIN; }

static void put_temperature(void) {
  int32_t millicelsius = tn_port_millicelsius();
  if (millicelsius == INT32_MIN) return;
  tn_put("\r\nm-celsius-");
  tn_put_milli(millicelsius);
}

/* stats: arena bytes, stack used by the last inference, stack reserved, canaries */
void tn_cmd_stats(tn_runner *runner, char *args) {
  (void)args;
  tn_stack stack = tn_port_stack();
  const char *overrun = tn_canary_broken(runner);
  tn_put("m-arena-");
  tn_put_u(runner->arena_used ? runner->arena_used : runner->model->arena_bytes);
  tn_put("\r\nm-stack-");
  tn_put_u(runner->stack_used_bytes);
  tn_put("\r\nm-stack-reserved-");
  tn_put_u((uintptr_t)stack.top - (uintptr_t)stack.limit);
  tn_put("\r\nm-canary-");
  tn_put(overrun == NULL ? "whole" : overrun);
  put_temperature();
  tn_end_line();
}
