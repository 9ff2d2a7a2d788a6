"""The `config.yaml` of a LiteLLM proxy with Synthetic behind it, commented for who runs it.

What goes into `model_info` stays there: LiteLLM lets it win over the live table for as long as the
file says it. So prices are left out, because spend and budgets should follow them, and so are the
limits of aliases, which change with what an alias serves. The limits and capabilities of a named
model are part of what it is, and are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog.cost_map import cost_map_row
from litellm_synthetic.catalog.fallbacks import window_fallbacks
from litellm_synthetic.cli.formatting import UNKNOWN, tokens, usd_per_million
from litellm_synthetic.cli.yaml_text import Commented, Node, comment, yaml_text
from litellm_synthetic.config.endpoint import BASE_URL_VARIABLE, DEFAULT_BASE_URL
from litellm_synthetic.config.ids import ROUTE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Model, Prices

LOADING_LINE: Final = "litellm_synthetic.proxy.route"
_KEY: Final = "os.environ/SYNTHETIC_API_KEY"
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
_REDIS: Final[dict[str, Node]] = {
    "type": "redis",
    "host": Commented(
        "os.environ/REDIS_HOST",
        above="Host and port must be set where the proxies run; an unset password is none.",
    ),
    "port": "os.environ/REDIS_PORT",
    "password": "os.environ/REDIS_PASSWORD",
    "mode": Commented(
        "default_off",
        above=(
            'Answers are kept only for calls that ask for it, with "cache": {"use-cache": true}. '
            "Without this line a repeated question gets the first answer."
        ),
    ),
    "socket_timeout": Commented(
        1, above="Seconds that a call waits for a Redis that hangs; LiteLLM's own are 5."
    ),
    "socket_connect_timeout": 1,
}
_GROUPS: Final = {
    "alias": (
        "Aliases. Synthetic decides which model one serves, and its limits and price move with "
        "that; so nothing is stated here that would go stale."
    ),
    "chat": "Chat models.",
    "embedding": "Embedding models.",
    "helper": "Helpers: small models that Synthetic serves without listing them.",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """Say what the config should have beside its models.

    Attributes:
        fallbacks: whether a prompt that is too long goes to a model with a larger window.
        redis: whether several proxies share their state.
        command: the command line that the file names as its origin.
    """

    fallbacks: bool = False
    redis: bool = False
    command: str = "litellm-synthetic proxy-config"


def proxy_config(table: ModelTable, models: Sequence[Model], wishes: Wishes) -> str:
    """Return the YAML of a proxy's config; the same table, models and wishes give the same text."""
    document: dict[str, Node] = {
        "model_list": Commented(
            [node for kind in _GROUPS for node in _group(kind, models, table)], gap=True
        ),
        "litellm_settings": Commented(_litellm_settings(wishes), gap=True),
        "router_settings": Commented(_router_settings(models, wishes), gap=True),
        "general_settings": Commented(
            {
                "master_key": Commented(
                    "os.environ/LITELLM_MASTER_KEY",
                    above="The proxy's own key. Without one it lets in whoever reaches it.",
                )
            },
            gap=True,
        ),
    }
    return "".join(f"{line}\n" for line in comment(_header(table, wishes))) + yaml_text(document)


def _header(table: ModelTable, wishes: Wishes) -> str:
    observed_on = table.catalog.observed_on
    elsewhere = (
        f" They are those of {table.base_url}: set {BASE_URL_VARIABLE} where the proxy runs, too."
        if table.base_url != DEFAULT_BASE_URL
        else ""
    )
    return (
        "Synthetic behind a LiteLLM proxy. Written by\n"
        f"  {wishes.command}\n"
        f"from the facts of {observed_on}. Models come and go; run it again to follow.{elsewhere}\n"
        "\n"
        "Where litellm[proxy] and litellm-synthetic are installed:\n"
        "  export SYNTHETIC_API_KEY=syn_... LITELLM_MASTER_KEY=sk-...\n"
        "  litellm --config config.yaml\n"
        "\n"
        "model_info wins over what litellm-synthetic knows, for as long as it stands here. Limits "
        "and capabilities of models are stated as of the date above; a line that is taken out "
        "follows the live table. Prices are only in comments: LiteLLM takes the current ones from "
        "the live table, so spend and budgets don't go stale."
    )


def _group(kind: str, models: Sequence[Model], table: ModelTable) -> list[Node]:
    entries: list[Node] = []
    for one in models:
        if one.kind == kind:
            heading = "" if entries else f"{_GROUPS[kind]}\n\n"
            entries.append(_entry(one, table, heading, gap=one is not models[0]))
    return entries


def _entry(model: Model, table: ModelTable, heading: str, *, gap: bool) -> Commented:
    name = ROUTE_PREFIX + model.id
    row = cost_map_row(model, observed_on=table.catalog.observed_on.isoformat())
    stated = ("mode",) if model.kind == "alias" else _STATED
    return Commented(
        {
            "model_name": name,
            "litellm_params": {"model": name, "api_key": _KEY},
            "model_info": {field: row[field] for field in stated if field in row},
        },
        above=heading + "\n".join(_facts(model)),
        gap=gap,
    )


def _facts(model: Model) -> Iterator[str]:
    if model.current_target:
        yield f"Serves {model.current_target} now."
    limits = [
        f"{tokens(count)} {what}"
        for count, what in (
            (model.context_window_tokens, "tokens in"),
            (model.max_output_tokens, "out"),
        )
        if count is not None
    ]
    facts = [", ".join(each) for each in (limits, model.input_modalities) if each]
    if facts:
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


def _litellm_settings(wishes: Wishes) -> dict[str, Node]:
    settings: dict[str, Node] = {
        "callbacks": Commented(
            [LOADING_LINE],
            above='Loads litellm-synthetic in every worker; it then serves all of "synthetic/".',
        )
    }
    if wishes.redis:
        settings["cache"] = Commented(
            value=True,
            above=(
                "One Redis for all proxies: the router's cooldowns and counts, spend, budgets and "
                "rate limits take this connection too, so router_settings names none."
            ),
            gap=True,
        )
        settings["cache_params"] = _REDIS
    return settings


def _router_settings(models: Sequence[Model], wishes: Wishes) -> dict[str, Node]:
    settings: dict[str, Node] = {
        "enable_pre_call_checks": Commented(
            value=True,
            above="Count a prompt first: one that is too long is not sent in vain.",
        ),
        "num_retries": Commented(
            2, above="After a broken connection, a 5xx or a 429; Retry-After is heeded."
        ),
        "timeout": Commented(600, above="Seconds for one attempt at a plain call."),
        "stream_timeout": Commented(300, above="Seconds between two events of a stream."),
    }
    steps = window_fallbacks(models) if wishes.fallbacks else {}
    if steps:
        settings["context_window_fallbacks"] = Commented(
            [
                {ROUTE_PREFIX + one: [ROUTE_PREFIX + other for other in others]}
                for one, others in steps.items()
            ],
            above=(
                "A prompt that is too long for a model goes to one with a larger window, the "
                "nearest first, the cheapest of equals; one that may hold images only to models "
                "that see. Aliases stand where their windows of that date put them."
            ),
            gap=True,
        )
    return settings
