"""Cassettes hold no secret, and say where they come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.test_cassettes import CASSETTES, LIVE, PROVENANCE, STAND_IN

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = re.compile(
    r"syn_[A-Za-z0-9_-]{6,}|sk-[A-Za-z0-9_-]{8,}|bearer|authorization|x-api-key|set-cookie|cookie:",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", sorted(CASSETTES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_cassettes_hold_no_secret_and_say_where_they_come_from(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not SECRETS.search(text)
    assert PROVENANCE in text
    assert STAND_IN in text or LIVE in text
    assert (path.parent.name == "genuine") == ("genuine: " in text)


def test_there_is_a_cassette_for_every_promise_above() -> None:
    assert len(list(CASSETTES.glob("*.yaml"))) >= 20
