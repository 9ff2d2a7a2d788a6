"""A call as LiteLLM hands it over, and everything that follows from it, resolved once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.client import litellm_globals
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import InvalidKeyError, Secret, parse_key
from litellm_synthetic.config.endpoint import Api, Endpoint, InvalidBaseURLError
from litellm_synthetic.errors import local
from litellm_synthetic.errors.failure import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.config.settings import Billing, MaxParallel
    from litellm_synthetic.transport.tls import Verify


# How LiteLLM's configs refer to an environment variable.
_REFERENCE: Final = "os.environ/"


@dataclass(frozen=True, slots=True)
class Call:
    """One call in this package's terms, as LiteLLM handed it over.

    Attributes:
        model: the id after `synthetic/`, as the caller wrote it.
        fields: parameters in OpenAI's names, mapped and not, but for reasoning.
        extra_body: fields that go into the body as they are, and win.
        reasoning: the caller's `reasoning_effort` and `thinking`.
        is_messages_call: whether the caller speaks the Messages API. Errors are in its wording, and
            `reasoning_effort` may be LiteLLM's reading of a budget.
        drop_params: whether an unsupported parameter is dropped instead of refused.
        headers: the caller's own headers.
        key: the key that LiteLLM found (`api_key=`, else `SYNTHETIC_API_KEY`).
        base_url: the base URL that LiteLLM found (`api_base=`, else `SYNTHETIC_API_BASE`, else the
            default).
        requested_stop: the caller's `stop`, before LiteLLM cuts it to four.
        only_deployment: whether LiteLLM's Router has no other deployment for the same model.
    """

    model: str
    fields: Mapping[str, Any]
    headers: Mapping[str, Any] | None = field(repr=False)
    key: str | None = field(repr=False)
    base_url: str | None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    reasoning: Mapping[str, Any] = field(default_factory=dict)
    is_messages_call: bool = False
    drop_params: bool = False
    timeout: float | httpx.Timeout | None = None
    stream_timeout: float | None = None
    max_retries: int | None = None
    verify: Verify | None = None
    client: Any = None
    is_async: bool = False
    requested_stop: Any = None
    only_deployment: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call with its model's facts, its endpoint and its key; nothing behind it looks them up.

    Attributes:
        call: the call itself.
        endpoint: the base URL and the API that is spoken there.
        key: the credential for that endpoint.
        origin: what the errors of the call need to know.
        verify: how the certificate of the endpoint is checked.
        merges_chunks: whether events of a stream that wait are merged into few chunks.
        billing: what `SYNTHETIC_BILLING` says.
        max_parallel: what `SYNTHETIC_MAX_PARALLEL` says.
        facts: the model's row in the table, None for an unknown model or for no model.
        catalog: the model table that was in force when the call was made.
    """

    call: Call
    endpoint: Endpoint
    key: Secret
    origin: Origin
    verify: Verify
    merges_chunks: bool
    billing: Billing
    max_parallel: MaxParallel
    facts: Model | None = None
    catalog: Catalog | None = None


def resolve(call: Call, catalog: Catalog, *, api: Api | None = None) -> Resolved:
    """Look up what a call for a model hangs on: facts, endpoint and key.

    Args:
        call: the call.
        catalog: the model table.
        api: the API that the operation belongs to, where it lies beside the one that the base URL
            names; by default the base URL's.

    Raises:
        litellm.AuthenticationError: no key, or an unusable one.
        litellm.BadRequestError: a base URL that cannot be right, or a model that
            `SYNTHETIC_ALLOWED_MODELS` does not allow.
    """
    _check_allowed(call.model)
    endpoint = endpoint_of(call)
    if api is not None:
        endpoint = endpoint.beside(api) or endpoint
    key = key_of(call)
    facts = catalog.find(call.model)
    origin = Origin(
        model=call.model,
        base_url=endpoint.base_url,
        key=key,
        context_window_tokens=facts.context_window_tokens if facts else None,
        explain_model=lambda: explain(call.model, catalog),
        only_deployment=call.only_deployment,
        is_messages_call=call.is_messages_call,
    )
    merges = bool(call.fields.get("stream")) and settings.STREAM_MERGE.value()
    return Resolved(
        call=call,
        endpoint=endpoint,
        key=key,
        origin=origin,
        verify=verify_of(call),
        merges_chunks=merges,
        billing=settings.BILLING.value(),
        max_parallel=settings.MAX_PARALLEL.value(),
        facts=facts,
        catalog=catalog,
    )


def _check_allowed(model: str) -> None:
    allowed = settings.ALLOWED_MODELS.value()
    if allowed is not None and not allowed.allows(model):
        raise local.refused(
            f"{model} is not among the models that {settings.ALLOWED_MODELS.name} allows "
            f"({', '.join(allowed.entries) or 'none'}). Use one of those, or extend the list.",
            model,
        )


def endpoint_of(call: Call) -> Endpoint:
    """Return where a call goes; raises litellm.BadRequestError for a base URL that can't be."""
    try:
        return settings.endpoint(call.base_url, look_up=read_secret)
    except InvalidBaseURLError as error:
        raise local.refused(f"{error}.", call.model) from error


def key_of(call: Call) -> Secret:
    """Return the key of a call; raises litellm.AuthenticationError where there is none."""
    if call.key is not None and call.key.startswith(_REFERENCE):
        raise local.no_key(
            call.model,
            f"api_key is the text {_REFERENCE}…, which only a Router or a proxy's config resolves. "
            "Pass the key itself, or leave api_key out.",
        )
    try:
        key = parse_key(call.key)
    except InvalidKeyError as error:
        raise local.no_key(call.model, f"{error}.") from None
    if key is None:
        raise local.no_key(call.model)
    return key


def verify_of(call: Call) -> Verify:
    """Return how a certificate is checked: what the call says, SSL_VERIFY or LiteLLM's setting."""
    # The order in which LiteLLM's own providers look: the call, SSL_VERIFY, litellm.ssl_verify.
    setting: Any = call.verify if call.verify is not None else settings.SSL_VERIFY.value()
    if setting is None:
        setting = litellm_globals.ssl_verify()
    if isinstance(setting, str) and setting.lower() in ("true", "false"):
        return setting.lower() == "true"
    return True if setting is None else setting
