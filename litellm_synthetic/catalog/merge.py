"""Merge the API's list into the known table: the API wins on what it states.

The list says nothing of embedding and helper models, of probes, or of the past, so their rows stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.catalog.models import (
    AliasTarget,
    DatedPrices,
    Efforts,
    Kind,
    Model,
    Prices,
    PriceTier,
)
from litellm_synthetic.catalog.table import Catalog
from litellm_synthetic.config.ids import ALIAS_SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.catalog.listing import ListedModel, Listing

LIVE_SOURCE: Final = "live"
LIVE_SOURCE_TEXT: Final = "GET …/models, as this installation fetched it"
# A server whose list keeps changing must not make the table grow without end.
MAX_HISTORY: Final = 200
MAX_RETIRED_STRANGERS: Final = 500

LISTED_FIELDS: Final = (
    "context_window_tokens",
    "max_output_tokens",
    "input_modalities",
    "output_modalities",
    "tools",
    "reasoning",
    "json_mode",
    "structured_outputs",
)
_PRICE_FIELDS: Final = tuple(Prices.model_fields)
_LISTED_KINDS: Final = frozenset[Kind](("chat", "alias"))

Value = int | bool | str | Decimal | date | tuple[str, ...] | tuple[PriceTier, ...] | None


@dataclass(frozen=True, slots=True)
class Change:
    """A changed fact about a model that was and is served.

    `field` is a field of `catalog.Model` or `catalog.Prices`, `efforts` (the advertised ones) or
    `target` (what an alias serves). None means unknown.
    """

    id: str
    field: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged table, and how its models differ from the one before.

    `added` holds ids that are new here and ids that have come back.
    """

    catalog: Catalog
    added: tuple[str, ...]
    changed: tuple[Change, ...]
    retired: tuple[str, ...]


def merge(current: Catalog, listing: Listing, *, seen_on: date) -> Merged:
    """Return the table after a look at the list on a date.

    Chat models and aliases that were current and are not listed are retired, unless a row of the
    list hid its id. A field that a row leaves out keeps its value; an alias that serves another
    model takes that model's.
    """
    models = dict(current.by_id)
    added, changed = [], []
    # Targets first, so that an alias can take what this very list says of its target.
    for row in sorted(listing.models, key=lambda row: row.target is not None):
        before = models.get(row.id)
        after = models[row.id] = _seen(before, row, models, seen_on)
        if before is None or not before.is_current:
            added.append(row.id)
        else:
            changed += _changes(before, after)
    listed_ids = {row.id for row in listing.models}
    retired = [
        model
        for model in current.current()
        if listing.is_whole and model.kind in _LISTED_KINDS and model.id not in listed_ids
    ]
    models |= {model.id: _retired(model, seen_on) for model in retired}
    catalog = Catalog(
        observed_on=seen_on,
        compiled_on=current.compiled_on,
        sources={**current.sources, LIVE_SOURCE: LIVE_SOURCE_TEXT},
        models=_without_old_strangers(models),
        skipped=current.skipped,
    )
    return Merged(catalog, tuple(added), tuple(changed), tuple(model.id for model in retired))


def seen_again(catalog: Catalog, *, seen_on: date) -> Catalog:
    """Return the table after the server said that its list has not changed."""
    models = (
        model.model_copy(update={"last_seen": seen_on})
        if model.is_current and model.kind in _LISTED_KINDS
        else model
        for model in catalog.models
    )
    return Catalog(
        observed_on=seen_on,
        compiled_on=catalog.compiled_on,
        sources=catalog.sources,
        models=tuple(models),
        skipped=catalog.skipped,
    )


def rebase(cached: Catalog, bundled: Catalog) -> Catalog:
    """Put a cached table on the facts of another version of the package.

    The cache is newer on what the API states, the bundled file on everything else.
    """
    models = {model.id: _rebased(model, bundled) for model in cached.models}
    models = {**{model.id: model for model in bundled.models}, **models}
    return Catalog(
        observed_on=cached.observed_on,
        compiled_on=bundled.compiled_on,
        sources={**cached.sources, **bundled.sources},
        models=tuple(models.values()),
    )


