"""QEMU's machine protocol: one JSON object a line over a socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from tinynas.errors import LinkError

_LIMIT_S = 20.0


class Qmp:
    """The control connection of one QEMU (it serves one client at a time), over a connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.settimeout(_LIMIT_S)
        self._file = self._socket.makefile("r", encoding="utf-8")
        self._file.readline()  # greeting
        self.execute("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def execute(self, command: str, **arguments: object) -> Any:
        """What QEMU returns (of any shape) for `command`; events that arrive meanwhile are skipped.

        Raises:
            LinkError: QEMU refuses, or does not answer in time.
        """
        try:
            self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            while line := self._file.readline():
                answer = json.loads(line)
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise LinkError(f"QEMU refuses {command}: {answer['error'].get('desc')}")
        except (OSError, ValueError) as error:
            raise LinkError(f"QEMU does not answer {command}: {error}") from error
        raise LinkError(f"QEMU closed its control socket during {command}")
