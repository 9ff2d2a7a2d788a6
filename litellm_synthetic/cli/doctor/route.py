"""Which LiteLLM is installed, and whether its route `synthetic/…` is this package's."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

import litellm_synthetic
from litellm_synthetic.cli.doctor.check import Check
from litellm_synthetic.cli.dotenv_file import working_folder
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.exceptions import UnsupportedLiteLLMError

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTALL: Final = "pip install --upgrade 'litellm[mcp]'"
# Nothing listens there; should the rehearsal leave our hands, it goes no further than this machine.
_NOWHERE: Final = "http://127.0.0.1:9/openai/v1"
_REHEARSED: Final = {
    "id": "rehearsal",
    "object": "chat.completion",
    "created": 0,
    "model": "rehearsal",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "rehearsed"},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def check_litellm() -> Check:
    """Look at the installed LiteLLM: its version, and every name of it that is needed."""
    try:
        installed = version("litellm")
    except PackageNotFoundError:
        return Check("litellm", "problem", "LiteLLM is not installed.", _run(_INSTALL))
    details: dict[str, Any] = {"version": installed, "tried_versions": None}
    try:
        from litellm_synthetic.integration import compat  # noqa: PLC0415  # imports LiteLLM

        details["tried_versions"] = compat.WORKING_VERSIONS
        compat.check_installed()
    except UnsupportedLiteLLMError as error:
        return Check("litellm", "problem", str(error), _run(_INSTALL), details)
    except Exception as error:  # noqa: BLE001  # whatever keeps LiteLLM from being imported
        found = f"LiteLLM {installed} can't be imported: {_said(error)}"
        return Check("litellm", "problem", found, _run(_INSTALL), details)
    if find_spec("mcp") is None:
        found = f"LiteLLM {installed}, without the package mcp: calls with tools= may fail."
        return Check("litellm", "warning", found, _run("pip install 'litellm[mcp]'"), details)
    oldest, newest = compat.TESTED_VERSIONS
    if _numbers(installed) < _numbers(oldest):
        found = f"LiteLLM {installed} is older than the oldest that is supported, {oldest}."
        return Check("litellm", "warning", found, _run(_INSTALL), details)
    if _numbers(installed) > _numbers(newest):
        found = (
            f"LiteLLM {installed}; it is newer than the last one that was tried, {newest}, and has "
            "every name that is needed."
        )
    else:
        found = f"LiteLLM {installed}, with every name that is needed."
    return Check("litellm", "ok", found, details=details)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:3])


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(". ") + "."


def _run(command: str) -> str:
    return f"Run: {command}"


def check_route(model_id: str | None) -> Check:
    """Register in this process, and see that a call for `synthetic/…` comes out of this package.

    The call is rehearsed: its request is answered in this process, and no socket is opened.

    Args:
        model_id: a model that may be called; None leaves out the rehearsal.
    """
    details = {"ours": False, "version": litellm_synthetic.__version__}
    try:
        litellm_synthetic.register()
    except Exception as error:  # noqa: BLE001  # told, whatever it is
        found = f"The route {ROUTE_PREFIX} can't be taken over: {_said(error)}"
        return Check("route", "problem", found, _run(_INSTALL), details)
    failed = next(_obstacles(model_id), None)
    if failed is not None:
        return Check("route", "problem", *failed, details)
    details["ours"] = True
    if (shadow := _shadow()) is not None:
        return Check(
            "route",
            "warning",
            f"{ROUTE_PREFIX} is ours here, but {shadow} has this package's name: a proxy that is "
            "started in this folder, or with a config beside it, loads that instead.",
            f"Rename {shadow}.",
            details,
        )
    found = (
        f"{ROUTE_PREFIX} is ours: litellm-synthetic {details['version']}, registered in this "
        "process. Each process of yours has to do so too: litellm_synthetic.register()."
    )
    return Check("route", "ok", found, details=details)


def _obstacles(model_id: str | None) -> Iterator[tuple[str, str]]:
    """Yield what stands between a call and this package, with its remedy."""
    import litellm  # noqa: PLC0415  # registered by now

    asked = ROUTE_PREFIX + (model_id or "syn:large:text")
    _, provider, *_ = litellm.get_llm_provider(asked)
    if provider != PROVIDER:
        if provider == "litellm_proxy":
            variable = "USE_LITELLM_PROXY"
            yield (
                f"LiteLLM sends calls for {ROUTE_PREFIX} to a LiteLLM proxy: {variable} is set.",
                f"Unset {variable}.",
            )
        else:
            yield (
                f"LiteLLM takes {asked} for the provider {provider}.",
                "Find what has changed LiteLLM's list of providers in this environment.",
            )
    elif model_id is not None and (failure := _rehearse(asked)) is not None:
        yield failure, f"Report it with this line, or change LiteLLM's version: {_INSTALL}"


def _rehearse(model: str) -> str | None:
    """Return what went wrong in a completion whose request is answered here, or None."""
    import litellm  # noqa: PLC0415  # registered by now

    senders: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        senders.append(request.headers.get("user-agent", ""))
        return httpx.Response(200, json=_REHEARSED)

    try:
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            litellm.completion(
                model=model,
                messages=[{"role": "user", "content": "rehearsal"}],
                api_base=_NOWHERE,
                api_key="rehearsal",
                client=client,
                max_retries=0,
            )
    except Exception as error:  # noqa: BLE001  # told, whatever it is
        return f"A rehearsed call to {model} failed: {_said(error)}"
    if not any(each.startswith("litellm-synthetic/") for each in senders):
        return f"A rehearsed call to {model} was not sent by this package."
    return None


def _shadow() -> Path | None:
    """Return what lies in the working folder under this package's name, if it isn't this package.

    A proxy imports its callbacks from beside its config before it looks at what is installed.
    """
    ours = Path(litellm_synthetic.__file__).resolve().parent
    if (folder := working_folder()) is None:
        return None
    for name in ("litellm_synthetic.py", "litellm_synthetic"):
        candidate = folder.resolve() / name
        is_module = candidate.is_file() or (candidate / "proxy.py").is_file()
        if is_module and candidate != ours:
            return candidate
    return None
