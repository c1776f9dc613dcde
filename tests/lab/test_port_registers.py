"""What the ports for real boards write into the clock, pin and UART registers, decoded as the reference manuals say.

The ports run on the host, with plain memory where the registers lie and ready bits set beforehand. This proves the
arithmetic and the register layout as understood here; only a board can prove the rest.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinynas.lab.board import Board, load_board
from tinynas.lab.sources import runner_sources

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="maps memory at the registers' addresses")

HARNESS = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "tn_port.h"
#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
static void map(uintptr_t at, size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  if (mmap((void *)at, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)at) exit(3);
}
int main(int argc, char **argv) {
  unsigned address;
  map(0x00FF0000u, 0x1000u); /* FICR of the nRF5340 */
  map(0x40000000u, 0x20000000u);
  map(0xE0000000u, 0x100000u);
  for (int i = 2; i < argc; i += 2) REGISTER(strtoul(argv[i - 1], NULL, 0)) = (uint32_t)strtoul(argv[i], NULL, 0);
  tn_port_init();
  while (scanf("%x", &address) == 1) printf("%u\n", REGISTER(address)), fflush(stdout);
  REGISTER(0xE0001004u) = 0xFFFFFFF0u; /* CYCCNT just before it wraps */
  uint64_t before = tn_port_ticks();
  REGISTER(0xE0001004u) = 0x10u;
  return (int)(tn_port_ticks() - before);
}
"""
Read = Callable[[int], int]
APB_DIVIDER = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}
DEMCR, DWT_CTRL = 0xE000EDFC, 0xE0001000


@dataclass(frozen=True)
class Pin:
    gpio: int  # base address
    number: int
    function: int


@dataclass(frozen=True)
class Port:
    """How to read back what a port has set up."""

    ready: Mapping[int, int]  # bits that hardware would set
    clocks: Callable[[Read], tuple[float, float]]  # of the core and of the UART, Hz
    brr: int  # address of the baud rate register
    pins: tuple[Pin, Pin]
    brr_scale: int = 1  # 256 for an LPUART


def bits(value: int, at: int, width: int) -> int:
    return value >> at & ((1 << width) - 1)


def f4_f7(uart_bus: int, apb_limits_hz: tuple[float, float]) -> Callable[[Read], tuple[float, float]]:
    def clocks(read: Read) -> tuple[float, float]:
        pll, cfgr = read(0x40023804), read(0x40023808)
        assert not bits(pll, 22, 1)  # HSI
        vco_in = 16e6 / bits(pll, 0, 6)
        vco = vco_in * bits(pll, 6, 9)
        core = vco / (2 * (bits(pll, 16, 2) + 1))
        assert 1e6 <= vco_in <= 2e6
        assert 100e6 <= vco <= 432e6
        assert bits(cfgr, 0, 2) == 2  # runs from the PLL
        buses = (core / APB_DIVIDER[bits(cfgr, 10, 3)], core / APB_DIVIDER[bits(cfgr, 13, 3)])
        assert all(bus <= limit for bus, limit in zip(buses, apb_limits_hz, strict=True))
        assert (bits(read(0x40023C00), 0, 4) + 1) * 30e6 >= core  # a wait state for every 30 MHz
        return core, buses[uart_bus - 1]

    return clocks


def h7(read: Read) -> tuple[float, float]:
    rcc = 0x58024400
    select, config, dividers = read(rcc + 0x28), read(rcc + 0x2C), read(rcc + 0x30)
    assert bits(select, 0, 2) == 0  # HSI
    assert bits(config, 16, 1)  # output P on
    vco_in = 64e6 / bits(select, 4, 6)
    vco = vco_in * (bits(dividers, 0, 9) + 1)
    core = vco / (bits(dividers, 9, 7) + 1)
    assert 8e6 <= vco_in <= 16e6
    assert bits(config, 2, 2) == 3  # which is what the input range says
    assert 192e6 <= vco <= 960e6
    assert bits(read(rcc + 0x10), 0, 3) == 3
    assert bits(read(rcc + 0x18), 8, 4) == 0  # the core is not divided
    ahb = core / {8: 2, 9: 4}[bits(read(rcc + 0x18), 0, 4)]
    apbs = [ahb / APB_DIVIDER[bits(read(rcc + at), bit, 3)] for at, bit in ((0x18, 4), (0x1C, 4), (0x1C, 8), (0x20, 4))]
    assert ahb <= 240e6
    assert max(apbs) <= 120e6
    return core, apbs[1]


