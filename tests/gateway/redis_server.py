"""A Redis of the tests' own: Debian's `redis-server`, on a free port, that keeps nothing."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

import pytest

from tests.gateway.running import free_port

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = shutil.which("redis-server")
_START_SECONDS = 60
needs_redis = pytest.mark.skipif(_PROGRAM is None, reason="redis-server is not installed")


class RedisServer:
    """Run redis-server; it can be killed, made to hang, and come back empty on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that the scaled example reads."""
        return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.port)}

    def start(self) -> None:
        """Start, and return once it answers."""
        options = {"bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": str(self._folder)}
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(  # noqa: S603  # Debian's own program
            [_PROGRAM or "redis-server", "--port", str(self.port), *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.ask("PING") == b"+PONG\r\n":
                    return
            time.sleep(0.02)
        pytest.fail("redis-server did not start")

    def kill(self) -> None:
        """End at once: connections break, new ones are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop answering, with connections open and new ones accepted by the kernel."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again after `hang()`."""
        self._signal(signal.SIGCONT)

    def forget(self) -> None:
        """Drop every key."""
        self.ask("FLUSHALL")

    def ask(self, command: str) -> bytes:
        """Return the raw reply to an inline command such as `EXISTS key`."""
        with socket.create_connection(
            ("127.0.0.1", self.port), timeout=_START_SECONDS
        ) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(65536)

    def has_answers(self) -> bool:
        """Return whether LiteLLM has cached an answer: its keys are digests."""
        return re.search(rb"\b[0-9a-f]{64}\b", self.ask("KEYS *")) is not None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("redis-server does not run")
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
