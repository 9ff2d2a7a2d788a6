"""The stand-in's script: replies that a test has queued, and requests that have arrived."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from litellm_synthetic.testing.served_models import listed_models

if TYPE_CHECKING:
    from litellm_synthetic.testing.accounts import Accounts
    from litellm_synthetic.testing.recorded import RecordedRequest
    from litellm_synthetic.testing.replies import Replier, Reply

ModelsList: TypeAlias = "Sequence[Mapping[str, Any]] | Reply"
SearchResults: TypeAlias = "Sequence[Any] | Reply | Replier"


@dataclass
class _State:
    requests: list[RecordedRequest] = field(default_factory=list)
    queue: deque[Reply | Replier] = field(default_factory=deque)
    sticky: Reply | Replier | None = None
    entries: Sequence[Mapping[str, Any]] = field(default_factory=listed_models)
    models_reply: Reply | None = None
    quotas: Mapping[str, Any] | None = None
    quotas_are_set: bool = False
    accounts: Accounts | None = None
    search_rows: Sequence[Any] | None = None
    search_reply: Reply | Replier | None = None


class Script:
    """The replies to give and the requests received; safe for two threads at once."""

    def __init__(self) -> None:
        """Start with nothing scripted and the default models list."""
        self._changed = threading.Condition()
        self._state = _State()

    def clear(self) -> None:
        """Forget every request and everything that was scripted."""
        with self._changed:
            self._state = _State()

    def record(self, request: RecordedRequest) -> int:
        """Keep a request and return how many there are now."""
        with self._changed:
            self._state.requests.append(request)
            self._changed.notify_all()
            return len(self._state.requests)

    def requests(self) -> list[RecordedRequest]:
        """Return the requests so far."""
        with self._changed:
            return list(self._state.requests)

    def wait_for_requests(self, count: int, timeout_seconds: float) -> bool:
        """Return whether `count` requests arrived in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: len(self._state.requests) >= count, timeout_seconds
            )

    def enqueue(self, replies: Sequence[Reply | Replier]) -> None:
        """Add replies, each for one model call."""
        with self._changed:
            self._state.queue.extend(replies)

    def respond_with(self, reply: Reply | Replier) -> None:
        """Set the reply to every model call that no queued reply is for."""
        with self._changed:
            self._state.sticky = reply

    def pending(self) -> int:
        """Return the number of queued replies that are not used yet."""
        with self._changed:
            return len(self._state.queue)

    def next_reply(self, request: RecordedRequest) -> Reply | None:
        """Take the reply for a model call; `None` stands for the default behaviour."""
        with self._changed:
            reply = self._state.queue.popleft() if self._state.queue else self._state.sticky
        return reply(request) if callable(reply) else reply

    def set_models(self, models: ModelsList) -> None:
        """Set the models list, or the reply to whoever asks for it."""
        with self._changed:
            if isinstance(models, Sequence):
                self._state.entries, self._state.models_reply = models, None
            else:
                self._state.models_reply = models

    def models(self) -> tuple[Sequence[Mapping[str, Any]], Reply | None]:
        """Return the entries that can be called, and the reply to give instead of the list."""
        with self._changed:
            return self._state.entries, self._state.models_reply

    def set_quotas(self, report: Mapping[str, Any] | None) -> None:
        """Set the quota report; `None` leaves the header out and reports `{}`."""
        with self._changed:
            self._state.quotas, self._state.quotas_are_set = report, True

    def quotas(self, default: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the report that was set, else `default`."""
        with self._changed:
            return self._state.quotas if self._state.quotas_are_set else default

    def set_accounts(self, accounts: Accounts | None) -> None:
        """Set the accounts whose keys are accepted beside the server's own."""
        with self._changed:
            self._state.accounts = accounts

    def accounts(self) -> Accounts | None:
        """Return the accounts that were set."""
        with self._changed:
            return self._state.accounts

    def set_search_results(self, results: SearchResults) -> None:
        """Set the rows of every search, or the reply to whoever searches."""
        with self._changed:
            if isinstance(results, Sequence):
                self._state.search_rows, self._state.search_reply = results, None
            else:
                self._state.search_rows, self._state.search_reply = None, results

    def search_rows(self) -> Sequence[Any] | None:
        """Return the rows that were set; `None` stands for the default ones."""
        with self._changed:
            return self._state.search_rows

    def search_reply(self, request: RecordedRequest) -> Reply | None:
        """Return the reply to a search that was set; `None` stands for the default behaviour."""
        with self._changed:
            reply = self._state.search_reply
        return reply(request) if callable(reply) else reply