def l4(read: Read) -> tuple[float, float]:
    pll, cfgr = read(0x4002100C), read(0x40021008)
    assert bits(pll, 0, 2) == 2  # HSI16
    assert bits(pll, 24, 1)  # output R on
    vco_in = 16e6 / (bits(pll, 4, 4) + 1)
    vco = vco_in * bits(pll, 8, 7)
    core = vco / (2 * (bits(pll, 25, 2) + 1))
    assert 2.66e6 <= vco_in <= 8e6
    assert 64e6 <= vco <= 344e6
    assert bits(cfgr, 0, 2) == 3
    assert bits(cfgr, 4, 10) == 0  # no bus divided
    assert not bits(read(0x40007080), 8, 1)  # boost
    assert bits(read(0x40022000), 0, 4) == 5
    return core, core


def u5(read: Read) -> tuple[float, float]:
    rcc = 0x46020C00
    config, dividers = read(rcc + 0x28), read(rcc + 0x34)
    assert bits(config, 0, 2) == 2  # HSI16
    assert bits(config, 18, 1)  # output R on
    vco_in = 16e6 / (bits(config, 8, 4) + 1)
    vco = vco_in * (bits(dividers, 0, 9) + 1)
    core = vco / (bits(dividers, 24, 7) + 1)
    assert 4e6 <= vco_in <= 8e6
    assert bits(config, 2, 2) == 0  # which is what the input range says
    assert 128e6 <= vco <= 544e6
    assert 4e6 <= 16e6 / {0: 1, 1: 2, 2: 4}[bits(config, 12, 4)] <= 16e6  # booster
    assert bits(read(rcc + 0x1C), 0, 2) == 3
    assert bits(read(rcc + 0x20), 0, 11) == 0  # no bus divided
    assert bits(read(0x4602080C), 16, 3) == 7  # range 1, booster on
    return core, core


def f4_f7_ready(extra: Mapping[int, int] | None = None) -> dict[int, int]:
    over_drive = 3 << 16
    return {0x40023800: 1 << 25, 0x40023808: 2 << 2, 0x40007004: over_drive, **(extra or {})}


VOLTAGE = 1 << 13
PORTS = {
    "nucleo-f401re": Port(
        f4_f7_ready(),
        f4_f7(1, (42e6, 84e6)),
        0x40004408,
        (Pin(0x40020000, 2, 7), Pin(0x40020000, 3, 7)),
    ),
    "nucleo-f446re": Port(
        f4_f7_ready(),
        f4_f7(1, (45e6, 90e6)),
        0x40004408,
        (Pin(0x40020000, 2, 7), Pin(0x40020000, 3, 7)),
    ),
    "nucleo-f746zg": Port(
        f4_f7_ready(),
        f4_f7(1, (54e6, 108e6)),
        0x4000480C,
        (Pin(0x40020C00, 8, 7), Pin(0x40020C00, 9, 7)),
    ),
    "stm32f746g-disco": Port(
        f4_f7_ready(),
        f4_f7(2, (54e6, 108e6)),
        0x4001100C,
        (Pin(0x40020000, 9, 7), Pin(0x40020400, 7, 7)),
    ),
    "nucleo-h743zi2": Port(
        {0x58024400: 1 << 25, 0x58024410: 3 << 3, 0x58024804: VOLTAGE, 0x58024818: VOLTAGE},
        h7,
        0x4000480C,
        (Pin(0x58020C00, 8, 7), Pin(0x58020C00, 9, 7)),
    ),
    "nucleo-l4r5zi": Port(
        {0x40021000: 1 << 25 | 1 << 10, 0x40021008: 3 << 2},
        l4,
        0x4000800C,
        (Pin(0x48001800, 7, 8), Pin(0x48001800, 8, 8)),
        brr_scale=256,
    ),
    "nucleo-u575zi-q": Port(
        {0x46020C00: 1 << 25 | 1 << 10, 0x46020C1C: 3 << 2, 0x4602080C: 3 << 14},
        u5,
        0x4001380C,
        (Pin(0x42020000, 9, 7), Pin(0x42020000, 10, 7)),
    ),
}


