"""Requests of the Messages API: translated from a completion, passed through, or counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.params import BY_NAME
from litellm_synthetic.chat.request import check_call_fields
from litellm_synthetic.chat.usage import count_locally
from litellm_synthetic.chat.wire_messages import check_messages
from litellm_synthetic.client.body import encode
from litellm_synthetic.client.call import Call, resolve
from litellm_synthetic.client.request import Prepared, prepare
from litellm_synthetic.errors import local
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnsupportedOnMessagesError,
)
from litellm_synthetic.messages.translate import Translation, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.client.call import Resolved

_COUNT_MARGIN: Final = 1.1
_MIN_OUTPUT_TOKENS: Final = 1024


def prepare_completion(resolved: Resolved, messages: Sequence[Any]) -> tuple[Prepared, Translation]:
    """Return the Messages request of a chat completion, and the key to its reply.

    Raises:
        litellm.UnsupportedParamsError: a parameter that the Messages API does not have.
        litellm.BadRequestError: a parameter or message that cannot be right.
    """
    call, facts = resolved.call, resolved.facts
    parameters = {name: value for name, value in call.fields.items() if value is not None}
    check_call_fields(call, {**parameters, **call.extra_body})
    try:
        check_messages(messages)
        translation = translate(
            call.model,
            messages,
            {name: value for name, value in parameters.items() if name in BY_NAME},
            call.reasoning,
            drop=call.drop_params,
            facts=facts,
        )
    except UnsupportedOnMessagesError as error:
        raise local.unsupported(f"{error}.", call.model) from error
    except (InvalidParameterError, InvalidThinkingError) as error:
        raise local.refused(f"{error}.", call.model) from error

    def count() -> int | None:
        return count_locally(call.model, messages=messages)

    unmapped = {name: value for name, value in parameters.items() if name not in BY_NAME}
    unmapped.pop("stream_options", None)
    fields = {**translation.body, **unmapped, **call.extra_body}
    if "max_tokens" not in call.fields:
        _leave_room_for_prompt(fields, facts, count)
    prepared = prepare(resolved, "messages", fields, anthropic=True, count_prompt_tokens=count)
    return prepared, translation


def prepare_native(call: Call, body: Mapping[str, Any], catalog: Catalog) -> Prepared:
    """Return the request of a Messages call as its caller wrote it.

    The values in the body are the upstream's to check.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.BadRequestError: a base URL beside which no Messages API is known, a model that is
            not allowed, or a body that has no JSON form.
    """
    return _prepared(call, "messages", body, catalog)


def prepare_count(call: Call, body: Mapping[str, Any], catalog: Catalog) -> Prepared:
    """Return the request that has Synthetic count a prompt's tokens; raises as `prepare_native`."""
    return _prepared(call, "messages/count_tokens", body, catalog)


def _prepared(call: Call, path: str, body: Mapping[str, Any], catalog: Catalog) -> Prepared:
    return prepare(
        _resolved(call, catalog),
        path,
        body,
        anthropic=True,
        count_prompt_tokens=_counter(call, body),
    )


def _counter(call: Call, body: Mapping[str, Any]) -> Callable[[], int | None]:
    return lambda: count_locally(call.model, messages=body.get("messages") or ())


def _resolved(call: Call, catalog: Catalog) -> Resolved:
    resolved = resolve(call, catalog, api="anthropic")
    if resolved.endpoint.api != "anthropic":
        raise local.refused(
            f"Where the Messages API lies beside the base URL {call.base_url} is unknown. Give a "
            "base URL that ends in /anthropic, or set SYNTHETIC_MESSAGES=translate.",
            call.model,
        )
    return resolved


def _leave_room_for_prompt(
    fields: dict[str, Any], facts: Model | None, count: Callable[[], int | None]
) -> None:
    """Make the default output limit smaller where prompt and output would not fit the window.

    Whether Synthetic refuses a request of which the two together exceed the window is unknown;
    vLLM, which it runs, does. Only the default is changed, never the caller's own limit.
    """
    window = facts.context_window_tokens if facts else None
    max_tokens = fields.get("max_tokens")
    if window is None or not isinstance(max_tokens, int):
        return
    # A token is at least a byte, so counting is spared wherever the answer is clear.
    if len(encode(fields)) <= window - max_tokens:
        return
    prompt = count()
    if prompt is not None:
        # The count is an estimate with another tokenizer.
        room = window - int(prompt * _COUNT_MARGIN)
        fields["max_tokens"] = max(min(max_tokens, room), min(max_tokens, _MIN_OUTPUT_TOKENS))
