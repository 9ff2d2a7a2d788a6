"""The API wins on what it states, and the file keeps what the API never says."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from litellm_synthetic.catalog.listing import parse_listing
from litellm_synthetic.catalog.merge import (
    MAX_HISTORY,
    MAX_RETIRED_STRANGERS,
    Change,
    Merged,
    merge,
    rebase,
    seen_again,
)
from litellm_synthetic.catalog.models import Efforts, Model, Prices
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.testing.served_models import listed_models

BUNDLED = load_bundled()
DAY, NEXT_DAY = date(2026, 11, 20), date(2026, 11, 21)
ALIAS, ALIAS_TARGET = "syn:large:text", "hf:deepseek-ai/DeepSeek-V4.1-Flash"


def looked(base: Catalog, rows: list[Any], day: date = DAY) -> Merged:
    return merge(base, parse_listing(json.dumps({"data": rows}).encode()), seen_on=day)


def listing(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the real list, with fields changed by id; None takes a field out."""
    rows = []
    for row in listed_models():
        changed = {**row, **changes.get(row["id"], {})}
        rows.append({field: value for field, value in changed.items() if value is not None})
    return rows


KNOWN = looked(BUNDLED, listing()).catalog


def model(merged: Merged | Catalog, model_id: str) -> Model:
    catalog = merged.catalog if isinstance(merged, Merged) else merged
    return catalog.by_id[model_id]


def test_the_list_that_the_file_was_made_from_fills_gaps_and_changes_no_figure() -> None:
    merged = looked(BUNDLED, listing())
    assert (merged.added, merged.retired) == ((), ())
    # The one row whose features nobody had read.
    assert merged.changed == (
        Change("hf:zai-org/GLM-5.3", "json_mode", None, True),  # noqa: FBT003  # the API's own word
        Change("hf:zai-org/GLM-5.3", "structured_outputs", None, True),  # noqa: FBT003  # as above
    )
    assert merged.catalog.observed_on == DAY
    assert looked(merged.catalog, listing(), NEXT_DAY).changed == ()


def test_a_second_look_at_the_same_list_only_moves_the_dates() -> None:
    again = looked(KNOWN, listing(), NEXT_DAY).catalog
    for before, after in zip(KNOWN.models, again.models, strict=True):
        assert after == before.model_copy(update={"last_seen": after.last_seen})


def test_what_only_probes_know_outlives_a_look() -> None:
    for before in BUNDLED.models:
        after = model(KNOWN, before.id)
        assert after.efforts == before.efforts
        assert after.note == before.note
        assert (after.replay, after.embedding) == (before.replay, before.embedding)
        assert after.seed_differences == before.seed_differences


def test_limits_prices_and_modalities_are_the_apis() -> None:
    target = "hf:zai-org/GLM-5.3"
    change = {
        "context_length": 1_048_576,
        "max_output_length": 131_072,
        "input_modalities": ["text", "image"],
        "pricing": {"prompt": "$0.000002", "completion": "$0.000008"},
        "deprecated": True,
    }
    merged = looked(KNOWN, listing(**{target: change}))
    after = model(merged, target)
    assert after.context_window_tokens == 1_048_576
    assert after.max_output_tokens == 131_072
    assert after.input_modalities == ("text", "image")
    assert after.prices.input_usd_per_token == Decimal("0.000002")
    assert after.deprecated is True
    assert {each.field for each in merged.changed} == {
        "context_window_tokens", "max_output_tokens", "input_modalities", "deprecated",
        "input_usd_per_token", "output_usd_per_token", "cache_read_usd_per_token",
        "cache_write_usd_per_token",
    }  # fmt: skip  # one set


def test_a_discount_does_not_outlive_the_price_it_was_on() -> None:
    pricing = {"prompt": "$0.0000001", "completion": "$0.0000012"}
    prices = model(looked(KNOWN, listing(**{ALIAS: {"pricing": pricing}})), ALIAS).prices
    assert prices.cache_read_usd_per_token is None
    unchanged = {"prompt": "$0.0000006", "completion": "$0.0000012"}
    prices = model(looked(KNOWN, listing(**{ALIAS: {"pricing": unchanged}})), ALIAS).prices
    assert prices.cache_read_usd_per_token == Decimal("0.00000003")


