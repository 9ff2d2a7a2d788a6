"""Headers of a LiteLLM proxy's replies: what a client has to know, and what is not its business.

A tenant learns when to come back, under the names that clients read, on chat and on `/v1/messages`.
The operator's plan it does not see, unless `SYNTHETIC_SHARE_QUOTAS=1` shares it.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.config import settings
from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.errors.plan import RETRY_AFTER, SHOULD_RETRY
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.plan_headers import PREFIXED
from litellm_synthetic.quota.header import HEADER
from litellm_synthetic.quota.request_limits import LIMIT, REMAINING, request_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litellm_synthetic.integration.seams import Seams

# A client that ignores `x-should-retry` waits for so long, several times, before it shows the text.
# The key itself rests for longer: a client that comes back early is refused here, for nothing.
MAX_UNPAID_RETRY_AFTER_SECONDS: Final = 5
_PAYMENT_REQUIRED: Final = 402
# Ours are filled from the plan, so they tell of it.
_OF_THE_PLAN: Final = frozenset(
    (PREFIXED, LIMIT, REMAINING, f"llm_provider-{LIMIT}", f"llm_provider-{REMAINING}")
)


def tell_clients(seams: Seams) -> bool:
    """Have a proxy's replies carry `Retry-After` and `x-should-retry`, and hide the plan.

    The headers of every reply are made by one static method, those of a failed `/v1/messages`
    included, which drops what the exception has (anthropic_endpoints/endpoints.py:273). A failed
    chat's pass one more method, which adds the upstream's (common_request_processing.py:4155).

    Returns:
        Whether a proxy is loaded; else there is nothing to take over.
    """
    processing = sys.modules.get(compat.PROXY_PROCESSING_MODULE)
    owner: Any = getattr(processing, "ProxyBaseLLMRequestProcessing", None)
    if owner is None:
        return False
    seams.wrap(
        (owner,), "get_custom_headers", functools.partial(_with_advice, seams), is_watched=False
    )
    # The first since 1.108.
    for name in ("handle_llm_api_exception", "_handle_llm_api_exception"):
        if name in vars(owner):
            seams.wrap((owner,), name, functools.partial(_presenting, seams), is_watched=False)
    return True


def _with_advice(
    seams: Seams, original: Callable[..., dict[str, str]]
) -> Callable[..., dict[str, str]]:
    @functools.wraps(original)
    def get_custom_headers(*args: Any, **kwargs: Any) -> dict[str, str]:
        headers = original(*args, **kwargs)
        if not seams.active:
            return headers
        # It is called while the exception is being handled, which is not handed over.
        return {**presented(headers), **advice_of(sys.exc_info()[1])}

    return get_custom_headers


def _presenting(seams: Seams, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def handle_llm_api_exception(self: Any, *args: Any, **kwargs: Any) -> Any:
        failure = kwargs.get("e", args[0] if args else None)
        try:
            return await original(self, *args, **kwargs)
        except Exception as error:
            headers = getattr(error, "headers", None)
            if seams.active and isinstance(headers, dict) and _is_ours(failure):
                error.headers = {**presented(headers), **advice_of(failure)}  # type: ignore[attr-defined]  # a ProxyException has it
            raise

    return handle_llm_api_exception


def presented(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a reply's headers as a client may see them: without the plan, or with it by name."""
    if PREFIXED not in headers:
        return dict(headers)
    if settings.SHARE_QUOTAS.value():
        limits = request_limit(headers[PREFIXED])
        shown = {HEADER if name == PREFIXED else name: text for name, text in headers.items()}
        return {**({} if limits is None else limits.headers), **shown}
    return {name: text for name, text in headers.items() if name not in _OF_THE_PLAN}


def advice_of(error: BaseException | None) -> dict[str, str]:
    """Return the headers that tell a client whether, and when, to come back after our error."""
    headers = getattr(error, "headers", None)
    if not _is_ours(error) or not isinstance(headers, dict):
        return {}
    advice = {name: headers[name] for name in (RETRY_AFTER, SHOULD_RETRY) if name in headers}
    seconds = advice.get(RETRY_AFTER, "")
    if getattr(error, "status_code", None) == _PAYMENT_REQUIRED and seconds.isdecimal():
        advice[RETRY_AFTER] = str(min(int(seconds), MAX_UNPAID_RETRY_AFTER_SECONDS))
    return advice


def _is_ours(error: object) -> bool:
    return getattr(error, "llm_provider", None) == PROVIDER
