"""The table of models: one line each where that fits, two where it doesn't, plain in a pipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.cli.formatting import UNKNOWN, short_tokens, tokens, usd_per_million
from litellm_synthetic.cli.terminal import Line, Screen, Span, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from litellm_synthetic.catalog.models import Model

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
    """Say how a fact is headed and written, in full, short, and for a pipe."""

    headings: dict[Size, str]
    write: Callable[[Model, Size], str]
    is_number: bool = True
    style: str = ""


def _counts(field: Callable[[Model], int | None]) -> Callable[[Model, Size], str]:
    def write(model: Model, size: Size) -> str:
        count = field(model)
        if size == "plain":
            return UNKNOWN if count is None else str(count)
        return tokens(count) if size == "full" else short_tokens(count)

    return write


def _words(values: Sequence[str] | None, size: Size) -> str:
    if not values:
        return UNKNOWN
    if size == "short":
        values = [_SHORT_WORDS.get(each, each) for each in values]
    return (" " if size != "plain" else ",").join(values)


def _efforts(model: Model, size: Size) -> str:
    return "no" if model.reasoning is False else _words(model.accepted_efforts, size)


def seen(model: Model) -> str:
    """Return the date on which a model was last seen, or `-`."""
    return UNKNOWN if model.last_seen is None else model.last_seen.isoformat()


CONTEXT: Final = Column(
    {"full": "context", "short": "ctx", "plain": "CONTEXT"},
    _counts(lambda model: model.context_window_tokens),
)
MAX_OUTPUT: Final = Column(
    {"full": "max out", "short": "out", "plain": "MAX_OUTPUT"},
    _counts(lambda model: model.max_output_tokens),
)
INPUT: Final = Column(
    {"full": "input", "short": "input", "plain": "INPUT"},
    lambda model, size: _words(model.input_modalities, size),
    is_number=False,
)
EFFORTS: Final = Column(
    {"full": "reasoning efforts", "short": "efforts", "plain": "EFFORTS"},
    _efforts,
    is_number=False,
)
PRICE_IN: Final = Column(
    {"full": "$ in", "short": "$ in", "plain": "USD/M_IN"},
    lambda model, _: usd_per_million(model.prices.input_usd_per_token),
    style="green",
)
PRICE_OUT: Final = Column(
    {"full": "$ out", "short": "$ out", "plain": "USD/M_OUT"},
    lambda model, _: usd_per_million(model.prices.output_usd_per_token),
    style="green",
)
PRICE_CACHE_READ: Final = Column(
    {"full": "cached", "short": "cache", "plain": "USD/M_CACHE_READ"},
    lambda model, _: usd_per_million(model.prices.cache_read_usd_per_token),
    style="green",
)
SERVES: Final = Column(
    {"full": "serves now", "short": "serves", "plain": "SERVES"},
    lambda model, _: model.current_target or UNKNOWN,
    is_number=False,
)
STATUS: Final = Column(
    {"full": "status", "short": "status", "plain": "STATUS"},
    lambda model, _: model.status,
    is_number=False,
)
LAST_SEEN: Final = Column(
    {"full": "last seen", "short": "seen", "plain": "LAST_SEEN"},
    lambda model, _: seen(model),
    is_number=False,
)
ID: Final = Column(
    {"full": "model", "short": "model", "plain": "ID"},
    lambda model, _: model.id,
    is_number=False,
    style="bold cyan",
)

FACTS: Final = (CONTEXT, MAX_OUTPUT, INPUT, EFFORTS, PRICE_IN, PRICE_OUT, PRICE_CACHE_READ)
_LEFT_OUT_FIRST: Final = (MAX_OUTPUT, INPUT, PRICE_CACHE_READ, EFFORTS)


@dataclass(frozen=True, slots=True)
class View:
    """Hold the lines of a table, and the headings of what the terminal was too narrow for."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...] = ()