def test_a_price_change_is_kept_with_its_date() -> None:
    pricing = {"prompt": "$0.000002", "completion": "$0.000008", "input_cache_reads": "$0.000001"}
    rows = listing(**{"hf:zai-org/GLM-5.3": {"pricing": pricing}})
    before = model(KNOWN, "hf:zai-org/GLM-5.3")
    after = model(looked(KNOWN, rows), "hf:zai-org/GLM-5.3")
    assert after.price_history[:-1] == before.price_history
    last = after.price_history[-1]
    assert (last.observed_on, last.source) == (DAY, "live")
    assert last.input_usd_per_token == Decimal("0.000002")
    again = looked(looked(KNOWN, rows).catalog, rows, NEXT_DAY)
    assert model(again, "hf:zai-org/GLM-5.3").price_history == after.price_history


def test_a_price_that_cannot_be_read_is_unknown_and_no_history() -> None:
    pricing = {"prompt": "free", "completion": "", "input_cache_reads": "-1"}
    after = model(looked(KNOWN, listing(**{ALIAS: {"pricing": pricing}})), ALIAS)
    assert not after.is_priced
    assert after.prices == Prices()
    assert after.price_history == model(KNOWN, ALIAS).price_history
    nothing = looked(KNOWN, listing(**{ALIAS: {"pricing": "free"}}))
    assert model(nothing, ALIAS).price_history == model(KNOWN, ALIAS).price_history
    restored = looked(nothing.catalog, listing(), NEXT_DAY)
    assert model(restored, ALIAS).prices == model(KNOWN, ALIAS).prices


def test_an_omitted_field_keeps_its_value() -> None:
    rows = [{"id": row["id"]} for row in listed_models()]
    merged = looked(KNOWN, rows)
    assert (merged.added, merged.changed, merged.retired) == ((), (), ())
    assert model(merged, ALIAS).context_window_tokens == 524_288


def test_a_limit_that_cannot_be_read_is_unknown_until_the_next_good_list() -> None:
    merged = looked(KNOWN, listing(**{ALIAS: {"context_length": -1}}))
    assert model(merged, ALIAS).context_window_tokens is None
    assert merged.changed == (Change(ALIAS, "context_window_tokens", 524_288, None),)
    assert model(looked(merged.catalog, listing()), ALIAS).context_window_tokens == 524_288


def test_the_order_of_modalities_is_no_change() -> None:
    merged = looked(KNOWN, listing(**{ALIAS: {"input_modalities": ["image", "text"]}}))
    assert merged.changed == ()


def test_an_id_that_is_new_is_added_with_what_the_row_says() -> None:
    pricing = {"prompt": "$0.000001", "completion": "$0.000002"}
    row = {"id": "hf:new/model", "context_length": 4096, "pricing": pricing}
    merged = looked(KNOWN, [*listing(), row])
    added = model(merged, "hf:new/model")
    assert merged.added == ("hf:new/model",)
    assert (added.kind, added.status, added.sources) == ("chat", "current", ("live",))
    assert (added.first_seen, added.last_seen) == (DAY, DAY)
    assert (added.context_window_tokens, added.max_output_tokens, added.tools) == (4096, None, None)
    assert [each.observed_on for each in added.price_history] == [DAY]
    assert merged.catalog.sources["live"]
    again = looked(merged.catalog, [*listing(), row], NEXT_DAY)
    assert (again.added, model(again, "hf:new/model").first_seen) == ((), DAY)


def test_a_new_embedding_model_is_told_by_its_output() -> None:
    rows = [*listing(), {"id": "hf:new/embed", "output_modalities": ["embeddings"]}]
    assert model(looked(KNOWN, rows), "hf:new/embed").kind == "embedding"


def test_an_id_that_left_is_retired_and_one_that_returns_is_current() -> None:
    gone = "hf:moonshotai/Kimi-K3"
    merged = looked(KNOWN, [row for row in listing() if row["id"] != gone], NEXT_DAY)
    retired = model(merged, gone)
    assert merged.retired == (gone,)
    assert (retired.status, retired.last_seen, retired.removed_on) == ("retired", DAY, NEXT_DAY)
    assert retired.context_window_tokens == 524_288
    back = looked(merged.catalog, listing(), date(2026, 11, 25))
    assert back.added == (gone,)
    returned = model(back, gone)
    assert (returned.status, returned.removed_on, returned.removal_note) == ("current", None, None)
    assert returned.first_seen == model(BUNDLED, gone).first_seen


def test_a_long_retired_id_that_returns_is_current() -> None:
    merged = looked(KNOWN, [*listing(), {"id": "hf:zai-org/GLM-5.2", "context_length": 262_144}])
    back = model(merged, "hf:zai-org/GLM-5.2")
    assert merged.added == ("hf:zai-org/GLM-5.2",)
    assert (back.status, back.removed_on, back.last_seen) == ("current", None, DAY)
    assert back.context_window_tokens == 262_144
    assert back.prices == model(BUNDLED, "hf:zai-org/GLM-5.2").prices


