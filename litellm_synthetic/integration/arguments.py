"""Arguments on which LiteLLM fails by itself, before it has chosen a provider.

Its own errors for them are an AttributeError, or a connection that was never made; ours say what
was given and what to give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.client.limits import positive_seconds
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.errors import local
from litellm_synthetic.integration.other_operations import by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# utils.py:8734 reads the role of each before anything else.
_TAKES_MESSAGES: Final = frozenset(("completion", "acompletion"))
_NOT_MESSAGES: Final = (str, bytes, Mapping)
_EXAMPLE: Final = 'messages=[{"role": "user", "content": "…"}]'


def check_arguments(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Refuse a call whose arguments cannot be right, where LiteLLM would fail without a reason.

    Args:
        function: LiteLLM's function, without decorators.
        args: the positional arguments of the call.
        kwargs: the keyword arguments of the call.

    Raises:
        litellm.BadRequestError: `messages` are not a list of messages, `timeout` or a stream's
            `stream_timeout` is not a number of seconds, or a name in `extra_body` is not text.
        litellm.UnsupportedParamsError: `moderation`, which LiteLLM would drop.
    """
    model = kwargs.get("model") or (args[0] if args else None)
    if not isinstance(model, str) or not model.startswith(ROUTE_PREFIX):
        return
    model = model.removeprefix(ROUTE_PREFIX)
    arguments = by_name(function, args, kwargs)
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
