#include "${name}.h"

static uint8_t arena[${NAME}_ARENA_BYTES] __attribute__((aligned(${NAME}_ARENA_ALIGN)));

const int8_t *infer(const int8_t *x) {
  int8_t *input = ${name}_input_0(arena);
  for (size_t i = 0; i < ${NAME}_INPUT_0_BYTES; i++) input[i] = x[i];
  if (${name}_run(arena, sizeof arena) != TN_OK) return NULL;
  return ${name}_output_0(arena);
}
