"""Whatever is written as YAML reads back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_synthetic.cli.yaml_text import Commented, comment, yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTILE = [
    "hf:a/b: c",
    "x # y",
    '" - "',
    "'",
    "a\\",
    "\n- injected: true",
    "---",
    "...",
    "%YAML 1.1",
    "!!python/object/apply:os.system [id]",
    "&a",
    "*a",
    "{a: b}",
    "[1]",
    "? a",
    "- a",
    "<<",
    "=",
    "~",
    "null",
    "Yes",
    "off",
    "n",
    "1e3",
    "0x1f",
    "1:20",
    "1_000",
    "2026-11-20",
    ".inf",
    "NaN",
    " a",
    "a ",
    "",
    "\t",
    "\x00\x07\x1b\x7f\x85",
    "\u2028\u2029\ufeff\u202e",
    "\U0001f600",
    "\ud800",
    "é",
    "k" * 2000,
    "\U0001f600" * 300,
]

texts = st.one_of(st.text(max_size=40), st.sampled_from(HOSTILE), st.characters(codec=None))
scalars = st.one_of(texts, st.integers(), st.booleans(), st.none())
plain_nodes = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
remarks = st.builds(lambda text, gap: (text, gap), texts, st.booleans())


def commented(node: Any, draw: Any) -> Any:
    """Put comments on every node, as deep as it goes."""
    if isinstance(node, dict):
        node = {key: commented(value, draw) for key, value in node.items()}
    elif isinstance(node, list):
        node = [commented(value, draw) for value in node]
    text, gap = draw(remarks)
    return Commented(node, above=text, gap=gap)


@given(st.dictionaries(texts, plain_nodes, max_size=5))
@example({"a": [{}], "b": {"c": []}, "d": [[], [{}], [["x"]], [{"y": [{"z": 1}]}]]})
@example({"k" * 2000: {"\U0001f600" * 300: "v"}, "list": [{"k" * 2000: 1}]})
def test_any_document_reads_back_as_it_was(document: Mapping[str, Any]) -> None:
    text = yaml_text(document)
    assert yaml.safe_load(text) == document
    assert text.isascii()


@given(st.dictionaries(texts, plain_nodes, max_size=4), st.data())
def test_comments_change_nothing_whatever_they_hold(
    document: Mapping[str, Any], data: st.DataObject
) -> None:
    with_comments = {key: commented(value, data.draw) for key, value in document.items()}
    assert yaml.safe_load(yaml_text(with_comments)) == document


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_anything_else(text: str) -> None:
    document: dict[str, Any] = {"key": text, "list": [text, {text: text}], text: [text]}
    assert yaml.safe_load(yaml_text(document)) == document


@given(texts, st.text(" ", max_size=8))
def test_a_comment_is_nothing_but_comment_lines(text: str, indent: str) -> None:
    for line in comment(text, indent):
        assert line.startswith(f"{indent}#")
        assert line.isascii()
        assert "\n" not in line


def test_a_long_comment_is_wrapped_and_keeps_its_indentation() -> None:
    lines = list(comment("one\n  " + "word " * 40, "  "))
    assert lines[0] == "  # one"
    assert len(lines) > 2
    assert all(line.startswith("  #   word") and len(line) <= 100 for line in lines[1:])


def test_what_people_would_not_quote_is_not_quoted() -> None:
    document = {"api_key": "os.environ/SYNTHETIC_API_KEY", "mode": "chat", "model": "syn:x"}
    assert yaml_text(document) == (
        'api_key: os.environ/SYNTHETIC_API_KEY\nmode: chat\nmodel: "syn:x"\n'
    )


def test_a_float_is_refused_because_readers_differ_on_it() -> None:
    with pytest.raises(TypeError, match="float"):
        yaml_text({"price": 6e-07})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="float"):
        yaml_text({"prices": [6e-07]})  # type: ignore[list-item]
