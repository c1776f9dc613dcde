/* What the runner asks of a port: a byte channel, a clock, and where the arena and the stack lie. */
#ifndef TN_PORT_H
#define TN_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "tn_model.h"

/* UART and clock ready, nothing printed. */
void tn_port_init(void);

/* Next byte from the host; waits for ever, asleep where the core can. */
uint8_t tn_port_get(void);

/* Next byte from the host, or -1 after about a second without one (polling, so that a lost byte ends a load). */
int tn_port_get_soon(void);

void tn_port_put(uint8_t byte);

/* Free-running count; TN_TICKS_NUM / TN_TICKS_DEN ticks are one instruction (virtual boards), one cycle (hardware) or
 * one nanosecond (host). Takes no branch and no interrupt, so reading it always costs the same. */
uint64_t tn_port_ticks(void);

/* An invoke that is one instruction long: timing it gives the cost of timing. */
tn_status tn_port_empty(uint8_t *arena, tn_mark mark, void *user);

/* Memory for `model`: arena_bytes, TN_ARENA_ALIGN aligned, followed by TN_CANARY_BYTES that belong to nobody. */
#define TN_CANARY_BYTES 16u
uint8_t *tn_port_arena(const tn_model *model);

/* The stack that inferences run on, growing down from `top` to `limit`; both NULL where that is not known. */
typedef struct {
  uint32_t *limit, *top;
} tn_stack;
tn_stack tn_port_stack(void);

/* Of the chip, in thousandths of a degree Celsius; INT32_MIN where nothing tells (the runner's own, which ports replace).
 */
int32_t tn_port_millicelsius(void);

/* Stack pointer of the caller, for painting what lies below it. */
uint32_t *tn_port_stack_pointer(void);

#endif
