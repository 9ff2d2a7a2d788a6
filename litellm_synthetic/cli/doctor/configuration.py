"""The key, the base URL and the other settings: their sources, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from litellm_synthetic.cli.doctor.check import Check, Status
from litellm_synthetic.cli.dotenv_file import key_of, read_by_litellm, working_folder
from litellm_synthetic.config import key_check, settings
from litellm_synthetic.config.allowlist import Allowlist
from litellm_synthetic.config.credentials import KEY_VARIABLE
from litellm_synthetic.config.endpoint import (
    BASE_URL_VARIABLE,
    DEFAULT_BASE_URL,
    Endpoint,
    InvalidBaseURLError,
    is_loopback,
)
from litellm_synthetic.config.settings import ALLOWED_MODELS, SETTINGS, SSL_VERIFY
from litellm_synthetic.config.variable import shown, stripped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.catalog.table import Catalog

_INIT: Final = "litellm-synthetic init"
# Each has a check of its own, and the path of certificates is not shown.
_CHECKED_ELSEWHERE: Final = (settings.API_KEY, settings.API_BASE, SSL_VERIFY)
_OLD_HOSTS: Final = ("synthetic.new", "glhf.chat", "api.glhf.chat")


def source_of(variable: str, environ_before: Mapping[str, str]) -> str | None:
    """Return the source that LiteLLM reads a variable from, or None if it is not set.

    Args:
        variable: its name.
        environ_before: the environment before LiteLLM was imported, which loads a `.env` file.

    Returns:
        `environment`, `dotenv` or `secret_manager`.
    """
    if environ_before.get(variable, "").strip():
        return "environment"
    if os.environ.get(variable, "").strip():
        return "dotenv"
    return "secret_manager" if _from_secret_manager(variable) else None


def _from_secret_manager(variable: str) -> str:
    try:
        from litellm import get_secret_str

        return (get_secret_str(variable) or "").strip()
    except Exception:  # noqa: BLE001  # a broken LiteLLM or secret manager has no key
        return ""


def key_in_force() -> str:
    """Return the key that a call without `api_key=` would find; "" if there is none."""
    key = os.environ.get(KEY_VARIABLE, "")
    return key if key.strip() else _from_secret_manager(KEY_VARIABLE)


def check_key(environ_before: Mapping[str, str], base_url: str) -> Check:
    """Look at the key's source and at its shape; no part of it is shown.

    Args:
        environ_before: as for `source_of`.
        base_url: where the key goes; only Synthetic's own keys have a known shape.
    """
    source = source_of(KEY_VARIABLE, environ_before)
    file = read_by_litellm(environ_before) if source == "dotenv" else None
    details: dict[str, Any] = {"source": source, "file": None if file is None else str(file)}
    if source is None:
        return _no_key(environ_before, details)
    key = key_in_force()
    where = {
        "environment": f"{KEY_VARIABLE} in the environment",
        "dotenv": f"{KEY_VARIABLE} in {file or 'a .env file'}",
        "secret_manager": f"{KEY_VARIABLE} in LiteLLM's secret manager",
    }[source]
    if (reason := key_check.unusable(key)) is not None:
        found = f"{where} cannot be sent: {reason}."
        return Check("key", "problem", found, f"Copy it again, or run: {_INIT}", details)
    is_for_synthetic = key_check.is_synthetics(base_url)
    if (reason := key_check.oddity(key, is_for_synthetic=is_for_synthetic)) is not None:
        found = f"{where}; {reason}."
        return Check("key", "warning", found, f"Copy it again, or run: {_INIT}", details)
    if (other := _hidden_file(key)) is not None and source == "environment":
        found = f"{where}. It hides another key, which is in {other}."
        return Check("key", "warning", found, f"Unset {KEY_VARIABLE}, or correct {other}.", details)
    if key != key.strip():
        found = f"{where}; the white space around it is dropped."
        return Check("key", "ok", found, details=details)
    return Check("key", "ok", f"{where}.", details=details)


def _no_key(environ_before: Mapping[str, str], details: dict[str, Any]) -> Check:
    found = f"{KEY_VARIABLE} is not set."
    if KEY_VARIABLE in environ_before:
        found = f"{KEY_VARIABLE} is set, but blank."
    remedy = f"Run: {_INIT}"
    if (mistaken := settings.mistaken_name_of(settings.API_KEY)) is not None:
        found += f" {mistaken} is set, which is not a known setting."
        return Check("key", "problem", found, f"Rename {mistaken} to {KEY_VARIABLE}.", details)
    local = (working_folder() or Path()) / ".env"
    if key_of(local):
        found += f" {local} has one, but LiteLLM does not read that file."
        remedy = f"Load it first: set -a; . {local}; set +a"
    elif any(environ_before.get(name) for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")):
        found += " Another vendor's key is set, and is never sent to Synthetic."
    return Check("key", "problem", found, remedy, details)


def _hidden_file(key: str) -> Path | None:
    """Return the `.env` file whose key differs from the one in force, if there is one."""
    for file in (read_by_litellm(), (working_folder() or Path()) / ".env"):
        if file is not None and (other := (key_of(file) or "").strip()) and other != key.strip():
            return file
    return None


def endpoint_in_force() -> Endpoint:
    """Return where a call without `api_base=` goes.

    Raises:
        InvalidBaseURLError: `SYNTHETIC_API_BASE` is refused.
    """
    return settings.endpoint(
        look_up=lambda name: stripped(os.environ.get(name)) or _from_secret_manager(name)
    )


def check_base_url(environ_before: Mapping[str, str]) -> Check:
    """Look at where calls go, and which protocol is spoken there."""
    source = source_of(BASE_URL_VARIABLE, environ_before)
    details: dict[str, Any] = {"source": source or "default", "base_url": None, "api": None}
    try:
        endpoint = endpoint_in_force()
    except InvalidBaseURLError as error:
        return Check(
            "base_url",
            "problem",
            f"{BASE_URL_VARIABLE} is refused: {error}.",
            f"Unset {BASE_URL_VARIABLE} to use {DEFAULT_BASE_URL}, or correct it.",
            details,
        )
    details |= {"base_url": endpoint.base_url, "api": endpoint.api}
    protocol = "Messages API" if endpoint.api == "anthropic" else "OpenAI API"
    origin = f"from {BASE_URL_VARIABLE}" if source is not None else "the default"
    found = f"{endpoint.base_url} ({origin}), {protocol}."
    parts = urlsplit(endpoint.base_url)
    host = parts.hostname or ""
    if host in _OLD_HOSTS:
        return Check(
            "base_url",
            "warning",
            f"{found} That is a former address of Synthetic.",
            f"Unset {BASE_URL_VARIABLE} to use {DEFAULT_BASE_URL}.",
            details,
        )
    if is_loopback(host):
        found += " It is on this machine."
    elif parts.scheme == "http":
        found += " Key and prompts are sent unencrypted, as SYNTHETIC_ALLOW_HTTP allows."
    if endpoint.beside("v2") is None:
        found += " No other API is known beside it."
    return Check("base_url", "ok", found, details=details)


def check_settings(catalog: Catalog, environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield one finding on all settings, or one for each that is wrong."""
    environ = os.environ if environ is None else environ
    wrong = [
        *_not_understood(environ),
        *_wrong_allowlist(catalog, environ),
        *_wrong_tls(environ),
        *_mistaken_names(environ),
    ]
    if wrong:
        yield from wrong
        return
    values = {
        each.name: text
        for each in SETTINGS
        if each not in _CHECKED_ELSEWHERE and (text := each.text(environ.get)) is not None
    }
    found = "All at their defaults."
    if values:
        found = f"{', '.join(f'{name}={shown(text)}' for name, text in values.items())}."
    yield Check("settings", "ok", found, details={"set": list(values)})


