"""Operations that Synthetic lacks are refused before a socket is opened, with any keys set."""

from __future__ import annotations

import base64
import inspect
import socket
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st

import litellm_synthetic
from litellm_synthetic.integration import compat
from litellm_synthetic.integration.other_operations import by_name, is_served
from tests.integration.litellm_calls import public_calls, required_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import NewRouter

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
FOREIGN = ("sk-another-vendors-0123456789abcdef", "org-of-another-vendor")
# Those that have no form in Python.
RUST = {("litellm.ocr.dispatch", "ocr"), ("litellm.ocr.dispatch", "aocr")}


@dataclass
class Network:
    """Keep whom somebody tried to reach; nobody is."""

    tried: list[object] = field(default_factory=list)

    def refuse(self, *target: object, **_: object) -> None:
        self.tried.append(target[-1])
        raise OSError("no network here")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Have every attempt to reach somebody noted and fail."""
    network = Network()
    monkeypatch.setattr(socket.socket, "connect", network.refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", network.refuse)
    monkeypatch.setattr(socket, "getaddrinfo", network.refuse)
    return network


@pytest.fixture
def foreign_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set other vendors' keys and organizations wherever LiteLLM looks for them."""
    key, organization = FOREIGN
    for vendor in ("OPENAI", "AZURE", "ANTHROPIC", "GEMINI", "MISTRAL", "COHERE", "JINA_AI"):
        monkeypatch.setenv(f"{vendor}_API_KEY", key)
    for name in ("OPENAI_ORGANIZATION", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, organization)
    for name in ("api_key", "openai_key", "azure_key", "anthropic_key"):
        monkeypatch.setattr(litellm, name, key)
    monkeypatch.setattr(litellm, "organization", organization)
    monkeypatch.setattr(litellm, "suppress_debug_info", True)


REFUSED = [
    call
    for call in public_calls()
    if not is_served(call.function_name, call.home.removeprefix("litellm."))
]


async def _outcome(call: Callable[..., Any], keywords: dict[str, Any], *arguments: Any) -> Any:
    try:
        answer = call(*arguments, **keywords)
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:  # noqa: BLE001  # looked at by the caller
        return error
    return answer


def test_litellm_has_calls_to_look_at() -> None:
    names = {call.function_name for call in public_calls()}
    assert {"completion", "aimage_generation", "moderation", "aocr", "cancel_batch"} <= names
    assert len(REFUSED) > 150


def test_every_public_call_of_litellm_is_known_to_be_served_or_refused() -> None:
    known_names = {(call.__module__, name) for name, call in compat.undecorated_calls().items()}
    unknown = {
        str(call)
        for call in public_calls()
        if not call.is_decorated and (call.home, call.name) not in known_names | RUST
    }
    assert not unknown, (
        f"LiteLLM has new calls: {sorted(unknown)}. If they reach a provider, add them to "
        "compat.undecorated_calls(); if not, to NOT_CALLS in litellm_calls.py."
    )


@pytest.mark.parametrize("way", ["model", "provider"])
@pytest.mark.parametrize("has_key", [False, True], ids=["without-key", "with-key"])
@pytest.mark.parametrize("module", sorted({call.home for call in REFUSED}))
async def test_an_operation_that_synthetic_lacks_is_refused_before_a_socket(
    module: str,
    way: str,
    network: Network,
    foreign_keys: None,
    registered: None,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_key: bool,
) -> None:
    del foreign_keys, registered
    if has_key:
        monkeypatch.setenv("SYNTHETIC_API_KEY", "syn_0123456789abcdef0123456789abcdef")
    looked_at = 0
    for call in REFUSED:
        arguments = required_arguments(call.now)
        if call.home != module or (way == "model" and "custom_llm_provider" in arguments):
            continue
        looked_at += 1
        ours = {"model": MODEL} if way == "model" else {"custom_llm_provider": "synthetic"}
        error = await _outcome(call.now, {**arguments, **ours})
        assert not network.tried, call
        assert isinstance(error, litellm.BadRequestError), (call, error)
        assert error.llm_provider == "synthetic"
        assert "Synthetic has no litellm." in str(error), call
        assert "Nothing was sent" in str(error)
    # Threads name their provider always.
    assert looked_at or module == "litellm.assistants.main"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("image_generation", ("a cat", MODEL)),
        ("aimage_generation", ("a cat", MODEL)),
        ("moderation", ("a text", MODEL)),
        ("amoderation", ("a text", MODEL)),
        ("transcription", (MODEL, b"a file")),
        ("speech", (MODEL, "a text")),
        ("rerank", (MODEL, "a query", ["a text"])),
        ("ocr", (MODEL, {"type": "document_url", "document_url": "https://a.example"})),
        ("create_file", (b"a file", "batch", None, "synthetic")),
    ],
)
async def test_positional_arguments_are_looked_at_too(
    name: str, arguments: tuple[Any, ...], network: Network, registered: None
) -> None:
    del registered
    error = await _outcome(getattr(litellm, name), {}, *arguments)
    assert f"Synthetic has no litellm.{name};" in str(error)
    assert not network.tried


