"""Run functions of a framework's program, in the framework's environment.

    python run_scene.py PROGRAM OUTCOME [--stock BASE_URL] FUNCTION ...

The outcome is written to a file as JSON. With `--stock`, this package is not in force: LiteLLM's
own entry `synthetic` stays, with the stand-in's base URL, which it reads from nowhere.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import inspect
import json
import sys
import time
import types
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

PROMPT = "What is the weather in Paris?"
# For callbacks, which run beside the calls.
_CALLBACK_SECONDS = 20.0
_POLL_SECONDS = 0.05


class Costs(CustomLogger):
    """Keep what LiteLLM tells callbacks that each call costs."""

    def __init__(self) -> None:
        super().__init__()
        self.started: set[str] = set()
        self.ended: dict[str, float | None] = {}

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        self.started.add(kwargs["litellm_call_id"])

    def log_success_event(self, kwargs: dict[str, Any], **_: Any) -> None:
        self.ended[kwargs["litellm_call_id"]] = kwargs.get("response_cost")

    def log_failure_event(self, kwargs: dict[str, Any], **_: Any) -> None:
        self.ended.setdefault(kwargs["litellm_call_id"], None)

    async def async_log_success_event(self, kwargs: dict[str, Any], **_: Any) -> None:
        self.log_success_event(kwargs)

    async def async_log_failure_event(self, kwargs: dict[str, Any], **_: Any) -> None:
        self.log_failure_event(kwargs)

    async def all_told(self) -> None:
        """Wait until every call that began has been told of."""
        until = time.monotonic() + _CALLBACK_SECONDS
        while not self.started <= self.ended.keys() and time.monotonic() < until:
            await asyncio.sleep(_POLL_SECONDS)


def leave_litellm_as_it_is(base_url: str) -> None:
    """Make `register()` do nothing, and point LiteLLM's own entry at a base URL."""
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    entry = JSONProviderRegistry.get("synthetic")
    if entry is None:
        raise LookupError("this LiteLLM has no entry of its own for Synthetic")
    entry.base_url = base_url
    inert = types.ModuleType("litellm_synthetic")
    inert.register = lambda: None  # type: ignore[attr-defined]
    sys.modules["litellm_synthetic"] = inert


def loaded(program: Path) -> types.ModuleType:
    """Run a program, and return what it defines."""
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ImportError(str(program))
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module
    spec.loader.exec_module(module)
    return module


async def played(module: types.ModuleType, name: str, costs: Costs) -> dict[str, Any]:
    """Run a function, and its callbacks to their end; return what came of it."""
    function = getattr(module, name, None)
    if function is None:
        return {}
    arguments = () if name == "window" else (PROMPT,)
    outcome: dict[str, Any] = {}
    try:
        if inspect.iscoroutinefunction(function):
            result = await function(*arguments)
        else:
            # Many frameworks start an event loop of their own.
            result = await asyncio.to_thread(function, *arguments)
        outcome["result"] = result if isinstance(result, (int, list, type(None))) else str(result)
        if name == "ask" and hasattr(module, "spent"):
            outcome["spent"] = module.spent()
    except Exception as error:  # noqa: BLE001  # whatever a framework raises is the outcome
        outcome["error"] = classes(error)
        outcome["message"] = str(error)
    await costs.all_told()
    return outcome


async def all_played(module: types.ModuleType, names: list[str], costs: Costs) -> dict[str, Any]:
    """Run functions one after the other, on one event loop."""
    return {name: await played(module, name, costs) for name in names}


def classes(error: BaseException | None) -> list[str]:
    """Return the classes of an error and of what it came from."""
    names: list[str] = []
    while error is not None:
        names.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return names


def installed_version(package: str) -> str:
    """Return a package's version; `none` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("outcome", type=Path)
    parser.add_argument("--stock", metavar="BASE_URL")
    parser.add_argument("functions", nargs="+")
    options = parser.parse_args()
    if options.stock:
        leave_litellm_as_it_is(options.stock)
    costs = Costs()
    module = loaded(options.program)
    # crewAI replaces `litellm.callbacks` at each call.
    for callbacks in (
        litellm.input_callback,
        litellm.success_callback,
        litellm.failure_callback,
        litellm._async_success_callback,  # the list that async calls read
        litellm._async_failure_callback,  # as above
    ):
        callbacks.append(costs)
    outcome = asyncio.run(all_played(module, options.functions, costs))
    outcome["versions"] = {name: installed_version(name) for name in ("litellm", "mcp")}
    outcome["costs"] = list(costs.ended.values())
    options.outcome.write_text(json.dumps(outcome, default=str), "utf-8")


if __name__ == "__main__":
    main()
