/* Inferences: run, timed, marked; and their outputs. */
#include <stddef.h>

#include "tn_port.h"
#include "tn_runner.h"

typedef tn_status (*invoke_fn)(uint8_t *arena, tn_mark mark, void *user);

/* Not inlined: an inference and the empty call must be timed by the same instructions. */
__attribute__((noinline)) static uint64_t timed(invoke_fn invoke, tn_runner *runner, tn_mark mark, tn_status *status) {
  uint64_t start = tn_port_ticks();
  *status = invoke(runner->arena, mark, runner);
  return tn_port_ticks() - start;
}

/* An op's time runs from the end of its mark to the start of the next; ops without code have no mark, ops that run in
 * bands one for each. */
static void mark_op(uint32_t index, void *user) {
  uint32_t now = (uint32_t)tn_port_ticks();
  tn_runner *runner = user;
  uint32_t slot = runner->op_index - runner->op_first;
  if (runner->op_seen && slot < TN_KEPT_BYTES / 4u) runner->kept.op_ticks[slot] += now - runner->op_start;
  runner->op_seen++;
  runner->op_index = index;
  runner->op_start = (uint32_t)tn_port_ticks();
}

/* Left alone below the stack pointer: the frames of `timed` and of the painting itself. Counted as used. */
#ifndef TN_UNPAINTED_WORDS
#define TN_UNPAINTED_WORDS 24u
#endif

/* Runs with the stack below painted, so that the high-water mark is this inference's. */
static tn_status invoke_painted(tn_runner *runner, tn_mark mark, uint64_t *ticks) {
  uint32_t *below = tn_port_stack_pointer();
  tn_status status;
  if (below != NULL) below -= TN_UNPAINTED_WORDS;
  tn_stack_paint(below);
  *ticks = timed(runner->model->invoke, runner, mark, &status);
  if (runner->op_seen) mark_op(runner->model->ops, runner); /* ends the last op */
  runner->stack_used_bytes = below == NULL ? 0u : tn_stack_used(below) + 4u * TN_UNPAINTED_WORDS;
  if (status == TN_OK && tn_canary_broken(runner) != NULL) status = TN_ERR_CANARY;
  return status;
}

uint32_t tn_output_bytes(const tn_model *model) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < model->output_count; i++) bytes += model->outputs[i].bytes;
  return bytes;
}

static uint8_t arena_output_byte(const tn_runner *runner, uint32_t at) {
  const tn_io *output = runner->model->outputs;
  while (at >= output->bytes) at -= (output++)->bytes;
  return runner->arena[output->offset + at];
}

uint8_t tn_output_byte(const tn_runner *runner, uint32_t at) {
  return runner->kept_outputs ? runner->kept.outputs[at] : arena_output_byte(runner, at);
}

void tn_inputs_loaded(tn_runner *runner) {
  runner->runs = 0;
  runner->kept_outputs = 0;
  runner->put_at = 0;
}

int tn_outputs_hold(const tn_runner *runner) { return runner->kept_outputs || runner->runs == 1u; }

static void keep_outputs(tn_runner *runner) {
  uint32_t bytes = tn_output_bytes(runner->model);
  runner->kept_outputs = bytes <= TN_KEPT_BYTES;
  for (uint32_t i = 0; runner->kept_outputs && i < bytes; i++) runner->kept.outputs[i] = arena_output_byte(runner, i);
}

tn_status tn_run(tn_runner *runner, uint64_t *ticks) {
  runner->op_seen = 0;
  tn_status status = invoke_painted(runner, NULL, ticks);
  if (status == TN_OK && runner->runs == 0) keep_outputs(runner);
  runner->runs++;
  return status;
}

tn_status tn_run_bare(tn_runner *runner) {
  runner->runs++;
  return runner->model->invoke(runner->arena, NULL, runner);
}

uint64_t tn_empty_ticks(void) {
  tn_status status;
  tn_runner *none = &(tn_runner){.arena = NULL};
  return timed(tn_port_empty, none, NULL, &status);
}

tn_status tn_run_marked(tn_runner *runner, uint32_t first_op) {
  uint64_t ticks;
  runner->op_first = first_op;
  runner->op_seen = 0;
  runner->kept_outputs = 0;
  for (uint32_t i = 0; i < TN_KEPT_BYTES / 4u; i++) runner->kept.op_ticks[i] = 0;
  tn_status status = invoke_painted(runner, mark_op, &ticks);
  runner->runs++;
  return status;
}

uint32_t tn_empty_mark_ticks(tn_runner *runner) {
  tn_mark volatile mark = mark_op;
  runner->op_first = 0;
  runner->op_seen = 0;
  runner->kept.op_ticks[0] = 0;
  mark(0, runner);
  mark(1, runner);
  return runner->kept.op_ticks[0];
}
