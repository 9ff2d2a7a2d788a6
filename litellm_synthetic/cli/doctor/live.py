"""One cheap call per API: does it answer, how fast, and what is left of the plan."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import litellm
import openai

from litellm_synthetic.chat.usage import uncached_once
from litellm_synthetic.cli.doctor.check import Check
from litellm_synthetic.cli.formatting import split_message
from litellm_synthetic.client import quotas as account
from litellm_synthetic.config.ids import ROUTE_PREFIX, canonical_id
from litellm_synthetic.errors.plan import BILLING_URL
from litellm_synthetic.quota.cap import cap_of
from litellm_synthetic.quota.state import KnownQuotas
from litellm_synthetic.quota.wording import exhausted, quotas_document, quotas_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from litellm_synthetic.config.endpoint import Api, Endpoint
    from litellm_synthetic.quota.report import Quotas

TIMEOUT_SECONDS: Final = 30.0
_APIS: Final[tuple[Api, ...]] = ("openai", "anthropic", "v2")
# Enough for a word; a model that reasons first may end here, which proves the API as well.
_MAX_TOKENS: Final = 16


def not_called(name: str) -> Iterator[Check]:
    """Say of each API that it was not called, because the finding of this name is a problem."""
    for api in _APIS:
        found, remedy = f"Not called: {name} has a problem.", f"Fix {name} first."
        yield Check(f"live.{api}", "problem", found, remedy, _details(api))


def check_live(endpoint: Endpoint, model_id: str | None) -> Iterator[Check]:
    """Make one call per API that lies beside a base URL, with the key in force.

    Args:
        endpoint: where calls go.
        model_id: the model to call; None if none may be used.
    """
    for api in _APIS:
        beside = endpoint.beside(api)
        if beside is None:
            continue  # the finding on the base URL says that nothing is known about it
        if api == "v2":
            yield _call(beside, _quotas, _report_quotas)
        elif model_id is None:
            yield Check(
                f"live.{api}",
                "problem",
                "Not called: no model may be used.",
                "Allow one in SYNTHETIC_ALLOWED_MODELS, or name one with --model.",
                _details(api, beside.base_url),
            )
        else:
            model = canonical_id(model_id)
            if api == "anthropic":
                yield _call(beside, partial(_message, model), _report_message, model=model)
            else:
                yield _call(beside, partial(_complete, model), _report_answer, model=model)


def _details(api: Api, base_url: str | None = None) -> dict[str, Any]:
    """Return the details of a call before there are any: every field, with None in it."""
    own = ("quotas",) if api == "v2" else ("model", "cost_usd")
    names = ("latency_ms", "error", "status_code", *own)
    return {"base_url": base_url, **dict.fromkeys(names)}


def _call(
    endpoint: Endpoint,
    send: Callable[[str], Any],
    report: Callable[[str, Any, dict[str, Any]], Check],
    **known: str,
) -> Check:
    """Make one call, measure it, and return the finding on its answer or its failure."""
    name, details = f"live.{endpoint.api}", _details(endpoint.api, endpoint.base_url) | known
    started_seconds = time.perf_counter()
    try:
        answer = send(endpoint.base_url)
    except openai.APIError as error:  # every LiteLLM exception of a call is one
        details["error"] = type(error).__name__
        # LiteLLM gives a failed connection a status that no server has sent.
        if not isinstance(error, openai.APIConnectionError):
            status = getattr(error, "status_code", None)
            details["status_code"] = status if isinstance(status, int) else None
        return Check(name, "problem", *split_message(str(error)), details)
    finally:
        details["latency_ms"] = round((time.perf_counter() - started_seconds) * 1000)
    return report(name, answer, details)


def _complete(model_id: str, base_url: str) -> Any:
    return litellm.completion(
        model=ROUTE_PREFIX + model_id,
        messages=[{"role": "user", "content": "Say OK."}],
        api_base=base_url,
        max_tokens=_MAX_TOKENS,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
    )


def _message(model_id: str, base_url: str) -> Any:
    """Send what Claude Code sends, in small: blocks, a system message, a tool, betas."""
    marked = {"cache_control": {"type": "ephemeral"}}
    schema = {"type": "object", "properties": {"file_path": {"type": "string"}}}
    call = litellm.anthropic_messages(
        model=ROUTE_PREFIX + model_id,
        system=[{"type": "text", "text": "You are an agent.", **marked}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Say OK."}]},
            {"role": "system", "content": "Do not use tools."},
        ],
        tools=[{"name": "Read", "description": "Read a file", "input_schema": schema}],
        thinking={"type": "adaptive"},
        output_config={"effort": "low"},
        context_management={"edits": []},
        metadata={"user_id": "litellm-synthetic-doctor"},
        api_base=base_url,
        max_tokens=_MAX_TOKENS,
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
    )
    return asyncio.run(call)


def _report_message(name: str, message: Any, details: dict[str, Any]) -> Check:
    usage = uncached_once(message.get("usage"))
    cached = usage.get("cache_read_input_tokens", 0)
    cost = sum(
        litellm.cost_per_token(
            model=ROUTE_PREFIX + details["model"],
            prompt_tokens=usage.get("input_tokens", 0) + cached,
            completion_tokens=usage.get("output_tokens", 0),
            cache_read_input_tokens=cached,
        )
    )
    details["cost_usd"] = cost
    has_text = any(block.get("type") == "text" for block in message["content"])
    note = "" if has_text else ", without text"
    found = (
        f"{details['model']} answered Claude Code's kind of request in {details['latency_ms']} ms "
        f"for ${cost:.6f}{note}."
    )
    return Check(name, "ok", found, details=details)


def _report_answer(name: str, answer: Any, details: dict[str, Any]) -> Check:
    cost = answer._hidden_params.get("response_cost")  # noqa: SLF001  # LiteLLM's documented place for the cost
    details["cost_usd"] = cost
    note = "" if (answer.choices[0].message.content or "").strip() else ", in reasoning only"
    price = "" if cost is None else f" for ${cost:.6f}"
    found = f"{details['model']} answered in {details['latency_ms']} ms{price}{note}."
    return Check(name, "ok", found, details=details)


def _quotas(base_url: str) -> Quotas | None:
    return account.quotas(
        api_base=base_url.removesuffix("/v2") + "/openai/v1",
        timeout=TIMEOUT_SECONDS,
        max_retries=0,
    )


def _report_quotas(name: str, quotas: Quotas | None, details: dict[str, Any]) -> Check:
    left = quotas_sentence(quotas, datetime.now(UTC))
    found = f"The quotas came in {details['latency_ms']} ms. {left}"
    details["quotas"] = quotas_document(quotas)
    if quotas is None or not (subject := exhausted(quotas)):
        return Check(name, "ok", found, details=details)
    cap = cap_of(KnownQuotas(quotas, 0.0, datetime.now(UTC)))
    gains_at = None if cap is None else cap.gains_at
    when = f"Wait until {gains_at:%Y-%m-%d %H:%M} UTC" if gains_at else "Wait until it gains more"
    remedy = f"{when}, or upgrade at {BILLING_URL}."
    return Check(name, "warning", f"{found} {subject} used up.", remedy, details)
