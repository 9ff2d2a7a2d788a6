"""Every LiteLLM internal that this package uses, each import behind the check of `required_names`.

The check runs when this module is imported, before the internals are, so a LiteLLM that lacks a
name is refused with one clear error. Line numbers in this wing are those of LiteLLM 1.106.2.
"""
# ruff: noqa: E402  # the internals come after the check, on purpose

from __future__ import annotations

import inspect
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration.required_names import check_installed, messages_module

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

check_installed()

from litellm import cost_calculator, main, utils
from litellm.anthropic_interface.exceptions import AnthropicExceptionMapping
from litellm.constants import DEFAULT_REQUEST_TIMEOUT_SECONDS
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils import litellm_logging, streaming_handler
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.litellm_core_utils.thread_pool_executor import executor
from litellm.llms.anthropic.chat.handler import ModelResponseIterator
from litellm.llms.anthropic.chat.transformation import ANTHROPIC_TOOL_NAME_REVERSE_MAP_KEY
from litellm.llms.base_llm.base_utils import BaseLLMModelInfo, BaseTokenCounter
from litellm.llms.base_llm.search.transformation import SearchResponse, SearchResult
from litellm.llms.custom_httpx.llm_http_handler import BaseLLMHTTPHandler
from litellm.llms.openai_like import json_loader
from litellm.llms.openai_like.messages.transformation import JSONProviderAnthropicMessagesConfig
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import LlmProviders, TokenCountResponse, all_litellm_params

__all__ = [
    "DEFAULT_REQUEST_TIMEOUT_SECONDS",
    "GATEWAY_CLASS",
    "GATEWAY_IMPORTER",
    "GATEWAY_MODULE",
    "GATEWAY_URL_PREFIX",
    "LITELLM_PARAMETERS",
    "PROVIDER_CONFIGS",
    "PROVIDER_ENTRY_PATH",
    "PROXY_MESSAGES_MODULE",
    "PROXY_PROCESSING_MODULE",
    "SEARCH_MODULE",
    "SEARCH_PACKAGE",
    "AnthropicExceptionMapping",
    "BaseLLMHTTPHandler",
    "BaseLLMModelInfo",
    "BaseTokenCounter",
    "CustomLogger",
    "CustomStreamWrapper",
    "LlmProviders",
    "SearchResponse",
    "SearchResult",
    "TokenCountResponse",
    "cached_model_facts",
    "checks_tools_without_gateway",
    "cooling_down",
    "cost_calculator",
    "executor",
    "main",
    "messages_module",
    "python_router",
    "router_core",
    "streaming_handler",
    "usage_counter",
    "utils",
]

# LiteLLM's MCP gateway, which is imported by LiteLLM only (see mcp_gateway.py); no release has to
# have it.
GATEWAY_MODULE: Final = "litellm.responses.mcp.litellm_proxy_mcp_handler"
GATEWAY_IMPORTER: Final = "litellm.responses.mcp.chat_completions_handler"
GATEWAY_CLASS: Final = "LiteLLM_Proxy_MCP_Handler"
GATEWAY_URL_PREFIX: Final = "litellm_proxy"
# Not `litellm.search`, which names the function; the modules are shadowed by it.
SEARCH_PACKAGE: Final = import_module("litellm.search")
SEARCH_MODULE: Final = import_module("litellm.search.main")
# LiteLLM's own arguments, and those of a deployment; what else a caller says is Synthetic's.
LITELLM_PARAMETERS: Final = frozenset((*all_litellm_params, *GenericLiteLLMParams.model_fields))


_REDACT: Final = "redact_internal_details_from_client_message"
_ASSISTANTS_CALLS: Final = frozenset(
    (
        "get_assistants", "aget_assistants", "create_assistants", "acreate_assistants",
        "delete_assistant", "adelete_assistant", "create_thread", "acreate_thread",
        "get_thread", "aget_thread", "add_message", "a_add_message",
        "get_messages", "aget_messages", "run_thread", "arun_thread",
        "run_thread_stream", "arun_thread_stream",
    )
)  # fmt: skip  # one set, read as one


def cached_model_facts() -> Callable[..., Any] | None:
    """Return what looks a model's facts up in the cache that LiteLLM's prices use (utils.py:6332).

    LiteLLM clears it whenever it takes up other facts. None where there is not one.
    """
    return getattr(utils, "_cached_get_model_info_helper", None)


# Where Router picks, cools down and retries in Python, newest first; since 1.110 it does in Rust.
_PYTHON_ROUTERS: Final = (
    ("litellm.router_python_core", "PythonCore"),
    ("litellm.router", "Router"),
)


