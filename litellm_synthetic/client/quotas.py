"""The account's quotas: `GET /v2/quotas`, which is free and proves a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.client import exchange
from litellm_synthetic.client.call import Call, endpoint_of, key_of, verify_of
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.client.request import Prepared, outgoing
from litellm_synthetic.config.settings import API_KEY
from litellm_synthetic.errors import local
from litellm_synthetic.errors.failure import Origin
from litellm_synthetic.errors.faults import UnreadableReplyError
from litellm_synthetic.quota.report import Quotas, parse_quotas
from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.transport.client import Reply

DEFAULT_TIMEOUT_SECONDS: Final = 30.0
# LiteLLM's exceptions name a model; this stands there for what has none.
_NAME: Final = "quotas"


def quotas(
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    max_retries: int | None = None,
) -> Quotas | None:
    """Ask what is left of the plan; see `litellm_synthetic.quotas`."""
    prepared = _prepare(api_key, api_base, timeout, max_retries, is_async=False)
    return _read(exchange.send(prepared), prepared)


async def aquotas(
    *,
    api_key: str | None = None,
    api_base: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,  # noqa: ASYNC109  # LiteLLM's own name for it
    max_retries: int | None = None,
) -> Quotas | None:
    """Do what `quotas` does, on the running event loop."""
    prepared = _prepare(api_key, api_base, timeout, max_retries, is_async=True)
    return _read(await exchange.asend(prepared), prepared)


def _prepare(
    api_key: str | None,
    api_base: str | None,
    timeout_seconds: float,
    max_retries: int | None,
    *,
    is_async: bool,
) -> Prepared:
    call = Call(
        model=_NAME,
        fields={},
        headers=None,
        # As the route's calls find them: the environment, or LiteLLM's secret manager.
        key=api_key or API_KEY.text(read_secret),
        base_url=api_base,
        timeout=timeout_seconds,
        max_retries=max_retries,
        is_async=is_async,
    )
    endpoint = endpoint_of(call)
    account = endpoint.beside("v2")
    if account is None:
        raise local.refused(
            f"Where the quotas of {endpoint.base_url} lie is unknown; they are known beside a base "
            "URL that ends in /openai/v1, /anthropic/v1 or /v1.",
            _NAME,
        )
    key = key_of(call)
    return Prepared(
        outgoing=outgoing(
            call, key, account.url("quotas"), b"", verify=verify_of(call), method="GET"
        ),
        origin=Origin(model=_NAME, base_url=account.base_url, key=key, or_else=""),
        body={},
        stream=False,
    )


def _read(reply: Reply, prepared: Prepared) -> Quotas | None:
    def fill(document: Mapping[str, Any], headers: Mapping[str, str]) -> Quotas | None:
        text = json.dumps(document)
        quotas = parse_quotas(text)
        if document and (quotas is None or quotas.is_empty):
            raise UnreadableReplyError("the JSON object says nothing of quotas")
        if (scope := prepared.origin.scope) is not None:
            STATE.note_text(scope, text, headers.get("date"))
        return quotas

    quotas: Quotas | None = exchange.read(reply, prepared.origin, fill)
    return quotas
