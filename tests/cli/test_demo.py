"""The demo from its first heading to its last price, on its own stand-in."""

from __future__ import annotations

import pytest

from tests.cli.invocation import invoke


@pytest.mark.parametrize("arguments", [(), ("--offline",)], ids=["no key", "offline"])
def test_the_demo_runs_to_its_end(arguments: tuple[str, ...]) -> None:
    shown = invoke("demo", *arguments).output
    headings = ("1  A completion", "2  A stream, live", "3  A tool call")
    places = [shown.index(heading) for heading in headings]
    assert places == sorted(places)
    for start, end in zip(places, [*places[1:], len(shown)], strict=True):
        assert "\n$0.0" in shown[start:end]
