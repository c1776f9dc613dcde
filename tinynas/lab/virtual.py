"""A virtual board: one long-lived QEMU, flashed through its gdbstub, reached through a pty like a real serial port."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tinynas.errors import LinkError, RebootedError
from tinynas.lab.board import Board, Virtual
from tinynas.lab.device import AS_THE_BOARD_SAYS, BOOT_LIMIT_S, Flashing
from tinynas.lab.elf import read_elf
from tinynas.lab.flashers.registry import flash
from tinynas.lab.link import SerialLink
from tinynas.lab.qemu import Machine
from tinynas.lab.rawlog import RawLog

_OBITUARY_S = 1.0  # a crashing QEMU closes its sockets some time before it is gone


class QemuBoard:
    """`board` on QEMU. A crash of the machine is a LinkError; the next `program` starts a fresh one.

    It is flashed through QEMU's debugger, or by the flasher that `flashing` names. `plugin` is a TCG plugin to run
    under, with its arguments, as QEMU's `-plugin` takes it.
    """

    def __init__(
        self, board: Board, log: RawLog, *, plugin: str | None = None, flashing: Flashing = AS_THE_BOARD_SAYS
    ) -> None:
        assert board.virtual is not None, board.name
        self._board, self._flashing = board, flashing
        self._virtual: Virtual = board.virtual
        self._log = log
        self._options = () if plugin is None else ("-plugin", plugin)
        self._machine = Machine(self._virtual, log, self._options)

    @property
    def link(self) -> SerialLink:
        return self._machine.link

    def program(self, elf: Path) -> None:
        if self._machine.crash() is not None or not self._machine.obeys():
            self._log.remark("starting a fresh QEMU: the last one crashed or hangs")
            self._machine.close()
            self._machine = Machine(self._virtual, self._log, self._options)
        try:
            if self._flashing.flasher is None:
                self._machine.program(read_elf(elf).segments)
            else:
                self._program_by_tool(elf)
        except LinkError as error:
            raise self._explained(error) from error

    def write_memory(self, address: int, data: bytes) -> bool:
        try:
            self._machine.write(address, data)
        except LinkError as error:
            raise self._explained(error) from error
        return True

    def close(self) -> None:
        self._machine.close()

    @contextlib.contextmanager
    def debug_probe(self) -> Iterator[str]:
        """Its debug probe, as pyOCD calls it, while the block runs; nothing else may use the debugger meanwhile."""
        with self._machine.probe(self._board.core) as probe:
            yield probe

    def _program_by_tool(self, elf: Path) -> None:
        self.link.discard()
        self._machine.idle(self._board)
        with self.debug_probe() as probe:
            flash(elf, self._board, replace(self._flashing.target, probe=probe), self._flashing.flasher)
        self.link.wait_boot(BOOT_LIMIT_S)

    def _explained(self, error: LinkError) -> LinkError:
        crash = self._machine.crash(_OBITUARY_S)
        return error if crash is None or crash in str(error) else RebootedError(f"{crash} ({error})")
