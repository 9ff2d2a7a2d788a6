"""The settings in the environment: which are set, and which can't be meant as they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_synthetic.cli.doctor.check import Check, Status
from litellm_synthetic.config import settings
from litellm_synthetic.config.allowlist import Allowlist
from litellm_synthetic.config.settings import ALLOWED_MODELS, SETTINGS, SSL_VERIFY
from litellm_synthetic.config.variable import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.catalog.models import Catalog

# Each has a check of its own, and where certificates lie is nobody's business here.
_CHECKED_ELSEWHERE = (settings.API_KEY, settings.API_BASE, SSL_VERIFY)


def check_settings(catalog: Catalog, environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield one finding on the settings as a whole, or one for each that is wrong."""
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
    given = {
        each.name: text
        for each in SETTINGS
        if each not in _CHECKED_ELSEWHERE and (text := each.text(environ.get)) is not None
    }
    found = "All at their defaults."
    if given:
        found = f"{', '.join(f'{name}={shown(text)}' for name, text in given.items())}."
    yield Check("settings", "ok", found, details={"set": list(given)})


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
            f"{ALLOWED_MODELS.name} allows no model that is served now.",
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
            f"{ALLOWED_MODELS.name}: no model that is served now matches {named}.",
            "Correct what is misspelt, or take it out of the list.",
        )


def _wrong_tls(environ: Mapping[str, str]) -> Iterator[Check]:
    trusted = SSL_VERIFY.value(environ.get)
    remedy = f"Set {SSL_VERIFY.name} to the file of your own CA's certificate, or unset it."
    if trusted is False:
        found = f"{SSL_VERIFY.name}=false: whoever is on the way can read the key and the prompts."
        yield _wrong(SSL_VERIFY.name, found, remedy)
    elif isinstance(trusted, str) and not Path(trusted).exists():
        found = f"{SSL_VERIFY.name} names {shown(trusted)}, which does not exist: every call fails."
        yield _wrong(SSL_VERIFY.name, found, remedy, is_problem=True)


def _mistaken_names(environ: Mapping[str, str]) -> Iterator[Check]:
    for name, meant in settings.mistaken_names(environ):
        found = f"{name} is set, which is not a known setting; {meant.name} is not set."
        yield _wrong(name, found, f"Rename {name} to {meant.name}.")
