"""Every public call of LiteLLM, found by looking at the installed one."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import litellm

import litellm_synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What `litellm` shows beside its calls: types, settings, look-ups and building blocks.
_HELPERS = (
    "litellm._",
    "litellm.caching",
    "litellm.compression",
    "litellm.litellm_core_utils",
    "litellm.llms",
    "litellm.rerank_api.rerank_utils",
    "litellm.rust_bridge",
    "litellm.secret_managers",
    "litellm.types",
    "litellm.utils",
    "litellm.assistants.utils",
)
# Functions of modules with calls in them that send nothing by themselves, or only by other calls.
NOT_CALLS = {
    "litellm": {
        "add_known_models", "identify", "is_bedrock_pricing_only_model", "is_openai_finetune_model",
        "set_global_bitbucket_config", "set_global_gitlab_config",
    },
    "litellm.main": {
        "aadapter_completion", "aadapter_generate_content", "acompletion_with_retries",
        "acount_tokens", "adapter_completion", "admission_input_tokens",
        "admitted_prompt_token_counter", "ahealth_check", "aresponses_with_retries",
        "completion_with_retries", "config_completion", "get_secret", "get_secret_bool",
        "get_secret_str", "mock_completion", "print_verbose", "responses_api_bridge_check",
        "responses_with_retries", "stream_chunk_builder", "stream_chunk_builder_text_completion",
    },
    "litellm.batch_completion.main": {
        "batch_completion", "batch_completion_models", "batch_completion_models_all_responses",
    },
    # Called by `file_content` with what that has resolved.
    "litellm.files.main": {"file_content_streaming"},
    "litellm.ocr.input": {"convert_file_document_to_url_document", "get_mime_type"},
    "litellm.ocr.main": {"convert_file_document_to_url_document", "get_mime_type"},
    "litellm.responses.bridge_check": {
        "bridge_reasoning_effort", "responses_api_bridge_check", "str_keyed_mapping",
    },
    "litellm.responses.main": {"aresponses_api_with_mcp", "mock_responses_api_response"},
    "litellm.responses.mcp.tool_precheck": {"may_name_litellm_mcp_gateway"},
    "litellm.tool_loop": {"arun_tool_loop", "run_tool_loop"},
}  # fmt: skip  # one table, read as one


@dataclass(frozen=True)
class PublicCall:
    """Name one call of LiteLLM.

    Attributes:
        owner: the module that shows it.
        name: how it is called there.
        home: the module that defines it.
        function_name: how it is called in its definition.
        is_decorated: whether it passes LiteLLM's `client` decorator.
    """

    owner: str
    name: str
    home: str
    function_name: str
    is_decorated: bool

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"

    @property
    def now(self) -> Callable[..., Any]:
        """Return the call as it is at this moment; registering replaces some."""
        return getattr(sys.modules[self.owner], self.name)  # type: ignore[no-any-return]


@cache
def public_calls() -> tuple[PublicCall, ...]:
    """Return LiteLLM's calls: the decorated ones of all modules, and the rest of `litellm`."""
    _import_everything()
    result: dict[int, PublicCall] = {}
    modules = [
        (name, module)
        for name, module in sorted(sys.modules.items())
        if f"{name}.".startswith("litellm.") and not name.startswith("litellm.proxy")
    ]
    for owner, module in modules:
        for name, value in list(vars(module).items()):
            if _is_decorated(value):
                result.setdefault(id(inspect.unwrap(value)), _named(owner, name, value))
    for name in dir(litellm):
        value = getattr(litellm, name, None)
        if inspect.isfunction(value) and id(inspect.unwrap(value)) not in result:
            call = _named("litellm", name, value)
            if _may_be_a_call(call):
                result[id(inspect.unwrap(value))] = call
    return tuple(result.values())


def _named(owner: str, name: str, value: Callable[..., Any]) -> PublicCall:
    inner = inspect.unwrap(value)
    return PublicCall(owner, name, inner.__module__, inner.__name__, _is_decorated(value))


def _import_everything() -> None:
    """Import each package's `main`, some of which LiteLLM itself imports late or never."""
    for package in pkgutil.iter_modules(litellm.__path__):
        if package.ispkg and package.name != "proxy":
            for name in _with_main(f"litellm.{package.name}"):
                # Some need an SDK that is not installed, so nobody can call them either.
                with contextlib.suppress(ImportError, TypeError):
                    importlib.import_module(name)


def _with_main(package: str) -> Iterator[str]:
    folder = importlib.util.find_spec(package)
    for module in pkgutil.iter_modules(folder.submodule_search_locations if folder else ()):
        if module.name in {"main", "endpoint_factory", "dispatch"}:
            yield f"{package}.{module.name}"
    if package == "litellm.interactions":
        yield "litellm.interactions.agents.main"


def _is_decorated(value: object) -> bool:
    return (
        inspect.isfunction(value)
        and hasattr(value, "__wrapped__")
        and value.__code__.co_name in {"wrapper", "wrapper_async"}
        and value.__code__.co_filename == inspect.getfile(litellm.utils)
        and value.__wrapped__.__module__.split(".")[0] == "litellm"
    )


def _may_be_a_call(call: PublicCall) -> bool:
    return (
        f"{call.home}.".startswith("litellm.")
        and not call.home.startswith(_HELPERS)
        and not call.name.startswith("_")
        and call.name not in NOT_CALLS.get(call.home, ())
    )


def argument(name: str) -> Any:
    """Return something that a parameter of that name accepts."""
    values: dict[str, Any] = {
        "messages": [{"role": "user", "content": "hello"}],
        "file": b"a file",
        "image": b"an image",
        "document": {"type": "document_url", "document_url": "https://example.com/a.pdf"},
        "documents": ["a text"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "purpose": "batch",
        "limit": 10,
        "max_tokens": 10,
        "timeout": 5,
        "testing_criteria": [],
    }
    mappings = ("data_source", "data_source_config", "ingest_options", "retrieval_config")
    return values.get(name, {} if name in mappings else "x")


def required_arguments(call: Callable[..., Any]) -> dict[str, Any]:
    """Return something for each parameter that a call needs."""
    inner = inspect.unwrap(call)
    if inspect.getfullargspec(inner).varargs:  # it hands everything to its sync form
        inner = inspect.unwrap(getattr(litellm, inner.__name__.removeprefix("a")))
    return {
        name: argument(name)
        for name, parameter in inspect.signature(inner).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    }


def forget_row(name: str) -> None:
    """Take a user's row out of LiteLLM's tables, for which it has no function."""
    litellm_synthetic.unregister()
    litellm.model_cost.pop(name, None)
    litellm.utils._runtime_registered_model_cost.pop(name, None)  # noqa: SLF001
    litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  # its caches of the row
