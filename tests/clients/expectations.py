"""The clients that behave otherwise than the rule when a call fails, and whose doing it is.

The rule: at most two calls reach the upstream, and the client shows the text. Measured with the
pinned releases; whatever asks more often than the rule does so although the proxy tells it not to
(`x-should-retry: false` and `Retry-After`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.clients.scenes import CAP, CUT, OVERFLOW, RETIRED, UNPAID, Scene

MAX_CALLS = 2


@dataclass(frozen=True)
class Expected:
    """Say how one client takes one scene.

    Attributes:
        max_calls: how many calls may reach the upstream.
        words: a pattern of what it shows instead of the text; None where it shows nothing.
        why: whose doing it is, for the table.
    """

    max_calls: int = MAX_CALLS
    words: str | None = ""
    why: str = ""


_OPENCODES = ("opencode", "opencode-messages")
_PIS = ("pi", "pi-responses", "pi-messages")
_TITLE = "opencode asks once more, for the session's title"
_COMPACTS = "pi compacts by itself; a first message alone cannot be, and it ends without a word"
_PATIENT = "asks again after a 429 whatever the reply says, for as long as it runs"
_CODEX = "Codex asks five more times after a 404"
EXCEPTIONS: dict[tuple[str, Scene], Expected] = {
    **{
        (client, scene): Expected(max_calls=4, why=_TITLE)
        for client in _OPENCODES
        for scene in (OVERFLOW, UNPAID, RETIRED)
    },
    **{(client, CAP): Expected(max_calls=20, why=_PATIENT) for client in _OPENCODES},
    ("continue", CAP): Expected(max_calls=60, why=_PATIENT),
    ("gemini-cli", CAP): Expected(max_calls=20, why=_PATIENT),
    ("aider", CAP): Expected(max_calls=25, why=_PATIENT),
    **{(client, OVERFLOW): Expected(words=None, why=_COMPACTS) for client in _PIS},
    **{
        (client, CAP): Expected(max_calls=4, why="pi asks three more times after a 429")
        for client in _PIS
    },
    ("codex", UNPAID): Expected(
        max_calls=6, why="Codex waits for as long as `Retry-After` says before it shows a 402"
    ),
    ("codex", CAP): Expected(why="waits for as long as `Retry-After` says, and shows nothing"),
    ("qwen-code", CAP): Expected(why="waits for as long as `Retry-After` says, and shows nothing"),
    ("codex", RETIRED): Expected(max_calls=6, why=_CODEX),
    ("claude-code", RETIRED): Expected(
        words="issue with the selected model", why="Claude Code has words of its own for a 404"
    ),
    ("gemini-cli", CUT): Expected(
        max_calls=100,
        words="without a finish reason",
        why="Gemini CLI has words of its own for a stream that breaks",
    ),
}


def expected(client: str, scene: Scene) -> Expected:
    """Return what a client does in a scene; a broken stream is tried again by many, and rightly."""
    rule = Expected(max_calls=100) if scene is CUT else Expected()
    return EXCEPTIONS.get((client, scene), rule)
