"""The table of models: one line each where that fits, two where it does not, plain in a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.cli.formatting import UNKNOWN, short_tokens, tokens, usd_per_million

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.cli.terminal import Line, Screen

_GAP: Final = "  "
_INDENT: Final = "  "
_SHORT_WORDS: Final = {
    "image": "img",
    "video": "vid",
    "audio": "aud",
    "minimal": "min",
    "medium": "med",
    "xhigh": "xhi",
}
_ID_STYLE: Final = {"current": "bold cyan", "hidden": "cyan", "retired": "", "unverified": ""}

Size = Literal["full", "short", "plain"]


@dataclass(frozen=True, slots=True)
class Column:
    """A fact: its headings in full, short and for a pipe, and its text in each size."""

    full: str
    short: str
    plain: str
    write: Callable[[Model, Size], str]
    is_number: bool = False
    style: str = ""

    def heading(self, size: Size) -> str:
        """Return the heading in a size."""
        return {"full": self.full, "short": self.short, "plain": self.plain}[size]


def _words(values: Sequence[str] | None, size: Size) -> str:
    if not values:
        return UNKNOWN
    if size == "short":
        values = [_SHORT_WORDS.get(each, each) for each in values]
    return (" " if size != "plain" else ",").join(values)


def _efforts(model: Model, size: Size) -> str:
    return "no" if model.reasoning is False else _words(model.accepted_efforts, size)


def _last_seen(model: Model) -> str:
    return UNKNOWN if model.last_seen is None else model.last_seen.isoformat()


def _tokens(full: str, short: str, plain: str, field: str) -> Column:
    def write(model: Model, size: Size) -> str:
        count: int | None = getattr(model, field)
        if size == "plain":
            return UNKNOWN if count is None else str(count)
        return tokens(count) if size == "full" else short_tokens(count)

    return Column(full, short, plain, write, is_number=True)


def _price(full: str, short: str, plain: str, field: str) -> Column:
    def write(model: Model, _: Size) -> str:
        return usd_per_million(getattr(model.prices, field))

    return Column(full, short, plain, write, is_number=True, style="green")


_ID: Final = Column("model", "model", "ID", lambda model, _: model.id, style="bold cyan")
_CONTEXT: Final = _tokens("context", "ctx", "CONTEXT", "context_window_tokens")
_MAX_OUTPUT: Final = _tokens("max out", "out", "MAX_OUTPUT", "max_output_tokens")
_INPUT: Final = Column("input", "input", "INPUT", lambda m, size: _words(m.input_modalities, size))
_EFFORTS: Final = Column("reasoning efforts", "efforts", "EFFORTS", _efforts)
_PRICE_IN: Final = _price("$ in", "$ in", "USD/M_IN", "input_usd_per_token")
_PRICE_OUT: Final = _price("$ out", "$ out", "USD/M_OUT", "output_usd_per_token")
_PRICE_CACHE_READ: Final = _price("cached", "cache", "USD/M_CACHE_READ", "cache_read_usd_per_token")
_SERVES: Final = Column(
    "serves now", "serves", "SERVES", lambda model, _: model.current_target or UNKNOWN
)
_STATUS: Final = Column("status", "status", "STATUS", lambda model, _: model.status)
_LAST_SEEN: Final = Column("last seen", "seen", "LAST_SEEN", lambda model, _: _last_seen(model))

_FACTS: Final = (
    _CONTEXT, _MAX_OUTPUT, _INPUT, _EFFORTS, _PRICE_IN, _PRICE_OUT, _PRICE_CACHE_READ,
)  # fmt: skip  # one list, read as one
_DISPENSABLE: Final = (_MAX_OUTPUT, _INPUT, _PRICE_CACHE_READ, _EFFORTS)


@dataclass(frozen=True, slots=True)
class View:
    """The lines of a table, and the headings of the columns that the terminal is too narrow for."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...] = ()


def view(models: Sequence[Model], screen: Screen, *, show_status: bool) -> View:
    """Lay the models out for a screen.

    A pipe gets one line per model, padded columns, no white space within a cell and no empty cell,
    so that grep, awk and cut work. A terminal gets one line per model if all columns fit, else two,
    and if that does not fit either, shorter words and then fewer columns. No id is broken or cut.
    """
    extra = (_STATUS, _LAST_SEEN) if show_status else ()
    if screen.width is None:
        return View(tuple(_rows(models, (_ID, *_FACTS, _SERVES, *extra), "plain")))
    targets = (_SERVES,) if any(one.current_target for one in models) else ()
    candidates: tuple[tuple[tuple[Column, ...], Size], ...] = (
        ((_ID, *_FACTS, *targets, *extra), "full"),
        ((_ID, *_FACTS, *extra), "full"),
        ((_ID, *_FACTS, *extra), "short"),
    )
    for columns, size in candidates:
        rows = _rows(models, columns, size)
        if _width(rows) <= screen.width:
            has_targets = _SERVES in columns
            return View(tuple(_one_line_each(rows, models, screen, has_targets=has_targets)))
    rows, left_out = _rows(models, _FACTS, "full"), 0
    while _width(rows) + len(_INDENT) > screen.width and left_out <= len(_DISPENSABLE):
        kept = tuple(one for one in _FACTS if one not in _DISPENSABLE[:left_out])
        rows, left_out = _rows(models, kept, "short"), left_out + 1
    return View(
        tuple(_two_lines_each(rows, models, screen)),
        tuple(one.full for one in _DISPENSABLE[: max(left_out - 1, 0)]),
    )


def _rows(models: Sequence[Model], columns: Sequence[Column], size: Size) -> list[Line]:
    """Return the heading and one row per model, each cell padded to the width of its column."""
    table = [[column.heading(size) for column in columns]]
    table += [[column.write(model, size) for column in columns] for model in models]
    if size == "plain":
        # A space within a cell would shift the columns after it: an id may hold anything.
        table = [["_".join(cell.split()) or UNKNOWN for cell in row] for row in table]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    rows: list[Line] = []
    for row in table:
        line: Line = ()
        for column, cell, width in zip(columns, row, widths, strict=True):
            is_right = column.is_number and size != "plain"
            style = "dim" if not rows or cell == UNKNOWN else column.style
            line += ((cell.rjust(width) if is_right else cell.ljust(width), style), _GAP)
        rows.append(line[:-1])
    return rows


def _width(rows: Sequence[Line]) -> int:
    return sum(len(piece if isinstance(piece, str) else piece[0]) for piece in rows[0])


def _one_line_each(
    rows: Sequence[Line], models: Sequence[Model], screen: Screen, *, has_targets: bool
) -> Iterator[Line]:
    yield rows[0]
    for model, row in zip(models, rows[1:], strict=True):
        yield row
        if model.current_target and not has_targets:
            yield ((f"{_INDENT}{screen.arrow} {model.current_target}", "dim"),)


def _two_lines_each(
    rows: Sequence[Line], models: Sequence[Model], screen: Screen
) -> Iterator[Line]:
    yield (_INDENT, *rows[0])
    for model, row in zip(models, rows[1:], strict=True):
        name, note = (model.id, _ID_STYLE[model.status]), _note(model, screen)
        fits = len(model.id) + 1 + len(note) <= (screen.width or 0)
        yield (name, (f" {note}", "dim")) if note and fits else (name,)
        if note and not fits:
            yield ((_INDENT + note, "dim"),)
        yield (_INDENT, *row)


def _note(model: Model, screen: Screen) -> str:
    if not model.is_current:
        return f"{model.status}, last seen {_last_seen(model)}"
    return f"{screen.arrow} {model.current_target}" if model.current_target else ""
