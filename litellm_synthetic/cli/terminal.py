"""Where lines go: in colour to a terminal, as plain text to a pipe, remarks to stderr.

Rich is imported for a terminal only: a pipe has no use for it, and it takes 50 ms.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

PIPE_CHART_WIDTH: Final = 80
_NARROWEST: Final = 20
_GLYPHS: Final = "→▁▂▃▄▅▆▇█│└─┬"


@dataclass(frozen=True, slots=True)
class Span:
    """Hold a piece of a line and its style, in Rich's words (`bold`, `dim`, …)."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def line(*spans: Span | str) -> Line:
    """Return a line of styled and plain pieces."""
    return tuple(Span(each) if isinstance(each, str) else each for each in spans)


@dataclass(frozen=True, slots=True)
class Screen:
    """Say what stdout can show, and write to it.

    Attributes:
        width: columns of the terminal; None where stdout is no terminal and lines have no limit.
        has_glyphs: whether arrows and blocks may be used: a terminal whose encoding has them.
        console: Rich's console; None where stdout is no terminal.
    """

    width: int | None = None
    has_glyphs: bool = False
    console: Console | None = None

    @classmethod
    def of_stdout(cls) -> Screen:
        """Look at stdout, and at NO_COLOR, TERM and COLUMNS."""
        if not sys.stdout.isatty():
            return cls()
        from rich.console import Console  # noqa: PLC0415  # for terminals only

        # Rich takes NO_COLOR at its word and keeps bold and dim; most people want neither.
        system: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        console = Console(highlight=False, color_system=system)
        return cls(console.width, can_encode(_GLYPHS, console.encoding), console)

    @property
    def arrow(self) -> str:
        """Return what stands between an alias and the model that it serves."""
        return "→" if self.has_glyphs else "->"

    @property
    def chart_width(self) -> int:
        """Return how many columns a chart may take."""
        return self.width or PIPE_CHART_WIDTH

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines, without what a terminal would take for a command; none is cut or broken."""
        if self.console is None:
            click.echo("\n".join(plain(each) for each in lines))
            return
        from rich.text import Text  # noqa: PLC0415  # for terminals only

        encoding = self.console.encoding
        for each in lines:
            pieces = ((harmless(span.text, encoding), span.style) for span in each)
            self.console.print(Text.assemble(*pieces), soft_wrap=True)


def plain(spans: Line) -> str:
    """Return the text of a line, as for a pipe."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return harmless("".join(span.text for span in spans), encoding).rstrip()


def remark(text: str) -> None:
    """Write a line to stderr."""
    click.echo(harmless(text, getattr(sys.stderr, "encoding", None) or "utf-8"), err=True)


def tell(text: str) -> None:
    """Write a sentence or two to stderr, broken between words where that is a terminal."""
    if sys.stderr.isatty():
        width = max(shutil.get_terminal_size().columns, _NARROWEST)
        text = "\n".join(textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False))
    for each in text.splitlines():
        remark(each)


def harmless(text: str, encoding: str = "utf-8") -> str:
    """Replace what isn't printable, or isn't in the encoding, by question marks.

    An id comes from the network: it may hold escape sequences, line ends or bidi overrides.
    """
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown.encode(encoding, "replace").decode(encoding)


def can_encode(text: str, encoding: str) -> bool:
    """Tell whether an encoding has every character of a text."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
