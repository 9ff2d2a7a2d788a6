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
        litellm.BadRequestError: `messages` are not a list of messages, or `timeout` is not a
            number of seconds.
    """
    model = kwargs.get("model") or (args[0] if args else None)
    if not isinstance(model, str) or not model.startswith(ROUTE_PREFIX):
        return
    model = model.removeprefix(ROUTE_PREFIX)
    arguments = by_name(function, args, kwargs)
    if isinstance(arguments.get("timeout"), str):
        positive_seconds("timeout", arguments["timeout"], model)
    if function.__name__ in _TAKES_MESSAGES and "messages" in arguments:
        wrong = _wrong_messages(arguments["messages"])
        if wrong:
            raise local.refused(f"{wrong}. Give {_EXAMPLE}.", model)


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