def _managed_id(prefix: str) -> str:
    text = "litellm:custom_llm_provider:synthetic;model_id:x;response_id:resp_1"
    return f"{prefix}_{base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_responses", {"response_id": _managed_id("resp")}),
        ("delete_responses", {"response_id": _managed_id("resp")}),
        ("cancel_responses", {"response_id": _managed_id("resp")}),
        ("list_input_items", {"response_id": _managed_id("resp")}),
        ("video_status", {"video_id": _managed_id("video")}),
        ("retrieve_container", {"container_id": _managed_id("cntr")}),
        ("moderation", {"input": "x", "api_base": "https://api.synthetic.new/openai/v1"}),
        (
            "image_generation",
            {"prompt": "x", "api_base": "https://api.synthetic.new/openai/v1"},
        ),
        ("acreate_realtime_client_secret", {"session": {"model": MODEL}}),
    ],
)
async def test_whatever_leads_to_synthetic_is_recognised(
    name: str,
    arguments: dict[str, Any],
    network: Network,
    foreign_keys: None,
    registered: None,
) -> None:
    del foreign_keys, registered
    error = await _outcome(getattr(litellm, name), arguments)
    assert not network.tried
    assert isinstance(error, litellm.BadRequestError), error
    assert f"Synthetic has no litellm.{name};" in str(error)


async def test_a_name_taken_before_registering_is_refused_too(
    network: Network, foreign_keys: None
) -> None:
    del foreign_keys
    image_generation, amoderation = litellm.image_generation, litellm.amoderation
    litellm_synthetic.register()
    for call, arguments in (
        (image_generation, {"prompt": "x", "model": MODEL}),
        (amoderation, {"input": "x", "model": MODEL}),
        (_taken, {"input": "x", "model": MODEL}),
    ):
        assert "Synthetic has no litellm." in str(await _outcome(call, arguments))
    assert not network.tried


# As a program does that imports by name before it registers.
from litellm import moderation as moderation  # noqa: E402, PLC0414


def _taken(**arguments: Any) -> Any:
    return moderation(**arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("image_generation", {"prompt": "synthetic/cloth", "model": "openai/dall-e-3"}),
        ("moderation", {"input": "synthetic/x", "model": "omni-moderation-latest"}),
        ("create_thread", {"custom_llm_provider": "openai"}),
        ("list_batches", {"custom_llm_provider": "openai"}),
        # A LiteLLM proxy of somebody else's, whose models are called so.
        (
            "image_generation",
            {
                "prompt": "x",
                "model": MODEL,
                "custom_llm_provider": "openai",
                "api_base": "https://proxy.example/v1",
            },
        ),
    ],
)
async def test_other_providers_are_reached_as_before(
    name: str,
    arguments: dict[str, Any],
    network: Network,
    foreign_keys: None,
    registered: None,
) -> None:
    del foreign_keys, registered
    error = await _outcome(getattr(litellm, name), arguments)
    assert network.tried
    assert "Synthetic" not in str(error)


async def test_after_unregister_litellm_has_its_calls_back(
    network: Network, foreign_keys: None
) -> None:
    del foreign_keys
    before = {call: call.now for call in public_calls()}
    litellm_synthetic.register()
    assert {call: call.now for call in public_calls()} != before
    litellm_synthetic.unregister()
    assert {call: call.now for call in public_calls()} == before
    await _outcome(litellm.image_generation, {"prompt": "x", "model": MODEL})
    assert network.tried


# ---- Router

