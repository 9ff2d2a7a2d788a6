"""Texts of refusals: the backend's status that they name, and the kind of refusal.

The phrases of LiteLLM's own checkers (`exception_mapping_utils.py`, 1.106.2) are the floor; the
rest are the engines' own, from their public sources. Only a refusal's own words count: what it
quotes, a prompt or a tool's name, says nothing of why it was refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.lazy_pattern import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# A refusal is shorter; what follows is an echo of the request.
MAX_READ_CHARACTERS: Final = 4096

# "Error from inference backend: 400 …" is Synthetic's (seen since 2026-07), "Error code: 400 - …"
# that of OpenAI's Python SDK, on which gateways are built.
_BACKEND_STATUS: Final = LazyPattern(
    r"^.{0,80}?\bbackend:\s*(?:(?:http(?:/[0-9.]+)?|status|error|code)[:\s]+){0,2}([45][0-9]{2})\b"
    r"|^\W*error code:\s*([45][0-9]{2})\b",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED: Final = LazyPattern(
    r'"[^"]*(?:"|$)|`[^`]*(?:`|$)|\u201c[^\u201d]*(?:\u201d|$)|(?<!\w)\'[^\']*\'(?!\w)'
)
# In front of a quotation: it is the refusal itself, as JSON, as Python's repr or after a status.
_QUOTED_REFUSAL: Final = LazyPattern(
    r"""(?:\b(?:error|exception|message|msg|detail|reason|type|code)['"]?\s*[:=-]"""
    r"|\b[45][0-9]{2}\b\W?)\s*$",
    re.IGNORECASE,
)
# The fields that hold the prompt. What is said of another field is not said of the prompt.
_PROMPT_FIELD: Final = LazyPattern(
    r"['\"`](?:messages|input|prompt|instructions)\b[\w.\[\]]*['\"`]$", re.IGNORECASE
)
# Validators (pydantic's in vLLM, SGLang and FastAPI) append the input that they refuse.
_ECHO: Final = LazyPattern(
    r"""['"]?\binput(?:_value)?['"]?\s*[=:]\s*['"{\[].*?(?:, input_type\b|$)""",
    re.IGNORECASE | re.DOTALL,
)

RATE_LIMIT: Final = LazyPattern(
    r"(?<![\w-])rate[ -]?limit(?:s|ed|ing)?\b|\brate_limit_(?:error|exceeded|reached)\b"
    r"|\bratelimit(?:error|exceeded)|code:\S*rate[_-]?limit|code:resource_exhausted"
    r"|\btoo many requests\b|\bsubscription rate limits\b|\bmax(?:imum)? (?:of )?[0-9]+ parallel "
    r"|\bservice tier capacity exceeded|\btoken_quota_reached\b|\bresource exhausted\b"
    r"|\bthrottlingexception\b|\brequest too large for .{1,80}\blimit\b|\btokens per min"
    r"|\b(?:error|status|http)(?: code)?[: ]+429\b",
    re.IGNORECASE,
)
CONTENT_POLICY: Final = LazyPattern(
    r"(?<!tool )(?<!function )\bcontent_(?:policy_violation|filter_policy)\b"
    r"|code:content_filter\b|\bresponsibleaipolicyviolation\b"
    r"|\bfiltered due to the prompt triggering\b|\bviolating our usage policy\b"
    r"|\bas a result of (?:our|the) safety system\b|\bcontent filtering policy\b"
    r"|\bthe response was blocked\.",
    re.IGNORECASE,
)
TIMED_OUT: Final = LazyPattern(
    r"\brequest timed out\b|\brequest timeout error\b|\btimed out generating response\b"
    r"|\bthe read operation timed out\b|\ba timeout occurred\b",
    re.IGNORECASE,
)


def backend_status(text: str) -> int | None:
    """Return the HTTP status of the backend behind Synthetic, where a text names it."""
    match = _BACKEND_STATUS.search(own_words(text))
    return int(match[1] or match[2]) if match else None


def own_words(text: str, codes: Iterable[str] = ()) -> str:
    """Return a refusal without what it quotes or echoes, and with its codes as `code:<code>`."""
    text = text[:MAX_READ_CHARACTERS]

    def shortened(match: re.Match[str]) -> str:
        before = text[max(match.start() - 40, 0) : match.start()]
        is_all = not text[: match.start()].strip() and not text[match.end() :].strip()
        is_kept = is_all or _QUOTED_REFUSAL.search(before) or _PROMPT_FIELD.match(match[0])
        return match[0] if is_kept else "\u2026"

    words = _QUOTED.sub(shortened, text)
    words = _ECHO.sub("\u2026", words)
    return " ".join((words, *(f"code:{code.lower()}" for code in sorted(codes))))
