/* The runner: drives one model over a serial line, by the MLPerf Tiny text protocol and extensions of ours. */
#ifndef TN_RUNNER_H
#define TN_RUNNER_H

#include "tn_model.h"

#define TN_RUNNER_VERSION "tinynas-runner 1"
#define TN_LINE_BYTES 80u   /* longest command, as in MLPerf Tiny */
#define TN_KEPT_BYTES 1024u /* outputs up to this size survive further inferences */

typedef struct {
  const tn_model *model;
  uint8_t *arena;
  uint32_t arena_used; /* 0: all of it */
  uint32_t load_bytes, load_at; /* `db load`: announced size, bytes so far */
  uint32_t put_input, put_crc;  /* `put`: what is loaded, so that it can be continued */
  uint32_t put_at;              /* its bytes so far */
  uint32_t runs;                /* inferences since the inputs were loaded */
  uint32_t stack_used_bytes;    /* by the last inference */
  uint32_t op_first;            /* `ops`: first op to record */
  uint32_t op_start;            /* ticks when the op in progress began */
  uint32_t op_index;            /* the op in progress */
  uint32_t op_seen;             /* calls of the mark in this inference */
  char line[TN_LINE_BYTES + 1];
  union {
    uint8_t outputs[TN_KEPT_BYTES]; /* of the first inference after a load, one after the other */
    uint32_t op_ticks[TN_KEPT_BYTES / 4];
  } kept;
  uint8_t kept_outputs; /* which of the two it holds */
} tn_runner;

/* tn_run.c: one inference on the guarded, painted stack; *ticks is its time with the cost of timing still in it.
 * After the first inference since a load, small outputs are kept. */
tn_status tn_run(tn_runner *runner, uint64_t *ticks);
tn_status tn_run_bare(tn_runner *runner); /* without clock and paint, which cost time; not the first since a load */
uint64_t tn_empty_ticks(void); /* the time that tn_run reports for tn_port_empty */
tn_status tn_run_marked(tn_runner *runner, uint32_t first_op);
uint32_t tn_empty_mark_ticks(tn_runner *runner);
void tn_inputs_loaded(tn_runner *runner); /* the next inference is the first on new inputs */
uint32_t tn_output_bytes(const tn_model *model);
/* Byte `at` of all outputs laid end to end. The first inference's if they were kept, else what is in the arena. */
uint8_t tn_output_byte(const tn_runner *runner, uint32_t at);
/* 1 if tn_output_byte gives the outputs of the first inference since a load. */
int tn_outputs_hold(const tn_runner *runner);

/* Once, before anything else of the model: places its inputs and outputs, and returns how much of the arena it uses. A
 * generated model needs none, and 0 comes back. */
uint32_t tn_model_setup(uint8_t *arena);

/* tn_memory.c */
void tn_canary_set(const tn_runner *runner);
const char *tn_canary_broken(const tn_runner *runner); /* NULL if whole, else whose memory was overrun */
void tn_stack_paint(uint32_t *below);
uint32_t tn_stack_used(uint32_t *below); /* bytes that lost their paint, counted down from `below` */

/* commands; `args` is what follows the command's name */
void tn_cmd_db(tn_runner *runner, char *args);
void tn_cmd_loaded(tn_runner *runner, char *args);
void tn_cmd_put(tn_runner *runner, char *args);
void tn_cmd_infer(tn_runner *runner, char *args);
void tn_cmd_results(tn_runner *runner, char *args);
void tn_cmd_timestamp(tn_runner *runner, char *args);
void tn_cmd_run(tn_runner *runner, char *args);
void tn_cmd_time(tn_runner *runner, char *args);
void tn_cmd_ops(tn_runner *runner, char *args);
void tn_cmd_out(tn_runner *runner, char *args);
void tn_cmd_io(tn_runner *runner, char *args);
void tn_cmd_stats(tn_runner *runner, char *args);

/* `e-[...]` for a status that is not TN_OK; returns the status. */
tn_status tn_report(const tn_runner *runner, tn_status status);

#endif