def _seen(
    before: Model | None, row: ListedModel, models: Mapping[str, Model], seen_on: date
) -> Model:
    base = before
    has_moved = row.target is not None and (before is None or row.target != before.current_target)
    if has_moved and row.target is not None:
        base = models.get(row.target)
    prices = _prices(base.prices if base else Prices(), row)
    update: dict[str, Any] = {
        **{field: getattr(base, field, None) for field in LISTED_FIELDS},
        **{field: _in_known_order(base, field, value) for field, value in row.facts.items()},
        "prices": prices,
        "price_history": _price_history(before, prices, seen_on),
        "efforts": _efforts(base.efforts if base else None, row),
        "replay": base.replay if base else None,
        "embedding": base.embedding if base else None,
        "status": "current",
        "status_note": before.status_note if before and before.is_current else None,
        "deprecated": row.deprecated or None,
        "deprecation_date": row.deprecation_date,
        "last_seen": seen_on,
        "removed_on": None,
        "removal_note": None,
        "alias_targets": _alias_targets(before, row, seen_on) if has_moved else _targets_of(before),
    }
    if before is not None:
        sources = (*before.sources, *({LIVE_SOURCE} - {*before.sources}))
        return before.model_copy(update={**update, "sources": sources})
    return Model(
        id=row.id, kind=_kind(row), sources=(LIVE_SOURCE,), **{**update, "first_seen": seen_on}
    )


def _kind(row: ListedModel) -> Kind:
    if row.id.startswith(ALIAS_SCHEME):
        return "alias"
    makes = row.facts.get("output_modalities") or ()
    return "embedding" if {"embedding", "embeddings"}.intersection(makes) else "chat"


def _in_known_order(base: Model | None, field: str, value: Value) -> Value:
    """Return the known tuple if only the order differs, which means nothing."""
    known_order = getattr(base, field, None)
    if isinstance(known_order, tuple) and isinstance(value, tuple) and {*known_order} == {*value}:
        return known_order
    return value


def _prices(before: Prices, row: ListedModel) -> Prices:
    changes: dict[str, Any] = dict(row.prices)
    if row.price_tiers is not None:
        changes["tiers"] = row.price_tiers
    prices = before.model_copy(update=changes)
    is_new = (prices.input_usd_per_token, prices.output_usd_per_token) != (
        before.input_usd_per_token,
        before.output_usd_per_token,
    )
    # A discount on another price than the one it belongs to would be made up.
    gone = [
        field
        for field in ("cache_read_usd_per_token", "cache_write_usd_per_token")
        if is_new and field not in changes
    ]
    return prices.model_copy(update=dict.fromkeys(gone)) if gone else prices


def _price_history(before: Model | None, prices: Prices, seen_on: date) -> tuple[DatedPrices, ...]:
    history = before.price_history if before else ()
    figures = {field: getattr(prices, field) for field in _PRICE_FIELDS}
    if prices.input_usd_per_token is None or prices.output_usd_per_token is None:
        return history
    if before is not None and before.prices == prices:
        return history
    if history and all(getattr(history[-1], field) == figures[field] for field in figures):
        return history
    entry = DatedPrices(date=seen_on, source=LIVE_SOURCE, **figures)
    return (*history, entry)[-MAX_HISTORY:]


def _efforts(before: Efforts | None, row: ListedModel) -> Efforts | None:
    if not row.states_efforts:
        return before
    if before is None:
        return Efforts(advertised=row.efforts) if row.efforts else None
    if before.advertised is None or row.efforts is None:
        return before.model_copy(update={"advertised": row.efforts})
    # A probe is from before the API changed its mind: what is advertised again was not refused
    # since, and what is not advertised any more was not accepted since.
    new = {*row.efforts}.difference(before.advertised)
    gone = {*before.advertised}.difference(row.efforts)
    update: dict[str, Any] = {
        "advertised": row.efforts,
        "rejected": before.rejected and tuple(each for each in before.rejected if each not in new),
        "verified": before.verified and tuple(each for each in before.verified if each not in gone),
    }
    if "none" in new | gone:
        update["can_stop"] = None
    return before.model_copy(update=update)