def test_a_date_of_deprecation_is_the_lists_and_goes_with_it() -> None:
    dated = listing(**{ALIAS: {"deprecation_date": "2027-01-31"}})
    merged = looked(KNOWN, dated)
    assert model(merged, ALIAS).deprecation_date == date(2027, 1, 31)
    assert merged.changed == (Change(ALIAS, "deprecation_date", None, date(2027, 1, 31)),)
    assert model(rebase(merged.catalog, BUNDLED), ALIAS).deprecation_date == date(2027, 1, 31)
    assert model(looked(merged.catalog, listing(), NEXT_DAY), ALIAS).deprecation_date is None


def test_models_that_are_never_listed_are_not_retired_by_absence() -> None:
    for before in BUNDLED.models:
        if before.kind in ("embedding", "helper"):
            assert model(KNOWN, before.id) == before


def test_nothing_is_retired_while_a_row_hides_its_id() -> None:
    rows: list[Any] = listing()
    rows[4] = {"id": 17}
    assert looked(KNOWN, rows).retired == ()
    assert len(looked(KNOWN, listing()[:4]).retired) == 8


def test_an_alias_that_moved_takes_what_its_new_target_is_known_for() -> None:
    new_target = "hf:zai-org/GLM-5.3-Flash"
    row = {"id": ALIAS, "hugging_face_id": "zai-org/GLM-5.3-Flash"}
    rows = [row if each["id"] == ALIAS else each for each in listing()]
    merged = looked(KNOWN, rows, NEXT_DAY)
    alias, target = model(merged, ALIAS), model(merged, new_target)
    for field in ("context_window_tokens", "prices", "efforts", "replay", "input_modalities"):
        assert getattr(alias, field) == getattr(target, field)
    assert alias.current_target == new_target
    assert alias.alias_targets[-2].until == f"between {DAY} and {NEXT_DAY}"
    assert alias.alias_targets[-1].since == f"by {NEXT_DAY}"
    assert Change(ALIAS, "target", ALIAS_TARGET, new_target) in merged.changed
    assert alias.price_history[-1].observed_on == NEXT_DAY
    assert looked(merged.catalog, rows, date(2026, 11, 25)).changed == ()


def test_what_the_row_of_a_moved_alias_says_goes_before_its_target() -> None:
    change: dict[str, Any] = {"hugging_face_id": "zai-org/GLM-5.3-Flash", "context_length": 65_536}
    assert model(looked(KNOWN, listing(**{ALIAS: change})), ALIAS).context_window_tokens == 65_536


def test_an_alias_that_moved_to_a_stranger_keeps_nothing_of_the_old_target() -> None:
    row = {"id": ALIAS, "hugging_face_id": "new/unknown"}
    rows = [row if each["id"] == ALIAS else each for each in listing()]
    alias = model(looked(KNOWN, rows), ALIAS)
    assert alias.current_target == "hf:new/unknown"
    assert (alias.context_window_tokens, alias.efforts, alias.replay) == (None, None, None)
    assert not alias.is_priced


def test_a_new_alias_takes_its_targets_facts_of_the_same_list() -> None:
    rows: list[Any] = [{"id": "syn:huge:text", "hugging_face_id": "new/huge"}]
    rows += [*listing(), {"id": "hf:new/huge", "context_length": 2_000_000}]
    alias = model(looked(KNOWN, rows), "syn:huge:text")
    assert (alias.kind, alias.current_target) == ("alias", "hf:new/huge")
    assert alias.context_window_tokens == 2_000_000


def test_an_alias_that_left_serves_nothing_and_starts_anew_when_it_returns() -> None:
    merged = looked(KNOWN, [row for row in listing() if row["id"] != ALIAS])
    assert model(merged, ALIAS).current_target is None
    back = model(looked(merged.catalog, listing(), NEXT_DAY), ALIAS)
    assert back.current_target == ALIAS_TARGET
    assert back.context_window_tokens == 524_288


