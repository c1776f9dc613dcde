"""A serial line to a runner: commands out, lines in until `m-ready`, everything logged, every wait limited."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable

from tinynas.errors import FirmwareError, GarbledError, LinkError, NoAnswerError, RebootedError
from tinynas.lab.answer import BOOT_LINE, READY_LINE, Answer, is_protocol, refusal
from tinynas.lab.framing import ABORT
from tinynas.lab.rawlog import RawLog
from tinynas.lab.serial_port import BAUD, SerialPort

_REFUSAL_S = 2.0  # to the end of an answer that holds an error
_PROBE_S = 1.5  # a runner that was left alone in the middle of a `put` needs a second to notice


class SerialLink(SerialPort):
    """A serial port with a runner at the other end.

    With `tagged` set, every command carries a number, and its answer is believed only if it ends in that number and the
    CRC-32 of command and answer: a changed digit, a lost line or the answer to an older command is noticed.
    """

    def __init__(
        self,
        port: str,
        log: RawLog,
        diagnose: Callable[[float], str | None] = lambda wait_s: None,
        *,
        baud: int = BAUD,
    ) -> None:
        super().__init__(port, log, diagnose, baud=baud)
        self.tagged = False
        self._tags = itertools.count(int.from_bytes(os.urandom(2)))  # not the tags of the session before
        self._understood = False  # a line of the protocol has come

    def synchronise(self, limit_s: float) -> bool:
        """Brings the board back to reading commands, whatever it was in the middle of; drops what it says meanwhile.

        Returns whether it said that it has started.

        Raises:
            RefusedError: its runner is too old to number answers.
            LinkError: it does not come back within `limit_s`.
        """
        deadline = time.monotonic() + limit_s
        seen: list[str] = []
        patience_s = _PROBE_S
        while not self._probe(seen, min(deadline, time.monotonic() + patience_s)):
            if time.monotonic() > deadline:
                raise self._timeout(seen, "the runner's name")
            patience_s *= 2
        self._understood = True
        while _text(self._line(deadline, seen, "the end of an answer")) != READY_LINE:
            pass
        return BOOT_LINE in seen

    def _probe(self, seen: list[str], deadline: float) -> bool:
        """Whether the runner tells its name; what else it says is left in `seen`.

        Answers come in order, so after this one's no earlier probe's is still to come.
        """
        tag = next(self._tags) % 65536
        self.send(ABORT + f"%tag {tag} name%".encode())
        while not seen or not seen[-1].startswith(f"m-tag-{tag}-"):
            try:
                seen.append(_text(self._line(deadline, seen, "the runner's name")))
            except (NoAnswerError, GarbledError, FirmwareError):
                return False
            if seen[-1] == "e-[unknown-command: tag]":
                self._line(deadline, seen, "the end of an answer")
                raise refusal(self._says("the runner on the board does not number its answers"), seen[-1])
        return True

    def wait_boot(self, limit_s: float) -> None:
        """Reads up to the `m-ready` that ends a boot. What stands before the boot lines is not the runner's.

        Raises:
            LinkError: no boot within `limit_s`; the message tells silence from someone else's firmware.
        """
        deadline = time.monotonic() + limit_s
        seen: list[str] = []
        while BOOT_LINE not in seen:
            seen.append(_text(self._line(deadline, seen, "the runner's start")))
        self._understood = True
        while _text(self._line(deadline, seen, "the runner's start")) != READY_LINE:
            pass

    def command(self, text: str, limit_s: float) -> list[str]:
        """Sends `text` and returns the answer's lines without the closing `m-ready`.

        Raises:
            LinkError: silence, garbage, a reboot, an `e-[...]` answer or a lost line, within `limit_s`.
        """
        return self.rest(self.begin(text), limit_s)

    def begin(self, text: str) -> Answer:
        """Sends `text`; the answer is to be read by `until` and `rest`."""
        answer = Answer(text, str(next(self._tags) % 65536) if self.tagged else None)
        self.send(answer.request)
        return answer

    def until(self, answer: Answer, start: str, limit_s: float) -> str:
        """Reads on to the line that starts with `start`, and returns it.

        Raises:
            LinkError: as `command`; also if the answer ends before.
        """
        deadline = time.monotonic() + limit_s
        while not answer.lines or not answer.lines[-1].startswith(start):
            if self._read_on(answer, deadline):
                raise GarbledError(self._says(f"{answer.text!r}: wanted {start}..., found {answer.lines}"))
        return answer.lines[-1]

    def rest(self, answer: Answer, limit_s: float) -> list[str]:
        """The answer's lines, once it is whole."""
        deadline = time.monotonic() + limit_s
        while not self._read_on(answer, deadline):
            if answer.error is not None:
                deadline = min(deadline, time.monotonic() + _REFUSAL_S)
        if answer.error is not None:
            raise refusal(self._says(f"{answer.text!r} answered {answer.error}"), answer.error)
        return answer.lines

    def _read_on(self, answer: Answer, deadline: float) -> bool:
        """Takes one more line; True when that ends the answer."""
        try:
            line = self._line(deadline, answer.lines, f"the answer to {answer.text!r}")
        except NoAnswerError:
            if answer.error is not None:  # the processor has stopped, or the end of the answer was lost
                raise refusal(self._says(f"{answer.text!r} answered {answer.error}"), answer.error) from None
            raise
        self._refuse_trouble(_text(line), answer)
        self._understood = True
        return answer.take(line, lambda trouble: GarbledError(self._says(trouble)))

    def _refuse_trouble(self, line: str, answer: Answer) -> None:
        if line.startswith("e-[fault"):  # nothing comes after it
            raise refusal(self._says(f"{answer.text!r} answered {line}"), line)
        if line == BOOT_LINE:
            raise RebootedError(self._says(f"the board restarted during {answer.text!r}"))
        if line and not is_protocol(line):  # the runner ends an unfinished line before it reports a fault
            kind = FirmwareError if line.isascii() and line.isprintable() and not self._understood else GarbledError
            raise kind(self._says(self._not_protocol(line, answer.text)))

    def _not_protocol(self, line: str, text: str) -> str:
        found = f"garbled answer to {text!r}: wanted lines starting with m- or e-, found {line!r}"
        return (
            found if self._understood else f"{found}; is another firmware running, or the line not at {self.baud} baud?"
        )

    def _line(self, deadline: float, seen: list[str], wanted: str) -> bytes:
        while b"\n" not in self._pending:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise self._timeout(seen, wanted)
            self._pending += self._read(left_s)
        line, self._pending = self._pending.split(b"\n", 1)
        return line + b"\n"

    def _timeout(self, seen: list[str], wanted: str) -> LinkError:
        if not self._pending.strip(b"\r") and not seen:
            silent = f"wanted {wanted}, the board says nothing; is it powered, and the runner flashed?"
            return NoAnswerError(self._says(silent))
        # a line may break off between its two end characters
        last = self._pending.decode("ascii", "backslashreplace").removesuffix("\r") or seen[-1]
        text = f"wanted {wanted}, the last that came is {last[-80:]!r}"
        if is_protocol(last) or "m-".startswith(last):
            return NoAnswerError(self._says(text))
        kind = GarbledError if self._understood or "\\x" in last else FirmwareError
        return kind(self._says(f"{text}; is another firmware running, or the line not at {self.baud} baud?"))


def _text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("ascii", "backslashreplace")
