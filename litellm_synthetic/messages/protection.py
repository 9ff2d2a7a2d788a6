"""Marks that keep LiteLLM's Anthropic transformation from dropping or fetching content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence


# What a text is marked with on its way through LiteLLM; see `protect`.
_NO_SIGNATURE: Final = "no-signature"
_PLAIN_HTTP: Final = "https://plain-http.invalid/?"


def protect(message: Any) -> dict[str, Any]:
    """Return a message of which LiteLLM's transformation keeps everything.

    It drops thinking without a signature, because Anthropic signs its own, and fetches an image
    from a plain http URL by itself. Both go in under a name that `unprotect` takes off again.
    Role `developer` becomes `system`, as on the other API.
    """
    fields: Mapping[str, Any] = (
        message.model_dump(exclude_none=True) if isinstance(message, BaseModel) else message
    )
    sheltered = dict(fields)
    if sheltered.get("role") == "developer":
        sheltered["role"] = "system"
    if sheltered.get("role") == "assistant":
        blocks = _thinking_blocks(sheltered)
        if blocks:
            sheltered["thinking_blocks"] = [_signed(block) for block in blocks]
    if isinstance(content := sheltered.get("content"), list):
        sheltered["content"] = [_protect_part(part) for part in content]
    return sheltered


def _thinking_blocks(message: Mapping[str, Any]) -> Sequence[Any]:
    blocks = message.get("thinking_blocks")
    if isinstance(blocks, list) and blocks:
        return blocks
    text = message.get("reasoning_content") or message.get("reasoning")
    return [{"type": "thinking", "thinking": text}] if isinstance(text, str) and text else []


def _signed(block: Any) -> Any:
    if (
        isinstance(block, Mapping)
        and block.get("type") == "thinking"
        and not block.get("signature")
    ):
        return {**block, "signature": _NO_SIGNATURE}
    return block


def _protect_part(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    if part.get("type") == "thinking":
        return _signed(part)
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if part.get("type") != "image_url" or not isinstance(url, str):
        return part
    if not url.startswith("http://"):
        return part
    protected = f"{_PLAIN_HTTP}{url}"
    return {
        **part,
        "image_url": {**image, "url": protected} if isinstance(image, Mapping) else protected,
    }


def unprotect(value: Any) -> Any:
    """Return a translated message, or a part of one, without the marks of `protect`."""
    if isinstance(value, list):
        return [unprotect(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("signature") == _NO_SIGNATURE:
        value = {**value, "signature": ""}
    url = value.get("url")
    if isinstance(url, str) and url.startswith(_PLAIN_HTTP):
        return {**value, "url": url.removeprefix(_PLAIN_HTTP)}
    return {
        name: unprotect(each) if name in ("content", "source") else each
        for name, each in value.items()
    }