def _targets_of(before: Model | None) -> tuple[AliasTarget, ...]:
    return before.alias_targets if before else ()


def _alias_targets(
    before: Model | None, row: ListedModel, seen_on: date
) -> tuple[AliasTarget, ...]:
    if row.target is None:
        return _targets_of(before)
    since = f"by {seen_on}"
    serves = AliasTarget.model_validate(
        {"from": since, "to": None, "target": row.target, "source": LIVE_SOURCE}
    )
    return (*_closed(before, seen_on), serves)[-MAX_HISTORY:]


def _closed(before: Model | None, seen_on: date) -> tuple[AliasTarget, ...]:
    last_seen = before.last_seen if before else None
    until = f"{seen_on}"
    if last_seen is not None and last_seen < seen_on:
        until = f"between {last_seen} and {seen_on}"
    return tuple(
        each if each.until is not None else each.model_copy(update={"until": until})
        for each in _targets_of(before)
    )


def _retired(model: Model, seen_on: date) -> Model:
    return model.model_copy(
        update={
            "status": "retired",
            "status_note": None,
            "removed_on": seen_on,
            "removal_note": "no longer listed",
            "alias_targets": _closed(model, seen_on),
        }
    )


def _without_old_strangers(models: Mapping[str, Model]) -> tuple[Model, ...]:
    strangers = [
        model for model in models.values() if model.is_retired and model.sources == (LIVE_SOURCE,)
    ]
    strangers.sort(key=lambda model: str(model.removed_on), reverse=True)
    old_ids = {model.id for model in strangers[MAX_RETIRED_STRANGERS:]}
    return tuple(model for model in models.values() if model.id not in old_ids)


def _changes(before: Model, after: Model) -> list[Change]:
    pairs: list[tuple[str, Value, Value]] = [
        (field, getattr(before, field), getattr(after, field)) for field in LISTED_FIELDS
    ]
    pairs += [
        (field, getattr(before.prices, field), getattr(after.prices, field))
        for field in _PRICE_FIELDS
    ]
    pairs += [
        ("efforts", _advertised(before), _advertised(after)),
        ("target", before.current_target, after.current_target),
        ("deprecated", before.deprecated, after.deprecated),
        ("deprecation_date", before.deprecation_date, after.deprecation_date),
    ]
    return [Change(after.id, field, was, now) for field, was, now in pairs if was != now]


def _advertised(model: Model) -> tuple[str, ...] | None:
    return model.efforts.advertised if model.efforts else None


def _rebased(model: Model, bundled: Catalog) -> Model:
    ours = bundled.by_id.get(model.id)
    if ours is None:
        return model
    facts = ours
    if model.current_target is not None and model.current_target != ours.current_target:
        facts = bundled.by_id.get(model.current_target, ours)
    levels = _advertised(model)
    efforts = facts.efforts
    if levels is not None:
        efforts = (efforts or Efforts()).model_copy(update={"advertised": levels})
    seen_live = tuple(each for each in model.price_history if each.source == LIVE_SOURCE)
    return ours.model_copy(
        update={
            **{field: getattr(model, field) for field in LISTED_FIELDS},
            "prices": model.prices,
            "price_history": (*ours.price_history, *seen_live)[-MAX_HISTORY:],
            "efforts": efforts,
            "replay": facts.replay,
            "embedding": facts.embedding,
            "status": model.status,
            "status_note": model.status_note,
            "deprecated": model.deprecated,
            "deprecation_date": model.deprecation_date,
            "last_seen": model.last_seen,
            "removed_on": model.removed_on,
            "removal_note": model.removal_note,
            "alias_targets": model.alias_targets,
            "sources": tuple(dict.fromkeys((*ours.sources, *model.sources))),
        }
    )
