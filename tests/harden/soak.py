"""A soak: every kind of call, from threads and many event loops, with faults; and its ledger.

What becomes of a call follows from its id, so that the upstream and the caller agree on it without
a word: both look it up in `Plan.of`.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from litellm_synthetic.transport import pool
from tests.harden.entry_points import (
    INPUTS,
    MODEL,
    VECTOR_MODEL,
    chat_answer,
    chunks_answer,
    message_pieces_answer,
)
from tests.harden.harness import Ears, LoopThread, have_callbacks
from tests.harden.replies import (
    DONE,
    STREAMS,
    chat_document,
    chunk,
    embedding_document,
    encoded,
    event,
    head,
    message_document,
    sized,
    text_document,
)
from tests.harden.upstream import CUT, RESET, STALL, THREAD_PREFIX, RawUpstream, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.harden.upstream import Request, Script

TOKEN: Final = "soak"
FAULT_SHARE: Final = 0.05
_GENEROUS_SECONDS: Final = 120.0
_STALLED_SECONDS: Final = 1.0
_THREADS: Final = 4
_TASKS: Final = 10
SETTLE_SECONDS: Final = 120.0

Fate = Literal["answered", "failed", "cancelled", "left"]
# What the upstream does to every attempt of a call that it fails, and what that has to become.
FAULTS: Final[dict[str, type[Exception] | tuple[type[Exception], ...]]] = {
    "reset": litellm.APIConnectionError,
    "cut headers": litellm.APIConnectionError,
    "cut body": litellm.APIConnectionError,
    "reset body": litellm.APIConnectionError,
    "500": litellm.InternalServerError,
    "503": litellm.ServiceUnavailableError,
    "401": litellm.AuthenticationError,
    "cap": litellm.RateLimitError,
    "overflow": litellm.ContextWindowExceededError,
    # A page in a stream's place has no event in it, as if it had been cut.
    "garbage": (litellm.APIError, litellm.APIConnectionError),
    "stall": litellm.Timeout,
    "stalled body": litellm.Timeout,
}
# What is called with a short limit.
STALLS: Final = ("stall", "stalled body")
# What passes at the second attempt, where there is one.
PASSING: Final = ("reset", "cut headers", "500", "503")
KINDS: Final = (
    "chat", "chat", "chat_stream", "chat_stream", "text", "embedding", "over_messages",
    "over_messages_stream", "native", "native_stream",
)  # fmt: skip  # one list, read as one
_SYNC_KINDS: Final = tuple(kind for kind in KINDS if not kind.startswith("native"))


@dataclass(frozen=True)
class Plan:
    """What is to become of a call.

    Attributes:
        fault: what the upstream does, "" for an answer.
        passes: whether only the first attempt is failed.
        leave: whether the reader leaves the stream after its first piece.
        cancel_after: pieces of the event loop's work after which the call is cancelled.
    """

    number: int
    kind: str
    fault: str = ""
    passes: bool = False
    leave: bool = False
    drops: bool = False
    cancel_after: int | None = None

    @classmethod
    def of(cls, number: int, kinds: tuple[str, ...], *, may_cancel: bool) -> Plan:
        dice = random.Random(number)  # noqa: S311  # the same on both sides
        kind = dice.choice(kinds)
        fault = dice.choice(list(FAULTS)) if dice.random() < FAULT_SHARE else ""
        return cls(
            number,
            kind,
            fault,
            passes=fault in PASSING and dice.random() < 0.5,
            leave=not fault and kind.endswith("_stream") and dice.random() < 0.1,
            drops=dice.random() < 0.5,
            cancel_after=dice.randrange(40) if may_cancel and dice.random() < 0.1 else None,
        )

    @property
    def answer(self) -> str:
        return f"The answer to {self.number} is {self.number * 7}."

    @property
    def call_id(self) -> str:
        return f"{TOKEN}{self.number}"


@dataclass
class Entry:
    """What became of a call."""

    plan: Plan
    fate: Fate
    error: BaseException | None = None
    text: str | None = None
    pieces: int = 0
    """How much of a stream came before it was left or cancelled."""


@dataclass
class Ledger:
    """Every call that was made, on both sides."""

    entries: dict[int, Entry] = field(default_factory=dict)
    begun: Counter[int] = field(default_factory=Counter)
    received: Counter[int] = field(default_factory=Counter)
    delivered: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, entry: Entry) -> None:
        with self.lock:
            if entry.plan.number in self.entries:
                raise AssertionError(f"two outcomes of {entry.plan}")
            self.entries[entry.plan.number] = entry

    def summary(self, ears: Ears) -> str:
        fates = Counter(entry.fate for entry in self.entries.values())
        billed, failed = (
            sum(told[entry.plan.call_id] for entry in self.entries.values())
            for told in (ears.successes, ears.failures)
        )
        return (
            f"{len(self.begun)} calls: "
            + ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
            + f"; {sum(self.received.values())} requests received, "
            f"{sum(self.delivered.values())} answers delivered; "
            f"{billed} calls billed, {failed} failures told"
        )


class Upstream:
    """Answer as the plans say."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.plans: dict[int, Plan] = {}

    def respond(self, request: Request) -> Script:
        number = _number_in(request)
        plan = self.plans[number]
        with self._ledger.lock:
            self._ledger.received[number] += 1
            attempt = self._ledger.received[number]
        if plan.fault and not (plan.passes and attempt > 1):
            yield from _fault(plan)
        else:
            yield from _answer(plan)
            with self._ledger.lock:
                self._ledger.delivered[number] += 1


