/* Start-up for Cortex-M: the runner lives on the process stack with all interrupts masked, so nothing but the model
 * runs while it is timed; faults get the small main stack, so that a stack overflow can still be reported. */
#include <stdint.h>
#include <string.h>

#include "cortexm.h"
#include "tn_port.h"

int main(void);

/* from the linker script */
extern uint32_t tn_stack_limit[], tn_stack_top[], tn_guard[];
extern uint8_t tn_data_load[], tn_data_start[], tn_data_end[], tn_bss_start[], tn_bss_end[], tn_arena[];

static uint64_t handler_stack[64]; /* 512 B for the fault handler */

void Reset_Handler(void);
void Fault_Handler(void);

typedef void (*vector)(void);
__attribute__((section(".vectors"), used)) static const struct {
  const void *stack;
  vector handlers[15];
} vectors = {&handler_stack[64],
             {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
              Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
              Fault_Handler}};

__attribute__((used, noreturn)) void tn_start(void) {
#ifdef TN_AFTER_BOOTLOADER
  REG32(0xE000ED08u) = (uint32_t)(uintptr_t)&vectors; /* VTOR: faults are ours, not the bootloader's */
#endif
#ifndef __ARM_ARCH_6M__
  REG32(0xE000ED88u) |= 0xFu << 20; /* CPACR: FPU and MVE on, before anything may touch them */
  __asm volatile("dsb\n\tisb");
#endif
  memcpy(tn_data_start, tn_data_load, (size_t)(tn_data_end - tn_data_start));
  memset(tn_bss_start, 0, (size_t)(tn_bss_end - tn_bss_start));
  tn_guard_stack(tn_guard, tn_stack_limit);
  (void)main();
  for (;;) {
  }
}

__attribute__((naked, noreturn)) void Reset_Handler(void) {
  __asm volatile(
      "cpsid i\n\t"
      "ldr r0, =tn_stack_top\n\t"
      "msr psp, r0\n\t"
      "movs r0, #2\n\t"
      "msr control, r0\n\t"
      "isb\n\t"
      "bl tn_start\n\t");
}

__attribute__((naked)) void Fault_Handler(void) {
  __asm volatile(
      "mrs r0, psp\n\t"
      "ldr r1, =tn_fault\n\t" /* Armv6-M branches no farther than 2 KB */
      "bx r1\n\t");
}

uint8_t *tn_port_arena(const tn_model *model) {
  (void)model; /* the linker has reserved what it needs */
  return tn_arena;
}

tn_stack tn_port_stack(void) { return (tn_stack){tn_stack_limit, tn_stack_top}; }

__attribute__((naked)) uint32_t *tn_port_stack_pointer(void) {
  __asm volatile(
      "mov r0, sp\n\t"
      "bx lr\n\t");
}

__attribute__((naked)) tn_status tn_port_empty(uint8_t *arena, tn_mark mark, void *user) {
  (void)arena, (void)mark, (void)user;
  __asm volatile("bx lr\n\t");
}
