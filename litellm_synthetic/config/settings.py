"""The table of settings: every environment variable that this package reads, one row each.

Calls, refresh, search, quotas, the command line and the docs go by it. A new setting is one row
here and one in `docs/settings.md`, which a test holds against this table.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from litellm_synthetic.config.allowlist import Allowlist, parse_allowlist
from litellm_synthetic.config.credentials import KEY_VARIABLE, Secret, parse_key
from litellm_synthetic.config.endpoint import (
    ALLOW_HTTP_VARIABLE,
    BASE_URL_VARIABLE,
    DEFAULT_BASE_URL,
    Endpoint,
    parse_base_url,
)
from litellm_synthetic.config.ids import DEFAULT_ID, ROUTE_PREFIX, canonical_id
from litellm_synthetic.config.variable import (
    SECONDS,
    SWITCH,
    LookUp,
    Parser,
    Setting,
    one_of,
    stripped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MessagesRoute = Literal["native", "translate"]
MessagesBeta = Literal["drop", "pass"]
CatalogMode = Literal["auto", "offline"]
Billing = Literal["metered", "subscription", "list-price"]
Steering = Literal["plan-first", "balance", "off"]
MaxParallel = int | Literal["off", "learn"]

_FAMILY: Final = "SYNTHETIC_"
_MAX_PARALLEL: Final = 9999
# `SYNTHESIA_API_KEY` is another vendor's, so a name outside the family may have one typo only.
_MIN_SIMILARITY: Final = 0.88
_MIN_SIMILARITY_OUTSIDE: Final = 0.93


def _tls(text: str) -> bool | str:
    # The words that LiteLLM takes; anything else is a file or folder of certificates.
    return text.lower() == "true" if text.lower() in ("true", "false") else text


def _model_id(text: str) -> str:
    while text.startswith(ROUTE_PREFIX):
        text = text.removeprefix(ROUTE_PREFIX)
    if text in ("", DEFAULT_ID) or not text.isprintable() or " " in text:
        raise ValueError("it names no model")
    return canonical_id(text)


def _max_parallel(text: str) -> MaxParallel:
    if text.lower() in ("0", "off"):
        return "off"
    if text.lower() == "learn":
        return "learn"
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < number <= _MAX_PARALLEL:
        raise ValueError(text)
    return number


# ---- the table

API_KEY: Final[Setting[Secret | None]] = Setting(
    KEY_VARIABLE,
    Parser(parse_key, "a key from https://synthetic.new"),
    default=None,
    default_text="none: AuthenticationError",
    meaning="the key; no other vendor's is ever sent",
    mistaken_names=("SYNTHETIC_KEY", "SYNTHETIC_TOKEN", "SYNTHETIC_API_TOKEN", "SYN_API_KEY"),
    strict=True,
)
API_BASE: Final[Setting[str]] = Setting(
    BASE_URL_VARIABLE,
    Parser(str, "an absolute URL, with or without a path such as `/v1` or `/anthropic`"),
    default=DEFAULT_BASE_URL,
    default_text=f"`{DEFAULT_BASE_URL}`",
    meaning="the base URL; a bare host, `/v1`, `/anthropic` or a full URL will do",
    mistaken_names=(
        "SYNTHETIC_BASE_URL",
        "SYNTHETIC_API_BASE_URL",
        "SYNTHETIC_API_URL",
        "SYNTHETIC_URL",
    ),
)
MODEL: Final[Setting[str]] = Setting(
    "SYNTHETIC_MODEL",
    Parser(_model_id, "a model id, with or without `synthetic/` in front"),
    default="syn:large:text",
    default_text="`syn:large:text`",
    meaning="the model that `synthetic/default` stands for",
    mistaken_names=("SYNTHETIC_DEFAULT_MODEL",),
)
CATALOG: Final[Setting[CatalogMode]] = Setting(
    "SYNTHETIC_CATALOG",
    one_of(*get_args(CatalogMode)),
    default="auto",
    default_text="`auto`",
    meaning="`auto` keeps the model table fresh; `offline` never fetches it",
)
CATALOG_TTL: Final = Setting(
    "SYNTHETIC_CATALOG_TTL",
    SECONDS,
    default=14_400.0,
    default_text="14400 (4 h)",
    meaning="seconds after which the model table is fetched again",
)
CACHE_DIR: Final[Setting[Path | None]] = Setting(
    "SYNTHETIC_CACHE_DIR",
    Parser(Path, "a folder"),
    default=None,
    default_text="the user's cache folder on the system",
    meaning="folder of the cached model table",
)
BILLING: Final[Setting[Billing]] = Setting(
    "SYNTHETIC_BILLING",
    one_of(*get_args(Billing)),
    default="metered",  # too high a cost is noticed; a free one would not be
    default_text="`metered`",
    meaning="calls of a key that does not report how it pays: `metered` costs list prices, "
    "`subscription` 0; `list-price`: so do those of every key, as budgets need",
)
ALLOWED_MODELS: Final[Setting[Allowlist | None]] = Setting(
    "SYNTHETIC_ALLOWED_MODELS",
    Parser(parse_allowlist, "globs over model ids, with commas between them"),
    default=None,
    default_text="all",
    meaning="globs; other models are refused and not listed",
)
ALLOW_HTTP: Final = Setting(
    ALLOW_HTTP_VARIABLE,
    SWITCH,
    default=False,
    default_text="`0`",
    meaning="`1` allows plain http beyond this machine",
)
MESSAGES: Final[Setting[MessagesRoute]] = Setting(
    "SYNTHETIC_MESSAGES",
    one_of(*get_args(MessagesRoute)),
    default="native",
    default_text="`native`",
    meaning="`native` sends Anthropic messages to Synthetic's own endpoint, `translate` to chat",
)
MESSAGES_BETA: Final[Setting[MessagesBeta]] = Setting(
    "SYNTHETIC_MESSAGES_BETA",
    one_of(*get_args(MessagesBeta)),
    default="drop",
    default_text="`drop`",
    meaning="`pass` sends the beta fields and headers of Anthropic's clients as they came",
)
STEER: Final[Setting[Steering]] = Setting(
    "SYNTHETIC_STEER",
    one_of(*get_args(Steering)),
    default="plan-first",
    default_text="`plan-first`",
    meaning="which key goes first behind a Router: plans before prepaid keys, `balance`: the one "
    "with most left, `off`: as LiteLLM does",
)
SHARE_QUOTAS: Final = Setting(
    "SYNTHETIC_SHARE_QUOTAS",
    SWITCH,
    default=False,
    default_text="`0`",
    meaning="`1` shows a proxy's clients the operator's plan, as `x-synthetic-quotas` and "
    "`x-ratelimit-*-requests`",
)
MAX_PARALLEL: Final[Setting[MaxParallel]] = Setting(
    "SYNTHETIC_MAX_PARALLEL",
    Parser(_max_parallel, "`off`, `learn` or a number from 1 to 9999"),
    default="off",
    default_text="`off`",
    meaning="calls at a time of a key and model, the others wait: a number, or `learn`: what a 429 "
    "of Synthetic tells",
)
STREAM_MERGE: Final = Setting(
    "SYNTHETIC_STREAM_MERGE",
    SWITCH,
    default=True,
    default_text="`1`",
    meaning="`0` leaves stream deltas apart that wait for a slow reader",
)
SSL_VERIFY: Final[Setting[bool | str | None]] = Setting(
    "SSL_VERIFY",
    Parser(_tls, "`true`, `false`, or a file or folder of CA certificates"),
    default=None,  # then `litellm.ssl_verify` decides
    default_text="`true`",
    meaning="trusted certificates, as in LiteLLM; `false` trusts anybody",
)

SETTINGS: Final[tuple[Setting[Any], ...]] = tuple(
    each for each in tuple(globals().values()) if isinstance(each, Setting)
)
"""Every setting, in the table's order."""


