"""Run cases over entry points: many at once, watched, and judged."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import itertools
import logging
import math
import sys
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotEndedError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from litellm_synthetic.transport import pool
from litellm_synthetic.transport.retries import DEFAULT_MAX_RETRIES
from tests.harden.cases import Case, Reply
from tests.harden.entry_points import (
    ENTRY_POINTS,
    Answer,
    EntryPoint,
    InStreamError,
    Target,
    renew_client,
    vectors_text,
)
from tests.harden.replies import TEXT, VECTORS, sized
from tests.harden.secrets import has_secret, places_in_answer, places_in_call, places_in_error

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from tests.harden.upstream import RawUpstream

WATCHDOG_SECONDS: Final = 240.0
"""What no case takes, however busy the machine; a call that does hangs."""
_THREADS: Final = 24
TOKEN: Final = "case"
"""How the id of a call of ours begins.

LiteLLM gives a search an id of its own, and tells twice of one that fails, whatever the provider.
"""
_LOGGERS: Final = (
    "", "LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "litellm_synthetic", "asyncio", "urllib3",
    "aiohttp.client", "httpx",
)  # fmt: skip  # one list, read as one


# Where an error is work that failed behind a caller's back: a callback that heard nothing, a task
# that nobody awaited.
_WATCHED: Final = ("LiteLLM", "litellm_synthetic", "asyncio", "aiohttp")
# LiteLLM's translation to Messages logs an error of a stream, and sends it as an event.
_TOLD_TO_THE_CALLER: Final = "Anthropic Adapter - mid-stream error"


class Ears(CustomLogger):
    """Count what LiteLLM tells callbacks of each call, and look for the secret in it."""

    def __init__(self) -> None:
        super().__init__()
        self.successes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.costs: dict[str, Any] = {}
        self.leaks: list[str] = []
        self.changed = threading.Condition()

    def _hear(self, counter: Counter[str], what: str, kwargs: Any, response: Any) -> None:
        identifier = str(kwargs.get("litellm_call_id"))
        places = places_in_call(kwargs, response)
        with self.changed:
            counter[identifier] += 1
            self.leaks += [f"{what} callback of {identifier}: {place}" for place in places]
            self.costs[identifier] = kwargs.get("response_cost")
            self.changed.notify_all()

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        del model, messages
        self.leaks += [f"pre-call callback: {place}" for place in places_in_call(kwargs, None)]

    def log_post_api_call(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del start_time, end_time
        places = places_in_call(kwargs, response_obj)
        self.leaks += [f"post-call callback: {place}" for place in places]

    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del start_time, end_time
        self._hear(self.successes, "success", kwargs, response_obj)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del start_time, end_time
        self._hear(self.successes, "success", kwargs, response_obj)

    def log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del start_time, end_time
        self._hear(self.failures, "failure", kwargs, response_obj)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        del start_time, end_time
        self._hear(self.failures, "failure", kwargs, response_obj)


def have_callbacks(*callbacks: CustomLogger) -> None:
    """Have LiteLLM tell these callbacks and no others.

    It takes one of each class: another test's, left in the lists that it fills from
    `litellm.callbacks`, would stand in the way.
    """
    for name in (
        "input_callback", "success_callback", "failure_callback", "_async_success_callback",
        "_async_failure_callback",
    ):  # fmt: skip  # one list, read as one
        setattr(litellm, name, [])
    litellm.callbacks = [*callbacks]


class Overheard(logging.Handler):
    """Read every log record: for the secret, and for work that failed behind a caller's back."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self.failures: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001  # a record that cannot be written is a finding
            self.failures.append(f"{record.name}: {record.msg!r} cannot be written: {error!r}")
            return
        # At DEBUG httpcore writes down the reply as it came, which is what that is for.
        if has_secret(text) and not record.name.startswith("httpcore"):
            self.leaks.append(f"log of {record.name} at {record.levelname}: {text[:300]}")
        is_told = str(record.msg).startswith(_TOLD_TO_THE_CALLER)
        if record.levelno >= logging.ERROR and record.name.startswith(_WATCHED) and not is_told:
            self.failures.append(f"{record.name}: {text[-1500:]}")