@contextmanager
def initialised(board: Board, ready: Mapping[int, int], folder: Path) -> Iterator[Read]:
    """Reads registers as they are after tn_port_init; then lets the cycle counter wrap within 32 ticks."""
    sources = runner_sources(board)
    port = next(path for path in sources.files if path.parent.name == board.port)
    harness, program = folder / "harness.c", folder / "harness"
    harness.write_text(HARNESS)
    flags = [*sources.defines, "-DTN_BARRIER()=", *(f"-I{include}" for include in sources.includes)]
    subprocess.run(["gcc", "-w", *flags, str(harness), str(port), "-o", str(program)], check=True)
    presets = [str(number) for pair in ready.items() for number in pair]
    with subprocess.Popen(
        [str(program), *presets], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def read(address: int) -> int:
            stdin.write(f"{address:x}\n")
            stdin.flush()
            return int(stdout.readline())

        try:
            yield read
            stdin.close()
            assert process.wait(10) == 0x20
        finally:
            process.kill()


@pytest.mark.parametrize("name", PORTS)
def test_clock_baud_rate_pins_and_cycle_counter(name: str, tmp_path: Path) -> None:
    board, port = load_board(name), PORTS[name]
    assert board.hardware is not None
    with initialised(board, port.ready, tmp_path) as read:
        core_hz, uart_hz = port.clocks(read)
        assert core_hz == board.clock_hz
        baud = port.brr_scale * uart_hz / read(port.brr)
        assert abs(baud / board.hardware.baud - 1) < 0.005
        for pin in port.pins:
            assert bits(read(pin.gpio), 2 * pin.number, 2) == 2  # alternate function
            assert bits(read(pin.gpio + 0x20 + 4 * (pin.number // 8)), 4 * (pin.number % 8), 4) == pin.function
        assert bits(read(DEMCR), 24, 1)
        assert bits(read(DWT_CTRL), 0, 1)


@pytest.mark.parametrize(
    ("name", "tx", "rx"),
    [
        ("nrf52840-dk", 6, 8),
        ("nano-33-ble-sense-uart", 32 + 3, 32 + 10),
        ("xiao-nrf52840-sense-uart", 32 + 11, 32 + 12),
    ],
)
def test_nrf52840_runs_from_its_crystal_with_the_uart_on_its_pins(name: str, tx: int, rx: int, tmp_path: Path) -> None:
    gpio = 0x50000000 + 0x300 * (tx // 32)
    rx_pin = 0x50000000 + 0x300 * (rx // 32) + 0x700 + 4 * (rx % 32)
    with initialised(load_board(name), {0x40000100: 1, rx_pin: 2}, tmp_path) as read:
        assert read(0x40000000) == 1  # HFCLKSTART
        assert read(0x4001E540) == 1  # instruction cache
        assert (read(0x4000250C), read(0x40002514)) == (tx, rx)
        assert read(gpio + 0x518) == 1 << tx % 32  # TXD is the only output
        assert read(0x50000518) + read(0x50000818) == 1 << tx % 32
        assert read(rx_pin) == 0  # connected
        baud = read(0x40002524) * 16e6 / 2**32
        assert abs(baud / 115_200 - 1) < 0.005
        assert read(0x40002500) == 4  # on


def test_nrf5340_is_trimmed_and_runs_undivided_with_the_uart_on_the_kit_s_pins(tmp_path: Path) -> None:
    trims = {0x00FF0300: 0x50004700, 0x00FF0304: 77, 0x00FF0308: 0xFFFFFFFF, 0x00FF03F8: 0x50004704, 0x00FF03FC: 78}
    with initialised(load_board("nrf5340-dk"), {0x50005100: 1, 0x50005558: 1, **trims}, tmp_path) as read:
        assert (read(0x50004700), read(0x50004704)) == (77, 78)
        assert (read(0x50005514), read(0x50005000)) == (1, 1)  # the crystal, started
        assert read(0x50005558) == 0  # 128 MHz
        assert read(0x50001500) == 1  # cache
        assert (read(0x5000850C), read(0x50008514)) == (20, 22)
        assert read(0x50842518) == 1 << 20  # TXD is the only output
        baud = read(0x50008524) * 16e6 / 2**32
        assert abs(baud / 115_200 - 1) < 0.005
        assert (read(0x50008538), read(0x50008548)) == (1, 1)  # a byte at a time
        assert (read(0x50008500), read(0x50008000)) == (8, 1)  # on, receiving
