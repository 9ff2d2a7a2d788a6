"""Every place in LiteLLM that this package takes over, each behind a small named function.

`Seams` puts ours in, puts it in again where somebody has taken it out, and gives LiteLLM back.
Where somebody else has since wrapped what we put in, it stays in their chain, but becomes a plain
pass-through. Line numbers are those of LiteLLM 1.106.2.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import litellm

from litellm_synthetic.config.ids import PROVIDER
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.compat import LlmProviders
from litellm_synthetic.integration.cost_rows import OwnRows, Row
from litellm_synthetic.integration.ending_stream import stream_at_end
from litellm_synthetic.integration.patches import Expected, Patch

Dispatch = Callable[[Any], Any]


class _Listed(set[str]):
    """The ids that listings show, ours among them; by its class it is known again.

    Attributes:
        before: what was there without ours.
    """

    before: Any = None


class Seams:
    """Own the name `synthetic` in LiteLLM from `apply` until `restore` gives everything back.

    The methods that say what to take over are called once, before the first `apply`; `apply` and
    `restore` may then alternate.

    Attributes:
        active: whether calls are ours; wrappers that are still in place after `restore` ask.
    """

    def __init__(self) -> None:
        self.active = False
        self._lock = threading.RLock()
        self._patches: list[Patch] = []
        self._unwatched: list[Patch] = []
        self._expected: tuple[Expected, ...] = ()
        self._undo: list[Callable[[], None]] = []
        self._hook: Callable[[], None] | None = None
        self._rows: OwnRows | None = None
        self._ids: frozenset[str] = frozenset()
        self._listed = _Listed()

    def apply(self) -> None:
        """Put in what is ours, or what is missing of it; may be called at any time."""
        with self._lock:
            self.active = True
            expected = [each for patch in self._patches for each in patch.apply()]
            for patch in self._unwatched:
                patch.apply()
            self._expected = tuple({each[:2]: each for each in expected}.values())
            if self._hook is not None:
                self._hook()
            if self._rows is not None:
                self._rows.put_back()
                self._list_models()

    def restore(self) -> None:
        """Put back what was there, the latest change first."""
        with self._lock:
            self.active = False
            while self._undo:
                self._undo.pop()()
            self._remove_models()
            for patch in (*self._patches, *self._unwatched):
                patch.undo()

    def at_restore(self, action: Callable[[], None]) -> None:
        """Have the next `restore` also do this."""
        self._undo.append(action)

    def serves(self, provider: object) -> bool:
        """Tell whether a call is ours; on its way, put back what somebody has taken out.

        A replaced cost map, a reload or another's patch is noticed by a few comparisons of
        identity, which is all that most calls do here.
        """
        if not self.active or provider != PROVIDER:
            return False
        if not self._is_in_force():
            with self._lock:
                if self.active:
                    self.apply()
        return self.active

    def _is_in_force(self) -> bool:
        for get, name, value in self._expected:
            if get(name) is not value:
                return False
        rows = self._rows
        return (rows is None or rows.are_in_force()) and litellm.models_by_provider.get(
            PROVIDER
        ) is self._listed

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
        def wrap(original: Dispatch) -> Dispatch:
            def dispatch(ctx: Any) -> Any:
                return handler(ctx) if self.serves(ctx.custom_llm_provider) else original(ctx)

            return dispatch

        self.wrap((compat.main,), name, wrap)

    def keep_httpx_timeouts(self) -> None:
        """Let `timeout=httpx.Timeout(…)` through as it is.

        `completion()` cuts it down to its read timeout for all providers but three (main.py:5560).
        """

        def wrap(original: Callable[[str], bool]) -> Callable[[str], bool]:
            def supports_httpx_timeout(custom_llm_provider: str) -> bool:
                return self.serves(custom_llm_provider) or original(custom_llm_provider)

            return supports_httpx_timeout

        self.wrap((compat.main,), "supports_httpx_timeout", wrap)

    def set_provider_config(self, config: Callable[[], object]) -> None:
        """Make ours the class that says which parameters are supported and how they map.

        Without an entry here (utils.py:8974) LiteLLM makes one from its JSON, which strips tools
        and reasoning. The table is made at LiteLLM's first look-up, which would cost time here.
        """
        value = (config, False)
        table = (*compat.PROVIDER_CONFIGS, "_PROVIDER_CONFIG_MAP")
        entry = Patch(table, LlmProviders.SYNTHETIC, lambda _: value)

        def wrap(original: Callable[[], dict[Any, Any]]) -> Callable[[], dict[Any, Any]]:
            @functools.wraps(original)
            def build() -> dict[Any, Any]:
                table = original()
                if self.active:
                    entry.apply_to(table)
                return table

            return build

        self.wrap(compat.PROVIDER_CONFIGS, "_build_provider_config_map", wrap)
        self._patches.append(entry)

    def read_base_url_from(self, variable: str) -> None:
        """Have the base URL read from an environment variable, through the secret manager.

        The dispatch context arrives with the JSON entry's default filled in, so it has to be told
        earlier; the entry has a slot for it that `synthetic` leaves empty (json_loader.py:19).
        """
        self.wrap(compat.PROVIDER_ENTRY_PATH, "api_base_env", lambda _: variable)

    def serve_embeddings(self, handler: litellm.CustomLLM) -> None:
        """Send `synthetic` embeddings to a custom handler.

        `embedding()` has no branch for JSON providers, only for custom ones (main.py:7327). A
        proxy's YAML `custom_provider_map` replaces the list after us (proxy_server.py:6698), so the
        entry is checked at each embedding, on the way through the config look-up.
        """
        entry: Any = {"provider": PROVIDER, "custom_handler": handler}

        def hook() -> None:
            if entry in litellm.custom_provider_map:
                return
            with self._lock:
                if self.active and entry not in litellm.custom_provider_map:
                    names_before = list(litellm._custom_providers)  # noqa: SLF001  # LiteLLM's own list
                    litellm.custom_provider_map.append(entry)
                    compat.fill_custom_providers()
                    self._undo.append(functools.partial(_unhook, entry, names_before))

        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            def get_provider_embedding_config(model: str, provider: LlmProviders) -> Any:
                if self.serves(provider):
                    hook()
                return original(model=model, provider=provider)

            return get_provider_embedding_config

        self._hook = hook
        self.wrap(compat.PROVIDER_CONFIGS, "get_provider_embedding_config", wrap)

    def assemble_streams_at_once(self) -> None:
        """Put the chunks of a stream of ours together where it is read, not in a thread.

        LiteLLM gives that to a thread (streaming_handler.py:2140), and gives it there a second time
        where it has added a chunk of usage. Ours are few chunks by then, so the thread costs more
        than its work, and on a busy machine it waits long for its turn. Not every version has the
        name, and a stream ends well without.
        """

        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def asyncify(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                at_end = stream_at_end.get() if self.active else None
                in_thread = original(function, *args, **kwargs)
                return in_thread if at_end is None else at_end.assembling(function, in_thread)

            return asyncify

        if hasattr(compat.streaming_handler, "asyncify"):
            self.wrap((compat.streaming_handler,), "asyncify", wrap, is_watched=False)

    def take_over_search(self, handler: Callable[[], Callable[..., Any]]) -> None:
        """Send `search_provider="synthetic"` to a handler, `search` and `asearch` alike.

        `search()` turns the provider's name into a member of a closed enum before it looks up any
        config (search/main.py:244), so the function is where another name can come in. `asearch`
        stays as it is: it calls the sync function by its global name (search/main.py:119), with
        `asearch=True`, so a Router that has taken it already gets here too; and the proxy compares
        it by identity (fallback_model_access.py:64).

        Args:
            handler: returns a function named `search`, because LiteLLM takes the kind of a call
                from it; asked at the first search.
        """

        @functools.cache
        def decorated() -> Callable[..., Any]:
            return compat.public_call(handler())

        @functools.cache  # one function under three names, as in LiteLLM
        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def search(*args: Any, **kwargs: Any) -> Any:
                provider = args[1] if len(args) > 1 else kwargs.get("search_provider")
                return (
                    decorated()(*args, **kwargs)
                    if self.serves(provider)
                    else original(*args, **kwargs)
                )

            return search

        for owner in (compat.SEARCH_MODULE, compat.SEARCH_PACKAGE, litellm):
            self.wrap((owner,), "search", wrap)

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
            self._rows.set(rows)
            self._ids = frozenset(listed)
            self._list_models()

    def _list_models(self) -> None:
        """Have listings show our ids too, also where somebody has put back what they had kept."""
        current = litellm.models_by_provider.get(PROVIDER)
        before = current.before if isinstance(current, _Listed) else current
        self._listed = _Listed({*(before or ()), *self._ids})
        self._listed.before = before
        litellm.models_by_provider[PROVIDER] = self._listed

    def _remove_models(self) -> None:
        if self._rows is None:
            return
        self._rows.set({})
        self._rows = None
        current = litellm.models_by_provider.get(PROVIDER)
        if isinstance(current, _Listed):
            if current.before is None:
                del litellm.models_by_provider[PROVIDER]
            else:
                litellm.models_by_provider[PROVIDER] = current.before

    def answer_model_questions(self, listing: Callable[[], object]) -> None:
        """Make ours the class that lists models live (utils.py:8099).

        `get_valid_models(check_provider_endpoint=True)` knows the listing providers from a chain of
        branches that has no slot for others (utils.py:9528).
        """

        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            def get_provider_model_info(model: str | None, provider: LlmProviders) -> Any:
                # Not `serves`: LiteLLM asks this in the middle of registering rows.
                if self.active and provider == PROVIDER:
                    return listing()
                return original(model=model, provider=provider)

            return get_provider_model_info

        self.wrap(compat.PROVIDER_CONFIGS, "get_provider_model_info", wrap)

    def wrap(
        self,
        path: tuple[Any, ...],
        name: str,
        wrap: Callable[[Any], Any],
        *,
        is_watched: bool = True,
    ) -> None:
        """Have `apply` put ours around an attribute of LiteLLM's.

        Args:
            path: the object that has the attribute, or one from which names lead to it.
            name: the attribute.
            wrap: makes ours from what is there.
            is_watched: whether a call through the route notices that ours is gone; else the next
                `register()` does.
        """
        (self._patches if is_watched else self._unwatched).append(Patch(path, name, wrap))


def _unhook(entry: Any, names_before: list[str]) -> None:
    if entry in litellm.custom_provider_map:
        litellm.custom_provider_map.remove(entry)
    providers = {one["provider"] for one in litellm.custom_provider_map}
    if PROVIDER not in providers and PROVIDER not in names_before:
        _discard(litellm._custom_providers, PROVIDER)  # noqa: SLF001  # LiteLLM's own list


def _discard(names: list[str], name: str) -> None:
    if name in names:
        names.remove(name)
