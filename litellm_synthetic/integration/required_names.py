"""The names in LiteLLM that this package needs, and the check that the installed one has them.

What LiteLLM exports at its top level is its public API, and every wing may use it; everything below
`litellm` is imported in `compat` and nowhere else. `NAMES` lists both.
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.exceptions import UnsupportedLiteLLMError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

# The oldest and the newest release that the whole suite has passed on.
TESTED_VERSIONS: Final = ("1.102.4", "1.110.2")
WORKING_VERSIONS: Final = " to ".join(TESTED_VERSIONS)
_log: Final = logging.getLogger("litellm_synthetic")
_MAX_NAMES_IN_ERROR: Final = 3

# Where two of the names are that no import reaches.
MESSAGES_MODULE: Final = "the module of litellm.anthropic_messages"
PROVIDER_ENTRY: Final = "providers.json"


class Name(NamedTuple):
    """A name in LiteLLM that this package needs.

    Attributes:
        module: the module, `MESSAGES_MODULE` or `PROVIDER_ENTRY`.
        path: the attribute of the module, or of one of its classes.
        purpose: what it is needed for.
    """

    module: str
    path: str
    purpose: str

    def __str__(self) -> str:
        return f"{self.module}.{self.path}"


_TABLE: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (
        "litellm", "build the replies that callers get",
        (
            "Choices", "EmbeddingResponse", "Message", "ModelResponse", "ModelResponseStream",
            "StreamingChoices", "TextChoices", "TextCompletionResponse", "Usage",
            "process_response_headers",
        ),
    ),
    (
        "litellm", "hand its users' settings on",
        (
            "aclient_session", "client_session", "disable_stop_sequence_limit", "drop_params",
            "headers", "request_timeout", "ssl_verify",
        ),
    ),
    (
        "litellm", "tell callbacks of a stream's chunks only where one hears of them",
        ("_async_success_callback", "callbacks", "disable_streaming_logging", "success_callback"),
    ),
    (
        "litellm", "hand out a stream's chunks as LiteLLM would",
        ("REPEATED_STREAMING_CHUNK_LIMIT", "post_call_rules", "set_verbose"),
    ),
    ("litellm", "log what came of a stream that was left", ("stream_chunk_builder",)),
    (
        "litellm", "price calls as LiteLLM does",
        ("cost_discount_config", "cost_margin_config", "get_model_info"),
    ),
    ("litellm", "read keys as LiteLLM does", ("get_llm_provider", "get_secret")),
    ("litellm", "tell a refused argument from a failed call", ("BadRequestError",)),
    ("litellm", "tell a reply that no message can carry", ("APIError",)),
    ("litellm", "tell a team's credentials from a client's", ("credential_list",)),
    ("litellm", "name a missing key", ("validate_environment",)),
    ("litellm.utils", "name a missing key", ("validate_environment",)),
    (
        "litellm.utils", "refuse what Synthetic lacks, and what a client may not decide",
        ("print_args_passed_to_litellm",),
    ),
    ("litellm", "count tokens where Synthetic does not", ("token_counter",)),
    (
        "litellm", "translate completions to the Messages API and back",
        (
            "AnthropicConfig.map_openai_params", "AnthropicConfig.transform_parsed_response",
            "AnthropicConfig.transform_request",
        ),
    ),
    ("litellm", "answer for supported parameters", ("OpenAIGPTConfig",)),
    ("litellm", "publish limits and prices", ("model_cost", "models_by_provider")),
    (
        "litellm", "serve embeddings",
        ("CustomLLM", "_custom_providers", "custom_provider_map", "provider_list"),
    ),
    ("litellm", "serve Anthropic messages", ("anthropic_messages",)),
    ("litellm", "steer Routers around plans that are used up", ("Router",)),
    ("litellm", "serve search", ("search",)),
    (
        "litellm.exceptions", "raise LiteLLM's own exceptions",
        (
            "APIConnectionError", "APIError", "AuthenticationError", "BadGatewayError",
            "BadRequestError", "ContentPolicyViolationError", "ContextWindowExceededError",
            "InternalServerError", "NotFoundError", "PermissionDeniedError", "RateLimitError",
            "ServiceUnavailableError", "Timeout", "UnsupportedParamsError",
        ),
    ),
    (
        "litellm.constants", "tell whether a timeout is the user's",
        ("DEFAULT_REQUEST_TIMEOUT_SECONDS",),
    ),
    ("litellm.router", "keep an error from being hidden by a cooldown", ("Router",)),
    ("litellm.main", "take over completions", ("_complete_custom_openai",)),
    ("litellm.main", "take over text completions", ("_complete_text_completion_openai",)),
    ("litellm.main", "keep an httpx.Timeout whole", ("supports_httpx_timeout",)),
    ("litellm.utils", "serve search as LiteLLM serves it", ("client",)),
    ("litellm.utils", "serve embeddings", ("custom_llm_setup",)),
    (
        "litellm.utils", "publish limits and prices",
        ("_invalidate_model_cost_lowercase_map", "_runtime_registered_model_cost"),
    ),
    (
        "litellm.utils", "answer for parameters, embeddings, listings and messages",
        (
            "ProviderConfigManager._PROVIDER_CONFIG_MAP",
            "ProviderConfigManager._build_provider_config_map",
            "ProviderConfigManager.get_provider_anthropic_messages_config",
            "ProviderConfigManager.get_provider_embedding_config",
            "ProviderConfigManager.get_provider_model_info",
        ),
    ),
    ("litellm.types.utils", "name the provider", ("LlmProviders.SYNTHETIC",)),
    ("litellm.types.utils", "count tokens", ("TokenCountResponse",)),
    (
        "litellm.types.utils", "tell LiteLLM's arguments from Synthetic's fields",
        ("all_litellm_params",),
    ),
    (
        "litellm.types.router", "tell LiteLLM's arguments from Synthetic's fields",
        ("GenericLiteLLMParams.model_fields",),
    ),
    (
        "litellm.litellm_core_utils.streaming_handler", "stream",
        (
            "CustomStreamWrapper.__anext__", "CustomStreamWrapper.__del__",
            "CustomStreamWrapper.__next__",
            "CustomStreamWrapper._add_mcp_list_tools_to_first_chunk",
            "CustomStreamWrapper._optional_combine_thinking_block_in_choices",
            "CustomStreamWrapper.aclose", "CustomStreamWrapper.chunk_creator",
            "CustomStreamWrapper.run_success_logging_and_cache_storage",
        ),
    ),
    (
        "litellm.litellm_core_utils.litellm_logging", "tell LiteLLM's callbacks of calls",
        (
            "Logging.async_failure_handler", "Logging.dispatch_success_handlers",
            "Logging.failure_handler", "Logging.post_call", "Logging.pre_call",
            "Logging.update_from_kwargs",
        ),
    ),
    (
        "litellm.litellm_core_utils.litellm_logging", "bill calls as their keys pay",
        ("use_custom_pricing_for_model",),
    ),
    (
        "litellm.litellm_core_utils.logging_worker", "tell LiteLLM's callbacks of streams",
        ("GLOBAL_LOGGING_WORKER.ensure_initialized_and_enqueue",),
    ),
    (
        "litellm.litellm_core_utils.thread_pool_executor", "tell LiteLLM's callbacks of streams",
        ("executor.submit",),
    ),
    (
        "litellm.llms.custom_httpx.llm_http_handler", "serve Anthropic messages",
        (
            "BaseLLMHTTPHandler._finalize_anthropic_messages_response",
            "BaseLLMHTTPHandler.anthropic_messages_handler",
        ),
    ),
    (
        "litellm.llms.openai_like.json_loader", "find LiteLLM's own entry for the provider",
        ("JSONProviderRegistry._providers", "JSONProviderRegistry.get"),
    ),
    (
        "litellm.llms.openai_like.messages.transformation", "serve Anthropic messages",
        ("JSONProviderAnthropicMessagesConfig",),
    ),
    (
        "litellm.llms.anthropic.chat.handler", "translate streams of the Messages API",
        ("ModelResponseIterator.chunk_parser",),
    ),
    (
        "litellm.llms.anthropic.chat.transformation", "give tools their names back",
        ("ANTHROPIC_TOOL_NAME_REVERSE_MAP_KEY",),
    ),
    ("litellm.llms.base_llm.base_utils", "list models", ("BaseLLMModelInfo",)),
    ("litellm.llms.base_llm.base_utils", "count tokens", ("BaseTokenCounter",)),
    (
        "litellm.llms.base_llm.search.transformation", "serve search",
        ("SearchResponse", "SearchResult"),
    ),
    ("litellm.search", "serve search", ("search",)),
    ("litellm.search.main", "serve search", ("search",)),
    ("litellm.integrations.custom_logger", "be loaded by a proxy", ("CustomLogger",)),
    (
        "litellm.anthropic_interface.exceptions", "write errors as Anthropic's API does",
        ("AnthropicExceptionMapping.transform_to_anthropic_error",),
    ),
    (MESSAGES_MODULE, "serve Anthropic messages", ("anthropic_messages_handler",)),
    (PROVIDER_ENTRY, "have SYNTHETIC_API_BASE read", (f"{PROVIDER}.api_base_env",)),
)  # fmt: skip  # one table, read as one

NAMES: Final = tuple(
    Name(module, path, purpose) for module, purpose, paths in _TABLE for path in paths
)


def check_installed() -> None:
    """Check that the installed LiteLLM has every name in `NAMES`; change nothing.

    Raises:
        UnsupportedLiteLLMError: naming what is missing, and the versions that work.
    """
    missing = [name for name in NAMES if not _is_there(name)]
    if not missing:
        return
    first = ", ".join(f"{name} (to {name.purpose})" for name in missing[:_MAX_NAMES_IN_ERROR])
    more = len(missing) - _MAX_NAMES_IN_ERROR
    oldest, newest = TESTED_VERSIONS
    raise UnsupportedLiteLLMError(
        f"LiteLLM {_installed_version()} lacks {first}{f' and {more} more' if more > 0 else ''}, "
        f"which litellm-synthetic needs. LiteLLM {WORKING_VERSIONS} work. Install one of them: "
        f"pip install 'litellm>={oldest},<={newest}'."
    )


@cache
def warn_if_untested() -> None:
    """Log one warning per process where LiteLLM is outside the versions that were tested."""
    installed = _installed_version()
    oldest, newest = TESTED_VERSIONS
    if not _release(oldest) <= _release(installed) <= _release(newest):
        _log.warning(
            "litellm-synthetic was tested with LiteLLM %s, not with %s. It has all that is "
            "needed, so the route is registered. If a call misbehaves, install a tested version.",
            WORKING_VERSIONS, installed,
        )  # fmt: skip  # the text, then what goes into it


def _is_there(name: Name) -> bool:
    try:
        owner: Any = _OWNERS.get(name.module, lambda: _module(name.module))()
        for part in name.path.split("."):
            owner = owner[part] if isinstance(owner, dict) else getattr(owner, part)
    # LiteLLM imports many of its top-level names when they are first asked for.
    except (ImportError, AttributeError, KeyError):
        return False
    return True


def _module(name: str) -> ModuleType:
    # The import system takes ten times as long to find what is loaded.
    return sys.modules.get(name) or import_module(name)


def _installed_version() -> str:
    # LiteLLM has looked it up already; its metadata takes milliseconds to read again.
    try:
        return str(import_module("litellm._version").version)
    except (ImportError, AttributeError):
        return version("litellm")


def _release(text: str) -> tuple[int, ...]:
    """Return the numbers of a release, () where there are none."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def messages_module() -> ModuleType:
    """Return the module that decides how Anthropic messages are served.

    It has moved with nearly every minor version; the public function tells where it is.
    """
    return sys.modules[inspect.unwrap(litellm.anthropic_messages).__module__]


def _provider_entries() -> dict[str, Any]:
    loader: Any = import_module("litellm.llms.openai_like.json_loader")
    return {PROVIDER: loader.JSONProviderRegistry.get(PROVIDER)}


_OWNERS: Final[Mapping[str, Callable[[], Any]]] = {
    MESSAGES_MODULE: messages_module,
    PROVIDER_ENTRY: _provider_entries,
}