# Coroutine methods of Router that choose, count or administer deployments.
ROUTERS_OWN = {
    "abatch_completion", "abatch_completion_fastest_response",
    "abatch_completion_one_model_multiple_requests", "aadapter_completion",
    "aadapter_generate_content", "aguardrail", "arefresh_model_info",
    "async_callback_filter_deployments", "async_deployment_callback_on_failure",
    "async_function_with_fallbacks", "async_function_with_fallbacks_common_utils",
    "async_function_with_retries", "async_get_available_deployment",
    "async_get_available_deployment_for_pass_through", "async_get_fully_unhealthy_model_names",
    "async_get_healthy_deployments", "async_pre_routing_hook",
    "async_routing_strategy_pre_call_checks", "deployment_callback_on_success",
    "get_model_group_io_token_usage", "get_model_group_usage", "get_remaining_model_group_usage",
    "increment_deployment_usage_for_response", "make_call", "schedule_acompletion",
    "set_response_headers",
    "cached_deployment_model_info",
}  # fmt: skip  # one table, read as one
SERVED_BY_ROUTER = {
    "completion", "acompletion", "text_completion", "atext_completion", "embedding", "aembedding",
    "anthropic_messages", "aanthropic_messages", "responses", "aresponses",
    "generate_content", "agenerate_content", "generate_content_stream", "agenerate_content_stream",
    "acreate_interaction", "create_interaction", "search", "asearch",
}  # fmt: skip  # as above
# Router gives these no model, and Google's provider where the caller names none.
WITHOUT_MODEL = ("agent", "assistant", "thread", "message", "interaction", "search")
REFUSED_BY_ROUTER = {
    "image_generation", "aimage_generation", "aimage_edit", "amoderation", "atranscription",
    "aspeech", "arerank", "ocr", "aocr", "acreate_batch", "acancel_batch", "acreate_file",
    "afile_delete", "afile_content", "acreate_fine_tuning_job", "alist_fine_tuning_jobs",
    "avideo_generation", "video_generation", "acreate_container", "avector_store_file_create",
    "aget_responses", "adelete_responses", "acancel_responses", "allm_passthrough_route",
    "acreate_realtime_client_secret",
}  # fmt: skip  # as above


def _router_calls(router: litellm.Router) -> Iterator[str]:
    for name in dir(router):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # attributes on their way out
            call = getattr(router, name, None)  # one may not be filled in yet
        if name.startswith("_") or not callable(call) or name in ROUTERS_OWN | SERVED_BY_ROUTER:
            continue
        if name in vars(router) or inspect.iscoroutinefunction(call) or hasattr(litellm, name):
            yield name


# LiteLLM 1.102 has a Router keep the functions that it was made with. They end in its own "invalid
# provider", and nothing is sent.
KEPT_BY_ROUTER = {"ocr", "aocr"}


@pytest.mark.parametrize("is_made_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("way", ["group", "model", "provider"])
async def test_routers_calls_are_refused_before_a_socket(
    way: str,
    network: Network,
    foreign_keys: None,
    new_router: NewRouter,
    *,
    is_made_first: bool,
) -> None:
    del foreign_keys
    groups = [
        {"model_name": name, "litellm_params": {"model": MODEL, "api_key": "syn_0123456789abcdef"}}
        for name in ("group", MODEL)
    ]
    if is_made_first:
        litellm_synthetic.unregister()
    router = new_router(groups)
    litellm_synthetic.register()
    ours = {
        "group": {"model": "group"},
        "model": {"model": MODEL},
        "provider": {"custom_llm_provider": "synthetic"},
    }[way]
    names = set()
    for name in _router_calls(router):
        needs_model = not any(part in name for part in WITHOUT_MODEL)
        if needs_model != (way != "provider"):
            continue
        public = getattr(litellm, name, None)
        arguments = required_arguments(public) if inspect.isfunction(public) else {}
        arguments.pop("custom_llm_provider", None)
        error = await _outcome(getattr(router, name), {**arguments, **ours})
        if "vector_store_file" in name and way == "group" and not name.startswith("a"):
            network.tried.clear()  # LiteLLM's sync forms take no notice of groups
        assert not network.tried, (name, error)
        if "Synthetic has no litellm." in str(error):
            names.add(name)
    if way != "provider":
        expected = REFUSED_BY_ROUTER & set(_router_calls(router))
        assert names >= expected - (KEPT_BY_ROUTER if is_made_first else set())


@given(
    args=st.lists(st.integers(), max_size=6),
    kwargs=st.dictionaries(st.sampled_from(("model", "messages", "timeout", "other")), st.none()),
)
def test_arguments_get_the_names_that_python_would_give_them(
    args: list[int], kwargs: dict[str, None]
) -> None:
    def takes_more(model: Any, messages: Any = (), timeout: Any = None, **more: Any) -> None: ...
    def takes_these(model: Any, messages: Any = (), *, timeout: Any = None) -> None: ...
    def takes_any(*args: Any, **more: Any) -> None: ...

    for function in (takes_more, takes_these, takes_any):
        try:
            bound = inspect.signature(function).bind_partial(*args, **kwargs).arguments
        except TypeError:
            expected: dict[str, Any] = {}
        else:
            expected = bound
        named = by_name(function, args, kwargs)
        # Python puts what has no name of its own under `more`.
        assert {**named, "more": None} == {**expected, **kwargs, "more": None}