@cache
def python_router() -> tuple[Any, str] | None:
    """Return the module by whose names Router looks things up, and the name of its class there.

    None where its core is in Rust.
    """
    for module_name, class_name in _PYTHON_ROUTERS:
        try:
            module = import_module(module_name)
        except ImportError:
            continue
        if "_filter_cooldown_deployments" in vars(getattr(module, class_name)):
            return module, class_name
    return None


_USAGE_COUNTER: Final = "_increment_deployment_usage"


def usage_counter() -> str | None:
    """Return the name of Router's method that counts what is used of a deployment's limits.

    None where Router has none of its own that counts any number of requests, and returns the key
    that it counted under or None (router.py:8862 in 1.108.7): 1.102 does so in a callback, 1.110
    elsewhere.
    """
    counter = vars(litellm.Router).get(_USAGE_COUNTER)
    if not inspect.iscoroutinefunction(counter):
        return None
    takes = inspect.signature(counter).parameters
    return _USAGE_COUNTER if {"deployment_id", "rpm_increment"} <= takes.keys() else None


def cooling_down(of_router: Any) -> list[str]:
    """Return the ids of a Router's deployments that are cooling down (cooldown_handlers.py:400)."""
    handlers: Any = import_module("litellm.router_utils.cooldown_handlers")
    look_up = getattr(handlers, "get_cooldown_deployments", None) or getattr(
        handlers, "_get_cooldown_deployments", None
    )
    if look_up is None:
        return []
    return list(look_up(litellm_router_instance=of_router, parent_otel_span=None))


@cache
def router_core() -> Any:
    """Return the module of Router's host, where its core is in Rust (router_rust/core.py).

    That is so since 1.110; None before.
    """
    try:
        return import_module("litellm.router_rust.core")
    except ImportError:
        return None


# Where to find what a reload of LiteLLM's modules makes again: its table of what providers can do,
# and its own entry for `synthetic`.
PROVIDER_CONFIGS: Final = (utils, "ProviderConfigManager")
# A proxy's endpoint of Anthropic messages, which nothing but a proxy can import.
PROXY_MESSAGES_MODULE: Final = "litellm.proxy.anthropic_endpoints.endpoints"
# What makes the headers of a proxy's replies.
PROXY_PROCESSING_MODULE: Final = "litellm.proxy.common_request_processing"
PROVIDER_ENTRY_PATH: Final = (json_loader, "JSONProviderRegistry", "_providers", PROVIDER)


# Of that class: what makes a message of a completion, and a stream of a stream
# (adapters/transformation.py:363 and :385). Both drop the completion's headers.
TRANSLATIONS: Final = (
    "translate_completion_output_params",
    "translate_completion_output_params_streaming",
)


def messages_adapter() -> type[Any] | None:
    """Return the class that translates messages to completions and back; None where it is not.

    It has moved with most minor versions; the module that decides imports its neighbour. No release
    has to have it: only the headers of translated messages hang on it.
    """
    handler = getattr(messages_module(), "LiteLLMMessagesToCompletionTransformationHandler", None)
    neighbour = sys.modules.get(getattr(handler, "__module__", ""))
    adapter = getattr(neighbour, "ANTHROPIC_ADAPTER", None)
    return None if adapter is None else type(adapter)


@cache
def messages_config() -> Any:
    """Return a config that makes LiteLLM serve Anthropic messages natively (utils.py:9164)."""
    entry: Any = json_loader.JSONProviderRegistry.get(PROVIDER)
    return JSONProviderAnthropicMessagesConfig(entry)


def fill_custom_providers() -> None:
    """Have LiteLLM take up `litellm.custom_provider_map`, which it does not watch.

    Ours is put into its list first: LiteLLM warns of each new entry that has the name of a built-in
    provider (utils.py:639 in 1.110.2), and says that it will be ignored, which holds for chat only.
    """
    if PROVIDER not in litellm._custom_providers:  # noqa: SLF001  # LiteLLM's own list
        litellm._custom_providers.append(PROVIDER)  # noqa: SLF001  # the same
    utils.custom_llm_setup()  # type: ignore[no-untyped-call]  # LiteLLM's


