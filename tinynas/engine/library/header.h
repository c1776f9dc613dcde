/* ${title}: ${ops} ops, ${macs} multiply-accumulates, for ${core}. Exported by tinynas ${version}.
 *
 * Memory is yours: an arena of ARENA_BYTES bytes, aligned to ARENA_ALIGN. Write the inputs into it, run, read the
 * outputs from it. A run may overwrite its inputs, so write them again before the next. Values are int8; the real number
 * is SCALE * (q - ZERO_POINT). No other memory is used but the stack; nothing is allocated or kept between runs. */
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stddef.h>
#include <stdint.h>

#include "tn_model.h"
${guard}
#define ${NAME}_ARENA_BYTES ${arena_bytes}u
#define ${NAME}_ARENA_ALIGN 16

${ends}
#ifdef __cplusplus
extern "C" {
#endif

extern const tn_model tn_model_${name};

${accessors}
/* One inference. Returns TN_ERR_ARENA, with nothing done, if the arena is too small or not aligned. */
static inline tn_status ${name}_run(uint8_t *arena, size_t arena_bytes) {
  if (arena_bytes < ${NAME}_ARENA_BYTES || (uintptr_t)arena % ${NAME}_ARENA_ALIGN != 0) return TN_ERR_ARENA;
  return tn_model_${name}.invoke(arena, NULL, NULL);
}

#ifdef __cplusplus
}
#endif

#endif
