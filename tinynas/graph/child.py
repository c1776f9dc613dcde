"""Interpreters in child processes: they may abort or hang on a model, and must not take this process with them.

Parent and child exchange messages over the child's stdin and stdout: an 8-byte little-endian length, then that
many bytes. A request is a JSON line followed by raw arrays, as is an answer (`pack`, `unpack`).
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError, ToolError

Array = NDArray[np.generic]
_LENGTH = struct.Struct("<Q")
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Message:
    """Fields that JSON can hold, and arrays."""

    fields: dict[str, Any]
    arrays: tuple[Array, ...] = ()


def pack(message: Message) -> bytes:
    """JSON header with dtype and shape of each array, newline, the arrays' bytes in order."""
    described = [{"dtype": a.dtype.str, "shape": a.shape} for a in message.arrays]
    header = json.dumps({"fields": message.fields, "arrays": described}).encode()
    return b"".join([header, b"\n", *(np.ascontiguousarray(a).tobytes() for a in message.arrays)])


def unpack(raw: bytes) -> Message:
    """Inverse of `pack`."""
    header, _, body = raw.partition(b"\n")
    content = json.loads(header)
    arrays, offset = [], 0
    for described in content["arrays"]:
        dtype, shape = np.dtype(described["dtype"]), tuple(described["shape"])
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(body, dtype, count, offset).reshape(shape))
        offset += count * dtype.itemsize
    return Message(content["fields"], tuple(arrays))


class Child:
    """A running `python -m module`; one request at a time. Its stderr goes to a temporary file, for error messages."""

    def __init__(self, module: str, environment: dict[str, str] | None = None) -> None:
        self.module = module
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child, closed in close()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],  # -P: nothing in the user's folder may shadow a module
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.stderr,
                env={**os.environ, **(environment or {})},
            )
        except OSError as error:
            raise ToolError(f"cannot start {sys.executable} -m {module}: {error.strerror}") from error

    @property
    def alive(self) -> bool:
        return not self.stderr.closed and self.process.poll() is None

    def ask(self, request: Message, timeout_s: float, what: str) -> Message:
        """The child's answer. `ModelError` naming `what` if it dies, answers with an error or takes too long."""
        if self.stderr.closed:
            raise ModelError(f"{what}: the interpreter has ended; load the model again")
        raw = pack(request)
        try:
            answer = unpack(self._exchange(_LENGTH.pack(len(raw)) + raw, time.monotonic() + timeout_s))
        except TimeoutError as error:
            self.close()
            raise ModelError(f"{what}: no answer within {timeout_s:g} s; the interpreter was stopped") from error
        except (EOFError, BrokenPipeError) as error:
            raise ModelError(f"{what}: {self._obituary()}") from error
        if missing := answer.fields.get("missing_tool"):
            raise ToolError(f"{what}: {missing}")
        if failure := answer.fields.get("error"):
            raise ModelError(f"{what}: {_one_line(failure)}")
        return answer

    def close(self) -> None:
        """End the child if it still runs; safe to call twice."""
        if self.stderr.closed:
            return
        self.process.kill()
        self.process.communicate()
        self.stderr.close()

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        """Write and read at the same time: a full pipe in each direction would otherwise block both sides."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        unsent, received = memoryview(request), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stdin, selectors.EVENT_WRITE)
            os.set_blocking(stdin.fileno(), False)
            while len(received) < _LENGTH.size or len(received) < _LENGTH.size + _LENGTH.unpack_from(received)[0]:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    if key.fileobj is stdout:
                        received += _read_some(stdout)
                    elif not (unsent := unsent[os.write(stdin.fileno(), unsent[:_CHUNK_BYTES]) :]):
                        selector.unregister(stdin)
        return bytes(received[_LENGTH.size :])

    def _obituary(self) -> str:
        code = self.process.wait()
        self.stderr.seek(0)
        said = self.stderr.read().decode(errors="replace").strip().splitlines()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        self.close()
        return f"the interpreter died with {how}" + (f" ({said[-1]})" if said else "")


class Worker:
    """A child that serves many models one after the other, which saves its start-up. A context manager."""

    def __init__(self, module: str, environment: dict[str, str] | None = None) -> None:
        self._module, self._environment = module, environment
        self._child = Child(module, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def child(self) -> Child:
        """The running child; a new one if a model killed the last."""
        if not self._child.alive:
            self._child.close()
            self._child = Child(self._module, self._environment)
        return self._child

    def close(self) -> None:
        """End the child if it still runs; safe to call twice."""
        self._child.close()


def _one_line(text: str, limit: int = 400) -> str:
    """Interpreters and Keras answer in paragraphs."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit] + " ..."


def _read_some(stream: Any) -> bytes:
    chunk = os.read(stream.fileno(), 1 << 20)
    if not chunk:
        raise EOFError
    return chunk


def serve(handle: Any) -> None:
    """Child side: answer requests until stdin ends. `handle(Message) -> Message`; what it raises becomes the answer.

    File descriptor 1 is moved first, as interpreters print to it.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    while raw := _receive(requests):
        try:
            answer = handle(unpack(raw))
        except Exception as error:  # whatever an interpreter raises is an answer to the parent
            answer = Message({"error": f"{type(error).__name__}: {error}"})
        packed = pack(answer)
        answers.write(_LENGTH.pack(len(packed)) + packed)
        answers.flush()


def _receive(stream: BinaryIO) -> bytes:
    length = stream.read(_LENGTH.size)
    return stream.read(_LENGTH.unpack(length)[0]) if len(length) == _LENGTH.size else b""
