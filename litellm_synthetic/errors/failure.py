"""A call that failed, what the upstream answered, and the exception for it.

Every exception of a call is made here, so that none shows a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.credentials import Secret, scrub_key_shaped
from litellm_synthetic.errors.bodies import Report, kept_headers
from litellm_synthetic.errors.classes import FailedReply, Kind, make_exception
from litellm_synthetic.errors.refusal_texts import backend_status
from litellm_synthetic.quota.scope import Scope, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SUCCESS: Final = 200
_SERVICE_UNAVAILABLE: Final = 503
# Statuses that say nothing of the cause, which one inside the body may tell.
_GENERIC: Final = frozenset((400, 500))
# Refusals of Synthetic itself by its backend: its key, its account.
REFUSALS_OF_SYNTHETIC: Final = frozenset((401, 402, 403))
# Statuses that no text inside the body overrules.
CERTAIN_STATUSES: Final = frozenset((408, 429, 504, 524))
# All but tabs and line feeds.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Name the call that failed: the model as asked for, where it went, and what to hide.

    Attributes:
        remedies: what to say of a status in place of the table's advice, which is about models.
        or_else: what to do beside trying again, as the end of a sentence.
        only_deployment: LiteLLM's Router has no other deployment for the same model.
        is_messages_call: the caller speaks Anthropic's Messages API, and reads its wording.
    """

    model: str
    base_url: str
    key: Secret | None = None
    context_window_tokens: int | None = None
    count_prompt_tokens: Callable[[], int | None] | None = None
    explain_model: Callable[[], str] | None = None
    remedies: Mapping[int, str] = field(default_factory=dict)
    or_else: str = ", or fall back to another model"
    only_deployment: bool = False
    is_messages_call: bool = False

    @property
    def scope(self) -> Scope | None:
        """Return under which name the plan of the call's key is known; None without a key."""
        return None if self.key is None else scope_of(self.key, self.base_url)

    def scrub(self, text: str) -> str:
        """Remove the key from a text of foreign origin."""
        return self.key.scrub(text) if self.key is not None else scrub_key_shaped(text)


@dataclass(frozen=True, slots=True)
class Failure:
    """The failed answer of the upstream.

    Attributes:
        status: that of the reply; 200 for an error inside a success or a stream.
        stated_status: the one that the error itself names.
        codes: the error's machine-readable words.
        in_stream: it came as an event of a stream.
    """

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    stated_status: int | None = None
    codes: frozenset[str] = frozenset()
    in_stream: bool = False

    @property
    def decisive_status(self) -> int:
        """Return the status that tells most of the cause; 200 if nothing tells one."""
        backend = backend_status(self.text)
        if backend is not None:
            # The caller's key and plan are in order, or there would be no backend. So this is not
            # an AuthenticationError, which has people change their key.
            inside = _SERVICE_UNAVAILABLE if backend in REFUSALS_OF_SYNTHETIC else backend
        elif self.stated_status is not None and self.status in {_SUCCESS, *_GENERIC}:
            inside = self.stated_status
        else:
            return self.status
        is_same_kind = self.status // 100 == inside // 100
        if self.status in CERTAIN_STATUSES or (is_same_kind and inside in _GENERIC):
            return self.status
        return inside


def reported(
    report: Report, headers: Mapping[str, str], status: int = _SUCCESS, *, in_stream: bool = False
) -> Failure:
    """Return the failure that an error in a reply or in a stream's event is."""
    return Failure(status, report.text, headers, report.status, report.codes, in_stream)


def shown_headers(headers: Mapping[str, str], origin: Origin) -> dict[str, str]:
    """Return the headers of a reply that an exception may show."""
    return kept_headers(headers, origin.scrub)


def error_of(
    kind: Kind, message: str, failure: Failure, origin: Origin, status: int | None = None
) -> Exception:
    """Return the exception for a reply that failed; `status` in place of the decisive one."""
    reply = FailedReply(
        status or failure.decisive_status,
        origin.base_url,
        origin.scrub(failure.text),
        failure.headers,
    )
    return make_error(kind, message, origin, reply)


def make_error(
    kind: Kind, message: str, origin: Origin, reply: FailedReply | None = None
) -> Exception:
    """Make an exception whose message shows no key; every error of this package is made here.

    Whatever an upstream may echo, a header, a content type, an address, ends in the message.
    """
    # JSON may hold lone surrogates, which no log can write.
    text = origin.scrub(message).encode("utf-8", "replace").decode()
    return make_exception(kind, _printable(text), origin.model, reply)


def _printable(text: str) -> str:
    """Escape control characters, which would steer the terminal that shows an error."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))
