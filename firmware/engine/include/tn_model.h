/* What the code generator emits for a network, and what the runner (or an application) calls.
 *
 * A generated model is one `const tn_model`, in flash. It owns no RAM: the caller gives an arena of
 * `arena_bytes` bytes, TN_ARENA_ALIGN aligned. Inputs are written into the arena at `inputs[i].offset`
 * before `invoke`, outputs are read at `outputs[i].offset` after it. An inference may overwrite its inputs. */
#ifndef TN_MODEL_H
#define TN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define TN_ARENA_ALIGN 16

/* For constant bytes that are written as a string: aligned for kernels that read words of them, and, where the compiler
 * knows the word, meant to have no 0 at the end. */
#if defined(__has_attribute)
#if __has_attribute(nonstring)
#define TN_BYTES __attribute__((aligned(4), nonstring))
#endif
#endif
#ifndef TN_BYTES
#define TN_BYTES __attribute__((aligned(4)))
#endif

typedef enum {
  TN_OK = 0,
  TN_ERR_SHAPE = 1,
  TN_ERR_ARENA = 2, /* arena too small or not aligned */
  TN_ERR_CANARY = 3 /* something wrote past the arena or the stack */
} tn_status;

typedef enum { TN_INT8 = 0, TN_FLOAT32 = 1, TN_INT32 = 2 } tn_dtype;

/* One input or output: int8 in the arena; a model whose file has float ends still has int8 here,
 * real = scale * (q - zero_point). */
typedef struct {
  const char *name;
  uint32_t offset; /* bytes from the start of the arena */
  uint32_t bytes;
  float scale;
  int32_t zero_point;
  uint8_t rank;
  uint16_t dims[5];
} tn_io;

/* Called before op `index` in a profiling build only. Ops are counted as the board runs them: without those at float
 * ends and those on constants, in the file's order. Ops that need no code, or that the kernel of the next op does on
 * the way, are counted, but not marked; ops that run in bands of rows are marked before each. */
typedef void (*tn_mark)(uint32_t index, void *user);

typedef struct {
  const char *name;
  const char *sha256; /* of the .tflite, hex */
  uint32_t arena_bytes;
  uint32_t ops;
  uint32_t input_count, output_count;
  const tn_io *inputs, *outputs;
  tn_status (*invoke)(uint8_t *arena, tn_mark mark, void *user); /* mark is ignored unless TN_PROFILE */
} tn_model;

#endif
