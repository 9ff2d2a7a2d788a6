"""Whole messages of Anthropic's Messages API, as LiteLLM's chat responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm

from litellm_synthetic.chat.response import UPSTREAM_MODEL, VALIDATION_ERRORS, escaped
from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.errors.bodies import encodable_headers
from litellm_synthetic.errors.faults import (
    UnreadableReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


_SUCCESS: Final = 200


def fill_message(  # noqa: PLR0913  # what a reply is read with, each named
    response: litellm.ModelResponse,
    document: Mapping[str, Any],
    model: str,
    headers: Mapping[str, str],
    *,
    json_mode: bool = False,
    tool_names: Mapping[str, str] | None = None,
) -> litellm.ModelResponse:
    """Fill a LiteLLM response from a message.

    `response.model` is the id that was asked for; see `replies.fill_chat`.

    Args:
        response: what is filled.
        document: the message.
        model: the id that was asked for.
        headers: the reply's.
        json_mode: whether JSON was asked for, which comes back as a tool call.
        tool_names: the caller's name of each tool that had to be renamed.

    Raises:
        UnreadableReplyError: it is not a message.
    """
    upstream_model = document.get("model")
    fields = {**document, "model": model, "usage": uncached_once(document.get("usage"))}
    # `"error": null` is how some backends say that there is none; LiteLLM goes by the name alone
    # (llms/anthropic/chat/transformation.py:2982).
    fields.pop("error", None)
    try:
        litellm.AnthropicConfig().transform_parsed_response(
            completion_response=fields,
            # Only its headers are looked at.
            raw_response=httpx.Response(_SUCCESS, headers=encodable_headers(headers)),
            model_response=response,
            json_mode=json_mode,
            tool_name_reverse_map=dict(tool_names or {}),
        )
    except VALIDATION_ERRORS as error:
        raise UnreadableReplyError("it is not a message of the Messages API") from error
    if isinstance(identifier := document.get("id"), str):
        response.id = escaped(identifier)
    response.model = model
    response._hidden_params[UPSTREAM_MODEL] = upstream_model  # noqa: SLF001  # LiteLLM's documented place for metadata
    _tidy(response.choices[0].message, document)
    return response


def _tidy(message: Any, document: Mapping[str, Any]) -> None:
    """Mend a message where LiteLLM's transformation says less, or more, than the other API."""
    content = {
        name: value
        for name, value in (message.provider_specific_fields or {}).items()
        if value is not None
    }
    message.provider_specific_fields = content or None
    # It numbers calls by their place among all blocks.
    for index, call in enumerate(message.tool_calls or ()):
        call.index = index
    # JSON that came as a tool call becomes a new message, without the thinking.
    if not getattr(message, "reasoning_content", None):
        thinking = "".join(
            block["thinking"]
            for block in document["content"]
            if block.get("type") == "thinking" and isinstance(block.get("thinking"), str)
        )
        if thinking:
            message.reasoning_content = thinking
