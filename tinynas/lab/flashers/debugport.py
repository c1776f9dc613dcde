"""An Arm debug port in front of QEMU's debugger, which has none: what pyOCD needs to see to flash a virtual board.

Memory and core registers are the guest's. Made up, as QEMU has nothing like it: the debug port and its access port, a
ROM table with one entry, the core's identity and its debug registers (Arm Debug Interface v5.2; Armv7-M, C1).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from tinynas.lab.board import Core
from tinynas.lab.gdbstub import GdbStub

_ROM, _SCS = 0xE00F_F000, 0xE000_E000
_CPUID, _AIRCR = _SCS + 0xD00, _SCS + 0xD0C
_DHCSR, _DCRSR, _DCRDR, _DEMCR = (_SCS + at for at in (0xDF0, 0xDF4, 0xDF8, 0xDFC))
_MVFR0, _MVFR1 = _SCS + 0xF40, _SCS + 0xF44
_PRIVATE = 0xE000_0000  # from here on QEMU's debugger reads nothing
_DPIDR, _AHB_AP = 0x2BA0_1477, 0x2477_0011  # as a Cortex-M4 has them
_IDENTITY = {  # CPUID of the revision that QEMU runs
    Core.M0: 0x410C_C200,
    Core.M3: 0x412F_C231,
    Core.M4: 0x410F_C241,
    Core.M7: 0x411F_C272,
    Core.M33: 0x410F_D213,
    Core.M55: 0x410F_D221,
}
_XPSR_OF_GDB = 25


class CoreDebug:
    """The core and its memory as a debugger sees them: reads and writes of 32-bit words, halt, go, step, reset."""

    def __init__(self, gdb: GdbStub, core: Core, reset: Callable[[], None]) -> None:
        self._gdb, self._restart = gdb, reset
        self._data = self._demcr = 0
        self._was_reset = False
        self._made_up = {**_component(_ROM, 0x10, 0x4C4), **_component(_SCS, 0xE0, 0x00C)}
        self._made_up |= {_ROM: (_SCS - _ROM) & 0xFFFF_FFFF | 3, _ROM + 4: 0, _ROM + 0xFCC: 1}
        self._made_up |= {_CPUID: _IDENTITY[core], _MVFR0: 0x1011_0021, _MVFR1: 0x1100_0011}

    def read(self, address: int) -> int:
        """The word at `address`."""
        if address == _DHCSR:
            return self._status()
        if address in (_DCRDR, _DEMCR):
            return self._data if address == _DCRDR else self._demcr
        if address >= _PRIVATE:
            return self._made_up.get(address, 0)
        return int.from_bytes(self.read_bytes(address, 4), "little")

    def write(self, address: int, value: int) -> None:
        """Writes a word; those of the debug registers act."""
        actions: dict[int, Callable[[int], None]] = {
            _DHCSR: self._control,
            _DCRSR: self._select,
            _DCRDR: self._set_data,
            _DEMCR: self._set_demcr,
            _AIRCR: self._set_aircr,
        }
        if address in actions:
            actions[address](value)
        elif address < _PRIVATE:
            self.write_bytes(address, struct.pack("<I", value))

    def read_bytes(self, address: int, size: int) -> bytes:
        """Guest memory; a running core is stopped for that moment."""
        return self._halted(lambda: self._gdb.read(address, size))

    def write_bytes(self, address: int, data: bytes) -> None:
        self._halted(lambda: self._gdb.write(address, data))

    def reset(self) -> None:
        """Restarts the machine; it halts at its first instruction if DEMCR says so."""
        self._gdb.halt()
        self._restart()
        self._was_reset = True
        if not self._demcr & 1:
            self._gdb.resume()

    def _halted(self, action: Callable[[], bytes | None]) -> bytes:
        running = not self._gdb.halted
        self._gdb.halt()
        result = action() or b""
        if running:
            self._gdb.resume()
        return result

    def _status(self) -> int:
        """S_REGRDY always, S_HALT, and S_RESET_ST once after a reset."""
        status = 0x0001_0001 | (self._gdb.halted << 17) | (self._was_reset << 25)
        self._was_reset = False
        return status

    def _control(self, value: int) -> None:
        if value >> 16 != 0xA05F:  # written without the key
            return
        if value & 4:
            self._gdb.step()
        elif value & 2:
            self._gdb.halt()
        else:
            self._gdb.resume()

    def _select(self, value: int) -> None:
        """DCRSR: moves a core register to or from DCRDR. Those that GDB does not know read 0."""
        chosen = value & 0x7F
        number = chosen if chosen < 16 else _XPSR_OF_GDB if chosen == 16 else None
        if number is None:
            self._data = self._data if value & 0x1_0000 else 0
        elif value & 0x1_0000:
            self._gdb.set_register(number, self._data)
        else:
            self._data = self._gdb.register(number)

    def _set_data(self, value: int) -> None:
        self._data = value

    def _set_demcr(self, value: int) -> None:
        self._demcr = value

    def _set_aircr(self, value: int) -> None:
        if value & 5:  # SYSRESETREQ or VECTRESET
            self.reset()


class AccessPort:
    """Debug port and the one AHB access port: CSW, TAR with automatic increment, DRW in words, halves and bytes."""

    def __init__(self, core: CoreDebug) -> None:
        self.core = core
        self._dp: dict[int, int] = {}
        self._csw = self._tar = 0
        self._fixed = {0xFC: _AHB_AP, 0xF8: _ROM | 3, 0xF4: 0}

    def read_dp(self, address: int) -> int:
        if address == 0:
            return _DPIDR
        status = self._dp.get(4, 0)
        return status | (status & 0x5000_0000) << 1 if address == 4 else 0  # power-up is acknowledged at once

    def write_dp(self, address: int, value: int) -> None:
        self._dp[address] = value

    def read_ap(self, address: int) -> int:
        if address >> 24:  # another access port: there is none
            return 0
        if address == 0x0C:
            return self._read_data()
        return {0x00: self._csw | 0x40, 0x04: self._tar}.get(address, self._fixed.get(address, 0))

    def write_ap(self, address: int, value: int) -> None:
        if address == 0x00:
            self._csw = value
        elif address == 0x04:
            self._tar = value
        elif address == 0x0C:
            self._write_data(value)

    def read_ap_multiple(self, address: int, count: int = 1) -> list[int]:
        if not self._is_block(address):
            return [self.read_ap(address) for _ in range(count)]
        data = self.core.read_bytes(self._tar, 4 * count)
        self._tar += 4 * count
        return list(struct.unpack(f"<{count}I", data))

    def write_ap_multiple(self, address: int, values: Sequence[int]) -> None:
        if not self._is_block(address):
            for value in values:
                self.write_ap(address, value)
            return
        self.core.write_bytes(self._tar, struct.pack(f"<{len(values)}I", *values))
        self._tar += 4 * len(values)

    def _is_block(self, address: int) -> bool:
        return address == 0x0C and self._csw & 0x37 == 0x12 and self._tar < _PRIVATE

    def _size(self) -> int:
        return 1 << (self._csw & 3)

    def _read_data(self) -> int:
        size = self._size()
        if size == 4:
            value = self.core.read(self._tar)
        else:  # in the lanes of the word
            value = int.from_bytes(self.core.read_bytes(self._tar, size), "little") << 8 * (self._tar & 3)
        self._advance(size)
        return value

    def _write_data(self, value: int) -> None:
        size = self._size()
        if size == 4:
            self.core.write(self._tar, value)
        else:
            part = value >> 8 * (self._tar & 3) & ((1 << 8 * size) - 1)
            self.core.write_bytes(self._tar, part.to_bytes(size, "little"))
        self._advance(size)

    def _advance(self, size: int) -> None:
        self._tar += size if self._csw & 0x30 else 0


def _component(base: int, kind: int, part: int) -> dict[int, int]:
    """CoreSight identification registers of Arm's component `part`."""
    registers = {0xFD0: 4, 0xFE0: part & 0xFF, 0xFE4: 0xB0 | part >> 8, 0xFE8: 0x0B}
    registers |= {0xFF0: 0x0D, 0xFF4: kind, 0xFF8: 0x05, 0xFFC: 0xB1}
    return {base + at: value for at, value in registers.items()}
