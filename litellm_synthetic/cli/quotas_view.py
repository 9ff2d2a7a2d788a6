"""The rest of a plan: bars, one line for a status bar, and the last two weeks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.formatting import ASCII, BLOCKS
from litellm_synthetic.quota.wording import TITLES, amount, duration, gain_phrase, left_phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from litellm_synthetic.cli.quotas_history import Look
    from litellm_synthetic.cli.terminal import Line, Screen
    from litellm_synthetic.quota.buckets import Bucket
    from litellm_synthetic.quota.state import KnownQuotas

LOW_FRACTION: Final = 0.2
_HALF: Final = 0.5
_GAP: Final = "  "
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_UNKNOWN: Final = "?"
_MIN_BAR: Final = 8
_MAX_BAR: Final = 40
_PIPE_BAR: Final = 20
_MAX_HISTORY: Final = 84  # four columns a day, and half as many again
_FULL: Final = 1.0


def bars(known: KnownQuotas, screen: Screen) -> Iterator[Line]:
    """Lay out one line for each bucket, and below it what its pace leads to.

    The bar shows what is left. The mark on it is how much of the window is left: where the bar ends
    before the mark, the bucket is used faster than time passes. A bucket that comes back step by
    step has no window, and no mark.
    """
    now = known.now
    titles = max((len(TITLES[each.name]) for each in known.buckets), default=0)
    lefts = max((len(left_phrase(each)) for each in known.buckets), default=0)
    gains = max((len(_gain(each, now)) for each in known.buckets), default=0)
    for bucket in known.buckets:
        taken = titles + lefts + gains + 3 * len(_GAP)
        room = _PIPE_BAR if screen.width is None else min(screen.width - taken - 1, _MAX_BAR)
        title: Line = ((TITLES[bucket.name].ljust(titles), "bold"), _GAP)
        figures: Line = (left_phrase(bucket).ljust(lefts), _GAP, (_gain(bucket, now), "dim"))
        if room >= _MIN_BAR:
            yield (*title, *_bar(bucket, now, room, screen), _GAP, *figures)
        else:
            yield title
            narrow = min(max((screen.width or 0) - len(_GAP) - 1, _MIN_BAR), _MAX_BAR)
            yield (_GAP, *_bar(bucket, now, narrow, screen))
            yield (_GAP, *figures)
        for sentence in _pace(bucket, known):
            yield (_GAP, (sentence, "dim"))


def _gain(bucket: Bucket, now: datetime) -> str:
    # A full bucket gains nothing.
    return "" if bucket.fraction_left == _FULL else gain_phrase(bucket, now)


def _bar(bucket: Bucket, now: datetime, width: int, screen: Screen) -> Line:
    fraction = bucket.fraction_left
    full, empty, mark = ("█", "░", "│") if screen.has_glyphs else ("#", "-", "|")
    if fraction is None:
        return ((_UNKNOWN.center(width), "dim"),)
    # Rounded up: what is left is never drawn as nothing, nor a bar full that is not.
    filled = min(
        -(-int(fraction * width * 1000) // 1000), width if fraction >= _FULL else width - 1
    )
    cells = [full] * filled + [empty] * (width - filled)
    elapsed = None if bucket.is_stepwise else bucket.elapsed_fraction(now)
    at = None if elapsed is None else min(int((1 - elapsed) * width), width - 1)
    style = _style(fraction)
    before, after = "".join(cells[:at]), "".join(cells[at:][1:] if at is not None else ())
    if at is None:
        return (("".join(cells), style),)
    return ((before, style), (mark, "bold"), (after, style))


def _style(fraction: float) -> str:
    if fraction > _HALF:
        return "green"
    return "yellow" if fraction >= LOW_FRACTION else "red"


def _pace(bucket: Bucket, known: KnownQuotas) -> Iterator[str]:
    """Describe how the bucket stands against the time, where that is known."""
    elapsed = bucket.elapsed_fraction(known.now)
    if not bucket.is_stepwise and elapsed is not None and bucket.fraction_left is not None:
        yield f"{1 - bucket.fraction_left:.0%} used, {elapsed:.0%} of the time gone"
    rate = known.per_second.get(bucket.name)
    if not rate:
        return
    empty_at = known.runs_out_at(bucket)
    hourly = amount(bucket, rate * 3600)
    if empty_at is None:
        yield f"{hourly} an hour of late, which lasts"
    elif empty_at > known.now:
        left = duration((empty_at - known.now).total_seconds())
        yield f"{hourly} an hour of late: empty in {left}"


def status_line(known: KnownQuotas | None, template: str, state: str) -> str:
    """Return one line for a status bar; what is not known is `?`.

    Args:
        known: what is known of the plan.
        template: the line, with names of `fields` in braces.
        state: `fine`, `low`, `empty` or `unknown`.

    Raises:
        ValueError: the template names a field that there is not; the message lists those there are.
    """
    values = fields(known, state)

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise ValueError(f"{{{name}}} is not a field. Fields: {', '.join(values)}.")
        return values[name]

    return _PLACE.sub(value, template).strip()


def fields(known: KnownQuotas | None, state: str) -> dict[str, str]:
    """Return the fields of a status line, each as text."""
    buckets = {} if known is None else {each.name: each for each in known.buckets}
    requests = buckets.get("five_hours") or buckets.get("subscription")
    tightest = None if known is None else known.tightest
    shown = {
        "requests": requests,
        "credits": buckets.get("week"),
        "searches": buckets.get("search"),
    }
    values = {"state": state}
    for name, bucket in shown.items():
        values[f"{name}_left"] = _UNKNOWN if bucket is None else amount(bucket, bucket.remaining)
        values[f"{name}_limit"] = _UNKNOWN if bucket is None else amount(bucket, bucket.limit)
        values[f"{name}_percent"] = _percent(bucket)
    values["percent"] = _percent(tightest)
    gain = "" if known is None or tightest is None else _gain(tightest, known.now)
    values["gain"] = gain
    values["age"] = _UNKNOWN if known is None else duration(known.age_seconds)
    return values


def _percent(bucket: Bucket | None) -> str:
    fraction = None if bucket is None else bucket.fraction_left
    return _UNKNOWN if fraction is None else f"{fraction:.0%}"


def history_lines(looks: Sequence[Look], now: datetime, screen: Screen) -> Iterator[Line]:
    """Lay out a chart for each bucket: the least that was left, over the time of the looks."""
    from litellm_synthetic.quota.buckets import buckets_of

    series: dict[str, list[tuple[datetime, Bucket]]] = {}
    for look in looks:
        quotas = look.quotas
        for bucket in () if quotas is None else buckets_of(quotas):
            series.setdefault(bucket.name, []).append((look.at, bucket))
    if not series:
        yield ("Nothing is known yet: each litellm-synthetic quotas adds to it.",)
        return
    start = min(looks[0].at, now - timedelta(hours=1))
    titles = max(len(title) for title in TITLES.values())
    room = (screen.width or 80) - titles - 2 * len(_GAP) - len("least 100%")
    columns = min(max(room, _MIN_BAR), _MAX_HISTORY)
    for name, observed in series.items():
        fractions = [
            (at, left) for at, each in observed if (left := each.fraction_left) is not None
        ]
        if not fractions:
            continue
        least = min(left for _, left in fractions)
        row = _chart(fractions, start, now, columns, BLOCKS if screen.has_glyphs else ASCII)
        title = next(text for key, text in TITLES.items() if key == name)
        yield (
            (title.ljust(titles), "bold"),
            _GAP,
            (row, _style(least)),
            _GAP,
            f"least {least:.0%}",
        )
    first, last = f"{start:%Y-%m-%d %H:%M}", f"{now:%Y-%m-%d %H:%M} UTC"
    if len(first) + len(last) < columns:
        yield (" " * (titles + len(_GAP)), (f"{first}{last:>{columns - len(first)}}", "dim"))


def _chart(
    fractions: Sequence[tuple[datetime, float]],
    start: datetime,
    end: datetime,
    columns: int,
    ramp: str,
) -> str:
    span = max((end - start).total_seconds(), 1.0)
    least: list[float | None] = [None] * columns
    for at, left in fractions:
        column = min(int((at - start).total_seconds() / span * columns), columns - 1)
        if column >= 0:
            before = least[column]
            least[column] = left if before is None else min(before, left)
    # Nobody looked in a column without a figure: that is blank, and not nothing left.
    blank, empty = ramp[0], ramp[1]
    return "".join(
        blank if left is None else empty if left <= 0 else ramp[1 + round(left * (len(ramp) - 2))]
        for left in least
    )


def as_rows(known: KnownQuotas) -> list[Mapping[str, object]]:
    """Return the buckets for JSON; times are in UTC."""
    now = known.now
    rows: list[Mapping[str, object]] = []
    for bucket in known.buckets:
        runs_out_at = known.runs_out_at(bucket)
        rows.append(
            {
                "name": bucket.name,
                "unit": bucket.unit,
                "limit": bucket.limit,
                "left": bucket.remaining,
                "fraction_left": bucket.fraction_left,
                "fraction_elapsed": bucket.elapsed_fraction(now),
                "next_gain": bucket.next_gain,
                "next_gain_at": bucket.next_gain_at,
                "seconds_to_gain": bucket.seconds_to_gain(now),
                "comes_back_stepwise": bucket.is_stepwise,
                "caps_calls": bucket.caps_calls,
                "exhausted": bucket.exhausted,
                "used_per_second": known.per_second.get(bucket.name),
                "runs_out_at": runs_out_at,
            }
        )
    return rows