@pytest.mark.parametrize(
    ("base", "document", "accepted", "can_stop"),
    [
        # A probe from before the API advertised a value says nothing about it any more.
        (Efforts(advertised=("low",), rejected=("max",)), ["low", "max"], ("low", "max"), None),
        # Nor does one from before the API took it back.
        (Efforts(advertised=("low", "max"), verified=("max",)), ["low"], ("low",), None),
        # A refusal of what was advertised all along stands.
        (Efforts(advertised=("low",), rejected=("low",), can_stop=True), ["low"], (), True),
        (Efforts(advertised=("low",), can_stop=False), ["none", "low"], ("none", "low"), None),
        (Efforts(verified=("low",), can_stop=True), ["none"], ("none", "low"), True),
        (None, ["low"], ("low",), None),
        (Efforts(advertised=("low",), can_stop=True), None, ("low",), True),
        (Efforts(advertised=("low",), verified=("max",)), "junk", ("max",), None),
    ],
)
def test_newly_stated_efforts_supersede_older_probes(
    base: Efforts | None, document: object, accepted: tuple[str, ...], can_stop: object
) -> None:
    before = Model(id="hf:a/b", kind="chat", status="current", sources=("test",), efforts=base)
    catalog = BUNDLED.with_models([before], observed_on=DAY)
    row: dict[str, Any] = {"id": "hf:a/b"}
    if document is not None:
        row["reasoning_parameters"] = {"efforts": document}
    after = model(looked(catalog, [*listing(), row]), "hf:a/b")
    assert (after.accepted_efforts, after.can_stop_reasoning) == (accepted, can_stop)


def test_an_unchanged_list_still_says_that_its_models_are_there() -> None:
    again = seen_again(KNOWN, seen_on=NEXT_DAY)
    assert again.observed_on == NEXT_DAY
    assert model(again, ALIAS).last_seen == NEXT_DAY
    assert model(again, "hf:zai-org/GLM-5.2") == model(KNOWN, "hf:zai-org/GLM-5.2")


def test_a_list_that_never_rests_does_not_grow_the_table_without_end() -> None:
    catalog = KNOWN
    for turn in range(MAX_HISTORY + 20):
        pricing = {"prompt": f"$0.00000{turn + 1:03}", "completion": "$0.000001"}
        name = f"new/model-{turn % 3}"
        rows = listing(**{ALIAS: {"pricing": pricing, "hugging_face_id": name}})
        catalog = looked(catalog, rows).catalog
    assert len(model(catalog, ALIAS).price_history) == MAX_HISTORY
    assert len(model(catalog, ALIAS).alias_targets) == MAX_HISTORY
    for batch in range(3):
        strangers = [{"id": f"hf:x{batch}/{number}"} for number in range(400)]
        catalog = looked(catalog, [*listing(), *strangers], date(2026, 12, 1 + batch)).catalog
    assert len(catalog.models) <= len(KNOWN.models) + 400 + MAX_RETIRED_STRANGERS
    assert {each.id for each in BUNDLED.models} <= set(catalog.by_id)


class TestAnotherVersionOfThePackage:
    def newer(self, **changes: Any) -> Catalog:
        models = [
            each.model_copy(update=changes) if each.id == ALIAS else each for each in BUNDLED.models
        ]
        return Catalog(
            observed_on=BUNDLED.observed_on,
            compiled_on=NEXT_DAY,
            sources=BUNDLED.sources,
            models=tuple(models),
        )

    def test_brings_its_own_facts_under_what_the_api_stated(self) -> None:
        efforts = Efforts(advertised=("low",), rejected=("max",), note="probed again")
        cached = looked(KNOWN, listing(**{ALIAS: {"context_length": 1024}})).catalog
        newer = self.newer(efforts=efforts, note="new note", context_window_tokens=5)
        alias = model(rebase(cached, newer), ALIAS)
        assert alias.context_window_tokens == 1024
        assert alias.note == "new note"
        assert alias.efforts is not None
        assert alias.efforts.rejected == ("max",)
        assert alias.efforts.advertised == ("none", "low", "high", "xhigh", "max")
        assert rebase(cached, newer).compiled_on == NEXT_DAY

    def test_keeps_what_only_the_cache_knows(self) -> None:
        gone = "hf:moonshotai/Kimi-K3"
        rows = [row for row in listing() if row["id"] != gone]
        cached = looked(KNOWN, [*rows, {"id": "hf:new/model"}]).catalog
        based = rebase(cached, self.newer())
        assert model(based, "hf:new/model").first_seen == DAY
        assert model(based, gone).is_retired
        assert model(based, gone).removed_on == DAY

    def test_gives_a_moved_alias_the_probes_of_its_target(self) -> None:
        change = {"hugging_face_id": "zai-org/GLM-5.3-Flash"}
        cached = looked(KNOWN, listing(**{ALIAS: change})).catalog
        alias = model(rebase(cached, self.newer()), ALIAS)
        assert alias.replay == model(BUNDLED, "hf:zai-org/GLM-5.3-Flash").replay
        assert alias.can_stop_reasoning is False
