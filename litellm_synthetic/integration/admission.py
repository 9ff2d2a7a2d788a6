"""The check that each call passes before LiteLLM looks at it.

Much of it is about arguments on which LiteLLM fails by itself, before it has chosen a provider. Its
own errors for them are an AttributeError, or a connection that was never made; ours say what was
given and what to give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.hints import HINT_BY_NAME, hints_in
from litellm_synthetic.client.limits import positive_seconds
from litellm_synthetic.config import settings
from litellm_synthetic.config.ids import DEFAULT_ID, PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import local
from litellm_synthetic.integration.other_operations import (
    by_name,
    check_operation,
    is_always_served,
    is_ours,
)
from litellm_synthetic.integration.sdk_fallbacks import FALLBACKS, keep_credentials_apart
from litellm_synthetic.integration.tenant import restrain
from litellm_synthetic.messages.documented_fields import BETA_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# utils.py:8734 reads the role of each before anything else.
_TAKES_MESSAGES: Final = frozenset(("completion", "acompletion"))
_MESSAGES: Final = frozenset(("anthropic_messages", "anthropic_messages_handler"))
_NOT_MESSAGES: Final = (str, bytes, Mapping)
_EXAMPLE: Final = 'messages=[{"role": "user", "content": "…"}]'


def admit(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Let a call through that is served, and that asks for nothing its caller may not decide.

    Every call of LiteLLM's passes here, whatever its provider, so its arguments are bound by name
    only where one of the checks needs them.

    Args:
        function: LiteLLM's function, without decorators.
        args: the positional arguments of the call, of which the first may be the model.
        kwargs: the call's own keywords, changed in place: no fallback carries the credentials of
            another vendor, a proxy's client decides nothing of the operator's, and hints are taken
            out.

    Raises:
        litellm.BadRequestError: the call names no model, is of an operation that Synthetic lacks,
            or has arguments that cannot be right.
        litellm.UnsupportedParamsError: `moderation`, which LiteLLM would drop.
    """
    model = kwargs.get("model", args[0] if args else None)
    route = model if isinstance(model, str) and model.startswith(PROVIDER) else None
    is_known = is_always_served(function)
    has_fallbacks = not FALLBACKS.isdisjoint(kwargs)
    if route is not None:
        _check_model_is_named(route)
    if route is not None or has_fallbacks or not is_known:
        arguments = by_name(function, args, kwargs)
        if not is_known:
            check_operation(function, arguments)
        if route is not None:
            _check_arguments(function, arguments)
        if has_fallbacks:
            keep_credentials_apart(function, arguments, kwargs)
    if "proxy_server_request" in kwargs:
        restrain(kwargs)
    if not HINT_BY_NAME.keys().isdisjoint(kwargs):
        _drop_hints(function.__name__, args, kwargs)


def _check_model_is_named(model: str) -> None:
    """Refuse `synthetic` and `synthetic/`, which name a provider and no model.

    LiteLLM ends in "list index out of range" on the one (get_llm_provider_logic.py:274), and sends
    an empty model upstream on the other.
    """
    if model.removeprefix(PROVIDER).strip("/ \t\n"):
        return
    raise local.refused(
        f"{model!r} names no model. Use {ROUTE_PREFIX}{DEFAULT_ID}, which stands for "
        f"{settings.MODEL.value()} here ({settings.MODEL.name} sets it), or name one as "
        f"{ROUTE_PREFIX}hf:owner/name.",
        model,
    )


def _check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse a call whose arguments cannot be right, where LiteLLM would fail without a reason."""
    model = arguments.get("model")
    if not isinstance(model, str) or not model.startswith(ROUTE_PREFIX):
        return
    model = model.removeprefix(ROUTE_PREFIX)
    if isinstance(arguments.get("timeout"), str):
        positive_seconds("timeout", arguments["timeout"], model)
    # Since 1.110 LiteLLM turns it into a number itself (completion_timeout.py:93).
    if arguments.get("stream"):
        positive_seconds("stream_timeout", arguments.get("stream_timeout"), model)
    if (name := _name_not_text(arguments.get("extra_body"))) is not None:
        raise local.refused(
            f"extra_body has the field {name!r}, which cannot be written as JSON. Name every field "
            "by a string.",
            model,
        )
    # LiteLLM's bridge from the Responses API would drop it, and nobody would moderate.
    if arguments.get("moderation") is not None:
        raise local.unsupported(
            "Synthetic does not moderate; leave `moderation` out, or use a guardrail of LiteLLM's.",
            model,
        )
    if function.__name__ in _TAKES_MESSAGES and "messages" in arguments:
        wrong = _wrong_messages(arguments["messages"])
        if wrong:
            raise local.refused(f"{wrong}. Give {_EXAMPLE}.", model)


def _name_not_text(fields: Any) -> Any:
    """Return a field's name that LiteLLM cannot turn to lower case (utils.py:5399 in 1.110.2)."""
    names = fields if isinstance(fields, Mapping) else ()
    return next((name for name in names if not isinstance(name, str)), None)


def _wrong_messages(messages: Any) -> str:
    """Return what is wrong with messages, without their text; "" for nothing."""
    if isinstance(messages, _NOT_MESSAGES) or not isinstance(messages, Iterable):
        return f"messages is {_kind(messages)}, not a list of messages"
    if not isinstance(messages, list | tuple):
        return ""  # read once: it is left to LiteLLM
    for at, message in enumerate(messages):
        if not hasattr(message, "get"):
            return f"messages[{at}] is {_kind(message)}, not a message"
    return ""


def _kind(value: Any) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _drop_hints(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Take out of a call for Synthetic what no answer depends on; see `chat.hints`.

    Before LiteLLM looks at them: its bridges from the Responses and the Messages API refuse some
    before anybody asks which parameters the provider takes (responses/main.py:499).
    """
    hints = list(hints_in(kwargs))
    if hints and name in _MESSAGES and settings.MESSAGES_BETA.value() == "pass":
        hints = [hint for hint in hints if hint not in BETA_FIELDS]
    if hints and is_ours({"model": args[0], **kwargs} if args else kwargs):
        for hint in hints:
            del kwargs[hint]
