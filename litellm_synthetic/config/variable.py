"""One environment variable: its parser, its default, and one warning for what it can't mean."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, TypeVar

from litellm_synthetic.config.credentials import scrub_key_shaped

T = TypeVar("T")

LookUp = Callable[[str], str | None]
"""Return the value of a variable, or None: `os.environ.get`, or LiteLLM's secret manager."""

_ON: Final = frozenset(("1", "true", "yes", "on"))
_OFF: Final = frozenset(("0", "false", "no", "off"))
_MAX_SHOWN_CHARACTERS: Final = 40

_log: Final = logging.getLogger("litellm_synthetic")
_warned: dict[tuple[str, str], object] = {}


class Parser(NamedTuple, Generic[T]):
    """Read the value of a variable.

    Attributes:
        parse: reads a text that is not blank, without surrounding white space; raises ValueError
            for what it does not understand.
        accepts: the texts that it understands, for messages and docs, in Markdown.
    """

    parse: Callable[[str], T]
    accepts: str


class Setting(NamedTuple, Generic[T]):
    """Describe one environment variable. A blank value counts as unset.

    Attributes:
        name: the variable.
        parser: reads its value, bounds included.
        default: the value where it is unset, or not understood.
        default_text: the default for people, in Markdown.
        meaning: one line for people, in Markdown.
        mistaken_names: other names that people give it.
        strict: whether a value that is not understood raises ValueError instead of counting as the
            default.
    """

    name: str
    parser: Parser[T]
    default: T
    default_text: str
    meaning: str
    mistaken_names: tuple[str, ...] = ()
    strict: bool = False

    def text(self, look_up: LookUp = os.environ.get) -> str | None:
        """Return the value as it was set, without surrounding white space; None for unset."""
        return stripped(look_up(self.name))

    def value(self, look_up: LookUp = os.environ.get) -> T:
        """Return the value in force.

        What is not understood is warned about once per process and counts as the default.

        Raises:
            ValueError: the setting is strict, and its value is not understood.
        """
        text = self.text(look_up)
        if text is None:
            return self.default
        if self.strict:
            return self.parser.parse(text)
        value, is_understood = _parse(self.parser, text)
        if not is_understood:
            self._warn_once(text)
            return self.default
        result: T = value
        return result

    def stated(self, look_up: LookUp = os.environ.get) -> T | None:
        """Return the value that was set; None where it is unset or not understood."""
        return None if self.text(look_up) is None or self.problem(look_up) else self.value(look_up)

    def problem(self, look_up: LookUp = os.environ.get) -> str | None:
        """Return what is wrong with the value, without any key in it; None for a usable one."""
        text = self.text(look_up)
        # A strict setting may hold a secret, which no cache keeps.
        parse = _parse.__wrapped__ if self.strict else _parse
        if text is None or parse(self.parser, text)[1]:
            return None
        return (
            f"{self.name}={shown(text)} is not understood; it counts as {plain(self.default_text)}."
        )

    def remedy(self) -> str:
        """Return how to mend a value that is not understood."""
        return f"Set it to {plain(self.parser.accepts)}, or unset it."

    def _warn_once(self, text: str) -> None:
        token = object()
        if _warned.setdefault((self.name, text), token) is token:
            _log.warning("%s %s", self.problem({self.name: text}.get), self.remedy())


@lru_cache(maxsize=256)
def _parse(parser: Parser[Any], text: str) -> tuple[Any, bool]:
    try:
        return parser.parse(text), True
    except ValueError:
        return None, False


def stripped(text: str | None) -> str | None:
    """Return a text without surrounding white space, or None where nothing is left."""
    return (text or "").strip() or None


def shown(text: str) -> str:
    """Return a value for people: short, and without a key that was put there by mistake."""
    text = scrub_key_shaped(text.strip())
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."


def plain(markdown: str) -> str:
    """Return a description without Markdown's backticks."""
    return markdown.replace("`", "")


# ---- parsers


def one_of(*words: str) -> Parser[Any]:
    """Read one of a few words, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(text)
        return text.lower()

    return Parser(parse, " or ".join(f"`{word}`" for word in words))


def _switch(text: str) -> bool:
    if text.lower() not in _ON | _OFF:
        raise ValueError(text)
    return text.lower() in _ON


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(text)
    return seconds


SWITCH: Final = Parser(_switch, "`1` or `0`")
"""On or off; `true`, `yes`, `on` and their opposites will do too."""

SECONDS: Final = Parser(_seconds, "a number of seconds above 0")
"""A positive finite number."""
