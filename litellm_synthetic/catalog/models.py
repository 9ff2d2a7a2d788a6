"""Facts about Synthetic's models: limits, capabilities, prices, efforts, and what aliases serve.

The bundled file `data/models.json` holds them (see `docs/models.md`). None always means unknown:
a missing price is not a free model, and an unread capability is not an absent one.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from litellm_synthetic.config.ids import canonical_id

FORMAT = 1
"""The version of the file's layout that this module reads."""

EFFORT_SCALE = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Reasoning efforts from the least to the most, the values LiteLLM and OpenAI know."""

Kind = Literal["chat", "embedding", "helper", "alias"]
Status = Literal["current", "hidden", "retired", "unverified"]


def _decimal_from_text(value: object) -> object:
    # A JSON number has been a binary float before anyone could look at it, so only text is exact.
    if value is None or isinstance(value, str | Decimal):
        return value
    raise ValueError("a price is a decimal string, in USD per token")


def _plain_digits(price: Decimal) -> str:
    return format(price, "f")


UsdPerToken = Annotated[
    Decimal,
    BeforeValidator(_decimal_from_text),
    Field(ge=0, allow_inf_nan=False),
    PlainSerializer(_plain_digits, return_type=str, when_used="json"),
]
"""An exact price in USD per token, written as a decimal string."""

Tokens = Annotated[int, Field(gt=0, strict=True)]
"""A positive count of tokens."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class PriceTier(_Fact):
    """Give the prices of a whole request whose prompt has this many tokens or more.

    A price for cached tokens that is not known is that of the input.
    """

    min_prompt_tokens: Tokens
    input_usd_per_token: UsdPerToken
    output_usd_per_token: UsdPerToken
    cache_read_usd_per_token: UsdPerToken | None = None
    cache_write_usd_per_token: UsdPerToken | None = None


class Prices(_Fact):
    """Give the list price of each kind of token, in USD per token, or None where unknown.

    Requests whose prompt is long enough for one of the `tiers` cost that tier's prices instead.
    """

    input_usd_per_token: UsdPerToken | None = None
    output_usd_per_token: UsdPerToken | None = None
    cache_read_usd_per_token: UsdPerToken | None = None
    cache_write_usd_per_token: UsdPerToken | None = None
    tiers: tuple[PriceTier, ...] = ()

    def at(self, prompt_tokens: int) -> "Prices | PriceTier":
        """Return the prices of a request whose prompt has this many tokens."""
        tiers = [each for each in self.tiers if each.min_prompt_tokens <= prompt_tokens]
        return max(tiers, key=lambda each: each.min_prompt_tokens, default=self)


class DatedPrices(Prices):
    """Give the list prices that a source reported on a date."""

    observed_on: date = Field(alias="date")
    source: str


class Efforts(_Fact):
    """Say which `reasoning_effort` values a model was advertised, proven or refused to take.

    Attributes:
        advertised: `reasoning_parameters.efforts` of the API's model list.
        verified: values that someone sent and that were accepted.
        rejected: values that someone sent and that were answered with a 400. They may overlap with
            `verified` where reports conflict; `rejected` then decides and `note` says why.
        unreliable: accepted values that were reported not to lead to an answer.
        can_stop: whether `none` stops the reasoning; None where that is disputed or unknown.
        can_stop_on_messages: whether `thinking: {"type": "disabled"}` on the Messages API
            does; None where unknown.
        note: the evidence in a sentence or two.
    """

    advertised: tuple[str, ...] | None = None
    verified: tuple[str, ...] | None = None
    rejected: tuple[str, ...] | None = None
    unreliable: tuple[str, ...] | None = None
    can_stop: bool | None = None
    can_stop_on_messages: bool | None = None
    note: str | None = None

    @property
    def accepted(self) -> tuple[str, ...]:
        """List what may be sent: advertised or verified, less rejected, from least to most.

        Values that are not on `EFFORT_SCALE` come last, in alphabetical order.
        """
        allowed = {*(self.advertised or ()), *(self.verified or ())} - {*(self.rejected or ())}
        on_scale = tuple(effort for effort in EFFORT_SCALE if effort in allowed)
        return on_scale + tuple(sorted(allowed.difference(EFFORT_SCALE)))

    @property
    def reliable(self) -> tuple[str, ...]:
        """List the accepted values that do what they say, from least to most.

        That leaves out `unreliable` ones, and `none` where it is known not to stop the reasoning.
        """
        failing = {*(self.unreliable or ()), *(("none",) if self.can_stop is False else ())}
        return tuple(effort for effort in self.accepted if effort not in failing)

    @property
    def are_complete(self) -> bool:
        """Tell whether a value outside `accepted` is known to be refused.

        Backends take exactly what the API advertises (probes of September 2026). A list that only
        rests on probes says nothing about the values that nobody tried.
        """
        return self.advertised is not None


