"""Texts of context overflows: each engine's wording, with the window and the prompt's size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from litellm_synthetic.config.lazy_pattern import LazyPattern

_NUMBER: Final = r"([0-9]{1,3}(?:[,_'\u2019\u00a0\u202f][0-9]{3})+|[0-9]{1,12})(?![0-9])"

# Phrases, as regular expressions on a refusal's own words; `#` is a number.
_OVERFLOWS: Final = (
    # OpenAI, and with it vLLM, DeepSeek, Groq and many more; xAI says "prompt", Mistral puts the
    # number first.
    r"\bmaximum (?:context|prompt) length (?:is|of)\b",
    r"\bmaximum context length: #",
    r"\bmodel with # maximum context length",
    r"\breduce the length of the (?:input|prompt|messages)",
    r"\binput tokens exceed the configured limit",
    r"\bstring too long\. expected a string with maximum length",
    # vLLM
    r"\blonger than the (?:model's |maximum )*(?:context|model) length",
    r"\btoo long to fit into the model\b",
    r"\bcontext length is only #",
    # SGLang, and LiteLLM's checkers
    r"\bmodel's maximum context (?:length|limit|window)\b",
    r"\bexceeds the maximum allowed length \(# tokens",
    # Fireworks, Anthropic, Bedrock, Ollama; "multimodal prompt" is SGLang
    r"\bprompts? (?:is )?too long\b",
    r"\binput is too long\b",
    r"\bprompt: length\b",
    r"\bprompt tokens \(#\) exceed model maximum\b",
    r"\bmalformed input request: expected maxlength:",
    r"\btoo many (?:input |prompt )?tokens\b(?!.{0,60}\b(?:wait|later|per (?:minute|day))\b)",
    # Together, text-generation-inference
    r"(?:inputs\S?|\u2026) tokens \+ \S+ must be",
    r"(?:inputs\S?|\u2026) must have less than # tokens",
    # llama.cpp, LM Studio, and everybody's short forms
    (
        r"(?<!not )(?<!n't )\bexceed(?:s|ed|ing)? "
        r"(?:(?:the|its|this|model'?s?|max(?:imum)?|available|allowed) )*context\b"
    ),
    r"\bexceed context limit",
    r"\bcontext[ _](?:limit|length|window|size)(?: is| was| has been)?[ _]exceeded",
    r"\bcontext window exceeds limit\b",
    r"\bexceed_context_size",
    r"\bgreater than the (?:model's )?context (?:length|size|window)\b",
    r"\blarger than the max context size\b",
    # Gemini, Cerebras, Copilot, Moonshot, Z.ai, Qwen, NLP Cloud
    r"\bexceeds the maximum number of tokens allowed\b",
    r"\bmaximum input length (?:is|of)\b.*\btokens\b",
    r"\bcurrent length is\b.*\bwhile limit is\b",
    r"\btoken count of # exceeds the limit\b",
    r"\bexceeded model token limit\b",
    r"\bprompt exceeds max length\b",
    r"\brange of input length should be\b",
    r"\binput text length should not exceed\b",
)
# A string that is too long for its own field, a name or an id, is not an overflow.
_LONG_FIELD: Final = LazyPattern(
    r"string_above_max_length|\binvalid \u2026: string too long", re.IGNORECASE
)
_WINDOWS: Final = (
    r"context length is only #",
    r"maximum (?:context|prompt) (?:length|limit)(?: is| of|:) #",
    r"# maximum context length",
    r"context (?:length|size|window) \(?#",
    r"maximum model length of #",
    r"maximum allowed length \(#",
    r"model maximum \(#",
    r"must be <= #",
    r"less than # tokens",
    r"> # maximum",
    r"context limit: # \+ # > (?P<figure>#)",
    r"tokens allowed \(#",
    r"configured limit of #",
    r"token limit: #",
    r"exceeds the limit of #",
    r"prompt cannot exceed #",
    r"while limit is #",
    r"input length should be \[1, ?#",
    r"maximum input length (?:is|of) #",
)
_PROMPTS: Final = (
    r"# in (?:the messages|your prompt)",
    r"# input tokens",
    r"# tokens from the input",
    r"input \(# tokens",
    r"input length \(# tokens",
    r"prompt \((?:total )?length #",
    r"prompt is too long: #",
    r"given: #",
    r"messages resulted in #",
    r"request \(# tokens",
    r"prompt contains #",
    r"request contains #",
    r"token count \(#",
    r"token count of #",
    r"prompt tokens \(#",
    r"current length is #",
    r"context limit: # \+",
    r"requested # tokens in the",
    r"\(requested: #",
)
_OUTPUTS: Final = (
    r"# (?:tokens )?(?:in|for) the completion",
    r"requested # output tokens",
    r"and # (?:`max_new_tokens|\u2026)",
    r"(?:tokens|\u2026) is too large: #",
    r"context limit: # \+ (?P<figure>#)",
)
_TOTALS: Final = (r"total of (?:at least )?#", r"you requested # tokens")


@dataclass(frozen=True, slots=True)
class Overflow:
    """The figures in a text about a too long request, in tokens; None where it names none.

    Attributes:
        prompt_is_at_least: the count stopped at the limit, so there may be more.
    """

    window_tokens: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    prompt_is_at_least: bool = False


def find_overflow(words: str) -> Overflow | None:
    """Return what a refusal's own words tell of an overflow, or None if they tell of another."""
    if _LONG_FIELD.search(words) or not _OVERFLOW.search(words):
        return None
    return Overflow(
        window_tokens=_figure(_WINDOW, words),
        prompt_tokens=_figure(_PROMPT, words),
        output_tokens=_figure(_OUTPUT, words),
        total_tokens=_figure(_TOTAL, words),
        prompt_is_at_least=_AT_LEAST.search(words) is not None,
    )


def _figure(patterns: tuple[LazyPattern, ...], words: str) -> int | None:
    for pattern in patterns:
        if match := pattern.search(words):
            number = match.groupdict().get("figure") or match[1]
            return int(re.sub(r"[^0-9]", "", number))
    return None


def _compiled(phrases: tuple[str, ...]) -> tuple[LazyPattern, ...]:
    return tuple(
        LazyPattern(phrase.replace("#", _NUMBER), re.IGNORECASE | re.DOTALL) for phrase in phrases
    )


_WINDOW: Final = _compiled(_WINDOWS)
_PROMPT: Final = _compiled(_PROMPTS)
_OUTPUT: Final = _compiled(_OUTPUTS)
_TOTAL: Final = _compiled(_TOTALS)
[_AT_LEAST] = _compiled((r"at least # input tokens",))
[_OVERFLOW] = _compiled(("|".join(_OVERFLOWS),))
