"""Whole replies: Synthetic's JSON in, LiteLLM's own types out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from litellm import (
    Choices,
    EmbeddingResponse,
    Message,
    ModelResponse,
    TextChoices,
    TextCompletionResponse,
)

from litellm_synthetic.chat.think_tags import split_text
from litellm_synthetic.chat.usage import to_usage
from litellm_synthetic.errors.faults import UnreadableReplyError

# Where `_hidden_params` keeps the name that the upstream answered with.
UPSTREAM_MODEL: Final = "upstream_model"
# vLLM's words for a generation that it dropped; LiteLLM would turn them into "stop".
ABORTED_FINISH_REASONS: Final = ("abort", "error")
# Read by `_fill_envelope` and `fill_chat`, or LiteLLM's own.
_KNOWN_TOP_LEVEL: Final = frozenset(
    ("id", "object", "created", "model", "choices", "usage", "error", "model_config")
)
_KNOWN_CHOICE: Final = frozenset(("index", "message", "finish_reason", "logprobs"))
_KNOWN_MESSAGE: Final = frozenset(
    ("role", "content", "tool_calls", "function_call", "reasoning", "reasoning_content")
)


# What LiteLLM's types raise on values that do not fit; pydantic's ValidationError is a ValueError.
VALIDATION_ERRORS: Final = (ValueError, TypeError, AttributeError, KeyError)


def fill_chat(response: ModelResponse, document: Mapping[str, Any], model: str) -> ModelResponse:
    """Fill a LiteLLM response from a chat completion.

    `response.model` is the id that was asked for, because prices hang on it; the upstream's name
    goes into `_hidden_params["upstream_model"]`.

    Raises:
        UnreadableReplyError: no choices, or one that is none of a chat completion.
    """
    choices = _choices(document)
    try:
        response.choices = [_chat_choice(choice) for choice in choices]
    except VALIDATION_ERRORS as error:
        raise UnreadableReplyError("a choice is not one of a chat completion") from error
    _fill_envelope(response, document, model)
    # `prompt_logprobs`, `kv_transfer_params` and the like; LiteLLM keeps what it does not know too.
    for name, value in _extras(document, _KNOWN_TOP_LEVEL).items():
        # A field named like a method would take the method's place.
        if not name.startswith("_") and not hasattr(type(response), name):
            setattr(response, name, value)
    return response


def fill_text(document: Mapping[str, Any], model: str) -> TextCompletionResponse:
    """Return LiteLLM's response for a legacy completion.

    Raises:
        UnreadableReplyError: no choices, or one that is none of a completion.
    """
    try:
        choices = [_text_choice(choice) for choice in _choices(document)]
    except VALIDATION_ERRORS as error:
        raise UnreadableReplyError("a choice is not one of a completion") from error
    response = TextCompletionResponse(choices=choices, usage=to_usage(document.get("usage")))
    _fill_envelope(response, document, model)
    return response


def fill_embedding(
    response: EmbeddingResponse, document: Mapping[str, Any], model: str, texts: object
) -> EmbeddingResponse:
    """Fill a LiteLLM response from an embeddings reply: one vector per input, in input order.

    Args:
        response: LiteLLM's, empty.
        document: the reply.
        model: the id that was asked for.
        texts: the request's `input`.

    Raises:
        UnreadableReplyError: not one vector for each input.
    """
    rows = document.get("data")
    if not isinstance(rows, list) or not rows:
        raise UnreadableReplyError("it holds no embeddings")
    # A list of numbers, or their base64 (`encoding_format`).
    if not all(
        isinstance(row, dict) and isinstance(row.get("embedding"), list | str) for row in rows
    ):
        raise UnreadableReplyError("one of its embeddings holds no vector")
    response.data = _in_input_order(rows, _input_count(texts))
    response.object = "list"
    response.model = model
    if (usage := to_usage(document.get("usage"))) is not None:
        response.usage = usage
    response._hidden_params = {  # noqa: SLF001  # LiteLLM's documented place for metadata
        **response._hidden_params,  # noqa: SLF001
        UPSTREAM_MODEL: document.get("model"),
    }
    return response


def _input_count(texts: object) -> int:
    """Return how many vectors an `input` asks for: a text or a list of token ids asks for one."""
    if not isinstance(texts, list | tuple) or all(isinstance(each, int) for each in texts):
        return 1
    return len(texts)


def _in_input_order(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    if len(rows) != count:
        raise UnreadableReplyError(f"it holds {len(rows)} embeddings for {count} inputs")
    indexes = [row.get("index") for row in rows]
    if indexes == [None] * count:
        return rows
    # `True == 1`, so types are compared too.
    if any(type(index) is not int for index in indexes) or {*indexes} != {*range(count)}:
        raise UnreadableReplyError("the indexes of its embeddings do not match the inputs")
    return sorted(rows, key=lambda row: int(row["index"]))


def _fill_envelope(response: Any, document: Mapping[str, Any], model: str) -> None:
    if isinstance(identifier := document.get("id"), str):
        response.id = escaped(identifier)
    if type(created := document.get("created")) is int:
        response.created = created
    response.model = model
    if (usage := to_usage(document.get("usage"))) is not None:
        response.usage = usage
    response._hidden_params[UPSTREAM_MODEL] = document.get("model")  # noqa: SLF001


def _choices(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UnreadableReplyError("it holds no choices")
    if not all(isinstance(choice, dict) for choice in choices):
        raise UnreadableReplyError("its choices are not objects")
    return choices


def _text_choice(choice: Mapping[str, Any]) -> TextChoices:
    text = content_text(choice.get("text"))
    if text is None:
        raise UnreadableReplyError("a choice holds no text")
    return TextChoices(
        text=text,
        index=choice.get("index") or 0,
        finish_reason=choice.get("finish_reason"),
        logprobs=choice.get("logprobs"),
    )


def _chat_choice(choice: Mapping[str, Any]) -> Choices:
    fields = choice.get("message")
    if not isinstance(fields, dict):
        raise UnreadableReplyError("a choice holds no message")
    content, reasoning = content_text(fields.get("content")), reasoning_of(fields)
    if content is not None and not reasoning and content.lstrip().startswith("<think>"):
        reasoning, content = split_text(content)
    calls = fields.get("tool_calls")
    tool_calls = [
        whole_tool_call(call)
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, dict)
    ]
    message = Message(
        content=content,
        role=fields.get("role") or "assistant",
        tool_calls=tool_calls or None,
        function_call=fields.get("function_call"),
        reasoning_content=reasoning or None,
        **_extras(fields, _KNOWN_MESSAGE),
    )
    finish_reason = choice.get("finish_reason")
    if finish_reason in ABORTED_FINISH_REASONS:
        raise UnreadableReplyError(f"the backend gave up on it (finish_reason {finish_reason})")
    if finish_reason == "stop" and tool_calls:
        finish_reason = "tool_calls"
    return Choices(
        finish_reason=finish_reason,
        index=choice.get("index", 0),
        message=message,
        logprobs=choice.get("logprobs"),
        provider_specific_fields=_extras(choice, _KNOWN_CHOICE) or None,
    )


def _extras(fields: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    # The recorded replies carry a dozen fields that are null (`refusal`, `token_ids`, …).
    return {
        name: value for name, value in fields.items() if value is not None and name not in known
    }


def reasoning_of(fields: Mapping[str, Any]) -> str:
    """Return the reasoning of a message or delta.

    It comes as `reasoning_content`, as `reasoning`, or as both alike (recorded 2026-02): once.
    """
    for name in ("reasoning_content", "reasoning"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


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


def whole_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call in OpenAI's form: an id, a type, and its arguments as text."""
    function = call.get("function")
    function = dict(function) if isinstance(function, Mapping) else {}
    function["arguments"] = arguments_text(function.get("arguments"))
    name = function.get("name") or ""
    function["name"] = escaped(name) if isinstance(name, str) else name
    identifier = call.get("id")
    identifier = escaped(identifier) if isinstance(identifier, str) else ""
    return {
        "id": identifier or new_tool_call_id(),
        "type": call.get("type") or "function",
        "function": function,
    }


def arguments_text(arguments: object) -> str:
    """Return a tool call's arguments as text; a backend may send the object itself."""
    if isinstance(arguments, str):
        return escaped(arguments)
    return "" if arguments is None else json.dumps(arguments)


def escaped(text: str) -> str:
    """Return text with lone surrogates as JSON escapes, which in arguments mean the same.

    LiteLLM writes ids and tool calls as UTF-8, and loses the bill or the answer where that fails:
    for the price of a stream (litellm_core_utils/prompt_templates/common_utils.py:361), and for the
    id of a response of the Responses API.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def new_tool_call_id() -> str:
    """Return an id for a call that came without one, so that its result can refer to it."""
    return f"call_{uuid4().hex}"