def view(models: Sequence[Model], screen: Screen, *, show_status: bool) -> View:
    """Lay the models out for a screen.

    A pipe gets one line per model, padded columns, no white space within a cell and no empty cell,
    so that grep, awk and cut work. A terminal gets one line per model if all columns fit, else two,
    and if that doesn't fit either, shorter words and then fewer columns. No id is broken or cut.
    """
    extra = (STATUS, LAST_SEEN) if show_status else ()
    if screen.width is None:
        return View(tuple(_plain_rows(models, (ID, *FACTS, SERVES, *extra))))
    targets = (SERVES,) if any(one.current_target for one in models) else ()
    wide = (ID, *FACTS, *extra)
    for grid in (
        _Grid(models, (ID, *FACTS, *targets, *extra), "full"),
        _Grid(models, wide, "full"),
        _Grid(models, wide, "short"),
    ):
        if grid.width <= screen.width:
            return View(tuple(_one_line_each(grid, models, screen)))
    room = screen.width - len(_INDENT)
    grid = _Grid(models, FACTS, "full")
    if grid.width > room:
        grid = _Grid(models, FACTS, "short")
    left_out = 0
    while grid.width > room and left_out < len(_LEFT_OUT_FIRST):
        left_out += 1
        kept = tuple(one for one in FACTS if one not in _LEFT_OUT_FIRST[:left_out])
        grid = _Grid(models, kept, "short")
    return View(
        tuple(_two_lines_each(grid, models, screen)),
        tuple(one.headings["full"] for one in _LEFT_OUT_FIRST[:left_out]),
    )


class _Grid:
    """Measure the cells of some columns."""

    def __init__(self, models: Sequence[Model], columns: Sequence[Column], size: Size) -> None:
        self.columns = tuple(columns)
        self.size = size
        self.cells = [[each.write(model, size) for each in columns] for model in models]
        if size == "plain":
            # A space within a cell would shift the columns after it: an id may hold anything.
            self.cells = [["_".join(cell.split()) or UNKNOWN for cell in row] for row in self.cells]
        self.widths = [
            max(len(each.headings[size]), *(len(row[index]) for row in self.cells), 0)
            for index, each in enumerate(columns)
        ]

    @property
    def width(self) -> int:
        return sum(self.widths) + len(_GAP) * (len(self.widths) - 1)

    def heading(self) -> Line:
        return self._line([each.headings[self.size] for each in self.columns], heading=True)

    def row(self, index: int) -> Line:
        return self._line(self.cells[index], heading=False)

    def _line(self, cells: Iterable[str], *, heading: bool) -> Line:
        spans: list[Span] = []
        for column, cell, width in zip(self.columns, cells, self.widths, strict=True):
            padded = cell.rjust(width) if column.is_number else cell.ljust(width)
            style = "dim" if heading or cell == UNKNOWN else column.style
            spans += [Span(padded, style), Span(_GAP)]
        return tuple(spans[:-1])


def _plain_rows(models: Sequence[Model], columns: Sequence[Column]) -> Iterator[Line]:
    grid = _Grid(models, columns, "plain")
    for cells in ([each.headings["plain"] for each in columns], *grid.cells):
        padded = (cell.ljust(width) for cell, width in zip(cells, grid.widths, strict=True))
        yield line(_GAP.join(padded))


def _one_line_each(grid: _Grid, models: Sequence[Model], screen: Screen) -> Iterator[Line]:
    has_targets = SERVES in grid.columns
    yield grid.heading()
    for index, model in enumerate(models):
        yield grid.row(index)
        if model.current_target and not has_targets:
            yield line(Span(f"{_INDENT}{screen.arrow} {model.current_target}", "dim"))


def _two_lines_each(grid: _Grid, models: Sequence[Model], screen: Screen) -> Iterator[Line]:
    yield line(Span(_INDENT), *grid.heading())
    for index, model in enumerate(models):
        name = Span(model.id, _ID_STYLE[model.status])
        note = _note(model, screen)
        if not note:
            yield line(name)
        elif len(model.id) + 1 + len(note) <= (screen.width or 0):
            yield line(name, Span(f" {note}", "dim"))
        else:
            yield line(name)
            yield line(Span(_INDENT + note, "dim"))
        yield line(Span(_INDENT), *grid.row(index))


def _note(model: Model, screen: Screen) -> str:
    if not model.is_current:
        return f"{model.status}, last seen {seen(model)}"
    return f"{screen.arrow} {model.current_target}" if model.current_target else ""
