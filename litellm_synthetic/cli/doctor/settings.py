"""The settings in the environment: which are set, and which can't be meant as they are."""

from __future__ import annotations

import math
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog import allowlist
from litellm_synthetic.catalog.allowlist import ALLOWED_MODELS_VARIABLE
from litellm_synthetic.catalog.billing import BILLING_VARIABLE
from litellm_synthetic.cli.doctor.check import Check, Status
from litellm_synthetic.config.credentials import KEY_VARIABLE, scrub_key_shaped
from litellm_synthetic.config.endpoint import (
    ALLOW_HTTP_VARIABLE,
    BASE_URL_VARIABLE,
    MESSAGES_VARIABLE,
)
from litellm_synthetic.config.settings import (
    CACHE_DIR_VARIABLE,
    CATALOG_VARIABLE,
    DEFAULT_TTL_SECONDS,
    TTL_VARIABLE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from litellm_synthetic.catalog.models import Catalog

_TLS_VARIABLE: Final = "SSL_VERIFY"
_FAMILY: Final = "SYNTHETIC_"

# The words that each setting takes; the first is the default, which also follows from a blank.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    CATALOG_VARIABLE: ("auto", "offline"),
    BILLING_VARIABLE: ("metered", "subscription"),
    MESSAGES_VARIABLE: ("native", "translate"),
}
_SWITCH: Final = ("0", "1", "false", "true", "no", "yes", "off", "on")
_SETTINGS: Final = (
    CATALOG_VARIABLE,
    TTL_VARIABLE,
    CACHE_DIR_VARIABLE,
    BILLING_VARIABLE,
    ALLOWED_MODELS_VARIABLE,
    ALLOW_HTTP_VARIABLE,
    MESSAGES_VARIABLE,
)
# What people write in place of a name; difflib finds the misspelt ones.
_MISTAKEN: Final[Mapping[str, str]] = {
    "SYNTHETIC_KEY": KEY_VARIABLE,
    "SYNTHETIC_TOKEN": KEY_VARIABLE,
    "SYNTHETIC_API_TOKEN": KEY_VARIABLE,
    "SYNTHETIC_BASE_URL": BASE_URL_VARIABLE,
    "SYNTHETIC_API_BASE_URL": BASE_URL_VARIABLE,
    "SYNTHETIC_API_URL": BASE_URL_VARIABLE,
    "SYNTHETIC_URL": BASE_URL_VARIABLE,
}
_CLOSE: Final = 0.88
_LONGEST_SHOWN_CHARACTERS: Final = 40


def check_settings(catalog: Catalog, environ: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield one finding on the settings as a whole, or one for each that is wrong."""
    environ = os.environ if environ is None else environ
    wrong = [
        *_wrong_words(environ),
        *_wrong_ttl(environ),
        *_wrong_switch(environ),
        *_wrong_allowlist(catalog, environ),
        *_wrong_tls(environ),
        *_mistaken_names(environ),
    ]
    given = [name for name in _SETTINGS if environ.get(name, "").strip()]
    if wrong:
        yield from wrong
        return
    found = "All at their defaults."
    if given:
        shown = ", ".join(f"{name}={_shown(environ[name])}" for name in given)
        found = f"{shown}."
    yield Check("settings", "ok", found, details={"set": given})


def _shown(value: str) -> str:
    """Return a value for people: short, and no key, should one have been put into it."""
    value = scrub_key_shaped(value.strip())
    if len(value) > _LONGEST_SHOWN_CHARACTERS:
        return value[:_LONGEST_SHOWN_CHARACTERS] + "..."
    return value


def _wrong(name: str, found: str, remedy: str, *, is_problem: bool = False) -> Check:
    status: Status = "problem" if is_problem else "warning"
    return Check(f"settings.{name}", status, found, remedy, {"variable": name})


def _wrong_words(environ: Mapping[str, str]) -> Iterator[Check]:
    for name, words in _WORDS.items():
        said = environ.get(name, "").strip()
        if said and said.lower() not in words:
            yield _wrong(
                name,
                f"{name}={_shown(said)} is not understood; it counts as {words[0]}.",
                f"Set it to {' or '.join(words)}, or unset it.",
            )


def _wrong_ttl(environ: Mapping[str, str]) -> Iterator[Check]:
    said = environ.get(TTL_VARIABLE, "").strip()
    if not said:
        return
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        yield _wrong(
            TTL_VARIABLE,
            f"{TTL_VARIABLE}={_shown(said)} is no number of seconds above 0; it counts as "
            f"{DEFAULT_TTL_SECONDS:g}.",
            "Set it to seconds, such as 3600, or unset it.",
        )


def _wrong_switch(environ: Mapping[str, str]) -> Iterator[Check]:
    said = environ.get(ALLOW_HTTP_VARIABLE, "").strip()
    if said and said.lower() not in _SWITCH:
        yield _wrong(
            ALLOW_HTTP_VARIABLE,
            f"{ALLOW_HTTP_VARIABLE}={_shown(said)} is not understood; plain http stays refused.",
            "Set it to 1 to allow plain http, or unset it.",
        )


def _wrong_allowlist(catalog: Catalog, environ: Mapping[str, str]) -> Iterator[Check]:
    allowed = allowlist.from_environment(environ)
    if allowed is None:
        return
    current = [model.id for model in catalog.current()]
    if not any(allowed.allows(each) for each in current):
        yield _wrong(
            ALLOWED_MODELS_VARIABLE,
            f"{ALLOWED_MODELS_VARIABLE} allows no model that is served now.",
            "Allow one that litellm-synthetic models lists, or unset it.",
            is_problem=True,
        )
        return
    idle = [
        each
        for each in allowed.entries
        if not any(allowlist.Allowlist((each,)).allows(one) for one in current)
    ]
    if unused := [*allowed.malformed, *idle]:
        named = ", ".join(repr(_shown(each)) for each in unused)
        yield _wrong(
            ALLOWED_MODELS_VARIABLE,
            f"{ALLOWED_MODELS_VARIABLE}: no model that is served now matches {named}.",
            "Correct what is misspelt, or take it out of the list.",
        )


def _wrong_tls(environ: Mapping[str, str]) -> Iterator[Check]:
    said = environ.get(_TLS_VARIABLE, "").strip()
    if said.lower() == "false":
        yield _wrong(
            _TLS_VARIABLE,
            f"{_TLS_VARIABLE}=false: whoever is on the way can read the key and the prompts.",
            f"Set {_TLS_VARIABLE} to the file of your own CA's certificate, or unset it.",
        )
    elif said and said.lower() != "true" and not Path(said).exists():
        yield _wrong(
            _TLS_VARIABLE,
            f"{_TLS_VARIABLE} names {_shown(said)}, which does not exist: every call will fail.",
            f"Set {_TLS_VARIABLE} to the file of your own CA's certificate, or unset it.",
            is_problem=True,
        )


def _mistaken_names(environ: Mapping[str, str]) -> Iterator[Check]:
    known = (KEY_VARIABLE, BASE_URL_VARIABLE, *_SETTINGS)
    for name in sorted(environ):
        if not name.startswith(_FAMILY) or name in known:
            continue
        close = get_close_matches(name, known, n=1, cutoff=_CLOSE)
        meant = _MISTAKEN.get(name) or (close[0] if close else None)
        if meant is not None and not environ.get(meant, "").strip():
            yield _wrong(
                name,
                f"{name} is set, which nobody reads; {meant} is not.",
                f"Rename {name} to {meant}.",
            )
