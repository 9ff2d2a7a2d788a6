"""The `config.yaml` of a LiteLLM proxy with Synthetic behind it, commented for its operator.

LiteLLM lets `model_info` win over the live table for as long as the file states it. So prices are
left out, because spend and budgets should follow them, and so are the limits of aliases, which
change with what an alias serves. The limits and capabilities of a named model are part of what it
is, and are written.

A template, because PyYAML writes no comments. Texts that are not ours are quoted, which means the
same in YAML 1.1, which PyYAML reads, and in 1.2.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.cost_map import cost_map_row
from litellm_synthetic.catalog.fallbacks import window_fallbacks
from litellm_synthetic.cli.formatting import UNKNOWN, tokens, usd_per_million
from litellm_synthetic.cli.terminal import harmless
from litellm_synthetic.config.endpoint import BASE_URL_VARIABLE, DEFAULT_BASE_URL
from litellm_synthetic.config.ids import DEFAULT_ID, ROUTE_PREFIX
from litellm_synthetic.config.settings import MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Model, Prices

_WIDTH: Final = 100
_PLAIN: Final = frozenset(map(chr, range(32, 127))) - {'"', "\\"}
_STATED: Final = (
    "mode",
    "max_input_tokens",
    "max_output_tokens",
    "output_vector_size",
    "supports_function_calling",
    "supports_vision",
    "supports_reasoning",
    "supports_response_schema",
)
_GROUPS: Final = {
    "alias": (
        "Aliases. Synthetic decides which model an alias serves, and its limits and price change "
        "with that; nothing is stated here that would go stale."
    ),
    "chat": "Chat models.",
    "embedding": "Embedding models.",
    "helper": "Helpers: small models that Synthetic serves without listing them.",
}
_DEFAULT: Final = (
    f"The model that {MODEL.name} names where the proxy runs, {MODEL.default} if it names none."
)
_HEADER: Final = """\
Synthetic behind a LiteLLM proxy. Written by
  {command}
from the facts of {observed_on}. Models come and go; run it again to follow.{origin}

Where litellm-synthetic[proxy] is installed:
  export SYNTHETIC_API_KEY=syn_... LITELLM_MASTER_KEY=sk-...
  litellm --config {file}
With several workers add --num_workers 4 --timeout_worker_healthcheck 120: without the second, \
workers that start slowly on a busy machine are ended and started over.

Probes: GET /health/liveliness and /health/readiness. /health would send one paid call to each \
model at every poll; the lines about health checks below keep it from that.

Several keys: repeat an entry under the same model_name, with another api_key. Calls go to plans \
first, and to prepaid keys when no plan has room; SYNTHETIC_STEER changes that. A plan's calls \
cost 0: with budgets set SYNTHETIC_BILLING=list-price.

model_info wins over what litellm-synthetic knows, for as long as it is stated here. Limits and \
capabilities of models are as of the date above; remove a line to follow the live table. Prices \
are only in comments: LiteLLM takes the current ones from the live table, so spend and budgets \
don't go stale."""
_ENTRY: Final = """\
  - model_name: {name}
    litellm_params:
      model: {name}
      api_key: os.environ/SYNTHETIC_API_KEY
    model_info:
      disable_background_health_check: true"""
_LITELLM_SETTINGS: Final = """
litellm_settings:
  # Loads litellm-synthetic in every worker; it then serves all of "synthetic/".
  callbacks: [litellm_synthetic.proxy.route]"""
_REDIS: Final = """
  # One Redis for all proxies: the router's cooldowns and counts, spend, budgets and rate limits
  # take this connection too, so router_settings names none.
  cache: true
  cache_params:
    type: redis
    # Host and port must be set where the proxies run; an unset password means none.
    host: os.environ/REDIS_HOST
    port: os.environ/REDIS_PORT
    password: os.environ/REDIS_PASSWORD
    # Answers are kept only for calls that ask for it, with "cache": {"use-cache": true}. Without
    # this line a repeated question gets the first answer.
    mode: default_off
    # Seconds that a call waits for a Redis that hangs; LiteLLM's default is 5.
    socket_timeout: 1
    socket_connect_timeout: 1"""
_ROUTER_SETTINGS: Final = """
router_settings:
  # Count a prompt first: one that is too long is not sent.
  enable_pre_call_checks: true
  # After a broken connection, a 5xx or a 429; Retry-After is heeded.
  num_retries: 2
  # Seconds for one attempt at a plain call.
  timeout: 600
  # Seconds between two events of a stream.
  stream_timeout: 300"""
_FALLBACKS: Final = """
  # A prompt that is too long for a model goes to one with a larger window, the nearest first, the
  # cheapest of equals. If it may hold images, it goes only to models that take images. Aliases are
  # placed by their windows of the date above.
  context_window_fallbacks:"""
_GENERAL_SETTINGS: Final = """
general_settings:
  # The proxy's own key. Without it anyone who can reach the proxy can use it.
  master_key: os.environ/LITELLM_MASTER_KEY
  # Has /health leave out the models that say disable_background_health_check. Take the line of a
  # model away to have it probed, by a paid call.
  health_check_skip_disabled_background_models: true"""


