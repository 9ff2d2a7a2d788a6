"""Results of a web search: Synthetic's JSON in, typed results out.

A row is `{url, title, text, published}` in the documentation of 2026-09. A client of Synthetic's
own reads `highlights`, a list of texts, as well since 2026-07-22, and takes title and date for
optional. A row without an address that can be opened is skipped, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from litellm_synthetic.errors.faults import UnreadableReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_URL_CHARACTERS: Final = 8192


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page that was found.

    Attributes:
        url: an http(s) address.
        title: None where the row has none.
        text: what the page says; None where the row has highlights instead, or nothing.
        highlights: the passages that fit the query; empty where the row has text instead.
        published: when, with a time zone (UTC where the row names none); None if unknown.
        published_text: the date as it was sent, whether it could be read or not.
    """

    url: str
    title: str | None = None
    text: str | None = None
    highlights: tuple[str, ...] = ()
    published: datetime | None = None
    published_text: str | None = None


@dataclass(frozen=True, slots=True)
class SkippedResult:
    """A skipped row of a reply, counted from 0, and why; no value is repeated."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class SearchResults:
    """The results of a search, best first; iterate over it for them."""

    query: str
    results: tuple[SearchResult, ...]
    skipped: tuple[SkippedResult, ...] = ()

    def __iter__(self) -> Iterator[SearchResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)


def read_results(document: Mapping[str, object], query: str) -> SearchResults:
    """Return the results of a reply's document.

    A row whose `url` is not an http(s) address is skipped. A title, text, highlight or date that is
    not text counts as missing.

    Raises:
        UnreadableReplyError: no list of results, or none of its rows can be used.
    """
    rows = document.get("results")
    if not isinstance(rows, list):
        raise UnreadableReplyError("it holds no list of results")
    results: list[SearchResult] = []
    skipped: list[SkippedResult] = []
    for index, row in enumerate(rows):
        outcome = _result(row)
        if isinstance(outcome, SearchResult):
            results.append(outcome)
        else:
            skipped.append(SkippedResult(index, outcome))
    if skipped and not results:
        raise UnreadableReplyError(
            f"none of its {len(skipped)} results can be used: {skipped[0].reason}"
        )
    return SearchResults(query, tuple(results), tuple(skipped))


def _result(row: object) -> SearchResult | str:
    """Return a row's result, or why there is none."""
    if not isinstance(row, dict):
        return "it is not an object"
    url = _web_address(row.get("url"))
    if url is None:
        return "its url is not an http(s) address"
    published_text = _text(row.get("published"))
    return SearchResult(
        url=url,
        title=_text(row.get("title")),
        text=_text(row.get("text")),
        highlights=_highlights(row.get("highlights")),
        published=_moment(published_text),
        published_text=published_text,
    )


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    # JSON may hold lone surrogates, which no log, file or terminal can write.
    return value.encode("utf-8", "replace").decode()


def _highlights(value: object) -> tuple[str, ...]:
    pieces = [value] if isinstance(value, str) else value if isinstance(value, list) else ()
    return tuple(text for piece in pieces if (text := _text(piece)) is not None)


def _web_address(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARACTERS:
        return None
    url = value.strip()
    # What browsers read otherwise than urlsplit: they take a backslash for a slash.
    if any(not char.isprintable() or char in " \\" for char in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    # A user name is how an address pretends to belong to another host.
    is_web = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
    return url if is_web else None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
