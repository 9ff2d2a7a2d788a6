"""Tools work whatever `mcp` is installed, and LiteLLM's MCP gateway stays LiteLLM's."""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.integration.mcp_gateway import AbsentGateway, GatewayImport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litellm_synthetic.testing import SyntheticServer

MODULE, IMPORTER, CLASS = "made_up.responses.gateway", "made_up.responses.importer", "Gateway"
FUNCTION_TOOL = {"type": "function", "function": {"name": "look_up"}}
GATEWAY_TOOL = {"type": "mcp", "server_url": "litellm_proxy/mcp/github"}
WORKING = "class Gateway:\n    should_use_litellm_mcp_gateway = staticmethod(lambda tools: True)\n"


@pytest.fixture
def write_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a function that writes a package with a gateway and a module that imports it."""
    folder = tmp_path / "made_up" / "responses"
    folder.mkdir(parents=True)
    for each in (folder.parent, folder):
        (each / "__init__.py").touch()
    (folder / "importer.py").write_text(f"from {MODULE} import {CLASS}\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield (folder / "gateway.py").write_text
    for name in [name for name in sys.modules if name.startswith("made_up")]:
        del sys.modules[name]


@pytest.fixture
def gateway_import() -> Iterator[GatewayImport]:
    one = GatewayImport(MODULE, IMPORTER, CLASS)
    one.install()
    yield one
    one.remove()


def imported_class() -> Any:
    return getattr(importlib.import_module(IMPORTER), CLASS)


class TestAGatewayThatCannotBeImported:
    @pytest.fixture(autouse=True)
    def broken(self, write_gateway: Any) -> None:
        write_gateway("from json import loads\nimport a_package_that_nobody_has\n" + WORKING)

    @pytest.mark.usefixtures("gateway_import")
    @pytest.mark.parametrize(
        "tools",
        [
            None,
            [],
            [FUNCTION_TOOL],
            [{"type": "mcp", "server_url": "https://example.com/mcp/github"}],
            [{"type": "mcp"}],
            ["not a mapping", None, 3],
        ],
    )
    def test_is_not_meant_by_tools_that_do_not_name_it(self, tools: Any) -> None:
        assert imported_class().should_use_litellm_mcp_gateway(tools=tools) is False

    @pytest.mark.usefixtures("gateway_import")
    def test_is_missed_by_a_tool_that_names_it(self) -> None:
        with pytest.raises(ImportError, match=r"a_package_that_nobody_has.*litellm\[mcp\]"):
            imported_class().should_use_litellm_mcp_gateway(tools=[FUNCTION_TOOL, GATEWAY_TOOL])

    @pytest.mark.usefixtures("gateway_import")
    def test_has_nothing_but_the_answer(self) -> None:
        assert isinstance(imported_class(), AbsentGateway)
        assert not hasattr(sys.modules[MODULE], "loads")

    def test_says_why(self, gateway_import: GatewayImport) -> None:
        assert gateway_import.failure() is None  # nobody has asked for it yet
        imported_class()
        assert "a_package_that_nobody_has" in str(gateway_import.failure())

    @pytest.mark.usefixtures("gateway_import")
    def test_keeps_nothing_of_the_call_that_imported_it(self) -> None:
        class Stream:
            """What a call holds while LiteLLM asks for its gateway."""

        def call() -> weakref.ref[Stream]:
            stream = Stream()
            imported_class()
            return weakref.ref(stream)

        stream = call()
        gc.collect()
        assert stream() is None

    def test_fails_again_once_the_import_is_given_back(self, gateway_import: GatewayImport) -> None:
        imported_class()
        gateway_import.remove()
        assert gateway_import not in sys.meta_path
        assert gateway_import.failure() is None
        assert not {MODULE, IMPORTER} & sys.modules.keys()
        assert not {"gateway", "importer"} & vars(sys.modules["made_up.responses"]).keys()
        with pytest.raises(ModuleNotFoundError):
            imported_class()

    def test_fails_as_ever_where_the_error_is_another(
        self, write_gateway: Any, gateway_import: GatewayImport
    ) -> None:
        write_gateway("raise ValueError('a fault of its own')")
        with pytest.raises(ValueError, match="a fault of its own"):
            imported_class()
        assert gateway_import.failure() is None


class TestAGatewayThatCanBeImported:
    @pytest.fixture(autouse=True)
    def whole(self, write_gateway: Any) -> None:
        write_gateway(WORKING)

    def test_is_what_callers_get(self, gateway_import: GatewayImport) -> None:
        assert imported_class().should_use_litellm_mcp_gateway(tools=[FUNCTION_TOOL]) is True
        assert gateway_import.failure() is None

    def test_stays_when_the_import_is_given_back(self, gateway_import: GatewayImport) -> None:
        before = imported_class()
        gateway_import.remove()
        assert imported_class() is before

    def test_is_imported_once_however_often_it_was_installed(
        self, gateway_import: GatewayImport
    ) -> None:
        gateway_import.install()
        assert sys.meta_path.count(gateway_import) == 1


CALLS = f"""
import asyncio, json, sys
sys.modules["mcp"] = None  # as where it is not installed
import litellm, litellm_synthetic
from litellm_synthetic.integration.mcp_gateway import gateway_failure

call = dict(
    messages=[{{"role": "user", "content": "hello"}}],
    tools=[{{"type": "function", "function": {{"name": "f", "parameters": {{}}}}}}],
)
tool = {{"name": "f", "input_schema": {{"type": "object", "properties": {{}}}}}}
messages = dict(messages=call["messages"], tools=[tool], max_tokens=50)
flat = dict(input="hello", tools=[{{"type": "function", "name": "f", "parameters": {{}}}}])
model = "synthetic/hf:zai-org/GLM-5.3"
other = dict(model="openai/made-up", api_key="made-up", mock_response="hello", **call)

def outcome(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return "answered"

async def read(stream):
    return [chunk async for chunk in await stream]

stock = outcome(litellm.completion, **other)
litellm_synthetic.register()
found = dict(
    plain=outcome(litellm.completion, model=model, **call),
    stream=outcome(lambda: list(litellm.completion(model=model, stream=True, **call))),
    later=outcome(asyncio.run, litellm.acompletion(model=model, **call)),
    later_stream=outcome(asyncio.run, read(litellm.acompletion(model=model, stream=True, **call))),
    responses=outcome(litellm.responses, model=model, **flat),
    messages=outcome(asyncio.run, litellm.anthropic_messages(model=model, **messages)),
)
naming = {{**call, "tools": [{json.dumps(GATEWAY_TOOL)}]}}
named = outcome(litellm.completion, model=model, **naming)
is_missed = gateway_failure() is not None
litellm_synthetic.unregister()
print(json.dumps([found, named, is_missed, stock, outcome(litellm.completion, **other)]))
"""


def test_every_call_with_tools_works_without_mcp(
    synthetic_server: SyntheticServer, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "SYNTHETIC_API_KEY": synthetic_server.api_key,
        "SYNTHETIC_API_BASE": synthetic_server.openai_base,
        "SYNTHETIC_CATALOG": "offline",
    }
    done = subprocess.run(  # noqa: S603  # our own interpreter and text
        [sys.executable, "-c", CALLS],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip  # one call, read as one
    assert done.returncode == 0, done.stderr
    found, named, is_missed, stock, afterwards = json.loads(done.stdout.splitlines()[-1])
    assert set(found.values()) == {"answered"}, found
    # Where LiteLLM has its gateway, or asks for it otherwise, such a tool is its own affair.
    assert named == "ImportError" or not is_missed
    assert afterwards == stock
