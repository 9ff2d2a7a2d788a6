"""The text of a message or delta, whatever form an upstream gives it."""

from __future__ import annotations

from collections.abc import Mapping

from litellm_synthetic.errors.faults import UnreadableReplyError


def content_text(content: object) -> str | None:
    """Return content as text; None for no content.

    A list of text parts is OpenAI's other form of content. Its texts are joined.

    Raises:
        UnreadableReplyError: content that is not text, or a part that is not.
    """
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(_part_text(part) for part in content)
    raise UnreadableReplyError("the content of a choice is not text")


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping) and part.get("type", "text") in ("text", "output_text"):
        text = part.get("text")
        if isinstance(text, str):
            return text
    raise UnreadableReplyError("a part of the content of a choice is not text")
