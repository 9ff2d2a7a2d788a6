"""The faults of a models list, all as replies to `GET …/models`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing.replies import RawBytes, RawJSON, Reply
from litellm_synthetic.testing.served_models import listed_models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litellm_synthetic.testing.replies import FaultRow

_ODD_PRICES: tuple[object, ...] = ("free", "", "$1e-6", "-0.1", None, 0.5, "$0,0000006", "NaN")


# A bool is an int to Python, so a lax reader takes `true` for a limit of 1.
_BOOLEANS = (True, False)


def _list_of(entries: Sequence[object]) -> Reply:
    return RawJSON(200, {"data": [*entries]})


def _down(status: int = 503) -> Reply:
    return RawBytes(status, b"<h1>Service Temporarily Unavailable</h1>", "text/html")


def _page() -> Reply:
    return RawBytes(200, b"<!DOCTYPE html><html><body>Synthetic</body></html>", "text/html")


def _truncated() -> Reply:
    whole = json.dumps({"data": listed_models()}).encode()
    return RawBytes(200, whole[: len(whole) // 2], "application/json")


def _huge(size: int = 5_000_000) -> Reply:
    entries = listed_models()
    entries[-1] = {**entries[-1], "description": "x" * size}
    return _list_of(entries)


def _many(count: int = 10_000) -> Reply:
    first = listed_models()[-1]
    return _list_of([{**first, "id": f"hf:made-up/model-{number}"} for number in range(count)])


def _wrong_schema() -> Reply:
    return RawJSON(200, {"models": {entry["id"]: entry for entry in listed_models()}})


def _bad_row(position: int = 4) -> Reply:
    entries: list[Any] = listed_models()
    entries[position] = {"id": 17, "context_length": "much", "pricing": []}
    return _list_of([*entries, "not an entry", None])


def _duplicates() -> Reply:
    entries = listed_models()
    return _list_of([*entries, {**entries[0], "context_length": 1}])


def _odd_prices() -> Reply:
    entries = listed_models()
    for entry, price in zip(entries, _ODD_PRICES, strict=False):
        entry["pricing"]["prompt"] = price
    entries[-1]["pricing"] = None
    return _list_of(entries)


def _limits(*values: object) -> Callable[[], Reply]:
    def make() -> Reply:
        entries = listed_models()
        for entry, value in zip(entries, values, strict=False):
            entry["context_length"] = value
            entry["max_output_length"] = value
        return _list_of(entries)

    return make


def _missing_fields() -> Reply:
    return _list_of([{"id": entry["id"]} for entry in listed_models()])


MODEL_LIST_FAULTS: tuple[FaultRow, ...] = (
    ("models_down", "503 web page", _down),
    ("models_html", "200 with a web page", _page),
    ("models_truncated", "200 with half the JSON", _truncated),
    ("models_huge", "a list of 5 MB", _huge),
    ("models_many", "a list of 10,000 entries", _many),
    ("models_empty", "a list without entries", lambda: _list_of([])),
    ("models_wrong_schema", "a mapping under another name", _wrong_schema),
    ("models_bad_row", "one bad row, and two that are not entries", _bad_row),
    ("models_duplicates", "one id twice, with other limits", _duplicates),
    ("models_odd_prices", 'prices "free", "", "$1e-6", null, …', _odd_prices),
    ("models_negative_limits", "limits -1 and 0", _limits(-1, 0)),
    ("models_bool_limits", "true and false for limits", _limits(*_BOOLEANS)),
    ("models_text_limits", "limits as texts and fractions", _limits("524288", 196608.5)),
    ("models_missing_fields", "entries with an id only", _missing_fields),
)
