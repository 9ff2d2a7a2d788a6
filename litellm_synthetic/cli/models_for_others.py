"""The models in the formats of others: models.dev, opencode's config, OpenRouter's list.

What a format requires and nobody knows is not made up: such a model is left out, and counted.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.chat.params import supported_parameters
from litellm_synthetic.config.credentials import KEY_VARIABLE
from litellm_synthetic.config.ids import HUGGING_FACE_SCHEME, PROVIDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Model, Prices, PriceTier

_NAME: Final = "Synthetic"
_DOC: Final = "https://synthetic.new"
_NPM: Final = "@ai-sdk/openai-compatible"
_OPENCODE_SCHEMA: Final = "https://opencode.ai/config.json"
_MILLION: Final = 1_000_000
# What models.dev and opencode know.
_MODALITIES: Final = ("text", "audio", "image", "video", "pdf")
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# Of what a chat takes, the parameters that OpenRouter has names for.
_OPENROUTER_PARAMETERS: Final = (
    "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "max_tokens", "max_completion_tokens", "logit_bias", "logprobs",
    "top_logprobs", "seed", "response_format", "stop", "tools", "tool_choice",
    "parallel_tool_calls", "reasoning_effort",
)  # fmt: skip  # one list, read as one


def models_dev_document(table: ModelTable, models: Sequence[Model]) -> tuple[dict[str, Any], int]:
    """Return the provider as in models.dev's `api.json`, and how many models are left out.

    Prices are USD per million tokens. `release_date` is the day on which Synthetic first listed the
    model: when it was released is not in the table.
    """
    rows = {model.id: row for model in models if (row := _models_dev_row(model)) is not None}
    provider = {
        "id": PROVIDER,
        "env": [KEY_VARIABLE],
        "npm": _NPM,
        "api": table.base_url,
        "name": _NAME,
        "doc": _DOC,
        "models": rows,
    }
    return {PROVIDER: provider}, len(models) - len(rows)


def opencode_document(table: ModelTable, models: Sequence[Model]) -> tuple[dict[str, Any], int]:
    """Return an `opencode.json` with the provider, and how many models are left out.

    The key stays in the environment.
    """
    rows = {model.id: row for model in models if (row := _opencode_row(model)) is not None}
    provider = {
        "npm": _NPM,
        "name": _NAME,
        "options": {"baseURL": table.base_url, "apiKey": f"{{env:{KEY_VARIABLE}}}"},
        # opencode has a list of its own, with models that are retired by now.
        "whitelist": list(rows),
        "models": rows,
    }
    document = {"$schema": _OPENCODE_SCHEMA, "provider": {PROVIDER: provider}}
    return document, len(models) - len(rows)


def openrouter_document(table: ModelTable, models: Sequence[Model]) -> tuple[dict[str, Any], int]:
    """Return a list of models as OpenRouter's `/api/v1/models` has it, and how many are left out.

    Prices are USD per token, as text. `created` is the day on which Synthetic first listed the
    model.
    """
    rows = [row for model in models if (row := _openrouter_row(model, table)) is not None]
    document = {"data": rows, "total_count": len(rows), "links": {"next": None}}
    return document, len(models) - len(rows)


# ---- rows


def _models_dev_row(model: Model) -> dict[str, Any] | None:
    limits, modalities, seen = _limits(model), _modalities(model), model.first_seen
    facts = (limits, modalities, seen, model.reasoning, model.tools)
    if seen is None or modalities is None or None in facts:
        return None
    row: dict[str, Any] = {
        "id": model.id,
        "name": _short_name(model),
        "description": _description(model),
        "attachment": any(each != "text" for each in modalities["input"]),
        "reasoning": model.reasoning,
        "tool_call": model.tools,
        "temperature": True,
        "release_date": seen.isoformat(),
        "last_updated": (model.last_seen or seen).isoformat(),
        "modalities": modalities,
        "open_weights": True,  # of all that Synthetic serves
        "limit": limits,
    }
    if model.reasoning:
        row["reasoning_options"] = _reasoning_options(model)
    if model.structured_outputs is not None:
        row["structured_output"] = model.structured_outputs
    if model.deprecated:
        row["status"] = "deprecated"
    if (cost := _cost(model.prices)) is not None:
        tiers = [
            {**each_cost, "tier": {"type": "context", "size": tier.min_prompt_tokens}}
            for tier in model.prices.tiers
            if (each_cost := _cost(tier)) is not None
        ]
        row["cost"] = {**cost, "tiers": tiers} if tiers else cost
    return row


def _opencode_row(model: Model) -> dict[str, Any] | None:
    limits, modalities = _limits(model), _modalities(model)
    if limits is None or model.kind == "embedding":
        return None
    facts = {
        "name": _short_name(model),
        "release_date": None if model.first_seen is None else model.first_seen.isoformat(),
        "attachment": modalities and any(each != "text" for each in modalities["input"]),
        "reasoning": model.reasoning,
        "temperature": True,
        "tool_call": model.tools,
        "limit": limits,
        "modalities": modalities,
        "cost": _cost(model.prices),
        "status": "deprecated" if model.deprecated else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _openrouter_row(model: Model, table: ModelTable) -> dict[str, Any] | None:
    prices, inputs = model.prices, model.input_modalities
    if model.first_seen is None or not model.is_priced or inputs is None:
        return None
    embeds = model.kind == "embedding"
    outputs = ("embeddings",) if embeds else model.output_modalities or ("text",)
    pricing = {
        "prompt": prices.input_usd_per_token,
        "completion": prices.output_usd_per_token,
        "input_cache_read": prices.cache_read_usd_per_token,
        "input_cache_write": prices.cache_write_usd_per_token,
    }
    known = {name: format(price, "f") for name, price in pricing.items() if price is not None}
    row: dict[str, Any] = {
        "id": model.id,
        "canonical_slug": model.current_target or model.id,
        "hugging_face_id": _hugging_face_name(model.current_target or model.id),
        "name": f"{_NAME}: {_short_name(model)}",
        "created": _midnight(model.first_seen),
        "description": _description(model),
        "context_length": model.context_window_tokens,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
            "input_modalities": list(inputs),
            "output_modalities": list(outputs),
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": known,
        "top_provider": {
            "context_length": model.context_window_tokens,
            "max_completion_tokens": model.max_output_tokens,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": [] if embeds else _openrouter_parameters(model),
        "default_parameters": None,
        "supported_voices": None,
        "expiration_date": _iso(model.deprecation_date),
        "links": {"details": f"{table.base_url}/models"},
    }
    if model.reasoning and model.efforts is not None:
        row["reasoning"] = {
            "mandatory": model.can_stop_reasoning is False,
            "supported_efforts": [each for each in model.reliable_efforts if each in _EFFORTS],
        }
    return row


# ---- facts


def _short_name(model: Model) -> str:
    return model.id.rpartition("/")[2]


def _description(model: Model) -> str:
    if model.current_target is not None:
        return f"An alias of Synthetic, which serves {model.current_target} at present."
    return f"{model.id.removeprefix(HUGGING_FACE_SCHEME)}, served by Synthetic."


def _hugging_face_name(model_id: str) -> str | None:
    if not model_id.startswith(HUGGING_FACE_SCHEME):
        return None
    return model_id.removeprefix(HUGGING_FACE_SCHEME)


def _limits(model: Model) -> dict[str, int] | None:
    context, output = model.context_window_tokens, model.max_output_tokens
    return None if context is None or output is None else {"context": context, "output": output}


def _modalities(model: Model) -> dict[str, list[str]] | None:
    if not model.input_modalities:
        return None
    kinds = {"input": model.input_modalities, "output": model.output_modalities or ("text",)}
    return {name: [one for one in values if one in _MODALITIES] for name, values in kinds.items()}


def _cost(prices: Prices | PriceTier) -> dict[str, float] | None:
    fields: dict[str, Decimal | None] = {
        "input": prices.input_usd_per_token,
        "output": prices.output_usd_per_token,
        "cache_read": prices.cache_read_usd_per_token,
        "cache_write": prices.cache_write_usd_per_token,
    }
    if fields["input"] is None or fields["output"] is None:
        return None
    return {name: float(usd * _MILLION) for name, usd in fields.items() if usd is not None}


def _reasoning_options(model: Model) -> list[dict[str, Any]]:
    values = [each for each in model.reliable_efforts if each in _EFFORTS]
    return [{"type": "effort", "values": values}] if values else []


def _openrouter_parameters(model: Model) -> list[str]:
    taken = set(supported_parameters(tools=model.tools, reasoning=model.reasoning))
    names: list[str] = [name for name in _OPENROUTER_PARAMETERS if name in taken]
    if model.structured_outputs:
        names.append("structured_outputs")
    if model.reasoning:
        names += ["reasoning", "include_reasoning"]
    return names


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
