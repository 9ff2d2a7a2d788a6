"""Run the stand-in in the foreground, for clients in other processes and languages."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from litellm_synthetic.testing.faults import FAULTS
from litellm_synthetic.testing.server import DEFAULT_API_KEY, SyntheticServer


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted, and return the exit status.

    Args:
        arguments: The command line; by default the process's own.
    """
    asked = _parser().parse_args(arguments)
    if asked.list_faults:
        for each in FAULTS.values():
            _say(f"{each.name:30} {each.shows}")
        return 0
    server = SyntheticServer(
        port=asked.port, api_key=asked.api_key, delay_seconds=asked.delay_ms / 1000
    )
    try:
        server.start()
    except OSError as failure:
        sys.stderr.write(f"cannot listen on 127.0.0.1:{asked.port}: {failure.strerror}\n")
        return 1
    try:
        _say(f"A stand-in for api.synthetic.new is listening on {server.url}")
        _say(f"  OpenAI clients:    {server.openai_base}")
        _say(f"  Anthropic clients: {server.anthropic_base}")
        _say(f"  Key:               {server.api_key}")
        _say("It answers by itself. Send the header `x-stand-in-fault: NAME` for a fault;")
        _say("--list-faults prints the names. Stop it with Ctrl-C.")
        _wait_for_signal()
    finally:
        server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m litellm_synthetic.testing",
        description="Serve a stand-in for api.synthetic.new on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one if 0")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="pause before each reply")
    parser.add_argument("--api-key", default=DEFAULT_API_KEY, help="the key to accept")
    parser.add_argument("--list-faults", action="store_true", help="print the faults and leave")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _wait_for_signal() -> None:
    asked_to_stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: asked_to_stop.set())
    asked_to_stop.wait()


if __name__ == "__main__":
    sys.exit(main())
