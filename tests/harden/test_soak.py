"""The soak: minutes of every kind of call, and a ledger that balances to the call."""

from __future__ import annotations

from typing import Final

import pytest

from tests.harden.soak import Soak
from tests.harden.upstream import RawUpstream

# Some of its event loops are closed without a word: asyncio's transports and LiteLLM's worker are
# left to the collector, which warns.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    # A call that is cancelled while LiteLLM prepares it in a thread: nobody awaits what that made.
    pytest.mark.filterwarnings(
        "ignore:coroutine '(_a.*|NativeMessages.answer|EmbeddingHandler.aembedding|_watched.*)' "
        "was never awaited:RuntimeWarning"
    ),
    pytest.mark.filterwarnings(
        r"ignore:Exception ignored in. .*LoggingWorker:pytest.PytestUnraisableExceptionWarning"
    ),
]
_SHORT_MINUTES: Final = 1 / 3
_MINUTES: Final = 2.0


def test_the_ledger_of_a_soak_balances(
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
    *,
    is_short: bool,
) -> None:
    minutes = pytestconfig.getoption("--minutes")
    if minutes is None:
        minutes = _SHORT_MINUTES if is_short else _MINUTES
    with RawUpstream() as upstream:
        soak = Soak(upstream, minutes * 60)
        complaints = soak.run()
    summary = soak.ledger.summary(soak.ears)
    with capsys.disabled():
        print(f"\n{summary}\n{soak.growth}")  # noqa: T201  # the figures are what a soak is run for
    assert not complaints, "\n".join([summary, str(soak.growth), *complaints[:40]])