class Replay(_Fact):
    """Name the request parameters that make a model keep thinking that is sent back to it."""

    chat_template_kwargs: dict[str, bool | int | str]


class Embedding(_Fact):
    """Give the length of the vectors that an embedding model returns by default."""

    dimensions: Annotated[int, Field(gt=0, strict=True)]


class AliasTarget(_Fact):
    """Say which model an alias served, and when.

    `since` and `until` are dates as far as they are known ("between 2026-09-15 and 2026-09-21");
    `until` is None while the alias serves the target.
    """

    since: str = Field(alias="from")
    until: str | None = Field(alias="to")
    target: str
    source: str


class SeedDifference(_Fact):
    """Record that another published table states another figure than the one kept here."""

    field: str
    seed: str
    seed_value: int | bool | tuple[str, ...]
    value: int | bool | tuple[str, ...] | None


class Model(_Fact):
    """State what is known about one model id. Every None means unknown."""

    id: Annotated[str, Field(min_length=1)]
    kind: Kind
    status: Status
    status_note: str | None = None
    deprecated: bool | None = None
    deprecation_date: date | None = None
    context_window_tokens: Tokens | None = None
    max_output_tokens: Tokens | None = None
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    tools: bool | None = None
    reasoning: bool | None = None
    json_mode: bool | None = None
    structured_outputs: bool | None = None
    prices: Prices = Prices()
    price_history: tuple[DatedPrices, ...] = ()
    efforts: Efforts | None = None
    replay: Replay | None = None
    embedding: Embedding | None = None
    first_seen: date | None = None
    last_seen: date | None = None
    removed_on: date | None = None
    removal_note: str | None = None
    alias_targets: tuple[AliasTarget, ...] = ()
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    seed_differences: tuple[SeedDifference, ...] = ()
    note: str | None = None

    @property
    def accepted_efforts(self) -> tuple[str, ...]:
        """List the efforts that may be sent, least first; empty where nothing is known."""
        return self.efforts.accepted if self.efforts else ()

    @property
    def unreliable_efforts(self) -> tuple[str, ...]:
        """List the efforts that are accepted but were reported not to lead to an answer."""
        unreliable = (self.efforts.unreliable if self.efforts else None) or ()
        return tuple(effort for effort in self.accepted_efforts if effort in unreliable)

    @property
    def reliable_efforts(self) -> tuple[str, ...]:
        """List the efforts that may be sent and lead to an answer, least first."""
        return self.efforts.reliable if self.efforts else ()

    @property
    def accepted_efforts_are_complete(self) -> bool:
        """Tell whether an effort outside `accepted_efforts` is known to be refused."""
        return self.efforts is not None and self.efforts.are_complete

    @property
    def can_stop_reasoning(self) -> bool | None:
        """Tell whether `reasoning_effort="none"` stops the reasoning; None where unknown."""
        return self.efforts.can_stop if self.efforts else None

    @property
    def can_stop_thinking_on_messages(self) -> bool | None:
        """Tell whether the Messages API can switch thinking off; None where unknown."""
        return self.efforts.can_stop_on_messages if self.efforts else None

    @property
    def cannot_use_tools(self) -> bool:
        """Tell whether a source says that the model has no tool calling."""
        return self.tools is False

    @property
    def cannot_see_images(self) -> bool:
        """Tell whether the input modalities are known and images aren't among them."""
        return self.input_modalities is not None and "image" not in self.input_modalities

    @property
    def is_current(self) -> bool:
        """Tell whether the id was served at the newest look."""
        return self.status == "current"

    @property
    def is_retired(self) -> bool:
        """Tell whether the id has left the list."""
        return self.status == "retired"

    @property
    def is_priced(self) -> bool:
        """Tell whether both the input and the output price are known."""
        prices = self.prices
        return prices.input_usd_per_token is not None and prices.output_usd_per_token is not None

    @property
    def current_target(self) -> str | None:
        """Name the id that an alias serves now; None for what is not an alias."""
        return next((each.target for each in self.alias_targets if each.until is None), None)


