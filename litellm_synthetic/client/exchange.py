"""One exchange with the upstream: sent, read and logged; its failures are LiteLLM's exceptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from litellm_synthetic.client import parallel
from litellm_synthetic.errors import bodies, local, rules
from litellm_synthetic.errors.failure import Origin, reported
from litellm_synthetic.errors.faults import UnreadableReplyError
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.rest import RESTS
from litellm_synthetic.quota.state import STATE
from litellm_synthetic.transport import client
from litellm_synthetic.transport.byte_stream import AsyncByteStream, ByteStream
from litellm_synthetic.transport.client import Reply, is_answer
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    MalformedReplyError,
    OversizedReplyError,
    StallError,
    UnsendableError,
)

if TYPE_CHECKING:
    from litellm_synthetic.client.request import Prepared

_SUCCESS = 200
# What a reply is known by, whatever else is in it.
_ANSWERS = ("choices", "content", "data", "results")
Fill = Callable[[Mapping[str, Any], Mapping[str, str]], Any]


def send(prepared: Prepared) -> Reply:
    """Send a request and return its whole reply; raises what `errors` makes of a failure."""
    slot, prepared = parallel.enter(prepared)
    with slot, _transport_failures(prepared.origin):
        reply = client.send(prepared.outgoing, hear=_noting(prepared.origin))
    return _whole(reply, prepared)


async def asend(prepared: Prepared) -> Reply:
    """Do what `send` does, on the running event loop."""
    slot, prepared = await parallel.aenter(prepared)
    with slot, _transport_failures(prepared.origin):
        reply = await client.asend(prepared.outgoing, hear=_noting(prepared.origin))
    return _whole(reply, prepared)


def open_stream(prepared: Prepared) -> ByteStream:
    """Send a request and return the open body of its reply; raises as `send` does."""
    slot, prepared = parallel.enter(prepared)
    with slot, _transport_failures(prepared.origin):
        reply = client.send(prepared.outgoing, stream=True, hear=_noting(prepared.origin))
        if isinstance(reply, ByteStream):
            slot.keep_until_closed(reply)
    if isinstance(reply, ByteStream):
        _note_served(prepared)
        return reply
    raise _failed(reply, prepared)


async def aopen_stream(prepared: Prepared) -> AsyncByteStream:
    """Do what `open_stream` does, on the running event loop."""
    slot, prepared = await parallel.aenter(prepared)
    with slot, _transport_failures(prepared.origin):
        reply = await client.asend(prepared.outgoing, stream=True, hear=_noting(prepared.origin))
        if isinstance(reply, AsyncByteStream):
            slot.keep_until_closed(reply)
    if isinstance(reply, AsyncByteStream):
        _note_served(prepared)
        return reply
    raise _failed(reply, prepared)


def _noting(origin: Origin) -> Callable[[Mapping[str, str]], None]:
    """Return what keeps what a reply tells of its key's plan; every reply passes it, broken too."""

    def note(headers: Mapping[str, str]) -> None:
        if HEADER in headers and (scope := origin.scope) is not None:
            STATE.note(scope, headers)

    return note


def _note_served(prepared: Prepared) -> None:
    """End the rest of a key that was served a call which a cap does not spare."""
    if RESTS.are_any and prepared.is_counted:
        scope = prepared.origin.scope
        if scope is not None:
            RESTS.served(scope)


class _transport_failures:  # noqa: N801  # used like a function
    """Turn the transport's exceptions into LiteLLM's."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        cause = None if error is None else local.shown_cause(error, self._origin)
        if isinstance(error, StallError):
            raise local.timed_out(self._origin, str(error)) from cause
        if isinstance(error, ConnectionBrokenError):
            raise local.connection_failed(self._origin, str(error)) from cause
        if isinstance(error, MalformedReplyError):
            is_too_large = isinstance(error, OversizedReplyError)
            raise local.unusable_reply(
                self._origin, str(error), is_too_large=is_too_large
            ) from cause
        if isinstance(error, UnsendableError):
            raise local.refused(f"The request was not sent: {error}.", self._origin.model) from None


def _whole(reply: Any, prepared: Prepared) -> Reply:
    if not is_answer(reply.status):
        raise _failed(reply, prepared)
    _note_served(prepared)
    return reply  # type: ignore[no-any-return]  # narrowed by the transport's contract


def _failed(reply: Reply, prepared: Prepared) -> Exception:
    parallel.learn(reply, prepared)
    report = bodies.read_body(reply.body)
    return rules.to_exception(reported(report, reply.headers, reply.status), prepared.origin)


def read(reply: Reply, origin: Origin, fill: Fill) -> Any:
    """Return what `fill` makes of a reply's JSON object and headers.

    Raises:
        litellm.APIError: 502, where it is not the reply that was asked for.
        Exception: another of LiteLLM's, where a 200 holds an error all the same.
    """
    try:
        document = decode(reply.body)
        if bodies.reports_error(document) and not any(map(document.get, _ANSWERS)):
            report = bodies.read_document(document)
            raise rules.to_exception(reported(report, reply.headers), origin)
        return fill(document, reply.headers)
    except UnreadableReplyError as error:
        content_type = reply.headers.get("content-type", "")
        error_to_raise = local.unreadable_reply(origin, str(error), content_type, reply.headers)
        raise error_to_raise from local.shown_cause(error, origin)


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises:
        UnreadableReplyError: empty, no JSON, or no object.
    """
    if not body.strip():
        raise UnreadableReplyError("the body is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableReplyError("the body is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableReplyError("the body is JSON, but not an object")
    return document


def keep_headers(response: Any, headers: Mapping[str, str], origin: Origin) -> None:
    """Put the upstream's headers where LiteLLM's users look for them."""
    import litellm  # noqa: PLC0415  # made the response, so it is imported

    selection = bodies.kept_headers(headers, origin.scrub)
    response._response_headers = selection  # noqa: SLF001  # as LiteLLM's own providers do
    response._hidden_params["additional_headers"] = litellm.process_response_headers(selection)  # noqa: SLF001


def log_request(logging_obj: Any, prepared: Prepared, input_: Any) -> None:
    """Tell LiteLLM's callbacks what is about to be sent, without the key."""
    logging_obj.pre_call(input=input_, api_key="", additional_args=prepared.loggable)


def log_reply(logging_obj: Any, prepared: Prepared, reply: Reply, input_: Any) -> None:
    """Tell LiteLLM's callbacks what came, without the key."""
    logging_obj.post_call(
        input=input_,
        api_key="",
        original_response=prepared.origin.scrub(reply.body.decode("utf-8", "replace")),
        additional_args=prepared.loggable,
    )
