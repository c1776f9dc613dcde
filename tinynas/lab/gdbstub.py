"""The debugger's port of a virtual board: GDB's remote protocol, as far as flashing and peeking need it."""

from __future__ import annotations

import socket

from tinynas.errors import LinkError

_LIMIT_S = 20.0


class GdbStub:
    """A connection to QEMU's gdbstub, over a connected socket. The machine is halted; `resume` lets it run."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.settimeout(_LIMIT_S)
        self._buffer = b""
        supported = dict(part.partition("=")[::2] for part in self._ask("qSupported:").split(";"))
        self._packet_bytes = int(supported.get("PacketSize", "400"), 16)
        self._halted = True
        self._described = False
        self._synchronise()

    def close(self) -> None:
        self._socket.close()

    @property
    def halted(self) -> bool:
        return self._halted

    def halt(self, limit_s: float = _LIMIT_S) -> None:
        """Stops the machine, wherever it is.

        Raises:
            LinkError: it has not stopped within `limit_s`.
        """
        if not self._halted:
            self._socket.settimeout(limit_s)
            self._send(b"\x03")
            self._packet()
            self._socket.settimeout(_LIMIT_S)
            self._halted = True

    def resume(self) -> None:
        """Lets the machine run."""
        if self._halted:
            self._send(_framed("c"))
            self._halted = False

    def write(self, address: int, data: bytes) -> None:
        """Writes `data` to guest memory, read-only flash included; the machine must be halted."""
        step = (self._packet_bytes - 32) // 2
        for at in range(0, len(data), step):
            part = data[at : at + step]
            answer = self._ask(f"M{address + at:x},{len(part):x}:{part.hex()}")
            if answer != "OK":
                raise LinkError(f"the debugger's port cannot write {len(part)} B at {address + at:#010x}: {answer!r}")

    def read(self, address: int, size: int) -> bytes:
        """Guest memory; the machine must be halted. The core's private registers (0xe0000000 on) cannot be read."""
        step = (self._packet_bytes - 32) // 2
        parts = (self._read(address + at, min(step, size - at)) for at in range(0, size, step))
        return b"".join(parts)

    def _read(self, address: int, size: int) -> bytes:
        answer = self._ask(f"m{address:x},{size:x}")
        try:
            data = bytes.fromhex(answer)
        except ValueError:
            data = b""
        if len(data) != size:
            raise LinkError(f"the debugger's port cannot read {size} B at {address:#010x}: {answer!r}")
        return data

    def register(self, number: int) -> int:
        """A 32-bit register by GDB's number: 0 to 15, 25 is xPSR; the machine must be halted."""
        self._describe()
        return int.from_bytes(bytes.fromhex(self._ask(f"p{number:x}"))[:4], "little")

    def set_register(self, number: int, value: int) -> None:
        """Sets what `register` reads."""
        self._describe()
        self._ask(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def step(self) -> None:
        """Executes one instruction; the machine must be halted, and is again."""
        self._ask("s")

    def _describe(self) -> None:
        # QEMU answers for single registers only once it was asked which there are
        if not self._described:
            self._ask("qXfer:features:read:target.xml:0,ffb")
            self._described = True

    def _synchronise(self) -> None:
        # a machine that was running sends a stop report of its own accord: read past it
        answer = self._ask("qAttached")
        while answer != "1":
            answer = self._packet()

    def _ask(self, text: str) -> str:
        self._send(_framed(text))
        return self._packet()

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise LinkError(f"the emulator's debugger port broke: {error}") from error

    def _packet(self) -> str:
        """The next `$text#checksum` packet's text; acknowledgements before it are skipped."""
        while b"#" not in self._buffer or len(self._buffer.partition(b"#")[2]) < 2:
            self._buffer += self._receive()
        packet, _, rest = self._buffer.partition(b"#")
        self._buffer = rest[2:]
        self._send(b"+")
        return packet.partition(b"$")[2].decode("ascii", "replace")

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise LinkError(f"the emulator's debugger port is silent: {error}") from error
        if not data:
            raise LinkError("the emulator closed its debugger port")
        return data


def _framed(text: str) -> bytes:
    data = text.encode("ascii")
    return b"$%s#%02x" % (data, sum(data) & 255)
