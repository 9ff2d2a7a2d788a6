"""Token counts of prompts by Synthetic, with LiteLLM's estimate as the fallback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import openai

from litellm_synthetic.client import exchange
from litellm_synthetic.client.call import Call
from litellm_synthetic.config import settings
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors.faults import UnreadableReplyError
from litellm_synthetic.integration.compat import BaseTokenCounter, TokenCountResponse
from litellm_synthetic.integration.messages_route import goes_native, resolved
from litellm_synthetic.messages.documented_fields import in_documented_fields
from litellm_synthetic.messages.request import prepare_count
from litellm_synthetic.messages.translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.catalog.table import Catalog

# A client waits for the count before it sends anything; LiteLLM's own estimate comes at once.
TIMEOUT_SECONDS: Final = 10.0
_log: Final = logging.getLogger("litellm_synthetic")


class SyntheticTokenCounter(BaseTokenCounter):
    """Answer LiteLLM's token counts from `/messages/count_tokens`, else leave them to LiteLLM.

    The endpoint is for subscribers and counts text only (documented); it answered 500 for some
    models (seen 2026-09-14). Whatever goes wrong there, LiteLLM's local estimate stands in.
    """

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def should_use_token_counting_api(self, custom_llm_provider: str | None = None) -> bool:
        """Tell that this counter is for `synthetic`."""
        return custom_llm_provider == PROVIDER

    async def count_tokens(  # type: ignore[override]  # noqa: PLR0913, PLR0917  # LiteLLM's signature, later arguments in `later`
        self,
        model_to_use: str,
        messages: list[dict[str, Any]] | None,
        contents: list[dict[str, Any]] | None,
        deployment: dict[str, Any] | None = None,
        request_model: str = "",
        tools: list[dict[str, Any]] | None = None,
        system: Any | None = None,
        **later: Any,
    ) -> TokenCountResponse | None:
        """Return Synthetic's count, or None, which has LiteLLM count by itself."""
        del contents
        params = (deployment or {}).get("litellm_params") or {}
        # A wildcard's deployment names no model of its own.
        model = request_model if "*" in model_to_use else model_to_use
        model = model.removeprefix(ROUTE_PREFIX)
        if not messages or not goes_native(params.get("api_base")):
            return None
        body = {"messages": messages, "system": system, "tools": tools}
        if later.get("messages_format") != "anthropic" and _is_openai(messages, tools):
            body = _translated(model, messages, tools, system)
        elif settings.MESSAGES_BETA.value() == "drop":
            body = in_documented_fields(body, None, model)
        try:
            prepared = prepare_count(_call(model, params), body, self._catalog())
            reply = await exchange.asend(prepared)
            count: int = exchange.read(reply, prepared.origin, _input_tokens)
        except openai.APIError as error:  # every LiteLLM exception of a call is one
            _log.info("the tokens of a prompt for %s are estimated locally: %s", model, error)
            return None
        return TokenCountResponse(
            total_tokens=count,
            request_model=request_model,
            model_used=model,
            tokenizer_type="synthetic_api",
            original_response={"input_tokens": count},
        )


def _is_openai(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None) -> bool:
    """Tell whether a prompt is in OpenAI's form; LiteLLM says so only from 1.106 on."""
    return (
        any(message.get("role") not in ("user", "assistant") for message in messages)
        or any(message.get("tool_calls") for message in messages)
        or any("function" in tool for tool in tools or ())
    )


def _translated(
    model: str,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]] | None,
    system: Any,
) -> dict[str, Any]:
    parameters = {"tools": tools} if tools else {}
    body = dict(translate(model, messages, parameters, {}, drop=True, facts=None).body)
    fields = {name: body.get(name) for name in ("messages", "system", "tools")}
    return fields if system is None else {**fields, "system": system}


def _call(model: str, params: Mapping[str, Any]) -> Call:
    base_url, key = resolved(model, params.get("api_base"), params.get("api_key"))
    return Call(
        model=model,
        fields={},
        headers=None,
        key=key,
        base_url=base_url,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
        is_async=True,
    )


def _input_tokens(document: Mapping[str, Any], headers: Mapping[str, str]) -> int:
    del headers
    count = document.get("input_tokens")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise UnreadableReplyError("it holds no number of input_tokens")
    return count