def _number_in(request: Request) -> int:
    document = json.loads(request.body)
    texts = document.get("messages", [{}])[-1].get("content") or document.get("prompt")
    text = texts if isinstance(texts, str) else document.get("input", [None])[0]
    if not isinstance(text, str):
        text = texts[0]["text"]
    return int(text.rpartition(" ")[2])


def _kind_on_wire(plan: Plan) -> str:
    if plan.kind.startswith(("over_messages", "native")):
        return "message_stream" if plan.kind.endswith("_stream") else "message"
    return plan.kind


def _fault(plan: Plan) -> Iterator[Any]:
    kind = _kind_on_wire(plan)
    errors = {
        "500": (b"500 Internal Server Error", {"error": "Error from inference backend: busy"}),
        "503": (b"503 Unavailable", {"error": "busy"}),
        "401": (b"401 Unauthorized", {"error": "Invalid API Key."}),
        "cap": (b"429 Too Many", {"error": "You've exceeded your subscription rate limits."}),
        "overflow": (b"400 Bad", {"error": "maximum context length is 10 tokens"}),
    }
    if plan.fault in errors:
        status, document = errors[plan.fault]
        yield sized(kind, encoded(document), status=status)
        return
    if plan.fault == "garbage":
        yield sized(kind, b"<html>busy</html>")
        return
    if plan.fault == "cut headers":
        yield from (b"HTTP/1.1 200 OK\r\ncontent-", CUT)
    if plan.fault in ("reset", "stall"):
        yield RESET if plan.fault == "reset" else STALL
    body = _body(plan)
    yield head(kind, b"content-length: %d" % len(body)) + body[: len(body) // 3]
    yield pause(0.02)
    yield {"cut body": CUT, "reset body": RESET, "stalled body": STALL}[plan.fault]


def _answer(plan: Plan) -> Iterator[Any]:
    kind = _kind_on_wire(plan)
    body = _body(plan)
    if not kind.endswith("_stream"):
        yield sized(kind, body)
        return
    yield head(kind, b"transfer-encoding: chunked")
    for at in range(0, len(body), 700):
        yield chunk(body[at : at + 700])
        yield pause(0.001)
    yield b"0\r\n\r\n"


def _body(plan: Plan) -> bytes:
    kind, text = _kind_on_wire(plan), plan.answer
    if kind == "embedding":
        document: Any = embedding_document()
        document["data"][0]["embedding"] = [float(plan.number)]
        return encoded(document)
    if kind == "text":
        document = text_document()
        document["choices"][0]["text"] = text
        return encoded(document)
    if kind == "chat":
        document = chat_document()
        document["choices"][0]["message"]["content"] = text
        return encoded(document)
    if kind == "message":
        document = message_document()
        document["content"][1]["text"] = text
        return encoded(document)
    if kind == "message_stream":
        events = STREAMS[kind]
        deltas = [
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "text_delta", "text": one},
            }
            for one in _pieces(text)
        ]
        kept = [one for one in events if one.get("delta", {}).get("type") != "text_delta"]
        at = next(i for i, one in enumerate(kept) if one.get("content_block", {}).get("text") == "")
        return b"".join(map(event, [*kept[: at + 1], *deltas, *kept[at + 1 :]]))
    chunks = STREAMS["chat_stream"]
    begin, end = chunks[:2], chunks[-2:]
    middle = [
        {**chunks[0], "choices": [{"index": 0, "delta": {"content": one}, "finish_reason": None}]}
        for one in _pieces(text)
    ]
    return b"".join(map(event, [*begin, *middle, *end])) + DONE


