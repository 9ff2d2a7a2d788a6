"""One call and everything its reply has to agree with."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing.replies import Text, ToolCall, ToolCalls, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.testing.calls import Call
    from litellm_synthetic.testing.replies import ReasoningField, UsagePlacement

_CHARACTERS_PER_TOKEN = 4
_WORD = re.compile(r"\s*\S+\s*\Z|\s*\S+|\s+")


def count_tokens(text: str) -> int:
    """Return a text's length in tokens at four characters each, rounded up."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


@lru_cache(maxsize=256)
def cut_text(text: str, chunks: int | None) -> tuple[str, ...]:
    """Cut a text into `chunks` pieces of nearly equal length, or into words."""
    if chunks is None:
        return tuple(_WORD.findall(text))
    edges = [len(text) * part // chunks for part in range(chunks + 1)]
    return tuple(text[start:end] for start, end in pairwise(edges))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call, with what its reply needs from the server.

    Attributes:
        call: What was asked for.
        model: The model name the reply carries by default.
        reply_id: 32 hexadecimal digits that are unique to the reply.
        created: The reply's time, in whole seconds since the epoch.
        prompt_tokens: All prompt tokens, cached ones included.
        cached_tokens: Prompt tokens found in the cache; `None` for none.
        reasoning_field: Where the model's reasoning goes by default.
    """

    call: Call
    model: str
    reply_id: str
    created: int
    prompt_tokens: int
    cached_tokens: int | None
    reasoning_field: ReasoningField

    def usage(self, answer: Text | ToolCalls) -> Usage | Mapping[str, Any]:
        """Return the answer's own token counts, or count them."""
        if answer.usage is not None:
            return answer.usage
        texts = [answer.content or "", answer.reasoning or ""]
        texts += [part for call in answer.calls for part in (call.name, arguments_text(call))]
        completion = sum(count_tokens(part) for part in texts) * self.call.n
        return Usage(self.prompt_tokens, completion, self.cached_tokens)

    def usage_placement(self, answer: Text | ToolCalls) -> UsagePlacement:
        """Return where a stream states its usage."""
        return answer.usage_placement or ("both" if self.call.include_usage else "finish")

    def calls(self, answer: Text | ToolCalls) -> Iterator[tuple[str, ToolCall]]:
        """Yield each tool call of the answer with its id."""
        for position, call in enumerate(answer.calls):
            yield call.id or f"call_{self.reply_id[:20]}{position:04x}", call

    def reasoning_fields(self, answer: Text | ToolCalls) -> tuple[bool, bool]:
        """Return whether `reasoning` and `reasoning_content` carry the answer's reasoning."""
        field = answer.reasoning_field or self.reasoning_field
        return field != "reasoning_content", field != "reasoning"


def arguments_text(call: ToolCall) -> str:
    """Return a call's arguments as the JSON text that is sent."""
    return call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments))
