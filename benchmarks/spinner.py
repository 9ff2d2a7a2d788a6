"""Keep one core busy, as another process of a crowded machine would: a core's number, then end."""

from __future__ import annotations

import os
import sys
import threading


def main() -> None:
    """Count until standard input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    print("busy", flush=True)
    while not ended.is_set():
        sum(range(1000))


if __name__ == "__main__":
    main()
