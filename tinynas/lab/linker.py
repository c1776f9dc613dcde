"""The linker script of a Cortex-M board, from its memory map.

    SRAM, from the bottom:  guard | stack | runner's .data .bss | model's .data .bss | arena | canary

The stack lies lowest and grows down into the guard, which faults, and below which there is no memory; so an overflow
hits neither variables nor the arena. A model that does not fit fails here, at link time, whatever was predicted.
"""

from __future__ import annotations

from tinynas.lab.board import Board

GUARD_BYTES = 32  # TN_GUARD_BYTES in firmware/ports/cortexm/cortexm.h
CANARY_BYTES = 16  # TN_CANARY_BYTES in firmware/ports/tn_port.h

_SCRIPT = """\
/* Generated from the memory map of {name}. */
ENTRY(Reset_Handler)
MEMORY {{
  FLASH (rx) : ORIGIN = {flash.origin:#010x}, LENGTH = {flash.size_bytes}
  SRAM (rwx) : ORIGIN = {sram.origin:#010x}, LENGTH = {sram.size_bytes}
  VECTORS (r) : ORIGIN = {vectors:#010x}, LENGTH = 64
}}
SECTIONS {{
  .vectors : {{ KEEP(*(.vectors)) }} > {vectors_in}
  .text : {{
    *(.text .text.*)
    *(.rodata .rodata.*)
    . = ALIGN(16);
  }} > FLASH
  .ARM.exidx : {{ *(.ARM.exidx* .ARM.extab*) }} > FLASH
  .guard (NOLOAD) : {{ tn_guard = .; . += {guard}; }} > SRAM
  .stack (NOLOAD) : {{ tn_stack_limit = .; . += {stack}; tn_stack_top = .; }} > SRAM
  .runner_data : ALIGN(16) {{ tn_data_start = .; *librunner.a:*(.data .data.*) . = ALIGN(16); }} > SRAM AT > FLASH
  .data : ALIGN(16) {{ *(.data .data.*) . = ALIGN(16); tn_data_end = .; }} > SRAM AT > FLASH
  tn_data_load = LOADADDR(.runner_data);
  .runner_bss (NOLOAD) : ALIGN(16) {{ tn_bss_start = .; *librunner.a:*(.bss .bss.* COMMON) . = ALIGN(16); }} > SRAM
  .bss (NOLOAD) : ALIGN(16) {{ *(.bss .bss.* COMMON) . = ALIGN(16); tn_bss_end = .; }} > SRAM
  .arena (NOLOAD) : ALIGN(16) {{ tn_arena = .; . += tn_arena_bytes; }} > SRAM
  .canary (NOLOAD) : ALIGN(1) {{ . += {canary}; }} > SRAM
  /DISCARD/ : {{ *(.comment .ARM.attributes .note.*) }}
}}
"""


def linker_script(board: Board) -> str:
    """GNU ld script for `board`; the link must define `tn_arena_bytes` (--defsym)."""
    return _SCRIPT.format(
        name=board.name,
        flash=board.flash,
        sram=board.sram,
        vectors=board.flash.origin if board.vectors is None else board.vectors,
        vectors_in="FLASH" if board.vectors is None else "VECTORS",
        stack=board.stack_bytes,
        guard=GUARD_BYTES,
        canary=CANARY_BYTES,
    )