def _pieces(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


class Soak:
    """Make calls for a while, and draw up the balance."""

    def __init__(self, upstream: RawUpstream, seconds: float) -> None:
        self._raw = upstream
        self._seconds = seconds
        self._until = 0.0
        self._numbers = itertools.count(1)
        self.ledger = Ledger()
        self.ears = Ears()
        self._scripted = Upstream(self.ledger)
        self._loop = LoopThread()
        self.growth: dict[str, Any] = {}
        upstream.register(TOKEN, self._scripted.respond)

    # ---- calls

    def _planned(self, kinds: tuple[str, ...], *, may_cancel: bool = False) -> Plan:
        plan = Plan.of(next(self._numbers), kinds, may_cancel=may_cancel)
        self._scripted.plans[plan.number] = plan
        with self.ledger.lock:
            self.ledger.begun[plan.number] += 1
        return plan

    def _arguments(self, plan: Plan) -> dict[str, Any]:
        over_messages = plan.kind.startswith(("over_messages", "native"))
        path = "anthropic/v1" if over_messages else "openai/v1"
        stalls = plan.fault in STALLS
        question = f"Answer number {plan.number}"
        arguments: dict[str, Any] = {
            "model": VECTOR_MODEL if plan.kind == "embedding" else MODEL,
            "api_base": f"{self._raw.base(TOKEN, path)}",
            "timeout": _STALLED_SECONDS if stalls else _GENEROUS_SECONDS,
            "max_retries": 1 if plan.passes else 0,
            "litellm_call_id": plan.call_id,
        }
        if plan.kind == "embedding":
            return {**arguments, "input": [question, *INPUTS[1:]]}
        if plan.kind == "text":
            return {**arguments, "prompt": question}
        arguments["messages"] = [{"role": "user", "content": question}]
        if over_messages:
            arguments["max_tokens"] = 64
        if plan.kind.endswith("_stream"):
            arguments["stream"] = True
        return arguments

    def _call(self, plan: Plan) -> Entry:
        function = {"text": litellm.text_completion, "embedding": litellm.embedding}.get(
            plan.kind, litellm.completion
        )
        try:
            made: Any = function(**self._arguments(plan))
            if not plan.kind.endswith("_stream"):
                return Entry(plan, "answered", text=_text(plan, made))
            if plan.leave:
                next(iter(made))
                if not plan.drops:
                    made.close()
                return Entry(plan, "left", pieces=1)
            return Entry(plan, "answered", text=_text(plan, list(made)))
        except Exception as error:  # noqa: BLE001  # judged with the balance
            return Entry(plan, "failed", error)

    async def _acall(self, plan: Plan) -> Entry:
        pieces: list[Any] = []
        function: Any = {
            "text": litellm.atext_completion,
            "embedding": litellm.aembedding,
            "native": litellm.anthropic_messages,
            "native_stream": litellm.anthropic_messages,
        }.get(plan.kind, litellm.acompletion)
        try:
            made: Any = await function(**self._arguments(plan))
            if not plan.kind.endswith("_stream"):
                return Entry(plan, "answered", text=_text(plan, made))
            if plan.leave:
                pieces.append(await anext(aiter(made)))
                if not plan.drops:
                    await made.aclose()
                return Entry(plan, "left", pieces=1)
            async for one in made:
                pieces.append(one)  # noqa: PERF401  # kept when the call is cancelled
            return Entry(plan, "answered", text=_text(plan, pieces))
        except asyncio.CancelledError:
            return Entry(plan, "cancelled", pieces=len(pieces))
        except Exception as error:  # noqa: BLE001  # judged with the balance
            return Entry(plan, "failed", error)

    # ---- actors

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until

    def _thread(self) -> None:
        while self._goes_on():
            self.ledger.note(self._call(self._planned(_SYNC_KINDS)))

    async def _task(self) -> None:
        while self._goes_on():
            plan = self._planned(KINDS, may_cancel=True)
            work = asyncio.ensure_future(self._acall(plan))
            if plan.cancel_after is not None:
                for _ in range(plan.cancel_after):
                    await asyncio.sleep(0.001)
                work.cancel()
            try:
                self.ledger.note(await work)
            except asyncio.CancelledError:  # before its first step
                self.ledger.note(Entry(plan, "cancelled"))

    async def _tasks(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(_TASKS):
                group.create_task(self._task())

    def _short_loops(self) -> None:
        """Use many event loops, each for a few calls; some are closed without a word."""
        for number in itertools.count():
            if not self._goes_on():
                return
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._few())
                if number % 3:
                    _end_tasks(loop)
                    loop.run_until_complete(loop.shutdown_asyncgens())
                else:
                    _end_tasks(loop)
            finally:
                loop.close()

    async def _few(self) -> None:
        plans = [self._planned(KINDS) for _ in range(3)]
        for entry in await asyncio.gather(*map(self._acall, plans)):
            self.ledger.note(entry)

    # ---- the run

    def run(self) -> list[str]:
        """Soak, and return what is wrong with the balance."""
        have_callbacks(self.ears)
        try:
            self._for(min(self._seconds / 4, 5.0))  # warms everything up
            before = self._settled()
            self._for(self._seconds)
            after = self._settled()
        finally:
            have_callbacks()
        self.growth = {name: (before[name], after[name]) for name in before}
        threads = sorted(_own_threads())
        complaints = _balance(self.ledger, self.ears)
        for name, (first, last) in self.growth.items():
            if last > first:
                complaints.append(f"{name}: {first} before, {last} afterwards; threads {threads}")
        self._loop.close()
        return complaints

    def _for(self, seconds: float) -> None:
        """Soak with one event loop that lives long, then with many that do not.

        Not with both at once: LiteLLM has one worker for its callbacks, which follows the loop that
        it was called on last, and loses calls where two take turns.
        """
        self._until = time.monotonic() + seconds * 2 / 3
        tasks = self._loop.submit(self._tasks())
        self._beside_threads(tasks.result)
        self._loop.submit(_quiet()).result(SETTLE_SECONDS)
        self._until = time.monotonic() + seconds / 3
        self._beside_threads(self._short_loops)

    def _beside_threads(self, work: Callable[[], None]) -> None:
        threads = [
            threading.Thread(target=self._thread, name=f"soak-{at}") for at in range(_THREADS)
        ]
        for one in threads:
            one.start()
        work()
        for one in threads:
            one.join()

    def _settled(self) -> dict[str, int]:
        """Count what is open with nothing in flight, while the long loop lives."""
        gc.collect()
        self._loop.submit(_quiet()).result(SETTLE_SECONDS)
        self._wait_for_callbacks()
        in_use = self._loop.submit(_in_use()).result(SETTLE_SECONDS)
        # Connections that nobody uses are kept for a while; closing them is what is documented.
        pool.retire_connections()
        self._loop.submit(_quiet()).result(SETTLE_SECONDS)
        gc.collect()
        _wait_until(lambda: self._raw.counts.live == 0)
        _wait_until(lambda: not _ending_threads())
        return {
            "places of the pool in use": in_use,
            "connections at the upstream": self._raw.counts.live,
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "tasks": self._loop.submit(_count_tasks()).result(SETTLE_SECONDS),
            "threads": len(_own_threads()),
            "event loops that the pool knows": len(pool._loops),  # noqa: SLF001  # has no public face
        }

    def _wait_for_callbacks(self) -> None:
        def heard() -> bool:
            return all(
                self.ears.successes[one.plan.call_id] + self.ears.failures[one.plan.call_id]
                for one in self.ledger.entries.values()
                if one.fate in ("answered", "failed") or one.pieces
            )

        with self.ears.changed:
            self.ears.changed.wait_for(heard, SETTLE_SECONDS)


def _text(plan: Plan, made: Any) -> str | None:
    if plan.kind == "embedding":
        return Plan(int(made.data[0]["embedding"][0]), plan.kind).answer
    if plan.kind == "text":
        return str(made.choices[0].text)
    if plan.kind == "native":
        return "".join(one.get("text", "") for one in made["content"])
    if plan.kind == "native_stream":
        return message_pieces_answer(made).text
    return (chunks_answer(made) if plan.kind.endswith("_stream") else chat_answer(made)).text


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let LiteLLM's work on a loop end: it would be lost with the loop, whatever the provider."""
    loop.run_until_complete(GLOBAL_LOGGING_WORKER.flush())
    others = asyncio.all_tasks(loop)
    for one in others:
        one.cancel()
    if others:
        loop.run_until_complete(asyncio.wait(others))


async def _quiet() -> None:
    """Let the event loop do what is due."""
    await GLOBAL_LOGGING_WORKER.flush()
    for _ in range(50):
        await asyncio.sleep(0.002)


async def _in_use() -> int:
    held = pool._loops.get(asyncio.get_running_loop())  # noqa: SLF001  # has no public face
    ways: list[Any] = [] if held is None else [*held.ways.values(), *held.retired]
    return sum(getattr(way, "_in_use", 0) for way in ways)


async def _count_tasks() -> int:
    return len(asyncio.all_tasks())


def _own_threads() -> list[str]:
    """Return the threads that are not of a pool of LiteLLM's, which keeps its own."""
    names = [one.name for one in threading.enumerate()]
    foreign = ("ThreadPoolExecutor", "litellm-logging", "asyncio_", THREAD_PREFIX, "harden")
    return [name for name in names if not name.startswith(foreign)]


def _ending_threads() -> list[str]:
    """Return the threads in which LiteLLM tells of failed sync streams, one for each."""
    return [one.name for one in threading.enumerate() if "failure_handler" in one.name]


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + SETTLE_SECONDS
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)


