"""Parameters of other services that are dropped without a word, because no answer depends on them.

Clients send them to whatever they are pointed at: a key for a cache that needs none, a tier among
one, a request to keep what nobody keeps. Refusing one refuses the client. What an answer does
depend on, such as `audio` or `web_search_options`, is not among them and is refused.

Source: the parameter reference of OpenAI's Chat Completions, Completions and Responses APIs and of
Anthropic's Messages API (November 2026), and Synthetic's, which lists none of these.
`docs/parameters.md` is this table for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _always(value: Any) -> bool:
    del value
    return True


def _is_text_only(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(kind == "text" for kind in value)


@dataclass(frozen=True, slots=True)
class Hint:
    """Describe one parameter on which no answer depends.

    Attributes:
        name: the parameter.
        reason: why nothing is lost with it.
        is_hint: tells a value that asks for nothing from one that would change the answer.
        condition: the same for people; empty where any value is a hint.
    """

    name: str
    reason: str
    is_hint: Callable[[Any], bool] = _always
    condition: str = ""


HINTS: Final[tuple[Hint, ...]] = (
    Hint("store", "Synthetic keeps no answers to be fetched later"),
    Hint("service_tier", "there is one tier"),
    Hint("speed", "there is one speed"),
    Hint("prompt_cache_key", "the prefix cache is automatic and takes no key"),
    Hint("prompt_cache_retention", "how long a prefix is kept is Synthetic's to decide"),
    Hint("prompt_cache_options", "the prefix cache has no options"),
    Hint("safety_identifier", "names an end user for OpenAI's own checks; `user` is sent"),
    Hint(
        "modalities",
        "text is what every model answers with",
        _is_text_only,
        '`["text"]`; with another one it is refused',
    ),
    Hint("verbosity", "the models have no such switch; ask for a short answer in the prompt"),
    Hint("prediction", "makes OpenAI's models answer sooner, not otherwise"),
    Hint(
        "context_management",
        "Synthetic compacts and clears nothing; a prompt that is too long is an error that says so",
    ),
    Hint("include_server_side_tool_invocations", "no tools run on Synthetic's side"),
    Hint("max_tool_calls", "limits the tools that run on the server's side, where none do"),
    Hint("partial_images", "no model draws"),
)  # one table, read as one
HINT_BY_NAME: Final[Mapping[str, Hint]] = {hint.name: hint for hint in HINTS}


def hints_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a call's arguments that are hints by name and value.

    Those that the caller names in `allowed_openai_params` are wanted, and left out.
    """
    allowed = arguments.get("allowed_openai_params") or ()
    for name in HINT_BY_NAME.keys() & arguments.keys():
        if name not in allowed and HINT_BY_NAME[name].is_hint(arguments[name]):
            yield name
