"""A command in a terminal of its own, typed at as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_LONGEST_SECONDS: Final = 60.0
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
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, "-m", "litellm_synthetic", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**variables, "TERM": "xterm", **(environment or {})},
            # The hidden prompt asks the controlling terminal, so the session needs one of its own.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no threads yet
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def wait_for(self, text: str) -> None:
        """Read until a text has been shown since the last one that was waited for."""
        deadline = time.monotonic() + _LONGEST_SECONDS
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < deadline, f"{text!r} was not shown:\n{self.shown}"
            assert self._read(), f"{text!r} was not shown before the end:\n{self.shown}"
        self._seen = self.shown.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        """Type a text; `\\r` is Enter."""
        time.sleep(0.05)  # the prompt is shown before the terminal is told to hide what is typed
        os.write(self._master, text.encode())

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self.wait_for(question)
        self.type(f"{text}\r")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        while self._read():
            pass
        return self._process.wait(_LONGEST_SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], _LONGEST_SECONDS)
        assert ready, f"nothing more was shown:\n{self.shown}"
        try:
            piece = os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)
