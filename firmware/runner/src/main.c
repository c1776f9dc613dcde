/* Reads commands and answers each with lines that end in `m-ready`. */
#include <stddef.h>

#include "tn_port.h"
#include "tn_runner.h"
#include "tn_text.h"

extern const tn_model tn_model_main;

typedef struct {
  const char *name;
  void (*run)(tn_runner *runner, char *args);
} command;

static void cmd_name(tn_runner *runner, char *args) {
  (void)runner, (void)args;
  tn_put("m-name-dut-[tinynas]\r\n");
}

static void cmd_profile(tn_runner *runner, char *args) {
  (void)args;
  tn_put("m-profile-[" TN_RUNNER_VERSION "]\r\nm-model-[");
  tn_put(runner->model->name);
  tn_put("]\r\nm-sha256-[");
  tn_put(runner->model->sha256);
  tn_put("]\r\nm-ops-");
  tn_put_u(runner->model->ops);
  tn_put("\r\nm-clock-hz-");
  tn_put_u(TN_CLOCK_HZ);
  tn_put("\r\nm-extensions-[io loaded ops out put run stats tag time]\r\n");
}

static void cmd_help(tn_runner *runner, char *args);
static void cmd_tag(tn_runner *runner, char *args);

static const command commands[] = {
    {"name", cmd_name},         {"profile", cmd_profile},    {"timestamp", tn_cmd_timestamp},
    {"help", cmd_help},         {"db", tn_cmd_db},           {"infer", tn_cmd_infer},
    {"results", tn_cmd_results}, {"put", tn_cmd_put},         {"io", tn_cmd_io},
    {"out", tn_cmd_out},        {"stats", tn_cmd_stats},     {"time", tn_cmd_time},
    {"ops", tn_cmd_ops},        {"loaded", tn_cmd_loaded},   {"run", tn_cmd_run},         {"tag", cmd_tag}};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void cmd_help(tn_runner *runner, char *args) {
  (void)runner, (void)args;
  for (size_t i = 0; i < COMMANDS; i++) {
    tn_put("m-help-[");
    tn_put(commands[i].name);
    tn_put("]\r\n");
  }
}

/* Fills runner->line up to the next '%'; 0 if it does not fit. */
static int read_command(tn_runner *runner) {
  uint32_t length = 0;
  for (;;) {
    uint8_t byte = tn_port_get();
    if (byte == '%') break;
    if (length < TN_LINE_BYTES) runner->line[length] = (char)byte;
    length++;
  }
  runner->line[length < TN_LINE_BYTES ? length : TN_LINE_BYTES] = '\0';
  return length <= TN_LINE_BYTES;
}

static void execute(tn_runner *runner, char *args) {
  char *name = tn_word(&args);
  for (size_t i = 0; name != NULL && i < COMMANDS; i++) {
    if (tn_same(commands[i].name, name)) {
      commands[i].run(runner, args);
      return;
    }
  }
  tn_put("e-[unknown-command: ");
  tn_put(name != NULL ? name : "");
  tn_put("]\r\n");
}

/* tag TAG COMMAND: COMMAND's answer, closed by the tag and a checksum of both */
static void cmd_tag(tn_runner *runner, char *args) {
  char *tag = tn_word(&args);
  if (tag == NULL) {
    tn_error("usage", "tag TAG COMMAND");
    return;
  }
  tn_answer_begin(args);
  execute(runner, args);
  uint32_t crc = tn_answer_crc();
  tn_put("m-tag-");
  tn_put(tag);
  tn_put_byte('-');
  tn_put_hex(crc, 8);
  tn_end_line();
}

/* An interpreter's model replaces it. */
__attribute__((weak)) uint32_t tn_model_setup(uint8_t *arena) {
  (void)arena;
  return 0;
}

#ifndef TN_MAIN /* an Arduino core has its own */
#define TN_MAIN main
#endif

int TN_MAIN(void) {
  static tn_runner runner; /* zero until here, so that it costs no flash */
  runner.model = &tn_model_main;
  tn_port_init();
  runner.arena = tn_port_arena(runner.model);
  runner.arena_used = tn_model_setup(runner.arena);
  tn_canary_set(&runner);
  tn_put("m-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n");
  for (;;) {
    if (read_command(&runner)) {
      execute(&runner, runner.line);
    } else {
      tn_error("too-long", "over 80 characters");
    }
    tn_put("m-ready\r\n");
  }
}
