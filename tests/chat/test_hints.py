import re
from pathlib import Path

import pytest

from litellm_synthetic.chat.hints import HINTS, hints_in
from litellm_synthetic.chat.params import BY_NAME

PAGE = (Path(__file__).parents[2] / "docs" / "parameters.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (?:always|it is (.+?)) \| (.+?) \|$", re.MULTILINE)


def test_the_documented_table_is_the_one_in_force() -> None:
    section = PAGE.partition("## Dropped")[2].partition("## Refused")[0]
    rows = [match.groups(default="") for match in ROW.finditer(section)]
    assert rows == [(hint.name, hint.condition, hint.reason) for hint in HINTS]


def test_what_is_sent_is_never_a_hint() -> None:
    assert not BY_NAME.keys() & {hint.name for hint in HINTS}


def test_each_hint_has_one_row() -> None:
    assert len({hint.name for hint in HINTS}) == len(HINTS)


@pytest.mark.parametrize("value", [["text"], ("text",), []])
def test_text_is_what_every_answer_is(value: object) -> None:
    assert list(hints_in({"modalities": value})) == ["modalities"]


@pytest.mark.parametrize("value", [["text", "audio"], ["image"], "text", {"text": 1}, [None], 5])
def test_a_modality_that_changes_the_answer_is_not_a_hint(value: object) -> None:
    assert not list(hints_in({"modalities": value}))


def test_a_hint_that_the_caller_allows_by_name_is_left_alone() -> None:
    arguments = {"store": True, "verbosity": "low", "allowed_openai_params": ["store"]}
    assert list(hints_in(arguments)) == ["verbosity"]
