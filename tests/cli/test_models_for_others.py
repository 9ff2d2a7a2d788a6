"""The model table in the formats of models.dev, opencode and OpenRouter.

What each reader requires is written down here as pydantic models: `scripts/check_model_formats.py`
holds the output against the readers' own code, which has to be downloaded.
"""

from __future__ import annotations

import json
from datetime import date  # noqa: TC003  # pydantic reads it
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from litellm_synthetic.catalog.table import load_bundled
from tests.cli.invocation import invoke

Modality = Literal["text", "audio", "image", "video", "pdf"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"]
Price = Annotated[float, Field(ge=0)]
CATALOG = load_bundled()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Modalities(Strict):
    input: list[Modality]
    output: list[Modality]


class Limit(Strict):
    context: Annotated[int, Field(gt=0)]
    output: Annotated[int, Field(gt=0)]


class Cost(Strict):
    input: Price
    output: Price
    cache_read: Price | None = None
    cache_write: Price | None = None
    tiers: list[dict[str, Any]] = []


class Option(Strict):
    type: Literal["effort"]
    values: list[Effort]


class ModelsDevModel(Strict):
    id: str
    name: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]
    attachment: bool
    reasoning: bool
    reasoning_options: list[Option] | None = None
    tool_call: bool
    structured_output: bool | None = None
    temperature: bool | None = None
    release_date: date
    last_updated: date
    modalities: Modalities
    open_weights: bool
    limit: Limit
    status: Literal["alpha", "beta", "deprecated"] | None = None
    cost: Cost | None = None


class OpencodeModel(Strict):
    name: str
    release_date: date | None = None
    attachment: bool | None = None
    reasoning: bool | None = None
    temperature: bool | None = None
    tool_call: bool | None = None
    limit: Limit
    modalities: Modalities | None = None
    cost: Cost | None = None
    status: Literal["alpha", "beta", "deprecated", "active"] | None = None


class OpenRouterPricing(Strict):
    prompt: str
    completion: str
    input_cache_read: str | None = None
    input_cache_write: str | None = None


class OpenRouterModel(BaseModel):
    id: str
    canonical_slug: str
    name: str
    created: int
    context_length: int | None
    architecture: dict[str, Any]
    pricing: OpenRouterPricing
    top_provider: dict[str, Any]
    per_request_limits: None
    supported_parameters: list[str]
    default_parameters: None
    supported_voices: None
    links: dict[str, str]


def printed(table_format: str, *arguments: str) -> Any:
    return json.loads(invoke("models", *arguments, "--format", table_format).stdout)


def test_models_dev_reads_every_row() -> None:
    provider = printed("models.dev", "--all")["synthetic"]
    assert provider["env"] == ["SYNTHETIC_API_KEY"]
    assert provider["npm"] == "@ai-sdk/openai-compatible"
    assert provider["api"] == "https://api.synthetic.new/openai/v1"  # required with that package
    rows = TypeAdapter(dict[str, ModelsDevModel]).validate_python(provider["models"])
    assert "hf:zai-org/GLM-5.3" in rows
    for model_id, row in rows.items():
        assert row.id == model_id
        assert (row.reasoning_options is not None) == row.reasoning


def test_opencode_reads_every_row_and_finds_the_key_in_the_environment() -> None:
    document = printed("opencode", "--all")
    provider = document["provider"]["synthetic"]
    assert provider["options"]["apiKey"] == "{env:SYNTHETIC_API_KEY}"
    rows = TypeAdapter(dict[str, OpencodeModel]).validate_python(provider["models"])
    assert {"syn:large:text", "hf:zai-org/GLM-5.3"} <= rows.keys()


def test_openrouter_reads_every_row() -> None:
    document = printed("openrouter", "--all")
    rows = TypeAdapter(list[OpenRouterModel]).validate_python(document["data"])
    assert document["total_count"] == len(rows)
    for row in rows:
        facts = CATALOG.find(row.id)
        assert facts is not None
        assert Decimal(row.pricing.prompt) == facts.prices.input_usd_per_token
        assert row.context_length == facts.context_window_tokens


def test_prices_are_per_million_tokens_for_models_dev_and_opencode() -> None:
    (opencode,) = printed("opencode", "hf:zai-org/GLM-5.3")["provider"]["synthetic"][
        "models"
    ].values()
    (models_dev,) = printed("models.dev", "hf:zai-org/GLM-5.3")["synthetic"]["models"].values()
    assert opencode["cost"] == models_dev["cost"]
    assert opencode["cost"]["input"] == pytest.approx(1.4)


@pytest.mark.parametrize("table_format", ["models.dev", "opencode", "openrouter"])
def test_what_is_required_and_unknown_leaves_a_model_out_and_says_so(table_format: str) -> None:
    result = invoke("models", "--all", "--format", table_format)
    assert f"left out: a fact that {table_format} requires is not known" in result.stderr
