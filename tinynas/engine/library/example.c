/* Runs ${title} on this machine: the inputs' int8 bytes on stdin, end to end, the outputs' on stdout. C99 and C++17. */
#include <stdio.h>

#include "${name}.h"

static uint8_t arena[${NAME}_ARENA_BYTES] __attribute__((aligned(${NAME}_ARENA_ALIGN)));

int main(void) {
  const tn_model *model = &tn_model_${name};
  for (uint32_t i = 0; i < model->input_count; i++) {
    const tn_io *input = &model->inputs[i];
    if (fread(arena + input->offset, 1, input->bytes, stdin) != input->bytes) return 1;
  }
  if (${name}_run(arena, sizeof arena) != TN_OK) return 1;
  for (uint32_t i = 0; i < model->output_count; i++) {
    const tn_io *output = &model->outputs[i];
    if (fwrite(arena + output->offset, 1, output->bytes, stdout) != output->bytes) return 1;
  }
  return 0;
}
