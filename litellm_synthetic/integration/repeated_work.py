"""Work that LiteLLM repeats in each call or chunk of ours, done once or done faster.

What comes out is the same, and without these places, as other versions may be, LiteLLM's own way
goes on. Both modules may be imported after us, or never, so they are looked up among those that
are. Line numbers are those of LiteLLM 1.108.7.
"""

from __future__ import annotations

import functools
import operator
import sys
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.integration.seams import Seams

_CONFIG_CLASSES: Final = "litellm.llms.openai_like.dynamic_config"
_BRIDGE: Final = "litellm.responses.bridge_check"
_FACTS: Final = "get_model_info_helper"
_PROXY: Final = "litellm.proxy.proxy_server"


def make_config_class_once(seams: Seams) -> None:
    """Have LiteLLM's own config class of our provider made once, not in each look-up.

    `get_llm_provider` makes a class from the JSON entry whenever it is asked about one
    (get_llm_provider_logic.py:627), some ten times in a call through a proxy. A class is expensive
    to make, and only the garbage collector can clear it away.
    """

    def wrap(original: Callable[[Any], type]) -> Callable[[Any], type]:
        made: tuple[Any, type] | None = None

        @functools.wraps(original)
        def create_config_class(provider: Any) -> type:
            nonlocal made
            if not seams.active or getattr(provider, "slug", None) != PROVIDER:
                return original(provider)
            # A reload of LiteLLM's table makes the entry again.
            if made is None or made[0] is not provider:
                made = (provider, original(provider))
            return made[1]

        return create_config_class

    seams.wrap((sys.modules, _CONFIG_CLASSES), "create_config_class", wrap)


def look_up_models_once(seams: Seams) -> None:
    """Have LiteLLM find the facts of our models once, where it asks twice in each call.

    To see whether a model needs the Responses API it puts the facts together from some two hundred
    fields (bridge_check.py:106), past the cache that its prices use and that it clears whenever it
    takes up other facts. The answer may be written to, so it is a copy.
    """
    look_up, module = compat.cached_model_facts(), sys.modules.get(_BRIDGE)
    if look_up is None or not hasattr(module, _FACTS):
        return

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def get_model_info_helper(*args: Any, **kwargs: Any) -> Any:
            if seams.active and kwargs.get("custom_llm_provider") == PROVIDER:
                return dict(look_up(*args, **kwargs))
            return original(*args, **kwargs)

        return get_model_info_helper

    seams.wrap((module,), _FACTS, wrap, is_watched=False)


def read_provider_names_directly(seams: Seams) -> None:
    """Have the names of LiteLLM's providers read without a detour.

    It makes a list of all of them twice in each call (main.py:5694, utils.py:4858), and Python 3.11
    looks `value` up through two functions for each of nearly two hundred (enum.py:192). Later ones
    need not, and it does no harm there.
    """
    direct: Any = property(operator.attrgetter("_value_"))
    seams.wrap((compat.LlmProviders,), "value", lambda _: direct, is_watched=False)


def serialize_chunks_directly(seams: Seams) -> None:
    """Have a proxy write the text chunks of ours with pydantic's serializer at once.

    It first reads some twenty attributes of each chunk (proxy_server.py:9666), most of which are
    missing, at the cost of an exception each. Pydantic's serializer, its way for all other chunks,
    takes a tenth of that. Both write the same, but for fields that LiteLLM does not know, which
    the first leaves out; chunks that have any go its way.
    """

    def wrap(original: Callable[[Any], str | bytes]) -> Callable[[Any], str | bytes]:
        def _serialize_streaming_chunk(chunk: Any) -> str | bytes:
            if seams.active and _is_ours(chunk) and _has_known_fields_only(chunk):
                written: str = chunk.model_dump_json(exclude_none=True, exclude_unset=True)
                return written
            return original(chunk)

        return _serialize_streaming_chunk

    seams.wrap((sys.modules, _PROXY), "_serialize_streaming_chunk", wrap)


# What LiteLLM's constructors put into the extra fields of a choice and a delta of text.
_OF_CHOICE: Final = frozenset(("delta", "finish_reason", "index", "logprobs"))
_OF_DELTA: Final = frozenset(("audio", "content", "function_call", "role", "tool_calls"))


def _is_ours(chunk: Any) -> bool:
    if not isinstance(chunk, litellm.ModelResponseStream):
        return False
    hidden = getattr(chunk, "_hidden_params", None)
    return isinstance(hidden, dict) and hidden.get("custom_llm_provider") == PROVIDER


def _has_known_fields_only(chunk: Any) -> bool:
    if chunk.model_extra or len(chunk.choices) != 1:
        return False
    choice = chunk.choices[0]
    of_choice, of_delta = choice.model_extra, choice.delta.model_extra
    return _OF_CHOICE.issuperset(of_choice) and _OF_DELTA.issuperset(of_delta)
