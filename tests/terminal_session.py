"""A command in a terminal of its own, typed at as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import runpy
import select
import struct
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.forks import Command, fork
from tests.waiting import MAX_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

CTRL_C: Final = "\x03"
CTRL_D: Final = "\x04"


class TerminalSession:
    """Run `litellm-synthetic` with a pseudo-terminal as stdin, stdout and stderr."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        columns: int = 80,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.shown = ""
        self._seen = 0
        variables = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        variables |= {"TERM": "xterm", **(environment or {})}
        # The hidden prompt asks the controlling terminal, so the session needs one of its own.
        self._process = fork(
            Command(
                _run_command_line,
                ["litellm-synthetic", *arguments],
                variables,
                folder,
                os.ttyname(slave),
            )
        )
        self._unopened: int | None = slave  # kept open until the process has opened it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()
        self._close_slave()
        os.close(self._master)

    def wait_for(self, text: str) -> None:
        """Read until a text has been shown since the last one that was waited for."""
        deadline = time.monotonic() + MAX_SECONDS
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < deadline, f"{text!r} was not shown:\n{self.shown}"
            assert self._read(), f"{text!r} was not shown before the end:\n{self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def wait_until_hidden(self) -> None:
        """Wait until what is typed is hidden; what was typed before is dropped then."""
        wait_until(
            lambda: not termios.tcgetattr(self._master)[3] & termios.ECHO,
            lambda: f"nothing is hidden:\n{self.shown}",
        )

    def type(self, text: str) -> None:
        """Type a text, once it is waited for; `\\r` is Enter."""
        # Python's input() doesn't hear of a Ctrl-C that comes right before it reads.
        wait_until(self._is_waiting, lambda: f"it does not wait:\n{self.shown}")
        os.write(self._master, text.encode())

    def _is_waiting(self) -> bool:
        """Return whether the process sleeps; where that can't be seen, after a moment."""
        try:
            status = Path(f"/proc/{self._process.pid}/stat").read_text("utf-8")
        except OSError:
            time.sleep(0.1)
            return True
        return status.rpartition(")")[2].split()[0] != "R"

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self.wait_for(question)
        self.type(f"{text}\r")

    def answer_hidden(self, question: str, text: str) -> None:
        """Wait for a question and answer it unseen."""
        self.wait_for(question)
        self.wait_until_hidden()
        self.type(f"{text}\r")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        self._process.join(MAX_SECONDS)
        assert self._process.exitcode is not None, f"it did not end:\n{self.shown}"
        return self._process.exitcode

    def _read(self) -> bool:
        sources = [self._master, self._process.sentinel]
        ready, _, _ = select.select(sources, [], [], MAX_SECONDS)
        assert ready, f"nothing more was shown:\n{self.shown}"
        self._close_slave()
        try:
            piece = os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)

    def _close_slave(self) -> None:
        """Close our copy, without which the end of the process is the end of what is shown."""
        if self._unopened is not None:
            os.close(self._unopened)
            self._unopened = None


def _run_command_line() -> None:
    """Do what `python -m litellm_synthetic` does."""
    runpy.run_module("litellm_synthetic", run_name="__main__")
