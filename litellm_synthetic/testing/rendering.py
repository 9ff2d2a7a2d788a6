"""Turn a reply into a delivery that suits the call it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing import anthropic_shapes, openai_shapes
from litellm_synthetic.testing.delivery import Delivery, Pause
from litellm_synthetic.testing.recorded_headers import service_headers
from litellm_synthetic.testing.replies import (
    Answer,
    Either,
    KeyEcho,
    RawBytes,
    RawJSON,
    Redirect,
    Stream,
    Text,
    ToolCalls,
    Verbatim,
)
from litellm_synthetic.testing.streams import Framing, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from litellm_synthetic.testing.exchange import Exchange
    from litellm_synthetic.testing.replies import Bare, HeaderChanges, Reply
    from litellm_synthetic.testing.streams import AnyEvent

_JSON = "application/json"
_EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Envelope:
    """State what a reply needs besides the call.

    Attributes:
        route: The path that was asked for.
        quotas: The `x-synthetic-quotas` value of a 200; `None` leaves it out.
        elsewhere: This server under its other name, where a redirect points by default.
        key: The key the caller sent.
    """

    route: str
    quotas: str | None
    elsewhere: str
    key: str = field(repr=False)


def plain(reply: RawJSON | RawBytes, route: str) -> Delivery:
    """Return the delivery of a reply that is the same for every call."""
    before = (Pause(reply.delay_seconds),) if reply.delay_seconds else ()
    if isinstance(reply, RawBytes):
        content_type = (("Content-Type", reply.content_type),) if reply.content_type else ()
        delivery = Delivery(reply.status, content_type, (reply.body,), before, len(reply.body))
        return delivery.with_headers(reply.headers)
    body = json.dumps(reply.body, ensure_ascii=False).encode()
    delivery = Delivery(reply.status, service_headers(route, _JSON), (body,), before)
    return delivery.with_headers(reply.headers)


def spoken(answer: Text | ToolCalls, exchange: Exchange, envelope: Envelope) -> Delivery:
    """Return the delivery of a logical answer: plain or streamed, in the API's own form."""
    call = exchange.call
    if call.stream:
        framing = replace(_framing(answer), done=answer.done and call.operation != "messages")
        return _streamed(_events(answer, exchange), framing, answer.headers, envelope)
    bodies = {
        "chat": openai_shapes.chat_body,
        "completion": openai_shapes.completion_body,
        "messages": anthropic_shapes.message_body,
    }
    body = json.dumps(bodies[call.operation](answer, exchange), ensure_ascii=False).encode()
    before = (Pause(answer.delay_seconds),) if answer.delay_seconds else ()
    headers = service_headers(envelope.route, _JSON, envelope.quotas)
    return Delivery(200, headers, (body,), before).with_headers(answer.headers)


def reframed(answer: Answer, default: Text | ToolCalls) -> Text | ToolCalls:
    """Return the default answer with the framing and headers that `answer` asks for."""
    changes: dict[str, Any] = {each.name: getattr(answer, each.name) for each in fields(answer)}
    return replace(default, **changes)


def deliver(
    reply: Reply, exchange: Exchange, default: Callable[[], Text | ToolCalls], envelope: Envelope
) -> Delivery:
    """Return the delivery of any reply to a chat, completion or messages call.

    Args:
        reply: The reply.
        exchange: The call and what its reply has to agree with.
        default: Makes the answer that the stand-in gives by itself.
        envelope: What the reply needs besides the call.
    """
    if isinstance(reply, Either):
        alternative = reply.stream if exchange.call.stream else reply.plain
        return deliver(alternative, exchange, default, envelope)
    if isinstance(reply, Answer):
        reply = reframed(reply, default())
    if isinstance(reply, Text | ToolCalls):
        return spoken(reply, exchange, envelope)
    return bare(reply, envelope)


def bare(reply: Bare, envelope: Envelope) -> Delivery:
    """Return the delivery of a reply that needs to know nothing about the call."""
    if isinstance(reply, Verbatim):
        return reply.delivery
    if isinstance(reply, Stream):
        return _streamed(reply.events, _framing(reply), reply.headers, envelope)
    if isinstance(reply, Redirect):
        target = ("Location", reply.location or f"{envelope.elsewhere}{envelope.route}")
        headers = (*service_headers(envelope.route, ""), target)
        return Delivery(reply.status, headers, (), (), 0)
    if isinstance(reply, KeyEcho):
        echo = reply.text.replace("{key}", envelope.key)
        return plain(RawJSON(reply.status, {"error": echo}), envelope.route)
    return plain(reply, envelope.route)


def _streamed(
    events: Iterable[AnyEvent], framing: Framing, headers: HeaderChanges, envelope: Envelope
) -> Delivery:
    defaults = service_headers(envelope.route, _EVENTS, envelope.quotas)
    return Delivery(200, defaults, frame(events, framing)).with_headers(headers)


def _events(answer: Text | ToolCalls, exchange: Exchange) -> Iterable[AnyEvent]:
    if exchange.call.operation == "messages":
        return anthropic_shapes.message_events(answer, exchange)
    if exchange.call.operation == "completion":
        return openai_shapes.completion_events(answer, exchange)
    return openai_shapes.chat_events(answer, exchange)


def _framing(reply: Framing) -> Framing:
    return Framing(**{each.name: getattr(reply, each.name) for each in fields(Framing)})
