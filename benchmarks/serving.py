"""The local server, in a process of its own so that its CPU is nobody's.

`python -m benchmarks.serving` prints its base URL for OpenAI clients, and serves until its standard
input ends.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.workload import API_KEY, CHUNKS, COMPLETION_TOKENS, PROMPT_TOKENS, TEXT
from litellm_synthetic.testing import SyntheticServer, Text, Usage


def main() -> None:
    """Serve one and the same reply to every call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace-ms", type=float, default=0.0)
    pace_seconds = parser.parse_args().pace_ms / 1000
    reply = Text(
        TEXT,
        chunks=CHUNKS,
        usage=Usage(PROMPT_TOKENS, COMPLETION_TOKENS),
        delay_seconds=pace_seconds,
    )
    with SyntheticServer(api_key=API_KEY) as server:
        server.respond_with(reply)
        print(server.openai_base, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