def _balance(ledger: Ledger, ears: Ears) -> list[str]:
    complaints = list(ears.leaks)
    if set(ledger.begun) != set(ledger.entries):
        complaints.append(
            f"calls without an end: {sorted(set(ledger.begun) - set(ledger.entries))[:9]}"
        )
    unknown = set(ledger.received) - set(ledger.begun)
    if unknown:
        complaints.append(f"requests that nobody made: {unknown}")
    for entry in ledger.entries.values():
        complaints += [f"{entry.plan}: {text}" for text in _unbalanced(entry, ledger, ears)]
    return complaints


def _unbalanced(entry: Entry, ledger: Ledger, ears: Ears) -> list[str]:
    plan, fate = entry.plan, entry.fate
    received = ledger.received[plan.number]
    complaints = []
    if fate == "answered":
        if entry.text != plan.answer:
            complaints.append(f"answered {entry.text!r}")
        if plan.fault and not plan.passes:
            complaints.append("answered, though every attempt failed")
    elif fate == "failed":
        complaints += _wrongly_failed(entry)
    wanted = 2 if plan.passes else 1
    # On a busy machine a short limit may pass before anything was sent.
    may_be_unsent = plan.fault in STALLS and fate == "failed"
    if received > wanted or (
        received < wanted and fate in ("answered", "failed") and not may_be_unsent
    ):
        complaints.append(f"{fate}, and was received {received} times")
    return complaints + _wrongly_told(entry, ears)


def _wrongly_told(entry: Entry, ears: Ears) -> list[str]:
    """Compare how often callbacks were told of a call with how often they have to be."""
    call_id = entry.plan.call_id
    told = (ears.successes[call_id], ears.failures[call_id])
    if entry.fate == "answered" or entry.pieces:  # what came is paid for
        right = [(1, 0)]
    elif entry.fate == "failed":
        right = [(0, 1)]
    else:  # cancelled before its reader had anything: it may have been answered, or not
        right = [(0, 0), (1, 0), (0, 1)]
    if told in right:
        return []
    return [f"{entry.fate}, but was billed {told[0]} times, and {told[1]} failures were told"]


def _wrongly_failed(entry: Entry) -> list[str]:
    plan, error = entry.plan, entry.error
    if not plan.fault or plan.passes:
        return [f"failed without a fault: {error!r:.300}"]
    # LiteLLM wraps what breaks an async stream under way, for its Router.
    inner = getattr(error, "original_exception", None)
    if not isinstance(inner or error, FAULTS[plan.fault]):
        return [f"failed with {error!r:.300}"]
    return []
