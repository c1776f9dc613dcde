"""A virtual board that stays: `python -m tinynas.lab.server BOARD [TCP-PORT]` runs it until it is interrupted.

With a TCP port (0: any), its serial line is there for programs on other machines.

Another process flashes it with `flash_running` (PlatformIO's upload does). Requests and answers are JSON, over a
loopback connection whose key stands in a file that only its owner can read.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path

from tinynas.errors import BoardError, LinkError, TinyNasError
from tinynas.lab.board import Board, known_boards, load_board
from tinynas.lab.locks import board_lock
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.tcp_line import TcpLine
from tinynas.resources import cache_dir

_ANSWER_LIMIT_S = 60.0
_WAITING = 16  # requests while one is served


def flash_running(board: Board, elf: Path) -> str:
    """Flashes the virtual board that a server runs; returns what its runner then says of itself.

    Raises:
        BoardError: no server runs `board`.
        LinkError: it could not be flashed, or does not answer.
    """
    how = f"no virtual board {board.name} is running; start one: python -m tinynas.lab.server {board.name}"
    try:
        state = json.loads(_state_file(board).read_text())
        with Client(("127.0.0.1", state["port"]), authkey=bytes.fromhex(state["key"])) as connection:
            connection.send_bytes(json.dumps({"flash": str(elf.resolve())}).encode())
            if not connection.poll(_ANSWER_LIMIT_S):
                raise LinkError(f"{board.name}: its server does not answer within {_ANSWER_LIMIT_S:g} s; restart it")
            answer = json.loads(connection.recv_bytes())
    except (OSError, EOFError, AuthenticationError) as error:
        raise BoardError(how) from error
    if "error" in answer:
        raise LinkError(f"{board.name}: {answer['error']}")
    return str(answer["ok"])


def serve(board: Board, tcp_port: int | None = None) -> None:
    """Runs the virtual `board` until the process is interrupted. Requests to flash wait for one another.

    Its serial line is on `tcp_port` of this machine's loopback, if that is given.

    Raises:
        BusyError: it runs already.
    """
    key = secrets.token_bytes(32)
    with ExitStack() as stack:
        stack.enter_context(board_lock(str(_state_file(board)), f"running {board.name}"))
        session = stack.enter_context(open_board(board))
        listener = stack.enter_context(Listener(("127.0.0.1", 0), backlog=_WAITING, authkey=key))
        line = None if tcp_port is None else TcpLine(session, "127.0.0.1", tcp_port)
        if line is not None:
            stack.enter_context(contextlib.closing(line))
        port = listener.address[1]
        with _announced(board, json.dumps({"port": port, "key": key.hex()})):
            where = "" if line is None else f" on 127.0.0.1:{line.port}"
            print(f"{board.name} runs{where}; serial log: {session.log_path}", flush=True)
            while True:
                _answer_one(listener, session, line)


def _answer_one(listener: Listener, session: BoardSession, line: TcpLine | None) -> None:
    with contextlib.suppress(OSError, EOFError, AuthenticationError), listener.accept() as connection:
        request = json.loads(connection.recv_bytes())
        with contextlib.nullcontext() if line is None else line.pause():
            answer = _flash(session, Path(request["flash"]))
        connection.send_bytes(json.dumps(answer).encode())


def _flash(session: BoardSession, elf: Path) -> dict[str, str]:
    try:
        hello = session.flash_elf(elf)
    except TinyNasError as error:
        return {"error": str(error)}
    return {"ok": f"{hello.version} with a model of {hello.ops} ops, sha256 {hello.sha256[:12]}"}


@contextlib.contextmanager
def _announced(board: Board, state: str) -> Iterator[None]:
    path = _state_file(board)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(state)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _state_file(board: Board) -> Path:
    return cache_dir() / "running" / f"{board.name}.json"


def _main(arguments: list[str]) -> None:
    boards = ", ".join(name for name in known_boards() if load_board(name).virtual)
    name, port = (*arguments, "none")[:2] if 1 <= len(arguments) <= 2 else ("", "")
    if name not in known_boards() or load_board(name).virtual is None or not (port == "none" or port.isdecimal()):
        sys.exit(f"usage: python -m tinynas.lab.server BOARD [TCP-PORT], BOARD one of: {boards}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        serve(load_board(name), None if port == "none" else int(port))


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except TinyNasError as error:
        sys.exit(f"tinynas: {error}")
