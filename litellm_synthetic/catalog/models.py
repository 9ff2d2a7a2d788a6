"""Facts about Synthetic's models: limits, capabilities, prices, efforts, and what aliases serve.

`table` holds the models of one file (see `docs/models.md`). None always means unknown:
a missing price is not a free model, and an unread capability is not an absent one.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

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


class Fact(BaseModel):
    """A record of the model table: frozen; fields that it does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class PriceTier(Fact):
    """The prices of a whole request whose prompt has this many tokens or more.

    A price for cached tokens that is not known is that of the input.
    """

    min_prompt_tokens: Tokens
    input_usd_per_token: UsdPerToken
    output_usd_per_token: UsdPerToken
    cache_read_usd_per_token: UsdPerToken | None = None
    cache_write_usd_per_token: UsdPerToken | None = None


class Prices(Fact):
    """The list price of each kind of token, in USD per token, or None where unknown.

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
    """The list prices that a source reported on a date."""

    observed_on: date = Field(alias="date")
    source: str


class Efforts(Fact):
    """The `reasoning_effort` values that were advertised, verified or rejected for a model.

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


class Replay(Fact):
    """The request parameters that make a model keep thinking that is sent back to it."""

    chat_template_kwargs: dict[str, bool | int | str]


class Embedding(Fact):
    """The length of the vectors that an embedding model returns by default."""

    dimensions: Annotated[int, Field(gt=0, strict=True)]


class AliasTarget(Fact):
    """A model that an alias served, and when.

    `since` and `until` are dates as far as they are known ("between 2026-09-15 and 2026-09-21");
    `until` is None while the alias serves the target.
    """

    since: str = Field(alias="from")
    until: str | None = Field(alias="to")
    target: str
    source: str


class SeedDifference(Fact):
    """A figure of another published table that differs from the one kept here."""

    field: str
    seed: str
    seed_value: int | bool | tuple[str, ...]
    value: int | bool | tuple[str, ...] | None


class Model(Fact):
    """The known facts about one model id. Every None means unknown."""

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
    # Made without validation, whose schema would be built for it at import.
    prices: Prices = Prices.model_construct()
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