class SkippedRow(_Fact):
    """Say which row of a model table could not be used, and why.

    `reason` names fields and rules but repeats no value of the row, which may be anything.
    """

    index: int
    id: str | None
    reason: str


class Catalog(_Fact):
    """Hold the models of one table, its age and its sources.

    Attributes:
        observed_on: date of the newest look at the live list that the table rests on.
        compiled_on: date on which the table was put together.
        sources: what each key in a model's `sources` stands for.
        models: one entry per id, in the table's order.
        skipped: the rows that were left out because they are invalid.
    """

    observed_on: date
    compiled_on: date
    sources: Mapping[str, str]
    models: tuple[Model, ...]
    skipped: tuple[SkippedRow, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Catalog":
        """Read a table from parsed JSON, row by row: a bad row costs that row only.

        Raises:
            ValueError: the document isn't of this format, or its header is unusable (pydantic's
                ValidationError is one).
        """
        if document.get("format") != FORMAT:
            raise ValueError(f"not a model table of format {FORMAT}")
        rows = document.get("models")
        if not isinstance(rows, list):
            # ValueError on purpose: to the caller every unusable document is the same case.
            raise ValueError("the model table has no list of models")  # noqa: TRY004
        models, skipped = parse_rows(rows)
        return cls.model_validate(
            {**document, "models": models, "skipped": skipped},
        )

    def to_document(self) -> dict[str, Any]:
        """Return what `from_document` reads, ready for JSON; what is unknown is left out."""
        content = self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"skipped"}
        )
        return {"format": FORMAT, **content}

    @cached_property
    def by_id(self) -> Mapping[str, Model]:
        """Map each id, spelt as Synthetic spells it, to its model."""
        return {model.id: model for model in self.models}

    def with_models(self, models: Iterable[Model], *, observed_on: date) -> "Catalog":
        """Return a table in which `models` replace those of the same id and new ones come last.

        Use this and not `model_copy`, which would carry the old index along.
        """
        merged = {**self.by_id, **{model.id: model for model in models}}
        return Catalog(
            observed_on=observed_on,
            compiled_on=self.compiled_on,
            sources=self.sources,
            models=tuple(merged.values()),
            skipped=self.skipped,
        )

    def find(self, model_id: str) -> Model | None:
        """Return the model of an id in any spelling `canonical_id` understands, else None."""
        return self.by_id.get(canonical_id(model_id))

    def current(self) -> tuple[Model, ...]:
        """List the models that were served at the newest look, aliases included."""
        return tuple(model for model in self.models if model.is_current)


def parse_rows(rows: Iterable[object]) -> tuple[tuple[Model, ...], tuple[SkippedRow, ...]]:
    """Validate the rows of a model table one by one; of rows with the same id the first counts."""
    models: dict[str, Model] = {}
    skipped: list[SkippedRow] = []
    for index, row in enumerate(rows):
        try:
            model = Model.model_validate(row)
        except ValidationError as error:
            row_id = row.get("id") if isinstance(row, dict) else None
            row_id = row_id if isinstance(row_id, str) else None
            skipped.append(SkippedRow(index=index, id=row_id, reason=_reason(error)))
            continue
        if model.id in models:
            skipped.append(SkippedRow(index=index, id=model.id, reason="the id is there already"))
            continue
        models[model.id] = model
    return tuple(models.values()), tuple(skipped)


def _reason(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'row'}: {each['msg']}" for each in details
    )


@cache
def load_bundled() -> Catalog:
    """Read the model table that came with the package, once per process."""
    text = resources.files("litellm_synthetic").joinpath("data/models.json").read_text("utf-8")
    return Catalog.from_document(json.loads(text))
