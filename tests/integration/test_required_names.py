"""Versions of LiteLLM that were not tested, or lack a name that is needed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import litellm
import pytest

import litellm_synthetic
from litellm_synthetic.integration import required_names
from litellm_synthetic.testing import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing import SyntheticServer

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
_PACKAGE = Path(litellm_synthetic.__file__).parent
_PROGRAM = Path(__file__).with_name("without_each_name.py")
_MODULES = ("constants", "exceptions")
_EXCEPTIONS = "litellm.exceptions"


def names_used(path: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of all that a file takes from LiteLLM."""
    tree = ast.parse(path.read_text("utf-8"))
    modules = {"litellm": "litellm"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "litellm":
            for each in node.names:
                full = f"{node.module}.{each.name}"
                if find_spec(str(node.module)) and _is_module(full):
                    modules[each.asname or each.name] = full
                else:
                    yield str(node.module), each.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module is not None and (module, node.attr) not in {
                ("litellm", name) for name in _MODULES
            }:
                yield module, node.attr


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_every_name_of_litellms_that_a_call_needs_is_in_the_list() -> None:
    listed = {(name.module, name.path.split(".")[0]) for name in required_names.NAMES}
    missing = {
        (*used, path.name)
        for path in _PACKAGE.rglob("*.py")
        if path.relative_to(_PACKAGE).parts[0] not in ("cli", "testing")
        for used in names_used(path)
        if used not in listed
    }
    assert missing == set()


def modules_imported(path: Path) -> Iterator[str]:
    """Yield the modules below `litellm` that a file imports by a statement."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{each.name}" for each in node.names]
            if node.module == "litellm":
                # LiteLLM's exceptions are public, wherever they are imported from.
                yield from (each for each in names if _is_module(each) and each != _EXCEPTIONS)
            elif (node.module or "").startswith("litellm."):
                yield from names
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("litellm."))


def test_internals_of_litellm_are_imported_in_one_module_only() -> None:
    importers = {path for path in _PACKAGE.rglob("*.py") if any(modules_imported(path))}
    assert importers == {_PACKAGE / "integration" / "compat.py"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_without_any_one_of_the_names_register_says_what_works() -> None:
    pairs = [(name.module, name.path) for name in required_names.NAMES]
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, str(_PROGRAM)],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes = json.loads(done.stdout)
    assert len(outcomes) == len(pairs)
    wrong = {
        name: outcome
        for name, outcome in outcomes.items()
        if not outcome.startswith("UnsupportedLiteLLMError: ")
        or f"LiteLLM {required_names.WORKING_VERSIONS} work" not in outcome
    }
    assert wrong == {}


@pytest.mark.parametrize("version", ["1.101.9", "1.999.0", "2.0.0rc1", "unknown"])
def test_a_version_outside_the_tested_range_is_warned_of_once(
    version: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("litellm._version.version", version)
    required_names.warn_if_untested.cache_clear()
    try:
        for _ in range(3):
            litellm_synthetic.register()
            litellm_synthetic.unregister()
    finally:
        required_names.warn_if_untested.cache_clear()
    warnings = [each for each in caplog.messages if f"not with {version}" in each]
    assert len(warnings) == 1
    assert required_names.WORKING_VERSIONS in warnings[0]


def _replace_cost_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "model_cost", litellm.get_model_cost_map(url=""))


def _forget_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(litellm.models_by_provider, "synthetic")


def _patch_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    def foreign(ctx: Any) -> Any:
        raise AssertionError(f"{ctx.model} went to the foreign patch")

    monkeypatch.setattr(litellm.main, "_complete_custom_openai", foreign)


DAMAGES = [_replace_cost_map, _forget_models, _patch_dispatch]


@pytest.mark.parametrize("damage", DAMAGES)
def test_registering_again_puts_back_what_is_missing(
    damage: Any, upstream: SyntheticServer
) -> None:
    upstream.respond_with(Text("Hi."))
    with pytest.MonkeyPatch.context() as patch:  # undone before `unregister()`
        damage(patch)
        litellm_synthetic.register()
        assert litellm.get_model_info(MODEL)["max_input_tokens"]
        assert MODEL in litellm.models_by_provider["synthetic"]
        reply = litellm.completion(MODEL, messages=[{"role": "user", "content": "hello"}])
    assert reply.choices[0].message.content == "Hi."
    assert "litellm-synthetic" in upstream.last_request.headers["user-agent"]


@pytest.mark.parametrize("damage", [_replace_cost_map, _forget_models])
def test_the_next_call_puts_back_what_is_missing(damage: Any, upstream: SyntheticServer) -> None:
    upstream.respond_with(Text("Hi."))
    with pytest.MonkeyPatch.context() as patch:
        damage(patch)
        litellm.completion(MODEL, messages=[{"role": "user", "content": "hello"}])
        assert litellm.get_model_info(MODEL)["max_input_tokens"]
        assert MODEL in litellm.models_by_provider["synthetic"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_of_ours_stays_where_somebody_puts_back_what_they_had_kept(damage: Any) -> None:
    def state() -> tuple[Any, ...]:
        main = litellm.main
        return litellm.models_by_provider.get("synthetic"), main._complete_custom_openai  # noqa: SLF001

    before, rows = state(), set(litellm.model_cost)
    litellm_synthetic.register()
    with pytest.MonkeyPatch.context() as patch:
        damage(patch)
        litellm_synthetic.register()
    litellm_synthetic.unregister()
    assert state() == before
    assert set(litellm.model_cost) == rows
