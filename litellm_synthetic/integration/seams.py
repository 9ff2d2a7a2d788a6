"""The one module that touches LiteLLM's private names, each behind a small named function.

Every change goes through `Seams`, which remembers what was there and puts it back. Where somebody
else has since wrapped what we put in, it stays in their chain, but becomes a plain pass-through.
Line numbers are those of LiteLLM 1.106.2.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import litellm
import litellm.main
import litellm.utils
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.custom_httpx.llm_http_handler import BaseLLMHTTPHandler
from litellm.llms.openai_like.json_loader import JSONProviderRegistry
from litellm.llms.openai_like.messages.transformation import JSONProviderAnthropicMessagesConfig
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration.call_log import MessagesRequest
from litellm_synthetic.integration.cost_rows import OwnRows, Row

if TYPE_CHECKING:
    from litellm.llms.custom_llm import CustomLLM

# Not `litellm.search`, which names the function; the modules are shadowed by it.
_SEARCH_PACKAGE: Final = import_module("litellm.search")
_SEARCH_MODULE: Final = import_module("litellm.search.main")

WORKING_VERSIONS: Final = "1.102.4 to 1.109.1"

Dispatch = Callable[[Any], Any]


class UnsupportedLiteLLMError(RuntimeError):
    """Say which part of the installed LiteLLM is missing, and which versions work."""


def check_installed() -> None:
    """Check that the installed LiteLLM has every name that is needed, before one is touched.

    Raises:
        UnsupportedLiteLLMError: naming what is missing.
    """
    needed: tuple[tuple[str, object, str], ...] = (
        ("litellm.main", litellm.main, "_complete_custom_openai"),
        ("litellm.main", litellm.main, "_complete_text_completion_openai"),
        ("litellm.main", litellm.main, "supports_httpx_timeout"),
        ("litellm.utils", litellm.utils, "custom_llm_setup"),
        ("litellm.utils", litellm.utils, "_invalidate_model_cost_lowercase_map"),
        ("litellm.utils", litellm.utils, "_runtime_registered_model_cost"),
        ("ProviderConfigManager", ProviderConfigManager, "_build_provider_config_map"),
        ("ProviderConfigManager", ProviderConfigManager, "_PROVIDER_CONFIG_MAP"),
        ("ProviderConfigManager", ProviderConfigManager, "get_provider_embedding_config"),
        ("ProviderConfigManager", ProviderConfigManager, "get_provider_model_info"),
        ("ProviderConfigManager", ProviderConfigManager, "get_provider_anthropic_messages_config"),
        ("anthropic messages", _messages_module(), "anthropic_messages_handler"),
        ("BaseLLMHTTPHandler", BaseLLMHTTPHandler, "anthropic_messages_handler"),
        ("litellm.utils", litellm.utils, "client"),
        ("litellm.search.main", _SEARCH_MODULE, "search"),
        ("litellm.search", _SEARCH_PACKAGE, "search"),
        ("litellm", litellm, "search"),
        ("litellm", litellm, "custom_provider_map"),
        ("litellm", litellm, "_custom_providers"),
        ("LlmProviders", LlmProviders, "SYNTHETIC"),
        ("CustomStreamWrapper", CustomStreamWrapper, "chunk_creator"),
        ("providers.json", JSONProviderRegistry.get(PROVIDER), "api_base_env"),
    )
    missing = [f"{place}.{name}" for place, owner, name in needed if not hasattr(owner, name)]
    if missing:
        raise UnsupportedLiteLLMError(
            f"LiteLLM {version('litellm')} lacks {', '.join(missing)}, which this package needs to "
            f"own the route {PROVIDER}/. Versions {WORKING_VERSIONS} work."
        )


class Seams:
    """Own the name `synthetic` in LiteLLM until `restore` gives everything back."""

    def __init__(self) -> None:
        self.active = True
        self._lock = threading.Lock()
        self._undo: list[Callable[[], None]] = []
        self._rows: OwnRows | None = None
        self._listed: set[str] = set()
        self._listed_before: Any = None

    def restore(self) -> None:
        """Put back what was there, the latest change first."""
        with self._lock:
            self.active = False
        while self._undo:
            self._undo.pop()()

    def at_restore(self, action: Callable[[], None]) -> None:
        """Have `restore` also do this."""
        self._undo.append(action)

    def take_over_chat(self, handler: Dispatch) -> None:
        """Send `synthetic` completions to a handler of the dispatch context.

        `completion()` sends every JSON provider to this function (main.py:5995), which would hand
        it to the openai SDK, with OpenAI's key and organization where ours are missing. Custom
        providers come too late in that chain of branches, and get no response headers.
        """
        self._wrap_dispatch("_complete_custom_openai", handler)

    def take_over_text_completion(self, handler: Dispatch) -> None:
        """Send `synthetic` legacy completions to a handler (main.py:5932, the same reasons)."""
        self._wrap_dispatch("_complete_text_completion_openai", handler)

    def _wrap_dispatch(self, name: str, handler: Dispatch) -> None:
        original: Dispatch = getattr(litellm.main, name)

        def dispatch(ctx: Any) -> Any:
            if self.active and ctx.custom_llm_provider == PROVIDER:
                return handler(ctx)
            return original(ctx)

        self._replace(litellm.main, name, dispatch)

    def keep_httpx_timeouts(self) -> None:
        """Let `timeout=httpx.Timeout(…)` through as it is.

        `completion()` cuts it down to its read timeout for all providers but three (main.py:5560).
        """
        original: Callable[[str], bool] = getattr(litellm.main, "supports_httpx_timeout")  # noqa: B009  # imported there, not exported

        def supports_httpx_timeout(custom_llm_provider: str) -> bool:
            return (self.active and custom_llm_provider == PROVIDER) or original(
                custom_llm_provider
            )

        self._replace(litellm.main, "supports_httpx_timeout", supports_httpx_timeout)

    def set_provider_config(self, factory: Callable[[], Any]) -> None:
        """Make ours the class that says which parameters are supported and how they map.

        Without an entry here (utils.py:8974) LiteLLM makes one from its JSON, which strips tools
        and reasoning.
        """
        table = ProviderConfigManager._PROVIDER_CONFIG_MAP  # noqa: SLF001  # no public way in
        if table is None:  # built lazily by the first look-up
            table = ProviderConfigManager._build_provider_config_map()  # noqa: SLF001
            ProviderConfigManager._PROVIDER_CONFIG_MAP = table  # noqa: SLF001
            self._undo.append(_forget_provider_configs)
        self._set_item(table, LlmProviders.SYNTHETIC, (factory, False))

    def read_base_url_from(self, variable: str) -> None:
        """Have the base URL read from an environment variable, through the secret manager.

        The dispatch context arrives with the JSON entry's default filled in, so it has to be told
        earlier; the entry has a slot for it that `synthetic` leaves empty (json_loader.py:19).
        """
        entry: Any = JSONProviderRegistry.get(PROVIDER)
        self._replace(entry, "api_base_env", variable)

    def serve_embeddings(self, handler: CustomLLM) -> None:
        """Send `synthetic` embeddings to a custom handler.

        `embedding()` has no branch for JSON providers, only for custom ones (main.py:7327). A
        proxy's YAML `custom_provider_map` replaces the list after us (proxy_server.py:6698), so the
        entry is checked at each embedding, on the way through the config look-up.
        """
        entry: Any = {"provider": PROVIDER, "custom_handler": handler}
        names_before = list(litellm._custom_providers)  # noqa: SLF001  # what custom_llm_setup fills

        def hook() -> None:
            if entry not in litellm.custom_provider_map:
                litellm.custom_provider_map.append(entry)
                litellm.utils.custom_llm_setup()  # type: ignore[no-untyped-call]  # LiteLLM's

        def unhook() -> None:
            if entry in litellm.custom_provider_map:
                litellm.custom_provider_map.remove(entry)
            taken = {one["provider"] for one in litellm.custom_provider_map}
            if PROVIDER not in taken and PROVIDER not in names_before:
                _discard(litellm._custom_providers, PROVIDER)  # noqa: SLF001

        self._undo.append(unhook)
        hook()
        original = ProviderConfigManager.get_provider_embedding_config

        def get_provider_embedding_config(model: str, provider: LlmProviders) -> Any:
            if self.active and provider == LlmProviders.SYNTHETIC:
                hook()
            return original(model=model, provider=provider)

        self._replace(
            ProviderConfigManager,
            "get_provider_embedding_config",
            staticmethod(get_provider_embedding_config),
        )

    def serve_messages(
        self,
        answer: Callable[[MessagesRequest], Awaitable[Any]],
        goes_native: Callable[[str | None], bool],
    ) -> None:
        """Answer `anthropic_messages` for `synthetic` natively, where `goes_native(api_base)` says.

        Whether messages are translated to a chat completion hangs on whether there is a config
        (utils.py:9164), which LiteLLM looks up by model and provider; the base URL is only known to
        the caller of that look-up. What follows it (llm_http_handler.py:2453) would post with
        Anthropic's key header, follow redirects, and need LiteLLM's proxy installed for a stream.
        The sync door has no native way in LiteLLM, so it stays translated.
        """
        entry: Any = JSONProviderRegistry.get(PROVIDER)
        config = JSONProviderAnthropicMessagesConfig(entry)
        is_native: ContextVar[bool] = ContextVar("is_native", default=False)
        module = _messages_module()
        decide = module.anthropic_messages_handler
        look_up = ProviderConfigManager.get_provider_anthropic_messages_config
        post = BaseLLMHTTPHandler.anthropic_messages_handler

        @functools.wraps(decide)
        def anthropic_messages_handler(*args: Any, **kwargs: Any) -> Any:
            if not self.active or not kwargs.get("is_async") or not _is_ours(kwargs):
                return decide(*args, **kwargs)
            token = is_native.set(goes_native(kwargs.get("api_base")))
            try:
                return decide(*args, **kwargs)
            finally:
                is_native.reset(token)

        def get_provider_anthropic_messages_config(model: str, provider: LlmProviders) -> Any:
            if self.active and provider == LlmProviders.SYNTHETIC and is_native.get():
                return config
            return look_up(model=model, provider=provider)

        def post_messages(handler: BaseLLMHTTPHandler, *args: Any, **kwargs: Any) -> Any:
            if self.active and kwargs.get("anthropic_messages_provider_config") is config:
                return answer(MessagesRequest(handler, kwargs))
            return post(handler, *args, **kwargs)

        self._replace(module, "anthropic_messages_handler", anthropic_messages_handler)
        self._replace(
            ProviderConfigManager,
            "get_provider_anthropic_messages_config",
            staticmethod(get_provider_anthropic_messages_config),
        )
        self._replace(BaseLLMHTTPHandler, "anthropic_messages_handler", post_messages)

    def take_over_search(self, handler: Callable[..., Any]) -> None:
        """Send `search_provider="synthetic"` to a handler, `search` and `asearch` alike.

        `search()` turns the provider's name into a member of a closed enum before it looks up any
        config (search/main.py:244), so the function is where another name can come in. `asearch`
        stays as it is: it calls the sync function by its global name (search/main.py:119), with
        `asearch=True`, so a Router that has taken it already gets here too; and the proxy compares
        it by identity (fallback_model_access.py:64).

        Args:
            handler: a function named `search`, because LiteLLM takes the kind of a call from it.
        """
        original: Callable[..., Any] = vars(_SEARCH_MODULE)["search"]
        # What LiteLLM wraps its own functions in: logging, callbacks, cache and cost.
        served: Callable[..., Any] = litellm.utils.client(handler)  # type: ignore[no-untyped-call]  # LiteLLM's

        @functools.wraps(original)
        def search(*args: Any, **kwargs: Any) -> Any:
            named = args[1] if len(args) > 1 else kwargs.get("search_provider")
            if self.active and named == PROVIDER:
                return served(*args, **kwargs)
            return original(*args, **kwargs)

        for owner in (_SEARCH_MODULE, _SEARCH_PACKAGE, litellm):
            self._replace(owner, "search", search)

    def set_models(self, rows: Mapping[str, Row], listed: Iterable[str]) -> None:
        """Put cost-map rows and the names that listings show in place of the last ones given.

        What a user has registered under the same names wins over ours, field by field, before and
        after. A row is replaced in one step, so a call in another thread always finds it.
        """
        with self._lock:
            if not self.active:  # a refresh that ends after `restore`
                return
            if self._rows is None:
                self._rows = OwnRows()
                self._undo.append(self._remove_models)
                self._listed_before = litellm.models_by_provider.get(PROVIDER)
            self._rows.set(rows)
            self._listed = {*(self._listed_before or ()), *listed}
            litellm.models_by_provider[PROVIDER] = self._listed

    def _remove_models(self) -> None:
        if self._rows is not None:
            self._rows.set({})
        if litellm.models_by_provider.get(PROVIDER) is self._listed:
            if self._listed_before is None:
                del litellm.models_by_provider[PROVIDER]
            else:
                litellm.models_by_provider[PROVIDER] = self._listed_before

    def answer_model_questions(self, factory: Callable[[], Any]) -> None:
        """Make ours the class that lists models live (utils.py:8099).

        `get_valid_models(check_provider_endpoint=True)` knows the listing providers from a chain of
        branches that has no slot for others (utils.py:9528).
        """
        original = ProviderConfigManager.get_provider_model_info

        def get_provider_model_info(model: str | None, provider: LlmProviders) -> Any:
            if self.active and provider == LlmProviders.SYNTHETIC:
                return factory()
            return original(model=model, provider=provider)

        self._replace(
            ProviderConfigManager,
            "get_provider_model_info",
            staticmethod(get_provider_model_info),
        )

    def _replace(self, owner: Any, name: str, value: Any) -> None:
        original = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)
        setattr(owner, name, value)

        def put_back() -> None:
            now = vars(owner)[name] if isinstance(owner, type) else getattr(owner, name)
            if now is value:
                setattr(owner, name, original)

        self._undo.append(put_back)

    def _set_item(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        was_there, original = key in table, table.get(key)
        table[key] = value

        def put_back() -> None:
            if table.get(key) is not value:
                return
            if was_there:
                table[key] = original
            else:
                del table[key]

        self._undo.append(put_back)


def _forget_provider_configs() -> None:
    ProviderConfigManager._PROVIDER_CONFIG_MAP = None  # noqa: SLF001


def _discard(names: list[str], name: str) -> None:
    if name in names:
        names.remove(name)


def _messages_module() -> Any:
    # It has moved with nearly every minor version; the public function tells where it is.
    return sys.modules[inspect.unwrap(litellm.anthropic_messages).__module__]


def _is_ours(call: Mapping[str, Any]) -> bool:
    model = call.get("model")
    named = isinstance(model, str) and model.startswith(f"{PROVIDER}/")
    return named or call.get("custom_llm_provider") == PROVIDER
