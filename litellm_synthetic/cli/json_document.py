"""Documents that commands print as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from litellm_synthetic.cli.formatting import plain_decimal

FORMAT: Final = 1
"""The version of the documents' layout; it only changes when a field goes or changes meaning."""


def as_json(document: Any) -> str:
    """Return a document as indented JSON in ASCII: an id may hold anything.

    Decimals become strings, exact and without an exponent; dates and times are ISO 8601.
    """
    return json.dumps(document, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.model_dump()
