"""Decide the reply to each request: the scripted one, the fault asked for, or a believable one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, TypeAlias

from litellm_synthetic.testing import embeddings, quotas, refusals
from litellm_synthetic.testing.answers import default_answer
from litellm_synthetic.testing.calls import read_call
from litellm_synthetic.testing.exchange import Exchange, count_tokens
from litellm_synthetic.testing.faults import fault_from_header
from litellm_synthetic.testing.prompt_cache import PromptCache
from litellm_synthetic.testing.rendering import Envelope, bare, deliver, plain
from litellm_synthetic.testing.replies import (
    Answer,
    Either,
    RawBytes,
    RawJSON,
    Reply,
    Text,
    ToolCalls,
)
from litellm_synthetic.testing.served_models import Operation, ServedModel, served_models

if TYPE_CHECKING:
    from litellm_synthetic.testing.delivery import Delivery
    from litellm_synthetic.testing.recorded import RecordedRequest
    from litellm_synthetic.testing.script import Script

FAULT_HEADER = "x-stand-in-fault"

_OPERATIONS: Mapping[str, Operation] = {
    "/chat/completions": "chat",
    "/completions": "completion",
    "/embeddings": "embedding",
}
_OPENAI_BASES = ("/openai/v1", "/v1")
_CALLS: Mapping[str, Operation] = {
    **{base + path: operation for base in _OPENAI_BASES for path, operation in _OPERATIONS.items()},
    "/anthropic/v1/messages": "messages",
}
_MODELS = frozenset(f"{base}/models" for base in _OPENAI_BASES)
_SEARCH = "/v2/search"

Made: TypeAlias = RawJSON | RawBytes
Handler: TypeAlias = Callable[["RecordedRequest"], Made]


class StandIn:
    """Answer requests, one after the other, without touching a socket.

    Args:
        script: What was told to do.
        api_key: The only key that is accepted.
        elsewhere: This server under its other name.
    """

    def __init__(self, script: Script, api_key: str, elsewhere: str) -> None:
        """Start with an empty prompt cache."""
        self._script = script
        self._api_key = api_key
        self._elsewhere = elsewhere
        self._prompts = PromptCache()
        self._others: Mapping[str, tuple[str, Handler]] = {
            **dict.fromkeys(_MODELS, ("GET", self._models)),
            "/v2/quotas": ("GET", self._quotas),
            _SEARCH: ("POST", self._search),
            "/anthropic/v1/messages/count_tokens": ("POST", self._count_tokens),
        }

    def forget(self) -> None:
        """Empty the prompt cache."""
        self._prompts.clear()

    def answer(self, request: RecordedRequest) -> Delivery:
        """Record the request and return what is to be delivered.

        A fault that the request itself asks for goes first, then a scripted reply, both
        whatever the request holds; only the default behaviour checks key, model and body.
        """
        number = self._script.record(request)
        try:
            delivery = self._decide(request, number)
            if self._script.accounts() is None:
                return delivery
            # A plan's moments and the reply's own date are of one clock.
            return delivery.with_headers({"Date": formatdate(request.arrived_at, usegmt=True)})
        except Exception as failure:  # noqa: BLE001 - a test's own callable may raise anything
            text = f"the stand-in could not answer: {type(failure).__name__}: {failure}"
            return plain(refusals.error(500, text), request.route)

    def _decide(self, request: RecordedRequest, number: int) -> Delivery:
        operation = _CALLS.get(request.route)
        is_call = operation is not None and request.method == "POST"
        reply: Reply | None = None
        if FAULT_HEADER in request.headers:
            reply = fault_from_header(request.headers[FAULT_HEADER])
        elif is_call:
            reply = self._script.next_reply(request)
        elif request.route in _MODELS and request.method == "GET":
            reply = self._script.models()[1]
        elif request.route == _SEARCH and request.method == "POST":
            reply = self._script.search_reply(request)
        if operation is not None and is_call:
            return self._call(request, operation, reply, number)
        if reply is None:
            return plain(self._other(request), request.route)
        return self._deliver_elsewhere(request, reply)

    def _deliver_elsewhere(self, request: RecordedRequest, reply: Reply) -> Delivery:
        while isinstance(reply, Either):
            reply = reply.plain
        if isinstance(reply, Answer):
            return plain(self._other(request), request.route).with_headers(reply.headers)
        if isinstance(reply, Text | ToolCalls):
            raise TypeError(f"{type(reply).__name__} answers model calls, not {request.route}")
        return bare(reply, self._envelope(request, 0))

    def _call(
        self, request: RecordedRequest, operation: Operation, reply: Reply | None, number: int
    ) -> Delivery:
        body = request.json
        call = read_call(operation, body)
        entries, _ = self._script.models()
        served = served_models(entries)
        refusal = None
        model = served.get(call.model) or ServedModel(call.model, call.model)
        if reply is None or isinstance(reply, Answer):
            refusal = self._refusal(request, call.model, served)
            if operation != "embedding":
                refusal = refusal or refusals.refuse(call, model) or self._out_of_room(request)
        if refusal is not None:
            return plain(refusal, request.route)
        envelope = self._envelope(request, number)
        if operation == "embedding":
            return self._embed(request, model, reply, envelope)
        cached = self._prompts.cached_tokens(call.model, call.prompt)
        exchange = Exchange(
            call=call,
            model=model.target if operation == "messages" else model.upstream_name,
            reply_id=hashlib.md5(
                f"{number}".encode() + request.body, usedforsecurity=False
            ).hexdigest(),
            created=int(request.arrived_at),
            prompt_tokens=count_tokens(call.prompt),
            cached_tokens=cached,
            reasoning_field=model.reasoning_field,
        )
        return deliver(reply or Answer(), exchange, lambda: default_answer(call, model), envelope)

    def _embed(
        self, request: RecordedRequest, model: ServedModel, reply: Reply | None, envelope: Envelope
    ) -> Delivery:
        while isinstance(reply, Either):
            reply = reply.plain
        if isinstance(reply, Text | ToolCalls):
            raise TypeError(f"{type(reply).__name__} cannot answer an embeddings call")
        if reply is not None and not isinstance(reply, Answer):
            return bare(reply, envelope)
        reply_body = self._embeddings(model, request.json)
        headers = reply.headers if isinstance(reply, Answer) else {}
        delivery = plain(reply_body, request.route)
        if envelope.quotas is not None and reply_body.status == 200:  # noqa: PLR2004 - HTTP's own
            headers = {"x-synthetic-quotas": envelope.quotas, **headers}
        return delivery.with_headers(headers)

    def _embeddings(self, model: ServedModel, body: Mapping[str, Any]) -> RawJSON:
        if not model.is_embedding:
            return refusals.error(400, f"{model.id} does not make embeddings")
        texts = embeddings.inputs_of(body)
        if texts is None:
            return refusals.error(400, "input must be a string or a list")
        dimensions = body.get("dimensions", model.dimensions)
        if not isinstance(dimensions, int) or not 1 <= dimensions <= model.dimensions:
            return refusals.error(400, f"dimensions must be from 1 to {model.dimensions}")
        encoding = str(body.get("encoding_format", "float"))
        document = embeddings.embeddings_body(
            model.id, texts, dimensions, model.dimensions, encoding
        )
        return RawJSON(200, document)

    def _refusal(
        self, request: RecordedRequest, model: str, served: Mapping[str, ServedModel]
    ) -> RawJSON | None:
        if not self._is_known(request):
            return refusals.invalid_key()
        if len(request.body) > refusals.MAX_BODY_BYTES:
            return refusals.body_too_large()
        if not isinstance(request.json, Mapping):
            return refusals.unreadable_json(_json_complaint(request.body))
        model_or_refusal = refusals.find_model(model, served)
        return model_or_refusal if isinstance(model_or_refusal, RawJSON) else None

    def _other(self, request: RecordedRequest) -> Made:
        if request.route in _CALLS:
            return RawBytes(405, content_type="")
        if request.route not in self._others:
            return refusals.unknown_route(request.route)
        method, handler = self._others[request.route]
        if request.method != method:
            return RawBytes(405, content_type="")
        keyless = request.route in _MODELS and "Authorization" not in request.headers
        if not keyless and not self._is_known(request):
            return refusals.invalid_key()
        return handler(request)

    def _models(self, _request: RecordedRequest) -> RawJSON:
        entries, _ = self._script.models()
        return RawJSON(200, {"data": [dict(entry) for entry in entries]})

    def _quotas(self, request: RecordedRequest) -> RawJSON:
        report = self._script.quotas(self._quota_report(request, 0))
        return RawJSON(200, {} if report is None else dict(report))

    def _search(self, request: RecordedRequest) -> RawJSON:
        if not isinstance(request.json, Mapping):
            return refusals.unreadable_json(_json_complaint(request.body))
        if not self._script.quotas(self._quota_report(request, 0)):
            return refusals.search_without_subscription()
        query = request.json.get("query")
        if not isinstance(query, str) or not query:
            return refusals.error(400, "query must be a string")
        rows = self._script.search_rows()
        return RawJSON(200, {"results": _made_up_results(query) if rows is None else list(rows)})

    def _count_tokens(self, request: RecordedRequest) -> Made:
        body = request.json
        if not isinstance(body, Mapping):
            return refusals.unreadable_json(_json_complaint(request.body))
        call = read_call("messages", body)
        served = served_models(self._script.models()[0])
        model_or_refusal = refusals.find_model(call.model, served)
        if isinstance(model_or_refusal, RawJSON):
            return model_or_refusal
        target = served.get(model_or_refusal.target, model_or_refusal)
        if model_or_refusal.count_tokens_fails or target.count_tokens_fails:
            return RawBytes(500, content_type="")
        return RawJSON(200, {"input_tokens": count_tokens(call.prompt)})

    def _envelope(self, request: RecordedRequest, number: int) -> Envelope:
        report = self._script.quotas(self._quota_report(request, number))
        header = None if report is None else quotas.header_value(report)
        return Envelope(request.route, header, self._elsewhere, request.bearer or "")

    def _quota_report(self, request: RecordedRequest, number: int) -> dict[str, Any]:
        accounts = self._script.accounts()
        if accounts is not None and request.bearer in accounts:
            return accounts.report(request)
        return quotas.newest_form(request.arrived_at, requests_used=number)

    def _is_known(self, request: RecordedRequest) -> bool:
        accounts = self._script.accounts()
        return request.bearer == self._api_key or (
            accounts is not None and request.bearer in accounts
        )

    def _out_of_room(self, request: RecordedRequest) -> RawJSON | None:
        accounts = self._script.accounts()
        if accounts is None or request.bearer not in accounts:
            return None
        return accounts.take(request)


def _made_up_results(query: str) -> list[dict[str, str]]:
    return [
        {
            "url": f"https://example.com/{number}",
            "title": f"Result {number} for {query}",
            "text": f"A made-up page about {query}.",
            "published": "2026-01-31T00:00:00.000Z",
        }
        for number in (1, 2, 3)
    ]


def _json_complaint(body: bytes) -> str:
    try:
        json.loads(body)
    except ValueError as failure:
        return str(failure)
    return "Expected an object"
