"""The command `search`: search the web and print the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from litellm_synthetic.cli.environment import load_dotenv_as_litellm_does
from litellm_synthetic.cli.formatting import UNKNOWN
from litellm_synthetic.cli.json_document import FORMAT, as_json
from litellm_synthetic.cli.terminal import MIN_WIDTH, Line, Screen, error, harmless, remark, working
from litellm_synthetic.client import search as web_search
from litellm_synthetic.config.settings import API_KEY
from litellm_synthetic.errors.classes import CallFailedError, plain_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.client.search_results import SearchResult, SearchResults

FAILED: Final = 1
_INDENT: Final = "   "
_MAX_COLUMNS: Final = 100  # longer lines are hard to read
_MAX_TITLE_LINES: Final = 2
_MAX_TEXT_LINES: Final = 4
# Enough for the lines above, so that a page of megabytes is not laid out.
_MAX_TEXT_CHARACTERS: Final = 2000
_BETWEEN_HIGHLIGHTS: Final = " … "


def run(query: str, *, limit: int | None, is_json: bool, base_url: str | None) -> int:
    """Search and return the exit code: 0, or 1 after an error on stderr.

    A base URL on the command line says that the environment's key is for it.
    """
    load_dotenv_as_litellm_does()
    key = API_KEY.text() if base_url else None
    try:
        with plain_failures(), working("Searching"):
            results = web_search.search(query, api_key=key, api_base=base_url)
    except CallFailedError as failure:
        error(str(failure))
        return FAILED
    if not results.results:
        remark("Nothing was found.")
    if results.skipped:
        reasons = sorted({each.reason for each in results.skipped})
        remark(f"{len(results.skipped)} skipped: {', '.join(reasons)}")
    if limit is not None and len(results) > limit:
        remark(f"{len(results) - limit} more without --limit {limit}")
    if is_json:
        click.echo(as_json(_document(results, limit)))
    else:
        screen = Screen.of_stdout()
        screen.write(lines(results, screen, limit))
    return 0


def lines(results: SearchResults, screen: Screen, limit: int | None) -> Iterator[Line]:
    """Lay out results, the best first.

    On a terminal the text is wrapped and cut to four lines. Elsewhere each result has four lines,
    title, address, date and text, whole or `-`, and an empty line stands between two.
    """
    for number, result in enumerate(results.results[:limit], 1):
        if number > 1:
            yield ()
        yield from _for_people(result, number, screen) if screen.console else _for_pipes(result)


def _document(results: SearchResults, limit: int | None) -> dict[str, Any]:
    shown = results.results[:limit]
    return {
        "format": FORMAT,
        "query": results.query,
        "results": shown,
        "left_out": len(results) - len(shown),
        "skipped": results.skipped,
    }


def _for_pipes(result: SearchResult) -> Iterator[Line]:
    for text in (result.title or "", result.url, _date(result), _text(result)):
        yield (_on_one_line(text) or UNKNOWN,)


def _for_people(result: SearchResult, number: int, screen: Screen) -> Iterator[Line]:
    lead = f"{number}.".ljust(len(_INDENT))
    for piece in _wrapped(result.title or result.url, screen, max_lines=_MAX_TITLE_LINES):
        yield ((lead, "dim"), (piece, "bold"))
        lead = _INDENT
    yield (_INDENT, (result.url, "cyan"))
    for piece in _wrapped(_date(result), screen, max_lines=1):
        yield (_INDENT, (piece, "dim"))
    for piece in _wrapped(_text(result), screen, max_lines=_MAX_TEXT_LINES):
        yield (_INDENT, piece)


def _wrapped(text: str, screen: Screen, *, max_lines: int) -> list[str]:
    """Break a text into lines by the columns that its characters take, and cut the rest."""
    from rich.text import Text

    text = _on_one_line(text)
    if screen.console is None or screen.width is None or not text:
        return [text] if text else []
    columns = max(min(screen.width, _MAX_COLUMNS) - len(_INDENT) - 1, MIN_WIDTH)
    start = harmless(text[:_MAX_TEXT_CHARACTERS])
    broken = [piece.plain.rstrip() for piece in Text(start).wrap(screen.console, columns)]
    if len(broken) <= max_lines and len(start) == len(text):
        return broken
    mark = "…" if screen.has_glyphs else "..."
    *kept, last = broken[:max_lines]
    cut = Text(last)
    cut.truncate(columns - len(mark))
    return [*kept, cut.plain.rstrip() + mark]


def _text(result: SearchResult) -> str:
    return _BETWEEN_HIGHLIGHTS.join(result.highlights) or result.text or ""


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _date(result: SearchResult) -> str:
    if result.published is not None:
        return result.published.date().isoformat()
    return result.published_text or ""