def _wrong(name: str, found: str, remedy: str, *, is_problem: bool = False) -> Check:
    status: Status = "problem" if is_problem else "warning"
    return Check(f"settings.{name}", status, found, remedy, {"variable": name})


def _not_understood(environ: Mapping[str, str]) -> Iterator[Check]:
    for each in SETTINGS:
        problem = None if each in _CHECKED_ELSEWHERE else each.problem(environ.get)
        if problem is not None:
            yield _wrong(each.name, problem, each.remedy())


def _wrong_allowlist(catalog: Catalog, environ: Mapping[str, str]) -> Iterator[Check]:
    allowed = ALLOWED_MODELS.value(environ.get)
    if allowed is None:
        return
    current = [model.id for model in catalog.current()]
    if not any(allowed.allows(each) for each in current):
        yield _wrong(
            ALLOWED_MODELS.name,
            f"{ALLOWED_MODELS.name} allows no current model.",
            "Allow one that litellm-synthetic models lists, or unset it.",
            is_problem=True,
        )
        return
    idle = [
        each
        for each in allowed.entries
        if not any(Allowlist((each,)).allows(one) for one in current)
    ]
    if unused := [*allowed.malformed, *idle]:
        named = ", ".join(repr(shown(each)) for each in unused)
        yield _wrong(
            ALLOWED_MODELS.name,
            f"{ALLOWED_MODELS.name}: no current model matches {named}.",
            "Correct the spelling, or remove it from the list.",
        )


def _wrong_tls(environ: Mapping[str, str]) -> Iterator[Check]:
    trusted = SSL_VERIFY.value(environ.get)
    remedy = f"Set {SSL_VERIFY.name} to the file of your own CA's certificate, or unset it."
    if trusted is False:
        found = f"{SSL_VERIFY.name}=false: anybody on the way can read key and prompts."
        yield _wrong(SSL_VERIFY.name, found, remedy)
    elif isinstance(trusted, str) and not Path(trusted).exists():
        found = f"{SSL_VERIFY.name} names {shown(trusted)}, which does not exist: every call fails."
        yield _wrong(SSL_VERIFY.name, found, remedy, is_problem=True)


def _mistaken_names(environ: Mapping[str, str]) -> Iterator[Check]:
    for name, meant in settings.mistaken_names(environ):
        found = f"{name} is set, which is not a known setting; {meant.name} is not set."
        yield _wrong(name, found, f"Rename {name} to {meant.name}.")
