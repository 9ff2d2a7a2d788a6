from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.config.allowlist import Allowlist, parse_allowlist
from litellm_synthetic.config.settings import ALLOWED_MODELS

GLM = "hf:zai-org/GLM-5.3"


def allows(text: str, model_id: str) -> bool:
    allowlist = parse_allowlist(text)
    assert allowlist is not None
    return allowlist.allows(model_id)


@pytest.mark.parametrize("spelling", [GLM, "zai-org/GLM-5.3", f"synthetic/{GLM}"])
@pytest.mark.parametrize(
    "entry",
    [
        "hf:zai-org/*",
        "zai-org/*",
        "synthetic/zai-org/*",
        "synthetic/hf:zai-org/GLM-5.3",
        "HF:ZAI-ORG/glm-*",
        "*/GLM-5.?",
        "hf:zai-org/GLM-[45].3",
        "*",
    ],
)
def test_an_id_is_allowed_in_every_spelling_of_it_and_of_the_entry(
    entry: str, spelling: str
) -> None:
    assert allows(entry, spelling)


@pytest.mark.parametrize(
    "entry", ["syn:*", "hf:zai-org/", "zai-org", "GLM-5.3", "hf:zai-org/GLM-5", "s*/hf:zai-org/*"]
)
def test_an_entry_must_match_the_whole_id(entry: str) -> None:
    assert not allows(entry, GLM)


def test_an_alias_is_allowed_by_its_own_name_not_by_what_it_serves() -> None:
    target = load_bundled().by_id["syn:large:text"].current_target
    assert target is not None
    assert not allows(target, "syn:large:text")
    assert not allows("syn:*", target)
    assert allows("syn:*", "synthetic/syn:large:text")


@pytest.mark.parametrize("text", [None, "", "  ", "\t\n"])
def test_a_blank_value_is_no_allowlist(text: str | None) -> None:
    assert parse_allowlist(text) is None


@pytest.mark.parametrize("text", [",", " , ,", "'hf:zai-org/*'", "hf:zai-org/[", "a b", "\u212a*"])
def test_a_value_without_a_usable_entry_allows_nothing(text: str) -> None:
    assert not allows(text, GLM)


def test_malformed_entries_are_named_and_leave_the_others_alone() -> None:
    assert parse_allowlist(' syn:*, "x" ,[!],, syn:*,hf:[a]b') == Allowlist(
        entries=("syn:*", "hf:[a]b"), malformed=('"x"', "[!]")
    )


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ALLOWED_MODELS.value() is None
    monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", "syn:*")
    assert ALLOWED_MODELS.value() == Allowlist(("syn:*",))
    assert ALLOWED_MODELS.value({"SYNTHETIC_ALLOWED_MODELS": " "}.get) is None


@given(st.text(max_size=60), st.text(max_size=40))
def test_any_text_is_read_and_only_a_blank_one_allows_all(text: str, model_id: str) -> None:
    allowlist = parse_allowlist(text)
    assert (allowlist is None) is (not text.strip())
    if allowlist is not None:
        assert isinstance(allowlist.allows(model_id), bool)


@given(st.lists(st.sampled_from(load_bundled().models), min_size=1, max_size=5))
def test_listed_ids_are_allowed_and_no_others(rows: list[object]) -> None:
    ids = {getattr(one, "id", "") for one in rows}
    allowlist = parse_allowlist(", ".join(ids))
    assert allowlist is not None
    assert {one.id for one in load_bundled().models if allowlist.allows(one.id)} == ids


@given(st.from_regex(r"[*?\[\]!a-z:/-]{1,30}", fullmatch=True))
def test_a_glob_is_never_too_much_to_match(entry: str) -> None:
    assert parse_allowlist(entry) is not None
    allows(entry, "hf:" + "a" * 200 + "/b")
