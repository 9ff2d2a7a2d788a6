"""The latest report of each key, as the last reply brought it.

Every reply passes here, so a report is kept as the text that came and read when somebody asks. What
is kept is bounded: the longest report, the number of keys, and the reports that tell the pace.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from litellm_synthetic.quota.clock import REAL, Clock, Instant, as_moment, later
from litellm_synthetic.quota.header import HEADER, MAX_HEADER_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.report import Quotas
    from litellm_synthetic.quota.scope import Scope

MAX_SCOPES: Final = 1024
MAX_SAMPLES: Final = 64
SAMPLE_SECONDS: Final = 60.0
# A `Date` from before the first quotas, or far from now, is a clock that was never set.
_CREDIBLE_YEARS: Final = range(2025, 2100)
_MAX_DATE_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Sighting:
    """A report as it came.

    Attributes:
        text: what was sent.
        date: the `Date` of the reply, by Synthetic's clock.
        seen: when it came, by this machine's clocks.
    """

    text: str
    date: str | None
    seen: Instant

    def sent_at(self) -> datetime:
        """Return when it was sent, on Synthetic's clock if the reply told it."""
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  # when read

        here = as_moment(self.seen.wall)
        if self.date is None or len(self.date) > _MAX_DATE_CHARACTERS:
            return here
        try:
            told = parsedate_to_datetime(self.date)
            told = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            return here
        return told if told.year in _CREDIBLE_YEARS else here


@dataclass(frozen=True)
class KnownQuotas:
    """The latest report on one key's plan, from any reply.

    Attributes:
        quotas: what it told; None where it reported no subscription (`{}`), as with prepaid
            accounts. That means unknown, never unlimited.
        age_seconds: how long ago it came.
        received_at: when it was sent, in UTC, on Synthetic's clock if the reply told it.
        per_second: what has been used of each bucket per second lately, in its unit.
    """

    quotas: Quotas | None
    age_seconds: float
    received_at: datetime
    per_second: Mapping[str, float] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """Return the present on Synthetic's clock, from which its moments count."""
        return later(self.received_at, self.age_seconds)

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        """Return the plan's buckets as they were reported, those that cap calls first."""
        from litellm_synthetic.quota.buckets import buckets_of  # noqa: PLC0415  # when read

        return () if self.quotas is None else buckets_of(self.quotas)

    @property
    def tightest(self) -> Bucket | None:
        """Return the bucket with the smallest part left of those that cap calls."""
        from litellm_synthetic.quota.buckets import tightest  # noqa: PLC0415  # when read

        return tightest(self.buckets)

    def runs_out_at(self, bucket: Bucket) -> datetime | None:
        """Return when a bucket will be empty at its pace; None for not within its period."""
        return bucket.runs_out_at(self.per_second.get(bucket.name), self.now)


class QuotaState:
    """Keep the latest report of each key; safe to use from any thread.

    Args:
        clock: tells the time.
    """

    def __init__(self, clock: Clock = REAL) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._sightings: OrderedDict[Scope, deque[Sighting]] = OrderedDict()
        self._read: dict[Scope, tuple[Sighting, Quotas | None]] = {}

    def note(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Keep the report in a reply's headers, where there is one; names are in lower case."""
        text = headers.get(HEADER)
        if text is not None:
            self.note_text(scope, text, headers.get("date"))

    def note_text(self, scope: Scope, text: str, date: str | None) -> None:
        """Keep a report; what cannot be one is ignored, and the one before stays."""
        if len(text) > MAX_HEADER_CHARACTERS or not text.startswith("{"):
            return
        self.keep(scope, Sighting(text, date, self.clock.now()))

    def keep(self, scope: Scope, sighting: Sighting) -> None:
        """Keep a report unless a later one is known."""
        with self._lock:
            kept = self._sightings.get(scope)
            if kept is None:
                kept = self._sightings[scope] = deque(maxlen=MAX_SAMPLES)
                while len(self._sightings) > MAX_SCOPES:
                    self._read.pop(self._sightings.popitem(last=False)[0], None)
            elif kept and kept[-1].seen.monotonic > sighting.seen.monotonic:
                return
            else:
                self._sightings.move_to_end(scope)
            # The last but one is kept for the pace, if it is far enough from the one before it.
            if len(kept) > 1 and kept[-1].seen.seconds_since(kept[-2].seen) < SAMPLE_SECONDS:
                kept[-1] = sighting
            else:
                kept.append(sighting)

    def latest(self, scope: Scope) -> Sighting | None:
        """Return the latest report that can be read, as it came."""
        found = self._latest(scope)
        return None if found is None else found[0]

    def known(self, scope: Scope) -> KnownQuotas | None:
        """Return the latest report of a key, read; None where there was none."""
        found = self._latest(scope)
        if found is None:
            return None
        sighting, quotas = found
        age = self.clock.now().seconds_since(sighting.seen)
        return KnownQuotas(quotas, age, sighting.sent_at())

    def known_with_pace(self, scope: Scope) -> KnownQuotas | None:
        """Return the latest report with what is used per second, for which earlier ones are read.

        For displays and alerts; `known` is for whoever asks with each call.
        """
        from litellm_synthetic.quota.buckets import buckets_of  # noqa: PLC0415  # when read
        from litellm_synthetic.quota.pace import per_second  # noqa: PLC0415  # when read
        from litellm_synthetic.quota.report import parse_quotas  # noqa: PLC0415  # when read

        known = self.known(scope)
        if known is None:
            return None
        with self._lock:
            sightings = list(self._sightings.get(scope, ()))
        series: dict[str, list[tuple[datetime, Bucket]]] = {}
        for sighting in sightings:
            quotas = parse_quotas(sighting.text)
            for bucket in () if quotas is None else buckets_of(quotas):
                series.setdefault(bucket.name, []).append((sighting.sent_at(), bucket))
        paces = {name: per_second(observed) for name, observed in series.items()}
        used = {name: pace for name, pace in paces.items() if pace is not None}
        return KnownQuotas(known.quotas, known.age_seconds, known.received_at, used)

    def scopes(self) -> tuple[Scope, ...]:
        """Return every key of which a report is kept."""
        with self._lock:
            return tuple(self._sightings)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._sightings.clear()
            self._read.clear()

    def after_fork(self) -> None:
        """Make a new lock: another thread may have held it when the process forked."""
        self._lock = threading.Lock()

    def _latest(self, scope: Scope) -> tuple[Sighting, Quotas | None] | None:
        from litellm_synthetic.quota.report import (  # noqa: PLC0415  # pydantic, when read
            parse_quotas,
            read_report,
        )

        with self._lock:
            kept = self._sightings.get(scope)
            while kept:
                sighting = kept[-1]
                read = self._read.get(scope)
                if read is not None and read[0] is sighting:
                    return read
                if read_report(sighting.text) is None:
                    kept.pop()  # not a report after all: the one before stands
                    continue
                found = (sighting, parse_quotas(sighting.text))
                self._read[scope] = found
                return found
        return None


STATE: Final = QuotaState()
"""Plans as the replies of this process reported them."""

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=STATE.after_fork)