@dataclass(frozen=True, slots=True)
class ConfigOptions:
    """What the config has beside its models.

    Attributes:
        fallbacks: whether a prompt that is too long goes to a model with a larger window.
        redis: whether several proxies share their state.
        default: whether `synthetic/default` is an entry.
        command: the command line that the file names as its origin.
        file: what the file will be called.
    """

    fallbacks: bool = False
    redis: bool = False
    default: bool = False
    command: str = "litellm-synthetic proxy-config"
    file: str = "config.yaml"


def proxy_config(table: ModelTable, models: Sequence[Model], options: ConfigOptions) -> str:
    """Return the YAML of a proxy's config; the same arguments give the same text."""
    return "".join(f"{line}\n" for line in _lines(table, models, options))


def _lines(table: ModelTable, models: Sequence[Model], options: ConfigOptions) -> Iterator[str]:
    observed_on = table.catalog.observed_on.isoformat()
    origin = (
        f" They are those of {table.base_url}: set {BASE_URL_VARIABLE} where the proxy runs, too."
        if table.base_url != DEFAULT_BASE_URL
        else ""
    )
    header = {"command": options.command, "origin": origin, "file": options.file}
    header = {name: harmless(text, "ascii") for name, text in header.items()}
    yield from _comment(_HEADER.format(observed_on=observed_on, **header))
    yield "\nmodel_list:" if models else "\nmodel_list: []"
    if options.default:
        yield from _comment(f"{_DEFAULT}\n\n", "  ")
        yield _ENTRY.format(name=_quoted(ROUTE_PREFIX + DEFAULT_ID))
        yield "      mode: chat"
    for kind, heading in _GROUPS.items():
        group = [one for one in models if one.kind == kind]
        for one in group:
            if one is not models[0] or options.default:
                yield ""
            if one is group[0]:
                yield from _comment(f"{heading}\n\n", "  ")
            yield from _entry(one, observed_on)
    yield _LITELLM_SETTINGS
    if options.redis:
        yield _REDIS
    yield _ROUTER_SETTINGS
    if options.fallbacks and (steps := window_fallbacks(models)):
        yield _FALLBACKS
        for model_id, targets in steps.items():
            yield f"    - {_quoted(ROUTE_PREFIX + model_id)}:"
            yield from (f"        - {_quoted(ROUTE_PREFIX + one)}" for one in targets)
    yield _GENERAL_SETTINGS


def _entry(model: Model, observed_on: str) -> Iterator[str]:
    for fact in _facts(model):
        yield from _comment(harmless(fact, "ascii"), "  ")
    yield _ENTRY.format(name=_quoted(ROUTE_PREFIX + model.id))
    row = cost_map_row(model, observed_on=observed_on)
    for field in ("mode",) if model.kind == "alias" else _STATED:
        if field in row:
            yield f"      {field}: {_scalar(row[field])}"


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(text: str) -> str:
    """Return a text as a double-quoted scalar in ASCII, whatever it holds."""
    # Not as in JSON: YAML takes its two escapes for what is beyond 16 bits as two characters.
    escaped = (char if char in _PLAIN else rf"\U{ord(char):08x}" for char in text)
    return f'"{"".join(escaped)}"'


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """Give the lines of a comment, wrapped; an indented line stays so."""
    for line in text.splitlines():
        lead = line[: len(line) - len(line.lstrip())]
        room = _WIDTH - len(indent) - 2
        for piece in textwrap.wrap(line, room, subsequent_indent=lead, break_on_hyphens=False) or [
            ""
        ]:
            yield f"{indent}# {piece}".rstrip()


def _facts(model: Model) -> Iterator[str]:
    if model.current_target:
        yield f"Serves {model.current_target} now."
    counts = {"tokens in": model.context_window_tokens, "out": model.max_output_tokens}
    limits = [f"{tokens(count)} {unit}" for unit, count in counts.items() if count is not None]
    if facts := [", ".join(each) for each in (limits, model.input_modalities) if each]:
        yield f"{'; '.join(facts)}."
    if model.reliable_efforts:
        yield f"Reasoning efforts: {', '.join(model.reliable_efforts)}."
    if model.is_priced:
        yield _list_price(model.prices)
    else:
        yield (
            "No price is known, so its calls count nothing in spend and budgets. "
            "input_cost_per_token and output_cost_per_token in litellm_params set one, in USD."
        )
    if model.deprecated:
        yield "Synthetic marks it as deprecated."


def _list_price(prices: Prices) -> str:
    cached = usd_per_million(prices.cache_read_usd_per_token)
    tiers = "".join(
        f" From {tokens(each.min_prompt_tokens)} prompt tokens on: "
        f"{usd_per_million(each.input_usd_per_token)} in, "
        f"{usd_per_million(each.output_usd_per_token)} out."
        for each in prices.tiers
    )
    return (
        f"USD per million tokens: {usd_per_million(prices.input_usd_per_token)} in, "
        f"{usd_per_million(prices.output_usd_per_token)} out"
        + ("." if cached == UNKNOWN else f", {cached} in from the cache.")
        + tiers
    )
