"""What a search found, as lines and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.cli.formatting import UNKNOWN
from litellm_synthetic.cli.models_json import FORMAT
from litellm_synthetic.cli.terminal import Line, Screen, Span, harmless, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.client.search_results import SearchResult, SearchResults

_INDENT: Final = "   "
_WIDEST_COLUMNS: Final = 100  # longer lines are hard to read
_MOST_TEXT_LINES: Final = 4
# Enough for the lines above, so that a page of megabytes isn't laid out.
_MOST_TEXT_CHARACTERS: Final = 2000
_BETWEEN_HIGHLIGHTS: Final = " … "


def lines(found: SearchResults, screen: Screen, limit: int | None) -> Iterator[Line]:
    """Lay out results, the best first.

    On a terminal the text is wrapped and cut to four lines. Elsewhere each result has four lines,
    title, address, date and text, whole or `-`, and an empty line stands between two.
    """
    for number, result in enumerate(found.results[:limit], 1):
        if number > 1:
            yield line("")
        yield from _for_people(result, number, screen) if screen.console else _for_pipes(result)


def document(found: SearchResults, limit: int | None) -> dict[str, Any]:
    """Return the document that `search --json` prints; `docs/cli.md` lists the fields."""
    shown = found.results[:limit]
    return {
        "format": FORMAT,
        "query": found.query,
        "results": [
            {
                "url": each.url,
                "title": each.title,
                "text": each.text,
                "highlights": list(each.highlights),
                "published": each.published.isoformat() if each.published else None,
                "published_text": each.published_text,
            }
            for each in shown
        ],
        "left_out": len(found) - len(shown),
        "skipped": [{"index": each.index, "reason": each.reason} for each in found.skipped],
    }


def _for_pipes(result: SearchResult) -> Iterator[Line]:
    yield line(_on_one_line(result.title or "") or UNKNOWN)
    yield line(result.url)
    yield line(_date(result) or UNKNOWN)
    yield line(_on_one_line(_text(result)) or UNKNOWN)


def _for_people(result: SearchResult, number: int, screen: Screen) -> Iterator[Line]:
    title = _on_one_line(result.title or "") or result.url
    for index, piece in enumerate(_wrapped(title, screen, most=2)):
        lead = f"{number}.".ljust(len(_INDENT)) if index == 0 else _INDENT
        yield line(Span(lead, "dim"), Span(piece, "bold"))
    yield line(_INDENT, Span(result.url, "cyan"))
    if (date := _date(result)) is not None:
        yield line(_INDENT, Span(_wrapped(date, screen, most=1)[0], "dim"))
    for piece in _wrapped(_on_one_line(_text(result)), screen, most=_MOST_TEXT_LINES):
        yield line(_INDENT, piece)


def _wrapped(text: str, screen: Screen, *, most: int) -> list[str]:
    """Break a text into lines by the columns that its characters take, and cut it after `most`."""
    from rich.text import Text  # noqa: PLC0415  # for terminals only

    if screen.console is None or screen.width is None or not text:
        return [text] if text else []
    columns = max(min(screen.width, _WIDEST_COLUMNS) - len(_INDENT) - 1, 20)
    cut = harmless(text[:_MOST_TEXT_CHARACTERS])
    broken = [piece.plain.rstrip() for piece in Text(cut).wrap(screen.console, columns)]
    if len(broken) <= most and len(cut) == len(text):
        return broken
    mark = "…" if screen.has_glyphs else "..."
    *kept, cut_off = broken[:most]
    last = Text(cut_off)
    last.truncate(columns - len(mark))
    return [*kept, last.plain.rstrip() + mark]


def _text(result: SearchResult) -> str:
    return _BETWEEN_HIGHLIGHTS.join(result.highlights) or result.text or ""


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _date(result: SearchResult) -> str | None:
    if result.published is not None:
        return result.published.date().isoformat()
    return _on_one_line(result.published_text or "") or None
