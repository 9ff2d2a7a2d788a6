"""The installed LiteLLM, its route `synthetic/…`, its users, and the model table with its cache."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

import litellm_synthetic
from litellm_synthetic.catalog import cache as table_cache
from litellm_synthetic.cli.doctor.check import Check
from litellm_synthetic.cli.dotenv_file import working_folder
from litellm_synthetic.cli.formatting import OLD_SECONDS, age_of_facts, provenance
from litellm_synthetic.config.cache_folder import cache_folder
from litellm_synthetic.config.endpoint import is_on_this_machine
from litellm_synthetic.config.ids import PROVIDER, ROUTE_PREFIX
from litellm_synthetic.config.settings import CACHE_DIR, CATALOG, CATALOG_TTL
from litellm_synthetic.exceptions import UnsupportedLiteLLMError
from litellm_synthetic.startup.on_import import is_handed_down

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from litellm_synthetic.catalog.active import ModelTable

# LiteLLM's own proxy is told by its config; see docs/proxy.md.
_NOT_MEANT: Final = frozenset(("litellm", "litellm-proxy", "litellm-synthetic"))
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_INSTALL: Final = "pip install --upgrade litellm"
_PROXY: Final = "USE_LITELLM_PROXY"
# Nothing listens there; should the rehearsal leave our hands, it goes no further than this machine.
_NOWHERE: Final = "http://127.0.0.1:9/openai/v1"
_TOOL: Final = {
    "type": "function",
    "function": {"name": "rehearse", "parameters": {"type": "object", "properties": {}}},
}
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
    """Check the installed LiteLLM: its version, and every name in it that is needed."""
    try:
        installed = version("litellm")
    except PackageNotFoundError:
        return Check("litellm", "problem", "LiteLLM is not installed.", _run(_INSTALL))
    details: dict[str, Any] = {"version": installed, "tried_versions": None}
    try:
        from litellm_synthetic.integration import required_names

        details["tried_versions"] = required_names.WORKING_VERSIONS
        required_names.check_installed()
    except UnsupportedLiteLLMError as error:
        return Check("litellm", "problem", str(error), _run(_INSTALL), details)
    except Exception as error:  # noqa: BLE001  # whatever keeps LiteLLM from being imported
        found = f"LiteLLM {installed} cannot be imported: {_text(error)}"
        return Check("litellm", "problem", found, _run(_INSTALL), details)
    oldest, newest = required_names.TESTED_VERSIONS
    if _numbers(installed) < _numbers(oldest):
        found = f"LiteLLM {installed} is older than the oldest supported one, {oldest}."
        return Check("litellm", "warning", found, _run(_INSTALL), details)
    is_new = _numbers(installed) > _numbers(newest)
    note = f"; it is newer than the last tested one, {newest}" if is_new else ""
    found = f"LiteLLM {installed}, with every name that is needed{note}."
    return Check("litellm", "ok", found, details=details)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", text)[:3])


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(". ") + "."


def _run(command: str) -> str:
    return f"Run: {command}"


def check_route(model_id: str | None) -> Check:
    """Register in this process, and check that this package sends a call for `synthetic/…`.

    The call is rehearsed: its request is answered in this process, and no socket is opened.

    Args:
        model_id: a model that may be called; None leaves out the rehearsal.
    """
    details: dict[str, Any] = {
        "ours": False,
        "version": litellm_synthetic.__version__,
        "missing_mcp_gateway": None,
    }
    try:
        litellm_synthetic.register()
    except Exception as error:  # noqa: BLE001  # reported, whatever it is
        found = f"The route {ROUTE_PREFIX} cannot be taken over: {_text(error)}"
        return Check("route", "problem", found, _run(_INSTALL), details)
    if (obstacle := _obstacle(model_id)) is not None:
        return Check("route", "problem", *obstacle, details)
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
        "process. Your own processes have to register too: litellm_synthetic.register()."
    )
    from litellm_synthetic.integration.mcp_gateway import gateway_failure  # imports LiteLLM

    if (reason := gateway_failure()) is not None:
        details["missing_mcp_gateway"] = reason
        found += (
            " This LiteLLM imports its MCP gateway at every call with tools, which fails here "
            f"({reason}); litellm-synthetic answers for it, so tools work."
        )
    return Check("route", "ok", found, details=details)


def _obstacle(model_id: str | None) -> tuple[str, str] | None:
    """Return what keeps a call from this package, with its remedy; None where nothing does."""
    import litellm

    model = ROUTE_PREFIX + (model_id or "syn:large:text")
    _, provider, *_ = litellm.get_llm_provider(model)
    if provider == "litellm_proxy":
        found = f"LiteLLM sends calls for {ROUTE_PREFIX} to a LiteLLM proxy: {_PROXY} is set."
        return found, f"Unset {_PROXY}."
    if provider != PROVIDER:
        remedy = "Find what changed LiteLLM's list of providers in this environment."
        return f"LiteLLM takes {model} for the provider {provider}.", remedy
    if model_id is None or (failure := _rehearse(model)) is None:
        return None
    return failure, f"Report it with this line, or change LiteLLM's version: {_INSTALL}"


def _rehearse(model: str) -> str | None:
    """Return what went wrong in a completion with a tool that is answered here, or None."""
    import litellm

    senders: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        senders.append(request.headers.get("user-agent", ""))
        return httpx.Response(200, json=_REHEARSED)

    try:
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            litellm.completion(
                model=model,
                messages=[{"role": "user", "content": "rehearsal"}],
                tools=[_TOOL],
                api_base=_NOWHERE,
                api_key="rehearsal",
                client=client,
                max_retries=0,
            )
    except Exception as error:  # noqa: BLE001  # reported, whatever it is
        return f"A rehearsed call to {model} failed: {_text(error)}"
    if not any(each.startswith("litellm-synthetic/") for each in senders):
        return f"A rehearsed call to {model} was not sent by this package."
    return None


def _shadow() -> Path | None:
    """Return a file in the working folder that has this package's name, unless it is this package.

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