class LoopThread:
    """Keep one event loop alive, as a service does."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="harden-loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await self.loop.shutdown_asyncgens()

        self.submit(end()).result(WATCHDOG_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _turn() -> None:
    """Let an event loop see what has come."""
    for _ in range(3):
        await asyncio.sleep(0)


def _is_broken(error: BaseException | None) -> bool:
    return isinstance(error, litellm.APIConnectionError)


@dataclass
class Outcome:
    """How one call over one entry ended."""

    entry: EntryPoint
    call_id: str
    answer: Answer | None = None
    error: BaseException | None = None
    has_ended: bool = True
    sent: int = 0


Begun = tuple[EntryPoint, str, Future[Any]]
"""A call under way: over which entry, by which id."""


def right_text(kind: str) -> str:
    if kind == "embedding":
        return vectors_text(VECTORS)
    return "known" if kind == "quotas" else TEXT


class Harness:
    """Hold what the cases of a run share."""

    def __init__(self, upstream: RawUpstream) -> None:
        self.upstream = upstream
        self.loop = LoopThread()
        self.pool = ThreadPoolExecutor(_THREADS, "harden-call")
        self.ears = Ears()
        self.overheard = Overheard()
        self._numbers = itertools.count()
        self._undo: list[tuple[logging.Logger, int, list[logging.Handler]]] = []

    def listen(self) -> None:
        """Put our ears into LiteLLM and into logging."""
        have_callbacks(self.ears)
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            self._undo.append((logger, logger.level, logger.handlers[:]))
            # LiteLLM's own handlers print; ours is on the root as well, so each record once.
            logger.handlers = [] if logger.propagate and name else [self.overheard]

    @staticmethod
    def hear_from(level: int) -> None:
        """Set what is logged; all of it costs more than the calls do."""
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(level)

    def stop_listening(self) -> None:
        while self._undo:
            logger, level, handlers = self._undo.pop()
            logger.setLevel(level)
            logger.handlers = handlers

    def close(self) -> None:
        self.stop_listening()
        self.pool.shutdown()
        self.loop.close()

    def run(self, case: Case, entry_points: Sequence[EntryPoint]) -> list[Outcome]:
        """Make one call over each entry, all at once, and wait until they have ended."""
        if case.max_retries:
            # An attempt on a connection that an earlier case ended is none that the server counts.
            pool.retire_connections()
            renew_client()
        outcomes = self.end(self.begin(case, entry_points))
        # A call may take over a connection just before the script of another closes it, which HTTP
        # cannot prevent. The upstream has not seen such a call, so it says nothing of the case.
        unseen = [one.entry for one in outcomes if not one.sent and _is_broken(one.error)]
        if not unseen:
            return outcomes
        return [one for one in outcomes if one.entry not in unseen] + self.end(
            self.begin(case, unseen)
        )

    def begin(self, case: Case, entry_points: Sequence[EntryPoint]) -> list[Begun]:
        """Make one call over each entry, and wait for none."""
        return [self._begin(case, entry) for entry in entry_points]

    def end(self, begun: Sequence[Begun]) -> list[Outcome]:
        """Wait until calls have ended, and what their scripts do to connections has come."""
        outcomes = [self._end(*one) for one in begun]
        for one in outcomes:
            self.upstream.wait_until_played(one.call_id, WATCHDOG_SECONDS / 4)
        self.loop.submit(_turn()).result(WATCHDOG_SECONDS)
        return outcomes

    def _begin(self, case: Case, entry: EntryPoint) -> Begun:
        token = f"{TOKEN}{next(self._numbers)}"
        reply = Reply(entry.kind)
        self.upstream.register(token, lambda _: case.build(reply))
        target = Target(
            self.upstream.base(token, "").rstrip("/"),
            case.timeout_seconds,
            token,
            case.max_retries,
        )
        if entry.is_async:
            return entry, token, self.loop.submit(entry.call(target))
        return entry, token, self.pool.submit(entry.call, target)

    def _end(self, entry: EntryPoint, token: str, future: Future[Any]) -> Outcome:
        outcome = Outcome(entry, token)
        try:
            outcome.answer = future.result(WATCHDOG_SECONDS)
        except NotEndedError as error:
            # Since Python 3.11 this is TimeoutError, which a call may raise as well.
            outcome.error = error
            outcome.has_ended = future.done()
        except BaseException as error:  # noqa: BLE001  # every way to end is judged
            outcome.error = error
        if not outcome.has_ended:
            faulthandler.dump_traceback(sys.__stderr__ or io.StringIO())
        outcome.sent = len(self.upstream.requests(token))
        self.upstream.forget(token)
        return outcome

    def judge(self, case: Case, outcomes: Sequence[Outcome]) -> list[str]:
        """Return what is wrong with how a case ended; nothing if all is well."""
        complaints = []
        for one in outcomes:
            complaints += [f"{one.entry.name}: {text}" for text in _judged(case, one)]
        complaints += self._unheard(outcomes) + self._mispriced(outcomes)
        with self.ears.changed:
            complaints += self.ears.leaks
            self.ears.leaks.clear()
        complaints += self.overheard.leaks + self.overheard.failures
        self.overheard.leaks.clear()
        self.overheard.failures.clear()
        return complaints

    def _unheard(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Wait until callbacks have heard of each call, and return of which they did not."""
        logged = [one for one in outcomes if one.entry.is_logged and one.has_ended]

        def heard(one: Outcome) -> bool:
            counter = self.ears.failures if one.answer is None else self.ears.successes
            return counter[one.call_id] > 0

        with self.ears.changed:
            self.ears.changed.wait_for(lambda: all(map(heard, logged)), WATCHDOG_SECONDS / 2)
            return [
                f"{one.entry.name}: no callback heard of it" for one in logged if not heard(one)
            ]

    def _mispriced(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Return which calls were billed with what is no price."""
        costs = {one.entry.name: self.ears.costs.get(one.call_id) for one in outcomes}
        return [
            f"{name}: costs {cost!r}"
            for name, cost in costs.items()
            if cost is not None and not 0 <= cost < math.inf
        ]

    def canaries(self, after: Case) -> list[str]:
        """Make plain good calls on the connections that a case may have poisoned."""
        good = _good("a canary")
        if after.leaves_bytes:
            renew_client()
        chosen = [one for one in ENTRY_POINTS if one.name in _CANARIES]
        outcomes = self.run(good, chosen)
        return [f"afterwards, {text}" for text in self.judge(good, outcomes)]

    def warm_up(self) -> None:
        """Have everything imported that a first call imports, which may take its whole limit."""
        good = _good("the first")
        self._unheard(self.run(good, ENTRY_POINTS))

    def settle(self) -> None:
        """Wait until LiteLLM's background work is done."""
        self.loop.submit(GLOBAL_LOGGING_WORKER.flush()).result(WATCHDOG_SECONDS)

    def miscounted(self) -> list[str]:
        """Return of which calls callbacks were told twice, or two different things."""
        with self.ears.changed:
            told = self.ears.successes + self.ears.failures
            return [
                f"callbacks were told {count} times of {one}"
                for one, count in told.items()
                if count > 1 and one.startswith(TOKEN)
            ]


def _good(name: str) -> Case:
    return Case(name, lambda reply: [sized(reply.kind, reply.body)], "answer")


_CANARIES: Final = ("chat sync", "chat stream sync", "chat async", "client= sync")


def _judged(case: Case, one: Outcome) -> list[str]:
    if not one.has_ended:
        return [f"has not ended after {WATCHDOG_SECONDS:g} s"]
    complaints = []
    if one.error is not None:
        if not (isinstance(one.error, InStreamError) and one.entry.is_translated):
            complaints += _misbehaved(one.error)
        complaints += [f"the key is in {place}" for place in places_in_error(one.error)]
    if one.answer is not None:
        complaints += [f"the key is in {place}" for place in places_in_answer(one.answer.raw)]
    if one.entry.kind == "search":  # takes no max_retries
        wrong = one.sent > 1 + DEFAULT_MAX_RETRIES
    elif case.max_retries and one.entry.is_routed:  # a Router repeats calls itself, ours does not
        wrong = one.sent != 1
    elif case.max_retries:
        wrong = one.sent != case.attempts
    else:
        wrong = one.sent > case.attempts
    if wrong:
        complaints.append(f"was sent {one.sent} times, not {case.attempts}")
    return complaints + _astray(case, one)


def _misbehaved(error: BaseException) -> list[str]:
    kind = type(error)
    if kind.__module__ != "litellm.exceptions":
        return [f"raised {kind.__module__}.{kind.__qualname__}: {str(error)[:300]}"]
    complaints = []
    if getattr(error, "llm_provider", None) != "synthetic":
        complaints.append(f"names {getattr(error, 'llm_provider', None)!r} as the provider")
    text = str(error)
    try:
        text.encode()
    except UnicodeEncodeError:
        complaints.append("its text cannot be written")
    if len(text) > 5000:
        complaints.append(f"its text has {len(text)} characters")
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or not 400 <= status < 600:
        complaints.append(f"has the status {status!r}")
    if any(ord(one) < 32 and one not in "\n\t" for one in text):
        complaints.append(f"its text has control characters: {text[:200]!r}")
    return complaints


def _insane(answer: Answer) -> list[str]:
    """Return what a program that trusts LiteLLM's types would trip over."""
    complaints = []
    if not isinstance(answer.text, str | None):
        complaints.append(f"answered a text that is {type(answer.text).__name__}")
    if not isinstance(answer.finish, str | None):
        complaints.append(f"answered the finish reason {answer.finish!r:.100}")
    complaints += [
        f"answered the tool call {call!r:.200}"
        for call in answer.calls
        if not all(isinstance(part, str) for part in call)
    ]
    if answer.usage is not None and not all(type(count) is int for count in answer.usage):
        complaints.append(f"answered the usage {answer.usage!r:.100}")
    for one in answer.raw if isinstance(answer.raw, list) else [answer.raw]:
        if hasattr(one, "model_dump"):
            try:
                one.model_dump()
            except Exception as error:  # noqa: BLE001  # whatever it is, the caller gets it
                complaints.append(f"answered what cannot be dumped: {error!r:.200}")
    return complaints


def _astray(case: Case, one: Outcome) -> list[str]:
    """Compare how a call ended with how it has to."""
    if one.answer is not None:
        return _wrongly_answered(case, one.entry, one.answer)
    if one.error is not None:
        return _wrongly_failed(case, one.error)
    return ["ended with neither an answer nor an error"]


def _wrongly_answered(case: Case, entry: EntryPoint, answer: Answer) -> list[str]:
    if case.end in ("error", "timeout"):
        return [f"answered {answer!r:.300} instead of an error"]
    if case.end == "sane":
        return _insane(answer)
    if answer.text != right_text(entry.kind):
        return [f"answered {answer!r:.300}"]
    if entry.is_stream and answer.finish is None:
        return ["answered without a finish reason"]
    return []


def _wrongly_failed(case: Case, error: BaseException) -> list[str]:
    is_timeout = isinstance(error, litellm.Timeout) or (
        isinstance(error, InStreamError) and "Synthetic did not answer" in str(error)
    )
    if case.end == "answer":
        return [f"raised {error!r:.400} instead of the answer"]
    if case.end == "timeout" and not is_timeout:
        return [f"raised {error!r:.400} instead of a Timeout"]
    # Some errors of an upstream are timeouts too, those of a gateway for one.
    is_told = any(status in case.name for status in ("408", "504", "524"))
    if is_timeout and case.end in ("error", "either") and not is_told:
        return [f"raised {error!r:.400}, though its script ends"]
    return []
