"""Translate chat completions to and from Anthropic's Messages API.

LiteLLM's own Anthropic transformation does the translating; this module feeds it what is true of
Synthetic and mends what is true of Anthropic only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
import litellm
from pydantic import BaseModel

from litellm_synthetic.chat.params import OPENAI_ONLY, unstoppable
from litellm_synthetic.chat.reasoning import (
    OFF,
    SCALE,
    accepted_effort,
    is_named_effort,
    requested_effort,
    warn_if_unreliable,
)
from litellm_synthetic.chat.response import UPSTREAM_MODEL, VALIDATION_ERRORS
from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.errors.bodies import encodable_headers
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnreadableReplyError,
    UnsupportedOnMessagesError,
)
from litellm_synthetic.messages.tool_ids import ids_of_calls, with_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from litellm_synthetic.catalog.models import Model

# The longest output of every chat model that was served in October 2026; a model that came since
# is taken to have it too. Anthropic's API needs the field, so something has to be said.
ASSUMED_MAX_OUTPUT_TOKENS: Final = 65_536
# What a text is marked with on its way through LiteLLM; see `_protect`.
_NO_SIGNATURE: Final = "no-signature"
_PLAIN_HTTP: Final = "https://plain-http.invalid/?"
_SUCCESS: Final = 200
_ELSEWHERE: Final = frozenset(("stream", "stream_options"))  # the request's own


@dataclass(frozen=True, slots=True)
class Translation:
    """Hold a request's body, and what its reply has to be read with.

    Attributes:
        body: the request without model and stream, and without what only the caller knows.
        json_mode: whether JSON was asked for, which goes as a tool call and comes back as text.
        noted: what LiteLLM's transformation noted for the reply, in a form of its own: the names
            of tools that it had to change.
    """

    body: Mapping[str, Any]
    json_mode: bool = False
    noted: Mapping[str, Any] = field(default_factory=dict)


def translate(  # noqa: PLR0913  # what a request is made of, each named
    model: str,
    messages: Iterable[Any],
    asked: Mapping[str, Any],
    reasoning: Mapping[str, Any],
    *,
    drop: bool,
    facts: Model | None,
) -> Translation:
    """Return the Messages request for a completion.

    Args:
        model: the id as it was asked for.
        messages: OpenAI's; the caller's own are left untouched.
        asked: the parameters, in OpenAI's names, but for reasoning.
        reasoning: `reasoning_effort` and `thinking` as they were said.
        drop: whether what this API lacks is dropped instead of refused.
        facts: what is known about the model.

    Raises:
        UnsupportedOnMessagesError: parameters that this API does not have.
        UnsupportedEffortError: thinking is to be off, and this model cannot stop.
        InvalidThinkingError: `reasoning_effort` or `thinking` is malformed.
        InvalidParameterError: messages that cannot be translated.
    """
    asked = _without_lacking(asked, drop=drop)
    known = {name: value for name, value in asked.items() if name not in _ELSEWHERE}
    # Which LiteLLM's Anthropic parameters do not list.
    beside = {"top_k": known.pop("top_k")} if known.get("top_k") is not None else {}
    known.setdefault("max_tokens", (facts and facts.max_output_tokens) or ASSUMED_MAX_OUTPUT_TOKENS)
    # LiteLLM looks the model up, and prints a hint where no provider stands before it.
    model_id, model = model, ROUTE_PREFIX + model
    config = litellm.AnthropicConfig()
    sheltered: list[Any] = [_protect(message) for message in messages]
    try:
        parameters: dict[str, Any] = config.map_openai_params(
            non_default_params={**known, **_thinking(reasoning, facts, model_id, drop=drop)},
            optional_params=beside,
            model=model,
            drop_params=drop,
        )
        json_mode = bool(parameters.pop("json_mode", False))
        _fit_thinking(parameters)
        noted: dict[str, Any] = {}
        body: dict[str, Any] = config.transform_request(
            model=model,
            messages=sheltered,
            optional_params=parameters,
            litellm_params=noted,
            headers={},  # where LiteLLM would put `anthropic-beta`, which Synthetic does not take
        )
    except (litellm.exceptions.BadRequestError, *VALIDATION_ERRORS) as error:
        raise InvalidParameterError(_reason(error)) from error
    except Exception as error:
        # LiteLLM's AnthropicError; its text repeats the whole conversation on its second line.
        if getattr(error, "status_code", None) is None:
            raise
        raise InvalidParameterError(_reason(error)) from error
    body.pop("model")
    translated = [_unprotect(message) for message in body["messages"]]
    body["messages"] = with_ids(translated, ids_of_calls(sheltered))
    return Translation(body, json_mode, noted)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    return f"the messages cannot be written for the Messages API: {text.splitlines()[0][:300]}"


def _without_lacking(parameters: Mapping[str, Any], *, drop: bool) -> dict[str, Any]:
    lacking = [
        name
        for name, value in parameters.items()
        # One choice, and no log probabilities, is what this API gives anyway.
        if name in OPENAI_ONLY and not (name == "n" and value == 1) and value is not False
    ]
    if lacking and not drop:
        raise UnsupportedOnMessagesError(
            f"Synthetic's Messages API has no {', '.join(lacking)}. Use a base URL of the "
            "OpenAI API (…/openai/v1), or pass drop_params=True to have it dropped"
        )
    return {name: value for name, value in parameters.items() if name not in OPENAI_ONLY}


def _thinking(
    reasoning: Mapping[str, Any], facts: Model | None, model_id: str, *, drop: bool
) -> Mapping[str, Any]:
    """Return what LiteLLM shall map: an effort becomes its budget, a budget stays as it was given.

    The effort is the one that would be sent over the OpenAI API, so that both lead to the same.

    Adaptive thinking, and enabled without a budget, are left out: the models think by themselves,
    and LiteLLM would make a budget of its own of them.
    """
    level = requested_effort(reasoning.get("reasoning_effort"), reasoning.get("thinking"))
    if level is None:
        return {}
    if level == OFF:
        if facts is None or facts.can_stop_thinking_on_messages is not False:
            return {"thinking": {"type": "disabled"}}
        if drop:
            return {}
        raise unstoppable(reasoning, "this model cannot stop thinking")
    if reasoning.get("reasoning_effort") is None:
        return {"thinking": dict(reasoning["thinking"])}
    if level not in SCALE:
        raise InvalidThinkingError(
            f"reasoning_effort={level!r} is not one of {', '.join((OFF, *SCALE))}"
        )
    if facts is not None:
        level = accepted_effort(
            level,
            facts.accepted_efforts,
            can_stop_reasoning=None,
            unreliable=facts.unreliable_efforts,
            is_named=is_named_effort(reasoning["reasoning_effort"]),
        )
        warn_if_unreliable(level, model_id, facts)
    return {"reasoning_effort": level}


def effort_as_thinking(
    effort: object, max_tokens: object, facts: Model | None, model: str
) -> dict[str, Any]:
    """Return the `thinking` of a Messages request for a `reasoning_effort`; {} for none.

    Raises:
        UnsupportedEffortError: thinking is to be off, and this model cannot stop.
        InvalidThinkingError: it is not an effort.
    """
    thinking = _thinking({"reasoning_effort": effort}, facts, model, drop=False)
    parameters: dict[str, Any] = litellm.AnthropicConfig().map_openai_params(
        non_default_params={**thinking, "max_tokens": max_tokens},
        optional_params={},
        model=ROUTE_PREFIX + model,
        drop_params=False,
    )
    _fit_thinking(parameters)
    return {"thinking": parameters["thinking"]} if "thinking" in parameters else {}


def _fit_thinking(parameters: dict[str, Any]) -> None:
    """Keep the budget below the output limit, which has to hold the answer as well."""
    thinking = parameters.get("thinking")
    longest = parameters.get("max_tokens")
    if isinstance(thinking, Mapping) and isinstance(longest, int):
        budget = thinking.get("budget_tokens")
        if isinstance(budget, int) and budget >= longest:
            parameters["thinking"] = {**thinking, "budget_tokens": max(longest - 1, 1)}


# ---- messages on their way through LiteLLM's transformation


def _protect(message: Any) -> dict[str, Any]:
    """Return a message of which LiteLLM's transformation keeps everything.

    It drops thinking without a signature, because Anthropic signs its own, and fetches an image
    from a plain http URL by itself. Both go in under a name that `_unprotect` takes off again.
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


def _unprotect(value: Any) -> Any:
    if isinstance(value, list):
        return [_unprotect(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("signature") == _NO_SIGNATURE:
        value = {**value, "signature": ""}
    url = value.get("url")
    if isinstance(url, str) and url.startswith(_PLAIN_HTTP):
        return {**value, "url": url.removeprefix(_PLAIN_HTTP)}
    return {
        name: _unprotect(each) if name in ("content", "source") else each
        for name, each in value.items()
    }


# ---- replies


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
        response.id = identifier
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
