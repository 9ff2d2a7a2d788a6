"""Run the stand-in: a thread with its own event loop, on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from litellm_synthetic.testing.accounts import Account, Accounts
from litellm_synthetic.testing.delivery import Player
from litellm_synthetic.testing.recorded import RecordedRequest
from litellm_synthetic.testing.script import Script
from litellm_synthetic.testing.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from litellm_synthetic.testing.replies import Replier, Reply
    from litellm_synthetic.testing.script import ModelsList, SearchResults

DEFAULT_API_KEY = "syn_test_0123456789abcdef0123456789abcdef"
_HOST = "127.0.0.1"
# For a busy machine: nothing waits that long where all is well.
_STOP_SECONDS = 30.0
_GRACE_SECONDS = 0.5
_POLL_SECONDS = 0.005
_HEADER_BYTES = 4 * 1024 * 1024

# A client's malformed request or early leave is what tests are about, so nothing of it is
# printed; a user who wants to see it can add a handler.
_log = logging.getLogger("litellm_synthetic.testing")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class SyntheticServer:
    """Serve a stand-in for api.synthetic.new on 127.0.0.1.

    Use it as a context manager, or call `start()` and `stop()`. One instance starts once. It
    answers believably by itself; `enqueue` and `respond_with` change what it answers, and a
    request with the header `x-stand-in-fault: NAME` gets that fault.

    Args:
        port: The port; 0 takes a free one.
        api_key: The key that is accepted. Any other gets the recorded 401.
        delay_seconds: Pause before each reply, in seconds.
        clock: Returns the present in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str = DEFAULT_API_KEY,
        delay_seconds: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare a server; nothing listens until `start()`."""
        self.api_key = api_key
        self._asked_port = port
        self._delay_seconds = delay_seconds
        self._clock = clock
        self._script = Script()
        self._port: int | None = None
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._web: web.Server | None = None
        self._stand_in: StandIn | None = None
        self._active: dict[int, web.BaseRequest] = {}

    def start(self) -> Self:
        """Listen, and return once connections are accepted.

        Raises:
            RuntimeError: The server was started before.
            OSError: The port is taken.
            OverflowError: It is not a port.
        """
        if self._thread is not None:
            raise RuntimeError("a SyntheticServer starts only once; make a new one")
        self._thread = threading.Thread(target=self._run, name="synthetic-stand-in", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """Drop every connection, stalled ones too, and return when the thread has ended."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    @property
    def url(self) -> str:
        """Return the bare address, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: The server was not started.
        """
        return f"http://{_HOST}:{self.port}"

    @property
    def port(self) -> int:
        """Return the port.

        Raises:
            RuntimeError: The server was not started.
        """
        if self._port is None:
            raise RuntimeError("the server has no address before start()")
        return self._port

    @property
    def openai_base(self) -> str:
        """Return the base URL for OpenAI clients, `…/openai/v1`."""
        return f"{self.url}/openai/v1"

    @property
    def anthropic_base(self) -> str:
        """Return the base URL for Anthropic clients, which add `/v1` themselves."""
        return f"{self.url}/anthropic"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Return the requests since the start or the last `reset()`, oldest first."""
        return self._script.requests()

    @property
    def last_request(self) -> RecordedRequest:
        """Return the newest request.

        Raises:
            LookupError: There was none.
        """
        requests = self._script.requests()
        if not requests:
            raise LookupError("the stand-in has received no request")
        return requests[-1]

    @property
    def open_connections(self) -> int:
        """Return the number of client connections that are open, idle ones included."""
        return len(self._web.connections) if self._web is not None else 0

    @property
    def active_requests(self) -> int:
        """Return the number of requests whose reply is not finished."""
        return len(self._active)

    @property
    def pending_replies(self) -> int:
        """Return the number of enqueued replies that no call has used."""
        return self._script.pending()

    def enqueue(self, *replies: Reply | Replier) -> None:
        """Answer the next model calls with these replies, one each, in order.

        They go before `respond_with` and the default behaviour, and are given whatever the call
        holds, its key included. A callable gets the request and returns a reply, or `None` for
        the default behaviour.
        """
        self._script.enqueue(replies)

    def respond_with(self, reply: Reply | Replier) -> None:
        """Answer every model call with this reply until `reset()`."""
        self._script.respond_with(reply)

    def set_models(self, models: ModelsList) -> None:
        """Replace the models list by other entries, or by a reply such as a fault.

        With entries, only the ids they name can be called. With a reply, whoever asks for the
        list gets the reply, and the ids that could be called before still can.
        """
        self._script.set_models(models)

    def set_quotas(self, report: Mapping[str, Any] | None) -> None:
        """Replace the quota report; `None` leaves the header out, `{}` is an account without.

        Without a report the key has no subscription, and searches are refused.
        """
        self._script.set_quotas(report)

    def serve_accounts(self, accounts: Mapping[str, Account]) -> Accounts:
        """Accept these keys too; each has a plan or a balance that its calls use up.

        Args:
            accounts: the account of each key; they are filled now.

        Returns:
            What tells whether any of them has room.
        """
        served = Accounts(accounts, self._clock)
        self._script.set_accounts(served)
        return served

    def set_search_results(self, results: SearchResults) -> None:
        """Answer searches with these rows, or with a reply such as a fault.

        Rows are sent as they are: `url`, `title`, `text` or `highlights`, `published`, or whatever
        a client has to survive. A callable gets the request and returns a reply, or `None` for the
        default behaviour.
        """
        self._script.set_search_results(results)

    def reset(self) -> None:
        """Forget all requests, scripted replies, models, quotas, results and cached prompts."""
        self._script.clear()
        if self._stand_in is not None:
            self._stand_in.forget()

    def wait_for_requests(self, count: int, timeout_seconds: float = 30.0) -> bool:
        """Return whether `count` requests arrive within the time."""
        return self._script.wait_for_requests(count, timeout_seconds)

    def wait_until_idle(self, timeout_seconds: float = 30.0) -> bool:
        """Return whether no request is active any more within the time."""
        until = time.monotonic() + timeout_seconds
        while self._active:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def drop_active(self) -> None:
        """Abort the connections of all unfinished requests and return when they are gone."""
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._abort_active)
            self.wait_until_idle(_STOP_SECONDS)

    def _abort_active(self) -> None:
        for request in list(self._active.values()):
            if request.transport is not None:
                request.transport.abort()

    def _run(self) -> None:
        # The caller's event loop policy is none of this thread's business.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            try:
                runner.run(self._serve())
            except (OSError, OverflowError) as failure:  # the port is taken, or is not one
                self._failure = failure
            finally:
                self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._web = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            logger=_log,
            max_field_size=_HEADER_BYTES,
            max_line_size=_HEADER_BYTES,
        )
        listener = await self._loop.create_server(self._web, _HOST, self._asked_port)
        self._port = listener.sockets[0].getsockname()[1]
        self._stand_in = StandIn(self._script, self.api_key, f"http://localhost:{self._port}")
        self._ready.set()
        try:
            await self._stopping.wait()
        finally:
            listener.close()
            await self._drop_everyone(self._web)

    async def _drop_everyone(self, served: web.Server) -> None:
        for connection in served.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await served.shutdown(_GRACE_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active[id(request)] = request

        def finished() -> None:
            self._active.pop(id(request), None)

        try:
            body = await request.content.read()
            recorded = RecordedRequest(
                request.method, request.raw_path, request.headers, body, self._clock()
            )
            if self._stand_in is None:
                raise RuntimeError("a request came before the server was ready")
            delivery = self._stand_in.answer(recorded)
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            return await Player(request, finished).play(delivery)
        finally:
            finished()
