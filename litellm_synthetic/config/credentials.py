"""The API key, in a type of its own, and its removal from any text that came from elsewhere."""

from __future__ import annotations

import re
from typing import Final

from litellm_synthetic.config.lazy_pattern import LazyPattern

KEY_VARIABLE: Final = "SYNTHETIC_API_KEY"
KEY_PREFIX: Final = "syn_"
REDACTED: Final = "[redacted]"

# Synthetic's keys start with `syn_`. Bearer covers a reply that echoes a whole header.
_KEY_SHAPED: Final = LazyPattern(
    r"\bsyn_[A-Za-z0-9_\-]{6,}|(?<=Bearer )[^\s\"',;]{8,}", re.IGNORECASE
)
# What every match of it holds, in lower case.
_MARKS: Final = ("syn_", "bearer ")
# The other characters that a pattern takes for a letter of ASCII where case does not count.
_LETTERS_BY_CASE: Final = ("\u0130", "\u0131", "\u017f", "\u212a")
# Replacing a one-letter "key" would shred the text that it is meant to protect.
_MIN_SECRET_CHARACTERS: Final = 4


class InvalidKeyError(ValueError):
    """A key cannot be sent as an HTTP header; the message says why, without the key."""


class Secret:
    """An API key whose `repr`, `str` and format never show it.

    It is not a dataclass, because `dataclasses.asdict` of whatever holds it would spell it out.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    @property
    def bearer(self) -> str:
        """Return the value of the Authorization header."""
        return f"Bearer {self._value}"

    @property
    def plain(self) -> str:
        """Return the key itself, for a file in which its owner wants it."""
        return self._value

    @property
    def has_usual_prefix(self) -> bool:
        """Tell whether the key starts as Synthetic's keys do."""
        return self._value.startswith(KEY_PREFIX)

    def scrub(self, text: str) -> str:
        """Replace this key, and anything that looks like one, in a text of foreign origin."""
        if not _may_hold(text, self._value):
            return text
        if len(self._value) >= _MIN_SECRET_CHARACTERS:
            # A server may change the case: header names come in lower case.
            text = re.sub(re.escape(self._value), REDACTED, text, flags=re.IGNORECASE)
        return scrub_key_shaped(text)


def _may_hold(text: str, key: str) -> bool:
    """Tell whether there may be something to scrub; looking is much faster than replacing."""
    if not text.isascii() and any(letter in text for letter in _LETTERS_BY_CASE):
        return True
    lowered = text.lower()
    return key.lower() in lowered or any(mark in lowered for mark in _MARKS)


def scrub_key_shaped(text: str) -> str:
    """Replace whatever looks like a Synthetic key or a bearer token."""
    return _KEY_SHAPED.sub(REDACTED, text)


def parse_key(text: str | None) -> Secret | None:
    """Read an API key: surrounding white space is dropped, blank means none.

    Raises:
        InvalidKeyError: the key holds characters that an HTTP header cannot carry.
    """
    value = (text or "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise InvalidKeyError(
            "the API key holds characters that no key has (white space, control or non-ASCII); "
            f"copy it again into {KEY_VARIABLE}"
        )
    return Secret(value)


def is_usable_key(text: str | None) -> bool:
    """Tell whether a text is a key that can be sent."""
    try:
        return parse_key(text) is not None
    except InvalidKeyError:
        return False
