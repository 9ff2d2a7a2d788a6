"""A client's request, kept for a test to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy


@dataclass(frozen=True, repr=False)
class RecordedRequest:
    """Keep one request as it arrived.

    Attributes:
        method: The HTTP method, in capitals.
        path: The path with its query, as sent.
        headers: The request headers; names are looked up in any case.
        body: The raw body.
        arrived_at: When the body was complete, in seconds since the epoch.
    """

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes
    arrived_at: float

    @cached_property
    def json(self) -> Any:
        """Return the parsed body, or `None` where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def route(self) -> str:
        """Return the path without its query."""
        return self.path.partition("?")[0]

    @property
    def bearer(self) -> str | None:
        """Return the key of the `Authorization: Bearer …` header, or `None`."""
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return key.strip() or None if scheme.lower() == "bearer" else None

    def __repr__(self) -> str:
        """Show what identifies the request, and no header, since headers carry keys."""
        return f"RecordedRequest({self.method} {self.path}, {len(self.body)} bytes)"
