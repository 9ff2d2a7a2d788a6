"""The cases: what is measured, for whom, and how many calls of it make a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from benchmarks.workload import Api, ContenderName, Served

BASELINE: Final[ContenderName] = "stock"
RIVALS: Final[tuple[ContenderName, ...]] = ("ours", "stock")
CONTENDERS: Final[tuple[ContenderName, ...]] = ("ours", "stock", "openai", "httpx", "floor")
PACE_MS: Final = 5.0
MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setup:
    """Say how a contender's process is set up; each has its own.

    Attributes:
        callbacks: how many success callbacks are registered.
        router: whether the calls go through LiteLLM's Router.
        merges: False turns merging off, by `SYNTHETIC_STREAM_MERGE=0`.
    """

    callbacks: int = 0
    router: bool = False
    merges: bool = True


PLAIN: Final = Setup()
CALLBACK: Final = Setup(callbacks=1)
ROUTER: Final = Setup(router=True)
UNMERGED: Final = Setup(merges=False)


@dataclass(frozen=True, slots=True)
class Case:
    """Describe one kind of call.

    Attributes:
        name: what it is called in the raw figures.
        title: what it is called in the report.
        served: the reply.
        batch: how many calls a contender makes when it is its turn.
        at_once: how many of them are under way at a time; needs `is_async` above 1.
        setup: of the processes of our package and of stock LiteLLM.
        contenders: who takes part.
        api: what is spoken.
        history: how many earlier messages the conversation has.
        tools: how many tools are offered.
        image_bytes: the size of an image in the question.
        saturated: whether the contender shares one core with a process that never rests.
        rest_seconds: how long to wait after each call, so that LiteLLM's logging of it does not
            slow the next.
        every: the case runs in every n-th round, beginning with the first.
    """

    name: str
    title: str
    stream: bool = False
    is_async: bool = False
    served: Served = field(default_factory=Served)
    batch: int = 10
    at_once: int = 1
    setup: Setup = PLAIN
    contenders: tuple[ContenderName, ...] = RIVALS
    api: Api = "chat"
    history: int = 0
    tools: int = 0
    image_bytes: int = 0
    saturated: bool = False
    rest_seconds: float = 0.0
    every: int = 1

    def takes_part(self, number: int) -> bool:
        """Tell whether the case is in a round, counted from 0."""
        return number % self.every == 0

    @property
    def units(self) -> int:
        """Return how many units of the report a call is: the upstream's events, or the call."""
        return self.served.events if self.stream else 1

    def as_json(self) -> dict[str, Any]:
        """Return the case as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Case:
        """Return the case that was written as JSON."""
        served, setup = Served(**fields.pop("served")), Setup(**fields.pop("setup"))
        contenders = tuple(fields.pop("contenders"))
        return cls(**fields, served=served, setup=setup, contenders=contenders)


def _both(name: str, title: str, **fields: Any) -> list[Case]:
    """Return a case once for sync and once for async calls."""
    return [
        Case(f"{name}-sync", f"{title}, sync", **fields),
        Case(f"{name}-async", f"{title}, async", is_async=True, **fields),
    ]


_CALL: Final[dict[str, Any]] = {"batch": 25}
_BURST: Final[dict[str, Any]] = {"stream": True, "served": Served(), "batch": 4}
_ALONE: Final[dict[str, Any]] = {
    "stream": True,
    "served": Served(events=100, pace_ms=PACE_MS),
    "batch": 1,
}
_FIFTY: Final[dict[str, Any]] = {
    **_ALONE, "is_async": True, "batch": 50, "at_once": 50, "every": 2,
}  # fmt: skip  # one table, read as one
# Stock LiteLLM takes over ten seconds for each.
_LONG: Final[dict[str, Any]] = {"stream": True, "batch": 1, "every": 4}
_WITH_CALLBACK: Final[dict[str, Any]] = {"setup": CALLBACK}
_LONG_EVENTS: Final = 10_000

CASES: Final[tuple[Case, ...]] = (
    *_both("call", "plain call", contenders=CONTENDERS, **_CALL),
    *_both("burst", "200 events in a burst", contenders=CONTENDERS[:-1], **_BURST),
    *_both("burst-unmerged", "the same, SYNTHETIC_STREAM_MERGE=0", setup=UNMERGED, **_BURST),
    *_both("alone", "100 events, 5 ms apart", **_ALONE),
    Case("alone-50", "the same, 50 streams at once, async", **_FIFTY),
    *_both("call-callback", "plain call, callback", **_CALL, **_WITH_CALLBACK),
    *_both("burst-callback", "200 events in a burst, callback", **_BURST, **_WITH_CALLBACK),
    *_both("alone-callback", "100 events, 5 ms apart, callback", **_ALONE, **_WITH_CALLBACK),
    Case("alone-50-callback", "50 streams, callback, async", **_FIFTY, **_WITH_CALLBACK),
    *_both("call-router", "plain call, Router", **_CALL, setup=ROUTER),
    *_both("burst-router", "200 events in a burst, Router", setup=ROUTER, **_BURST),
    *_both("messages", "completion over the Messages API, 200 events", api="messages", **_BURST),
    Case(
        "native", "native message, 200 events", is_async=True, api="native",
        **{**_BURST, "batch": 12},
    ),
    *_both("image", "plain call, 8 MiB image", image_bytes=8 * MEBIBYTE, batch=2),
    *_both(
        "first", "first chunk", stream=True, served=Served(events=3, pace_ms=PACE_MS), batch=12,
        rest_seconds=0.02, contenders=("ours", "stock", "httpx"),
    ),
    *_both("long-text", "10,000 events of text", served=Served(events=_LONG_EVENTS), **_LONG),
    *_both(
        "long-arguments", "10,000 pieces of arguments", tools=1,
        served=Served("arguments", events=_LONG_EVENTS), **_LONG,
    ),
    Case(
        "saturated-50", "50 streams on one saturated core, async", stream=True, is_async=True,
        served=Served(events=100), batch=50, at_once=50, saturated=True, every=2,
    ),
    Case(
        "saturated-50-paced", "the same, 5 ms apart", stream=True, is_async=True,
        served=Served(events=100, pace_ms=PACE_MS), batch=50, at_once=50, saturated=True, every=2,
    ),
)  # fmt: skip  # one table, read as one
CASE_BY_NAME: Final = {case.name: case for case in CASES}
QUICK_NAMES: Final = (
    "call-sync", "call-async", "burst-sync", "burst-async", "burst-unmerged-sync",
    "burst-unmerged-async", "alone-sync", "alone-async", "alone-50", "messages-async", "native",
)  # fmt: skip  # one list, read as one