def check_table(table: ModelTable, now: datetime | None = None) -> Check:
    """Check the age of the table in force, and whether it renews itself."""
    now = now or datetime.now(UTC)
    age_seconds = age_of_facts(table, now)
    is_stale = table.is_stale(CATALOG_TTL.value(), now)
    current = len(table.catalog.current())
    details: dict[str, Any] = {
        "source": table.source,
        "base_url": table.base_url,
        "observed_on": table.catalog.observed_on.isoformat(),
        "fetched_at": None if table.fetched_at is None else table.fetched_at.isoformat(),
        "age_seconds": round(age_seconds),
        "stale": is_stale,
        "current_models": current,
    }
    found = f"{current} models, {provenance(table)}."
    if not is_stale:
        return Check("table", "ok", found, details=details)
    if CATALOG.value() == "offline" and age_seconds >= OLD_SECONDS:
        found += f" {CATALOG.name}=offline keeps it from being renewed."
        remedy = f"Run: {CATALOG.name}=auto litellm-synthetic refresh"
        return Check("table", "warning", found, remedy, details)
    if CATALOG.value() == "offline":
        found += f" {CATALOG.name}=offline keeps it as it is."
    elif is_on_this_machine(table.base_url) and CATALOG.stated() != "auto":
        found += " It does not renew itself from an address of this machine."
    else:
        found += " The next call renews it; litellm-synthetic refresh does so now."
    return Check("table", "ok", found, details=details)


def check_cache(base_url: str) -> Check:
    """Check whether a fetched table can be kept for other processes, and whether one is ignored.

    Args:
        base_url: the one whose models are listed.
    """
    elsewhere = f"Set {CACHE_DIR.name} to a folder that you may write."
    try:
        folder = cache_folder()
        file = table_cache.cache_file(base_url)
    except OSError as error:
        found = f"Fetched tables cannot be kept: {error.strerror or error}."
        return Check("cache", "warning", found, elsewhere, {"folder": None})
    details = {"folder": str(folder)}
    if (reason := _unwritable(folder)) is not None:
        found = (
            f"Fetched tables cannot be kept in {folder}: {reason}. Each process fetches its own."
        )
        return Check("cache", "warning", found, elsewhere, details)
    if (ignored := table_cache.why_ignored(base_url)) is not None:
        found = f"{file} is ignored: {ignored}."
        return Check("cache", "warning", found, f"Delete {file}.", details)
    note = "" if folder.exists() else ", created when it is needed"
    return Check("cache", "ok", f"{folder}{note}.", details=details)


def _unwritable(folder: Path) -> str | None:
    """Return why no file can be made in a folder, or None; a missing folder is not made."""
    try:
        if folder.exists():
            with tempfile.TemporaryFile(dir=folder):
                return None
        above = next(each for each in folder.parents if each.exists())
        if not above.is_dir():
            return f"{above} is not a folder"
        effective = os.access in os.supports_effective_ids
        is_writable = os.access(above, os.W_OK | os.X_OK, effective_ids=effective)
    except OSError as error:
        return error.strerror or str(error)
    return None if is_writable else f"{above} is write-protected"


def check_programs(installed: Iterable[Distribution] | None = None) -> Iterator[Check]:
    """Name the programs in which the route is stock LiteLLM's; yield nothing for none.

    Args:
        installed: the packages to look at; by default this environment's.
    """
    owners = {
        command: owner
        for owner, commands in _commands(distributions() if installed is None else installed)
        for command in commands
    }
    if not owners:
        return
    names = ", ".join(f"{command} ({owner})" for command, owner in sorted(owners.items()))
    details = {"programs": owners, "handed_down": is_handed_down()}
    if is_handed_down():
        found = f"Started from here they register as they import LiteLLM: {names}."
    else:
        found = (
            f"These use LiteLLM and may never register, so {ROUTE_PREFIX} is stock LiteLLM's in "
            f"them, which drops tools: {names}. Start one with: litellm-synthetic run "
            f"{min(owners)}"
        )
    yield Check("programs", "ok", found, details=details)


def _commands(installed: Iterable[Distribution]) -> Iterator[tuple[str, list[str]]]:
    for distribution in installed:
        owner = distribution.metadata["Name"]
        needs = {
            match[0].lower() for each in distribution.requires or () if (match := _NAME.match(each))
        }
        if owner is None or owner.lower() in _NOT_MEANT or "litellm" not in needs:
            continue
        scripts = distribution.entry_points.select(group="console_scripts")
        yield owner, [each.name for each in scripts]
