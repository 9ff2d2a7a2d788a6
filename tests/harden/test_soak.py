"""The soak: minutes of every kind of call, and a ledger that balances to the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.harden.soak import Soak
from tests.harden.upstream import RawUpstream

if TYPE_CHECKING:
    import pytest

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
    summary = soak.ledger.summary()
    with capsys.disabled():
        print(f"\n{summary}\n{soak.growth}")  # noqa: T201  # the figures are what a soak is run for
    assert not complaints, "\n".join([summary, str(soak.growth), *complaints[:40]])
