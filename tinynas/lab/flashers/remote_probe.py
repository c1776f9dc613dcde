"""A debug probe of a virtual board, on a TCP port of this machine: pyOCD reaches it as `remote:127.0.0.1:PORT`."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tinynas.errors import LinkError
from tinynas.lab.board import Core
from tinynas.lab.flashers.debugport import AccessPort, CoreDebug
from tinynas.lab.gdbstub import GdbStub

_PROPERTIES = {
    "vendor_name": "tinynas",
    "product_name": "virtual board",
    "unique_id": "virtual",
    "wire_protocol": "SWD",
    "supported_wire_protocols": ["DEFAULT", "SWD"],
    "is_open": True,
    "capabilities": [],
    "associated_board_info": None,
}
_PROBE_ERROR = 12  # pyOCD's number for a failed transfer


@contextmanager
def remote_probe(gdb: GdbStub, core: Core, reset: Callable[[], None]) -> Iterator[str]:
    """Serves pyOCD while the block runs; yields the probe's id. Nobody else may use `gdb` meanwhile.

    `reset` restarts the machine, which stays halted. The core runs on when a client has gone.
    """
    with _Server(AccessPort(CoreDebug(gdb, core, reset))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"remote:127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.TCPServer):
    """One client at a time, as there is one debugger's port."""

    def __init__(self, port: AccessPort) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = _answers(port)


class _Handler(socketserver.StreamRequestHandler):
    """pyOCD's protocol: a JSON object a line; what is not known is answered with null."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        for line in self.rfile:
            answer = _answer(self.server.answers, json.loads(line))
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def _answers(port: AccessPort) -> dict[str, Callable[..., Any]]:
    # get_memory_interface_for_ap is not among them: pyOCD 0.46 then sends bytearrays, which its own JSON refuses
    return {
        "readprop": _PROPERTIES.get,
        "reset": port.core.reset,
        "assert_reset": lambda asserted: port.core.reset() if asserted else None,
        "is_reset_asserted": lambda: False,
        "read_dp": port.read_dp,
        "write_dp": port.write_dp,
        "read_ap": port.read_ap,
        "write_ap": port.write_ap,
        "read_ap_multiple": port.read_ap_multiple,
        "write_ap_multiple": port.write_ap_multiple,
    }


def _answer(answers: dict[str, Callable[..., Any]], request: dict[str, Any]) -> dict[str, Any]:
    action = answers.get(request["request"], _nothing)
    try:
        return {"id": request["id"], "status": 0, "result": action(*request.get("arguments", []))}
    except LinkError as error:
        return {"id": request["id"], "status": _PROBE_ERROR, "error": str(error)}


def _nothing(*arguments: object) -> None:
    """Also the answer to what needs none: hello, open, connect, lock, clock and line sequences."""
