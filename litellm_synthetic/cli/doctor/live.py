"""One cheap call per API: does it answer, how fast, and what is left of the plan."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import litellm
import openai

from litellm_synthetic.cli.doctor.check import APIS, Check, blank_call
from litellm_synthetic.client import quotas as account
from litellm_synthetic.config.ids import ROUTE_PREFIX, canonical_id
from litellm_synthetic.errors.rules import BILLING_URL
from litellm_synthetic.quota.wording import exhausted, quotas_document, quotas_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.config.endpoint import Endpoint

TIMEOUT_SECONDS: Final = 30.0
# Enough for a word; a model that reasons first may end here, which proves the API as well.
_LONGEST_TOKENS: Final = 16


def check_live(endpoint: Endpoint, model_id: str | None) -> Iterator[Check]:
    """Make one call per API that lies beside a base URL, with the key in force.

    Args:
        endpoint: where calls go.
        model_id: the model to call; None if none may be used.
    """
    for api in APIS:
        beside = endpoint.beside(api)
        if beside is None:
            continue  # the finding on the base URL says that nothing is known about it
        if api == "v2":
            yield _account(beside)
        elif model_id is None:
            found = "Not called: no model may be used."
            yield Check(
                f"live.{api}",
                "problem",
                found,
                "Allow one in SYNTHETIC_ALLOWED_MODELS, or name one with --model.",
                blank_call(api, beside.base_url),
            )
        else:
            yield _chat(beside, canonical_id(model_id))


@dataclass(slots=True)
class _Watch:
    started_seconds: float

    @classmethod
    def start(cls) -> _Watch:
        return cls(time.perf_counter())

    @property
    def milliseconds(self) -> int:
        return round((time.perf_counter() - self.started_seconds) * 1000)


def _chat(endpoint: Endpoint, model_id: str) -> Check:
    name, details = f"live.{endpoint.api}", blank_call(endpoint.api, endpoint.base_url)
    details["model"] = model_id
    watch = _Watch.start()
    try:
        answer: Any = litellm.completion(
            model=ROUTE_PREFIX + model_id,
            messages=[{"role": "user", "content": "Say OK."}],
            api_base=endpoint.base_url,
            max_tokens=_LONGEST_TOKENS,
            timeout=TIMEOUT_SECONDS,
            max_retries=0,
        )
    except openai.APIError as error:  # every LiteLLM exception of a call is one
        return _failed(name, error, watch, details)
    details["latency_ms"] = watch.milliseconds
    cost = answer._hidden_params.get("response_cost")  # noqa: SLF001  # LiteLLM's documented place for the cost
    details["cost_usd"] = cost
    message = answer.choices[0].message
    said = "" if (message.content or "").strip() else ", in reasoning only"
    price = "" if cost is None else f" for ${cost:.7f}"
    found = f"{model_id} answered in {details['latency_ms']} ms{price}{said}."
    return Check(name, "ok", found, details=details)


def _account(endpoint: Endpoint) -> Check:
    name, details = "live.v2", blank_call("v2", endpoint.base_url)
    watch = _Watch.start()
    try:
        quotas = account.quotas(
            api_base=endpoint.base_url.removesuffix("/v2") + "/openai/v1",
            timeout=TIMEOUT_SECONDS,
            max_retries=0,
        )
    except openai.APIError as error:  # as above
        return _failed(name, error, watch, details)
    details["latency_ms"] = watch.milliseconds
    details["quotas"] = quotas_document(quotas)
    found = f"The quotas came in {details['latency_ms']} ms. {quotas_sentence(quotas)}"
    if quotas is not None and (ended := exhausted(quotas)):
        reset = quotas.resets_at()
        when = f"Wait until {reset:%Y-%m-%d %H:%M} UTC" if reset else "Wait until it resets"
        return Check(
            name,
            "warning",
            f"{found} {ended} used up.",
            f"{when}, or upgrade at {BILLING_URL}.",
            details,
        )
    return Check(name, "ok", found, details=details)


def _failed(name: str, error: openai.APIError, watch: _Watch, details: dict[str, Any]) -> Check:
    details["latency_ms"] = watch.milliseconds
    details["error"] = type(error).__name__
    # LiteLLM gives a failed connection a status that no server has sent.
    if not isinstance(error, openai.APIConnectionError):
        status = getattr(error, "status_code", None)
        details["status_code"] = status if isinstance(status, int) else None
    found, remedy = told_apart(str(error))
    return Check(name, "problem", found, remedy, details)


def told_apart(message: str) -> tuple[str, str]:
    """Split one of this package's error messages into what happened and what fixes it.

    LiteLLM puts its classes' names in front. What happened is the first sentence, which may quote
    an upstream with sentences of its own.
    """
    while (name := message.partition(": ")[0]).isidentifier() or name.startswith("litellm."):
        if name == message:
            break
        message = message.partition(": ")[2]
    after_quote = message.find('". ')
    end = after_quote + 1 if after_quote >= 0 else message.find(". ")
    if end < 0:
        return message, "Try again; if it stays, see the service's status at https://synthetic.new."
    return message[: end + 1], message[end + 2 :]
