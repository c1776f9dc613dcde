"""A board's serial line on a TCP port, for programs on other machines: what ser2net does for hardware."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tinynas.errors import LinkError, StoreError
from tinynas.lab.session import BoardSession

_POLL_S = 0.005
_CHUNK_BYTES = 4096


class TcpLine:
    """Passes bytes between the board and one client at a time; `pause` keeps the line for ourselves."""

    def __init__(self, session: BoardSession, host: str, port: int) -> None:
        self._session = session
        self._line = threading.Lock()
        self._over = threading.Event()
        try:
            self._listener = socket.create_server((host, port))
        except OSError as error:
            raise StoreError(f"{host}:{port}: cannot listen there: {error.strerror}; give another port") from error
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        found: int = self._listener.getsockname()[1]
        return found

    @contextmanager
    def pause(self) -> Iterator[None]:
        """The line is the caller's while the block runs (to flash); a client hears nothing meanwhile."""
        with self._line:
            yield

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                with client:
                    self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        while not self._over.is_set():
            readable = bool(select.select([client], [], [], _POLL_S)[0])
            sent = client.recv(_CHUNK_BYTES) if readable else b""
            if readable and not sent:
                return  # the client is gone
            with self._line, contextlib.suppress(LinkError):  # nothing flashed yet, or crashed: silence
                if sent:
                    self._session.link.send(sent)
                client.sendall(self._session.link.receive(0.0))
