"""Split `<think>…</think>` that leaks into the text from the answer, across any chunks.

Defensive only: Synthetic has sent reasoning in fields of its own since 2026. A tag counts only at
the very start of the text, so an answer that talks about the tag stays as it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class Split(NamedTuple):
    """A piece of text, as answer or as reasoning."""

    reasoning: str
    content: str


class ThinkTagSplitter:
    """Take the pieces of one text in order and divide thinking from answer."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    @property
    def settled(self) -> bool:
        """Tell whether all that follows is answer, so that no piece needs a look."""
        return self._state == "content"

    def feed(self, text: str) -> Split:
        """Return what is certain by now; a piece that may be part of a tag is held back."""
        if self._state == "content":
            return Split("", text)
        text = self._held + text
        self._held = ""
        if self._state == "start":
            start = text.lstrip()
            if start.startswith(_OPEN):
                self._state = "thinking"
                text = start[len(_OPEN) :]
            elif _OPEN.startswith(start):
                self._held = text
                return Split("", "")
            else:
                self._state = "content"
                return Split("", text)
        if self._state == "after":
            return self._after(text)
        reasoning, closed, rest = text.partition(_CLOSE)
        if closed:
            self._state = "after"
            return Split(reasoning, self._after(rest).content)
        keep = _partial_suffix(reasoning, _CLOSE)
        self._held = reasoning[len(reasoning) - keep :]
        return Split(reasoning[: len(reasoning) - keep], "")

    def close(self) -> Split:
        """Return what was held back; an unclosed tag leaves everything thinking."""
        rest, self._held = self._held, ""
        return Split(rest, "") if self._state == "thinking" else Split("", rest)

    def _after(self, text: str) -> Split:
        # The line breaks between the tag and the answer belong to neither.
        text = text.lstrip("\n")
        if text:
            self._state = "content"
        return Split("", text)


def _partial_suffix(text: str, tag: str) -> int:
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if text.endswith(tag[:length]):
            return length
    return 0


def split_text(text: str) -> Split:
    """Divide a whole text into thinking and answer."""
    splitter = ThinkTagSplitter()
    first = splitter.feed(text)
    last = splitter.close()
    return Split(first.reasoning + last.reasoning, first.content + last.content)
