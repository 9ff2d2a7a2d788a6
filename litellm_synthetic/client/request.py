"""Requests, ready to send: the address, the headers, the body and the limits of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.advice import warn_if_retired
from litellm_synthetic.client import litellm_globals
from litellm_synthetic.client.body import encode_body
from litellm_synthetic.client.headers import CREDENTIAL_HEADERS, headers_of
from litellm_synthetic.client.limits import limits_of, retries_of
from litellm_synthetic.config.credentials import REDACTED
from litellm_synthetic.config.ids import canonical_id
from litellm_synthetic.errors import local
from litellm_synthetic.transport.client import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.client.call import Call, Resolved
    from litellm_synthetic.config.credentials import Secret
    from litellm_synthetic.errors.failure import Origin
    from litellm_synthetic.transport.tls import Verify

# Steers this package, or is written again; none is a field of the body.
_NOT_FIELDS: Final = frozenset(("extra_body", "extra_headers", "max_retries", "stream", "model"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that passed every check, and what its errors need to know.

    Attributes:
        outgoing: the request, ready to send.
        origin: what its errors need to know.
        body: the fields of its body.
        stream: whether a stream was asked for.
        facts: the model's row in the table, None for an unknown model or for no model.
    """

    outgoing: Outgoing
    origin: Origin
    body: Mapping[str, Any]
    stream: bool
    facts: Model | None = None

    @property
    def loggable(self) -> dict[str, Any]:
        """Return what LiteLLM's callbacks may see of the request; the key is not in it."""
        fields = {
            name: REDACTED if name in CREDENTIAL_HEADERS else value
            for name, value in self.outgoing.headers.items()
        }
        return {
            "complete_input_dict": self.body,
            "api_base": self.outgoing.url,
            "headers": fields,
        }


def prepare(
    resolved: Resolved,
    operation: str,
    fields: Mapping[str, Any],
    *,
    anthropic: bool = False,
    count_prompt_tokens: Callable[[], int | None] | None = None,
) -> Prepared:
    """Return the request of an operation on a model.

    Args:
        resolved: the call.
        operation: the path behind the base URL, such as `chat/completions`.
        fields: the fields of the body, checked; None values are not sent.
        anthropic: whether the request speaks the Messages API.
        count_prompt_tokens: counts the prompt locally, for errors; None where it can't be counted.

    Raises:
        litellm.BadRequestError: the body has no JSON form, or is over 10 MiB.
    """
    call = resolved.call
    # The model first, so that a body cut short in a log still says what it was for.
    body: dict[str, Any] = {"model": canonical_id(call.model)}
    body |= {
        name: value
        for name, value in fields.items()
        if value is not None and name not in _NOT_FIELDS
    }
    stream = bool(call.fields.get("stream"))
    if stream:
        body["stream"] = True
    content = encode_body(body, call.model)
    if resolved.catalog is not None:
        warn_if_retired(resolved.facts, resolved.catalog)
    url = resolved.endpoint.url(operation)
    return Prepared(
        outgoing=outgoing(
            call,
            resolved.key,
            url,
            content,
            verify=resolved.verify,
            stream=stream,
            anthropic=anthropic,
        ),
        origin=replace(resolved.origin, count_prompt_tokens=count_prompt_tokens),
        body=body,
        stream=stream,
        facts=resolved.facts,
    )


def outgoing(  # noqa: PLR0913  # what a request is made of, each named
    call: Call,
    key: Secret,
    url: str,
    content: bytes,
    *,
    verify: Verify,
    stream: bool = False,
    anthropic: bool = False,
    method: str = "POST",
) -> Outgoing:
    """Return a request, ready to send; `anthropic` tells that it speaks the Messages API."""
    headers = headers_of(call, key, stream=stream, anthropic=anthropic)
    if not content:
        del headers["content-type"]
    return Outgoing(
        url=url,
        headers=headers,
        content=content,
        limits=limits_of(call, stream=stream),
        retries=retries_of(call),
        verify=verify,
        client=_client(call),
        method=method,
    )


def _client(call: Call) -> httpx.Client | httpx.AsyncClient | None:
    shared = litellm_globals.shared_client(is_async=call.is_async)
    if call.client is None and shared is None:
        return None
    import httpx  # noqa: PLC0415  # takes longer than a call; whoever made a client has it

    kind: type[httpx.Client | httpx.AsyncClient] = (
        httpx.AsyncClient if call.is_async else httpx.Client
    )
    if call.client is None:
        return shared if isinstance(shared, kind) else None
    for candidate in (call.client, getattr(call.client, "client", None)):
        if isinstance(candidate, kind):
            if candidate.is_closed:
                raise local.refused(
                    "client= has been closed. Pass an open one, or leave it out.", call.model
                )
            return candidate
    raise local.refused(
        f"client={type(call.client).__name__} cannot be used here: pass an httpx."
        f"{kind.__name__}, or LiteLLM's handler around one.",
        call.model,
    )