# ---- what follows from more than one row


def endpoint(base_url: str | None = None, *, look_up: LookUp = os.environ.get) -> Endpoint:
    """Return where a call goes.

    Args:
        base_url: a base URL as people write it; where it is None or blank, `SYNTHETIC_API_BASE`
            counts, else Synthetic's.
        look_up: reads `SYNTHETIC_API_BASE`.

    Raises:
        litellm_synthetic.config.endpoint.InvalidBaseURLError: it cannot be right.
    """
    # Plain http is not a secret, so not a question for a secret manager, which may be a server.
    return parse_base_url(
        stripped(base_url) or API_BASE.value(look_up), allow_http=ALLOW_HTTP.value()
    )


def models_base_url(base_url: str | None = None) -> str:
    """Return the base URL whose `/models` lists the models behind a base URL.

    For the Messages API it is `…/openai/v1` beside it, because that API lists no models.

    Args:
        base_url: as for `endpoint`.

    Raises:
        litellm_synthetic.config.endpoint.InvalidBaseURLError: as `endpoint` does.
    """
    parsed = endpoint(base_url)
    return (parsed.beside("openai") or parsed).base_url


def mistaken_names(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, Setting[Any]]]:
    """Yield the variables that are nearly a setting, each with the unset setting that is meant."""
    from difflib import get_close_matches  # noqa: PLC0415  # for a look at the environment

    ours = {each.name: each for each in SETTINGS if each.name.startswith(_FAMILY)}
    other_names = {other: each for each in ours.values() for other in each.mistaken_names}
    for name in sorted(environ):
        if name in ours or stripped(environ[name]) is None:
            continue
        spelling = name.upper()
        is_in_family = spelling.startswith(_FAMILY)
        cutoff = _MIN_SIMILARITY if is_in_family else _MIN_SIMILARITY_OUTSIDE
        close = get_close_matches(spelling, ours, n=1, cutoff=cutoff)
        intended = other_names.get(spelling) or (ours[close[0]] if close else None)
        if intended is not None and intended.text(environ.get) is None:
            yield name, intended


def mistaken_name_of(setting: Setting[Any]) -> str | None:
    """Return the set variable that is nearly this unset setting; None where there is none."""
    return next((name for name, intended in mistaken_names() if intended is setting), None)
