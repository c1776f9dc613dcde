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
        self._synchronise()

    def close(self) -> None:
        self._socket.close()

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
