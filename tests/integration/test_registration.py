"""Owning the name `synthetic` in LiteLLM, and giving it back."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import litellm
import litellm.main
import litellm.utils
import pytest
from litellm.llms.custom_httpx.llm_http_handler import BaseLLMHTTPHandler
from litellm.llms.openai_like import dynamic_config
from litellm.llms.openai_like.json_loader import JSONProviderRegistry
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

import litellm_synthetic
from litellm_synthetic.exceptions import UnsupportedLiteLLMError
from litellm_synthetic.integration import compat, seams

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

MESSAGES = [{"role": "user", "content": "hello"}]
MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
# It moves from version to version.
MESSAGES_MODULE = inspect.unwrap(litellm.anthropic_messages).__module__
SEARCH_MODULES = ("litellm.search", "litellm.search.main")


def _touched_state() -> dict[str, Any]:
    """Return every piece of LiteLLM that registering may change."""
    table = ProviderConfigManager._PROVIDER_CONFIG_MAP  # noqa: SLF001
    entry = JSONProviderRegistry.get("synthetic")
    return {
        "chat": litellm.main._complete_custom_openai,  # noqa: SLF001
        "text": litellm.main._complete_text_completion_openai,  # noqa: SLF001
        "search": litellm.search,
        "searches": [vars(sys.modules[name])["search"] for name in SEARCH_MODULES],
        "timeouts": vars(litellm.main)["supports_httpx_timeout"],
        "config": None if table is None else table.get(LlmProviders.SYNTHETIC),
        "configs": None if table is None else len(table),
        "embedding": vars(ProviderConfigManager)["get_provider_embedding_config"],
        "models": vars(ProviderConfigManager)["get_provider_model_info"],
        "messages": vars(ProviderConfigManager)["get_provider_anthropic_messages_config"],
        "messages sent": vars(BaseLLMHTTPHandler)["anthropic_messages_handler"],
        "messages decided": vars(sys.modules[MESSAGES_MODULE])["anthropic_messages_handler"],
        "decorated calls": litellm.utils.print_args_passed_to_litellm,
        "undecorated calls": [
            getattr(litellm, name) for name in sorted(compat.undecorated_calls())
        ],
        "environment": [litellm.validate_environment, litellm.utils.validate_environment],
        "config class": dynamic_config.create_config_class,
        "entry": vars(entry).copy(),
        "map": list(litellm.custom_provider_map),
        "providers": list(litellm.provider_list),
        "custom": list(litellm._custom_providers),  # noqa: SLF001
        "listed": copy.deepcopy(litellm.models_by_provider),
        "rows": {name: dict(row) for name, row in litellm.model_cost.items()},
        "replayed": copy.deepcopy(litellm.utils._runtime_registered_model_cost),  # noqa: SLF001
        "compatible": list(litellm.openai_compatible_providers),
    }


def _printed(script: str) -> str:
    """Return what a script prints in an interpreter of its own."""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_importing_the_package_imports_neither_litellm_nor_opens_a_socket() -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was made')\n"
        "socket.socket = refuse\n"
        "import litellm_synthetic\n"
        "print('litellm' in sys.modules, 'httpx' in sys.modules)"
    )
    assert _printed(script).strip() == "False False"


def test_register_loads_nothing_that_only_a_call_needs() -> None:
    script = (
        "import sys, litellm, litellm_synthetic\n"
        "litellm_synthetic.register()\n"
        "print(*(name for name in sys.modules if name.startswith('litellm_synthetic.')))"
    )
    loaded = {name.removeprefix("litellm_synthetic.") for name in _printed(script).split()}
    of_calls = {"integration.completion_route", "integration.messages_route", "client.exchange"}
    of_plans = {"integration.quota_router", "quota.report", "quota.rest", "quota.slots"}
    assert "integration.registration" in loaded
    assert loaded.isdisjoint(of_calls | of_plans)
    wings = {name.partition(".")[0] for name in loaded}
    assert wings.isdisjoint({"client", "errors", "messages"})


def test_first_calls_in_many_threads_at_once_are_all_served(upstream: SyntheticServer) -> None:
    script = (
        "import sys, threading, litellm, litellm_synthetic\n"
        "litellm_synthetic.register()\n"
        "assert 'litellm_synthetic.integration.completion_route' not in sys.modules\n"
        "together, texts = threading.Barrier(8), []\n"
        "def call():\n"
        "    together.wait()\n"
        f"    reply = litellm.completion({MODEL!r}, {MESSAGES!r}, api_key={upstream.api_key!r},"
        f" api_base={upstream.openai_base!r})\n"
        "    texts.append(reply.choices[0].message.content)\n"
        "threads = [threading.Thread(target=call) for _ in range(8)]\n"
        "for each in threads: each.start()\n"
        "for each in threads: each.join()\n"
        "print(len(texts), all(texts))"
    )
    assert _printed(script).split() == ["8", "True"]


def test_register_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("register() opened a socket")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    litellm_synthetic.register()


@pytest.mark.parametrize("times", [1, 2])
def test_unregister_gives_litellm_back_exactly(times: int) -> None:
    before = _touched_state()
    for _ in range(times):
        litellm_synthetic.register()
    assert _touched_state() != before
    for _ in range(times):
        litellm_synthetic.unregister()
    assert _touched_state() == before


def test_registering_twice_changes_nothing_more() -> None:
    litellm_synthetic.register()
    once = _touched_state()
    litellm_synthetic.register()
    assert _touched_state() == once


def test_unregister_without_register_is_harmless() -> None:
    before = _touched_state()
    litellm_synthetic.unregister()
    assert _touched_state() == before


def test_threads_may_register_and_unregister_at_once() -> None:
    before = _touched_state()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                litellm_synthetic.register()
                litellm_synthetic.unregister()
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    litellm_synthetic.unregister()
    assert _touched_state() == before


def test_other_custom_providers_stay_registered(upstream: SyntheticServer) -> None:
    class Other(litellm.CustomLLM):
        def completion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
            del args
            kwargs["model_response"].choices[0].message.content = "other"
            return kwargs["model_response"]  # type: ignore[no-any-return]

    entry: Any = {"provider": "other-llm", "custom_handler": Other()}
    litellm.custom_provider_map.append(entry)
    litellm.utils.custom_llm_setup()  # type: ignore[no-untyped-call]
    try:
        answer = litellm.completion(model="other-llm/x", messages=MESSAGES)
        assert answer.choices[0].message.content == "other"
        assert not upstream.requests
        litellm_synthetic.unregister()
        assert entry in litellm.custom_provider_map
        answer = litellm.completion(model="other-llm/x", messages=MESSAGES)
        assert answer.choices[0].message.content == "other"
    finally:
        litellm.custom_provider_map.remove(entry)
        litellm._custom_providers.remove("other-llm")  # noqa: SLF001
        litellm.provider_list.remove("other-llm")


def test_embeddings_survive_a_replaced_custom_provider_map(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy's YAML does this after our registration.
    monkeypatch.setattr(litellm, "custom_provider_map", [])
    answer = litellm.embedding(model="synthetic/hf:nomic-ai/nomic-embed-text-v1.5", input=["a"])
    assert len(answer.data) == 1
    assert upstream.last_request.path.endswith("/embeddings")


def test_a_router_made_before_registering_is_served(
    synthetic_server: SyntheticServer,
) -> None:
    router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": {"model": MODEL}}])
    litellm_synthetic.register()
    answer: Any = router.completion(model="m", messages=MESSAGES)
    assert answer.choices[0].message.reasoning_content
    assert synthetic_server.last_request.headers["user-agent"].startswith("litellm-synthetic/")


def test_after_unregister_litellm_serves_the_route_itself_again(
    synthetic_server: SyntheticServer,
) -> None:
    litellm_synthetic.register()
    litellm_synthetic.unregister()
    litellm.completion(model=MODEL, messages=MESSAGES, api_base=synthetic_server.openai_base)
    assert "litellm-synthetic" not in synthetic_server.last_request.headers["user-agent"]


def test_a_wrapper_put_over_ours_is_left_in_place_and_passes_through(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    litellm_synthetic.register()
    ours = litellm.main._complete_custom_openai  # noqa: SLF001
    requests: list[str] = []

    def theirs(ctx: Any) -> Any:
        requests.append(ctx.model)
        return ours(ctx)

    monkeypatch.setattr(litellm.main, "_complete_custom_openai", theirs)
    litellm_synthetic.unregister()
    assert litellm.main._complete_custom_openai is theirs  # noqa: SLF001
    litellm.completion(model=MODEL, messages=MESSAGES, api_base=synthetic_server.openai_base)
    assert requests
    assert "litellm-synthetic" not in synthetic_server.last_request.headers["user-agent"]
    litellm_synthetic.register()
    monkeypatch.undo()  # now ours is on top again, where `unregister()` finds it


def test_a_row_that_a_user_registered_wins_and_survives() -> None:
    name = "synthetic/hf:zai-org/GLM-5.3"
    own = {"litellm_provider": "synthetic", "mode": "chat", "input_cost_per_token": 7e-06}
    litellm.register_model({name: dict(own)})
    try:
        before = dict(litellm.model_cost[name])
        litellm_synthetic.register()
        assert litellm.get_model_info(name)["input_cost_per_token"] == 7e-06
        assert litellm.get_model_info(name)["max_input_tokens"] == 524288
        litellm_synthetic.unregister()
        assert dict(litellm.model_cost[name]) == before
    finally:
        litellm.model_cost.pop(name)
        litellm.utils._runtime_registered_model_cost.pop(name)  # noqa: SLF001


def test_what_a_user_sets_after_registering_survives_unregister() -> None:
    name = "synthetic/hf:zai-org/GLM-5.3"
    litellm_synthetic.register()
    litellm.register_model(
        {name: {"litellm_provider": "synthetic", "output_cost_per_token": 9e-06}}
    )
    litellm_synthetic.unregister()
    try:
        assert litellm.model_cost[name]["output_cost_per_token"] == 9e-06
        assert "max_input_tokens" not in litellm.model_cost[name] or (
            litellm.model_cost[name]["max_input_tokens"] is None
        )
    finally:
        litellm.model_cost.pop(name, None)
        litellm.utils._runtime_registered_model_cost.pop(name, None)  # noqa: SLF001


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (litellm.main, "_complete_custom_openai"),
        (litellm.main, "_complete_text_completion_openai"),
        (ProviderConfigManager, "get_provider_embedding_config"),
    ],
)
def test_a_litellm_that_lacks_a_seam_is_refused_and_left_alone(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(owner, name)
    rows = dict(litellm.model_cost)
    with pytest.raises(UnsupportedLiteLLMError, match=rf"{name}.* work") as excinfo:
        litellm_synthetic.register()
    assert "1.102.4" in str(excinfo.value)
    assert dict(litellm.model_cost) == rows


def test_a_failure_halfway_registers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _touched_state()

    def fail(*_: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(seams.Seams, "set_models", fail)
    with pytest.raises(RuntimeError, match="half way"):
        litellm_synthetic.register()
    monkeypatch.undo()
    assert _touched_state() == before


def test_other_providers_of_the_same_dispatch_are_untouched(
    registered: None, synthetic_server: SyntheticServer
) -> None:
    del registered
    litellm.completion(
        model="openai/hf:zai-org/GLM-5.3-Flash",
        messages=MESSAGES,
        api_base=synthetic_server.openai_base,
        api_key=synthetic_server.api_key,
    )
    assert "litellm-synthetic" not in synthetic_server.last_request.headers["user-agent"]


def test_metadata_questions_never_need_a_key(registered: None) -> None:
    del registered
    model, provider, key, base = litellm.get_llm_provider(MODEL)
    assert (model, provider, key) == ("hf:zai-org/GLM-5.3-Flash", "synthetic", None)
    assert base == "https://api.synthetic.new/openai/v1"
    assert litellm.supports_function_calling(model=MODEL)
    assert "tools" in (litellm.get_supported_openai_params(model=MODEL) or [])