def public_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as LiteLLM wraps its own: with logging, callbacks, cache and cost."""
    decorated: Callable[..., Any] = utils.client(function)  # type: ignore[no-untyped-call]  # LiteLLM's
    return decorated


_OCR: Final = "litellm.ocr.main"


def undecorated_calls() -> dict[str, Callable[..., Any]]:
    """Return the public calls that reach a provider past LiteLLM's `client` decorator, by name.

    Versions differ in which there are.
    """
    return {
        name: vars(module)[name]
        for module, names in (
            (main, {"moderation"}),
            (import_module("litellm.batches.main"), {"cancel_batch", "acancel_batch"}),
            (
                import_module("litellm.fine_tuning.main"),
                {"list_fine_tuning_jobs", "alist_fine_tuning_jobs"},
            ),
            (import_module("litellm.realtime_api.main"), {"realtime_health_check"}),
            (import_module("litellm.assistants.main"), _ASSISTANTS_CALLS),
            # There until 1.105; since 1.106 see `rust_dispatch`.
            *((sys.modules[name], {"ocr", "aocr"}) for name in (_OCR,) if name in sys.modules),
        )
        for name in names & vars(module).keys()
    }


def is_proxy_loaded() -> bool:
    """Tell whether this process has imported what a LiteLLM proxy replies with."""
    return PROXY_PROCESSING_MODULE in sys.modules


def rust_dispatch() -> Any:
    """Return the class through which calls without a form in Python go, such as OCR.

    None before 1.106, where all have one.
    """
    try:
        return import_module("litellm.rust_bridge.dispatch").PublicDispatch
    except ImportError:
        return None


def redacted_for_client(text: str) -> str:
    """Return a text without internal addresses and paths, as LiteLLM shows errors to its clients.

    The function is there since 1.102; the setting that turns it off is LiteLLM's own.
    """
    redact = getattr(import_module("litellm._logging"), _REDACT, None)
    return str(redact(text)) if callable(redact) else text


def registered_rows() -> dict[str, Any]:
    """Return the cost-map rows that LiteLLM registers again when it replaces its map.

    It does so on a proxy's reload, and after an import that found no network
    (get_model_cost_map.py:565). No public function takes a row out again.
    """
    return utils._runtime_registered_model_cost  # noqa: SLF001


def has_own_price(logging_obj: Any) -> bool:
    """Tell whether the call or its deployment sets a price (litellm_logging.py:5999 in 1.108.7)."""
    params: Any = getattr(logging_obj, "litellm_params", None)
    return bool(litellm_logging.use_custom_pricing_for_model(litellm_params=params))


def forget_price_look_ups() -> None:
    """Drop LiteLLM's caches of the cost map, as its `register_model` does (utils.py:5788)."""
    utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001


def checks_tools_without_gateway() -> bool:
    """Tell whether LiteLLM asks for gateway tools without importing its gateway.

    It does since 1.108.4 (main.py:144).
    """
    return hasattr(main, "may_name_litellm_mcp_gateway")


def log_in_background(work: Coroutine[Any, Any, Any]) -> None:
    """Give LiteLLM's logging worker something to do, as LiteLLM's own streams do."""
    GLOBAL_LOGGING_WORKER.ensure_initialized_and_enqueue(async_coroutine=work)


def renamed_tools(noted: Mapping[str, Any]) -> dict[str, str]:
    """Return the caller's name of each tool that LiteLLM's Anthropic translation renamed.

    Args:
        noted: the `litellm_params` that the translation wrote into (transformation.py:2051).
    """
    return dict(noted.get(ANTHROPIC_TOOL_NAME_REVERSE_MAP_KEY) or {})


def anthropic_chunk_parser(
    *, json_mode: bool, tool_names: Mapping[str, str]
) -> Callable[[dict[str, Any]], Any]:
    """Return LiteLLM's parser of one Messages stream: event in, chunk out; it keeps state."""
    parser = ModelResponseIterator(
        streaming_response=None,
        sync_stream=True,
        json_mode=json_mode,
        tool_name_reverse_map=dict(tool_names),
    )
    return parser.chunk_parser


# Of LiteLLM's kinds of alerts (types/integrations/slack_alerting.py:164) the one for budgets is the
# nearest. A plain text will do for its enumeration.
_PLAN_ALERT: Final = "budget_alerts"


def proxy_alert() -> Callable[..., Coroutine[Any, Any, None]] | None:
    """Return what sends an alert through the running proxy's own alerting; None outside of one.

    LiteLLM decides by its `alerting` and `alert_types` where it goes (proxy/utils.py:3673).
    """
    module = sys.modules.get("litellm.proxy.proxy_server")
    logging_obj: Any = getattr(module, "proxy_logging_obj", None)
    if logging_obj is None or not getattr(logging_obj, "alerting", None):
        return None

    async def send(text: str, *, is_urgent: bool) -> None:
        level = "High" if is_urgent else "Medium"
        await logging_obj.alerting_handler(message=text, level=level, alert_type=_PLAN_ALERT)

    return send
