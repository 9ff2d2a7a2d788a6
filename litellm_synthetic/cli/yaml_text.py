"""Write YAML that people read: block style, comments, ASCII, the same bytes for the same input.

PyYAML writes no comments, and LiteLLM 1.102.4 brings it with the proxy only. What is written here
means the same in YAML 1.1, which PyYAML reads, and in 1.2: a text stands without quotes only where
it could be nothing else.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from litellm_synthetic.cli.terminal import harmless

_WIDTH: Final = 100
_INDENT: Final = "  "
# Letters first, and no white space, colon, comma, bracket, quote, `#`, `&`, `*`, `!`, `%` or `@`.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[./-][A-Za-z0-9_]+)*")
_NOT_TEXTS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
# A reader looks for the colon after a key within 1024 characters, and in one line.
_LONGEST_PLAIN_KEY: Final = 1000
_LAST_OF_16_BITS: Final = 0xFFFF

Scalar: TypeAlias = str | int | bool | None
Value: TypeAlias = "Scalar | Mapping[str, Node] | Sequence[Node]"
Node: TypeAlias = "Commented | Value"


@dataclass(frozen=True, slots=True)
class Commented:
    """Hold a value of a mapping or list with what is said about it.

    Attributes:
        value: the value.
        above: sentences before it; line ends start new lines, long lines are wrapped.
        gap: whether a blank line comes first.
    """

    value: Value
    above: str = ""
    gap: bool = False


def yaml_text(document: Mapping[str, Node]) -> str:
    """Return a mapping as a YAML document that ends with a line end.

    Values are texts, whole numbers, booleans, None, mappings and lists of them, each of which may
    be `Commented`. A list of plain values is written in brackets, everything else as a block.

    Raises:
        TypeError: a value of another type, such as a float, whose form YAML 1.1 and 1.2 disagree
            on.
    """
    return "".join(f"{line}\n" for line in _mapping(document, "")) or "{}\n"


def comment(text: str, indent: str = "") -> Iterator[str]:
    """Give the lines of a comment: wrapped at 100 columns, in ASCII, whatever the text holds."""
    for line in text.split("\n"):
        shown = harmless(line, "ascii")
        lead = shown[: len(shown) - len(shown.lstrip())]
        room = max(20, _WIDTH - len(indent) - 2 - len(lead))
        for piece in textwrap.wrap(
            shown, room + len(lead), subsequent_indent=lead, break_on_hyphens=False
        ) or [""]:
            yield f"{indent}# {piece}".rstrip()


def scalar(value: Scalar) -> str:
    """Return a value as YAML; a text in quotes unless it is plainly a text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise TypeError(f"no way to write a {type(value).__name__} that all readers agree on")
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXTS:
        return value
    return f'"{"".join(_escaped(char) for char in value)}"'


def _escaped(char: str) -> str:
    # JSON writes what is beyond 16 bits as two escapes, which YAML takes for two characters.
    return f"\\U{ord(char):08x}" if ord(char) > _LAST_OF_16_BITS else json.dumps(char)[1:-1]


def _mapping(mapping: Mapping[str, Node], indent: str) -> Iterator[str]:
    for key, node in mapping.items():
        yield from _remarks(node, indent)
        value, name = _value(node), scalar(key)
        if len(name) > _LONGEST_PLAIN_KEY:
            yield f"{indent}? {name}"
            name = ""
        inline = _inline(value, room=_WIDTH - len(indent) - len(name) - 2)
        if inline is None:
            yield f"{indent}{name}:"
            yield from _block(value, indent + _INDENT)
        else:
            yield f"{indent}{name}: {inline}"


def _sequence(sequence: Sequence[Node], indent: str) -> Iterator[str]:
    for node in sequence:
        yield from _remarks(node, indent)
        value, inner = _value(node), indent + _INDENT
        inline = _inline(value, room=_WIDTH - len(inner))
        if inline is not None:
            yield f"{indent}- {inline}"
            continue
        lines = list(_block(value, inner))
        first = next(place for place, line in enumerate(lines) if _is_content(line))
        # The dash takes the place of the first indent; comments before it stay above it.
        yield from (line.replace(inner, indent, 1) for line in lines[:first])
        yield f"{indent}- {lines[first].removeprefix(inner)}"
        yield from lines[first + 1 :]


def _block(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        return _mapping(value, indent)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _sequence(value, indent)
    raise AssertionError("a scalar is written in its line")


def _inline(value: Value, *, room: int) -> str | None:
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, str) or not isinstance(value, Sequence):
        return scalar(value)
    if not all(one is None or isinstance(one, str | int) for one in value):
        return None
    line = f"[{', '.join(scalar(one) for one in value)}]"  # type: ignore[arg-type]  # just seen
    return line if len(line) <= room or not value else None


def _remarks(node: Node, indent: str) -> Iterator[str]:
    if isinstance(node, Commented):
        if node.gap:
            yield ""
        if node.above:
            yield from comment(node.above, indent)


def _value(node: Node) -> Value:
    return node.value if isinstance(node, Commented) else node


def _is_content(line: str) -> bool:
    return bool(line) and not line.lstrip().startswith("#")
