from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.think_tags import Split, ThinkTagSplitter, split_text


def split_pieces(pieces: list[str]) -> Split:
    splitter = ThinkTagSplitter()
    parts = [splitter.feed(piece) for piece in pieces]
    parts.append(splitter.close())
    return Split("".join(one.reasoning for one in parts), "".join(one.content for one in parts))


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("", "", ""),
        (" hello", "", " hello"),
        ("<think>a</think>b", "a", "b"),
        ("\n <think>a</think>b", "a", "b"),
        ("<think>\na\n</think>\n\nb\n", "\na\n", "b\n"),
        ("<think></think>b", "", "b"),
        ("<think>a</think>", "a", ""),
        ("<think>a", "a", ""),
        ("<think>a</thin", "a</thin", ""),
        ("<think>a</thin</think>b", "a</thin", "b"),
        ("<think>a <b> c</think>d", "a <b> c", "d"),
        ("<think>a</think>b<think>c</think>d", "a", "b<think>c</think>d"),
        ("<think>a</think>\n<think>c", "a", "<think>c"),
    ],
)
def test_leaked_thinking_is_told_from_the_answer(text: str, reasoning: str, content: str) -> None:
    assert split_text(text) == Split(reasoning, content)


@pytest.mark.parametrize(
    "text",
    [
        "The tag <think> opens and </think> closes.",
        "a</think>b",
        "</think>b",
        "<thinking>a</thinking>",
        "<think",
        "< think>a",
        "<Think>a</Think>",
        "`<think>`",
        "   ",
    ],
)
def test_a_text_that_only_mentions_the_tag_is_left_alone(text: str) -> None:
    assert split_text(text) == Split("", text)
    assert split_pieces(list(text)) == Split("", text)


PARTS = st.sampled_from(
    ["<think>", "</think>", "<", "<thi", "nk>", "</thi", "\n", " ", "a", "Zoë", "</think", ">"]
)


@given(st.lists(PARTS | st.text(max_size=3), max_size=10), st.lists(st.integers(0, 60), max_size=8))
def test_the_division_is_the_same_however_the_text_is_cut(
    parts: list[str], cuts: list[int]
) -> None:
    text = "".join(parts)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    assert split_pieces(pieces) == split_text(text)
    assert split_pieces(list(text)) == split_text(text)


@given(st.text())
def test_without_a_tag_at_its_start_a_text_stays_whole(text: str) -> None:
    if not text.lstrip().startswith("<think>"):
        assert split_text(text) == Split("", text)


def test_once_the_answer_has_begun_nothing_is_looked_at() -> None:
    splitter = ThinkTagSplitter()
    assert not splitter.settled
    splitter.feed("a")
    assert splitter.settled


def test_text_is_handed_out_as_soon_as_it_is_certain() -> None:
    splitter = ThinkTagSplitter()
    assert splitter.feed("<thi") == Split("", "")
    assert splitter.feed("nk>ab") == Split("ab", "")
    assert splitter.feed("c</") == Split("c", "")
    assert splitter.feed("b></think>d") == Split("</b>", "d")
