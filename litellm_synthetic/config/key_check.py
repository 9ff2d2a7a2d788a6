"""Checks of an API key by its form: whose it seems to be, and mistakes made in copying.

Nothing that is said here repeats a character of the key.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from litellm_synthetic.config.credentials import KEY_PREFIX, InvalidKeyError, parse_key

SYNTHETIC_DOMAIN: Final = "synthetic.new"
KEYS_ARE_MADE_AT: Final = "https://synthetic.new"

# The longest first, because `sk-` begins several.
_OTHER_VENDORS: Final = (
    ("sk-ant-", "Anthropic's"),
    ("sk-or-", "OpenRouter's"),
    ("sk-", "OpenAI's and some others'"),
    ("gsk_", "Groq's"),
    ("hf_", "Hugging Face's"),
    ("xai-", "xAI's"),
    ("AIza", "Google's"),
    ("glhf_", "those of Synthetic's predecessor, glhf.chat,"),
)
_PLACEHOLDER: Final = re.compile(
    r"[<>{}…]|\.{3}|x{5}|your.*key|change.?me|placeholder|^syn_?$", re.IGNORECASE
)
_QUOTES: Final = "\"'`"


def is_synthetics(base_url: str) -> bool:
    """Tell whether a base URL is Synthetic's own, and not a stand-in's or a private gateway's."""
    host = urlsplit(base_url).hostname or ""
    return host == SYNTHETIC_DOMAIN or host.endswith(f".{SYNTHETIC_DOMAIN}")


def unusable(text: str) -> str | None:
    """Return why a key can't be sent at all, or None.

    White space around it is dropped and does not count.
    """
    key = text.strip()
    if not key:
        return "it is blank"
    if key.lower().startswith("bearer "):
        return 'it begins with "Bearer", which belongs to the header and not to the key'
    if _is_placeholder(key) and not key.isascii():
        return "it is a placeholder and not a key"
    try:
        parse_key(key)
    except InvalidKeyError:
        return "it holds characters that no key has: white space, control or non-ASCII"
    return None


def oddity(text: str, *, is_for_synthetic: bool) -> str | None:
    """Return what is odd about a key that can be sent, or None.

    Args:
        text: the key as it was found.
        is_for_synthetic: whether it goes to Synthetic itself. A private gateway has keys of its
            own, of any shape.
    """
    key = text.strip()
    if key[0] in _QUOTES or key[-1] in _QUOTES:
        return "it is in quotes, which count as part of it"
    if _is_placeholder(key):
        return "it looks like a placeholder"
    if not is_for_synthetic or key.startswith(KEY_PREFIX):
        return None
    for prefix, whose in _OTHER_VENDORS:
        if key.startswith(prefix):
            return f"it begins with {prefix}, as {whose} keys do, and not with {KEY_PREFIX}"
    return f"it doesn't begin with {KEY_PREFIX}, as Synthetic's keys do"


def _is_placeholder(key: str) -> bool:
    return _PLACEHOLDER.search(key) is not None
