"""Output: colours on a terminal, plain text in a pipe, remarks and errors on stderr.

Rich is imported for a terminal only: a pipe does not need it, and it takes 50 ms.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import textwrap
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

PIPE_CHART_WIDTH: Final = 80
MIN_WIDTH: Final = 20
_GLYPHS: Final = "→…▁▂▃▄▅▆▇█░│"
_FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES: Final = "|/-\\"
_ELLIPSIS: Final = " ..."
_FIRST_FRAME_SECONDS: Final = 0.3
_FRAME_SECONDS: Final = 0.1

Piece: TypeAlias = "str | tuple[str, str]"
"""A text, or a text and its style in Rich's terms (`bold`, `dim`, …)."""

Line: TypeAlias = "tuple[Piece, ...]"


@dataclass(frozen=True, slots=True)
class Screen:
    """What stdout can show.

    Attributes:
        width: columns of the terminal; None where stdout is not one and lines have no limit.
        has_glyphs: whether arrows and blocks may be used: a terminal whose encoding has them.
        console: Rich's console; None where stdout is not a terminal.
    """

    width: int | None = None
    has_glyphs: bool = False
    console: Console | None = None

    @classmethod
    def of_stdout(cls) -> Screen:
        """Look at stdout, and at NO_COLOR, TERM and COLUMNS."""
        if not sys.stdout.isatty():
            return cls()
        from rich.console import Console

        # Rich's NO_COLOR keeps bold and dim; most people want neither.
        system = None if os.environ.get("NO_COLOR") else "auto"
        console = Console(highlight=False, color_system=system)  # type: ignore[arg-type]  # a literal
        return cls(console.width, can_encode(_GLYPHS, console.encoding), console)

    @property
    def arrow(self) -> str:
        """Return the arrow between an alias and the model that it serves."""
        return "→" if self.has_glyphs else "->"

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines without control characters; none is cut or broken."""
        for each in lines:
            if self.console is None:
                click.echo(plain(each))
                continue
            from rich.text import Text

            encoding = self.console.encoding
            pieces = ((harmless(text, encoding), style) for text, style in map(_styled, each))
            self.console.print(Text.assemble(*pieces), soft_wrap=True)


def _styled(piece: Piece) -> tuple[str, str]:
    return (piece, "") if isinstance(piece, str) else piece


def plain(line: Line) -> str:
    """Return the text of a line, as for a pipe."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return harmless("".join(text for text, _ in map(_styled, line)), encoding).rstrip()


def wrap(text: str, width: int | None) -> list[str]:
    """Break a text between words; a path or a command stays whole, so that it can be copied."""
    if width is None:
        return [text]
    width = max(width, MIN_WIDTH)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def remark(text: str, *, dim: bool = False) -> None:
    """Write sentences to stderr, broken between words where that is a terminal."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    is_terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else None
    for each in wrap(text, width):
        line = harmless(each, encoding)
        is_styled = dim and is_terminal and has_styles()
        click.echo(click.style(line, dim=True) if is_styled else line, err=True)


def has_styles() -> bool:
    """Tell whether styles are wanted: NO_COLOR turns them off, and so does a dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def drop_typed_ahead() -> None:
    """Forget what was typed before a question was asked, so that it is not taken for its answer."""
    try:
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    except ImportError:  # Windows
        import msvcrt

        while msvcrt.kbhit():  # type: ignore[attr-defined]  # on Windows only
            msvcrt.getwch()  # type: ignore[attr-defined]  # the same
    except (OSError, ValueError, AttributeError, termios.error):
        pass  # not a terminal, so nobody types


def error(text: str) -> None:
    """Write an error to stderr: what happened, and the one thing that fixes it."""
    remark(f"error: {text}")


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Show on stderr, where that is a terminal, that a command is busy; nothing stays of it."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    frames = _FRAMES if can_encode(_FRAMES, encoding) else _ASCII_FRAMES
    columns = shutil.get_terminal_size().columns
    done, has_drawn = threading.Event(), threading.Event()

    def draw() -> None:
        # What answers at once shows nothing.
        delay_seconds = _FIRST_FRAME_SECONDS
        for frame in itertools.cycle(frames):
            if done.wait(delay_seconds):
                return
            line = harmless(f"{frame} {text}{_ELLIPSIS}", encoding)
            has_drawn.set()
            click.echo(f"\r{line[: columns - 1]}", nl=False, err=True)
            delay_seconds = _FRAME_SECONDS

    drawing = threading.Thread(target=draw, name="litellm-synthetic-progress", daemon=True)
    drawing.start()
    try:
        yield
    finally:
        done.set()
        drawing.join()
        if has_drawn.is_set():
            click.echo("\r\x1b[K", nl=False, err=True)


def harmless(text: str, encoding: str = "utf-8", *, keep: str = "") -> str:
    """Replace characters that are not printable, or not in the encoding, by question marks.

    An id comes from the network: it may hold escape sequences, line ends or bidi overrides. Those
    in `keep` stay.
    """
    shown = "".join(char if char.isprintable() or char in keep else "?" for char in text)
    return shown.encode(encoding, "replace").decode(encoding)


def can_encode(text: str, encoding: str) -> bool:
    """Tell whether an encoding has every character of a text."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
