"""Run the stand-in in the foreground, for clients in other processes and languages."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
import sys
import threading
from typing import NoReturn

from litellm_synthetic.testing.faults import FAULTS
from litellm_synthetic.testing.server import DEFAULT_API_KEY, SyntheticServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, and return the exit status.

    Args:
        arguments: The command line; by default the process's own.
    """
    options = _parser().parse_args(arguments)
    if options.list_faults:
        _print(*(f"{each.name:30} {each.shows}" for each in FAULTS.values()))
        return 0
    server = SyntheticServer(
        port=options.port, api_key=options.api_key, delay_seconds=options.delay_ms / 1000
    )
    try:
        server.start()
    except (OSError, OverflowError) as failure:
        reason = str(getattr(failure, "strerror", None) or failure).rstrip(".")
        sys.stderr.write(
            f"error: Cannot listen on 127.0.0.1:{options.port}: {reason}. Choose another --port.\n"
        )
        return 1
    try:
        _print(
            f"A stand-in for api.synthetic.new is listening on {server.url}",
            f"  OpenAI clients:    {server.openai_base}",
            f"  Anthropic clients: {server.anthropic_base}",
            f"  Key:               {server.api_key}",
            "For litellm-synthetic, paste into a shell:",
            f"  export SYNTHETIC_API_BASE={server.openai_base}",
            f"  export SYNTHETIC_API_KEY={shlex.quote(server.api_key)}",
            "It answers by itself. Send the header `x-stand-in-fault: NAME` for a fault;",
            "--list-faults prints the names. Stop it with Ctrl-C.",
        )
        _wait_for_signal()
    finally:
        server.stop()
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are written like those of the command line, `error: …`."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"\nerror: {message[:1].upper()}{message[1:]}.\n")


def _milliseconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(text)
    return value


_milliseconds.__name__ = "number of milliseconds"  # as argparse calls it in its error


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m litellm_synthetic.testing",
        description="Serve a stand-in for api.synthetic.new on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one if 0")
    parser.add_argument(
        "--delay-ms", type=_milliseconds, default=0.0, help="pause before each reply"
    )
    parser.add_argument("--api-key", default=DEFAULT_API_KEY, help="the key to accept")
    parser.add_argument("--list-faults", action="store_true", help="print the faults and exit")
    return parser


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _wait_for_signal() -> None:
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
