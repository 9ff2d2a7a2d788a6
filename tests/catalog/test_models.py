import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from litellm_synthetic.catalog.models import EFFORT_SCALE, Efforts, Model
from litellm_synthetic.catalog.pricing import PRICE_FIELDS
from litellm_synthetic.catalog.table import Catalog, load_bundled, parse_rows
from litellm_synthetic.config.ids import canonical_id

# The two tables that other projects published, which users may have copied ids from.
MASTRA_IDS = [
    "hf:Qwen/Qwen2.5-Coder-32B-Instruct",
    "hf:Qwen/Qwen3-235B-A22B-Instruct-2507",
    "hf:Qwen/Qwen3-235B-A22B-Thinking-2507",
    "hf:Qwen/Qwen3-Coder-480B-A35B-Instruct",
    "hf:deepseek-ai/DeepSeek-R1",
    "hf:deepseek-ai/DeepSeek-R1-0528",
    "hf:deepseek-ai/DeepSeek-V3",
    "hf:deepseek-ai/DeepSeek-V3-0324",
    "hf:deepseek-ai/DeepSeek-V3.1",
    "hf:deepseek-ai/DeepSeek-V3.1-Terminus",
    "hf:meta-llama/Llama-3.1-405B-Instruct",
    "hf:meta-llama/Llama-3.1-70B-Instruct",
    "hf:meta-llama/Llama-3.1-8B-Instruct",
    "hf:meta-llama/Llama-3.3-70B-Instruct",
    "hf:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "hf:meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "hf:moonshotai/Kimi-K2-Instruct",
    "hf:moonshotai/Kimi-K2-Instruct-0905",
    "hf:openai/gpt-oss-120b",
    "hf:zai-org/GLM-4.5",
    "hf:zai-org/GLM-4.6",
]
OPENCLAW_IDS = [
    "hf:MiniMaxAI/MiniMax-M2.5",
    "hf:Qwen/Qwen3-235B-A22B-Instruct-2507",
    "hf:Qwen/Qwen3-235B-A22B-Thinking-2507",
    "hf:Qwen/Qwen3-Coder-480B-A35B-Instruct",
    "hf:Qwen/Qwen3-VL-235B-A22B-Instruct",
    "hf:deepseek-ai/DeepSeek-R1-0528",
    "hf:deepseek-ai/DeepSeek-V3",
    "hf:deepseek-ai/DeepSeek-V3-0324",
    "hf:deepseek-ai/DeepSeek-V3.1",
    "hf:deepseek-ai/DeepSeek-V3.1-Terminus",
    "hf:deepseek-ai/DeepSeek-V3.2",
    "hf:meta-llama/Llama-3.3-70B-Instruct",
    "hf:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "hf:moonshotai/Kimi-K2-Instruct-0905",
    "hf:moonshotai/Kimi-K2-Thinking",
    "hf:moonshotai/Kimi-K2.5",
    "hf:openai/gpt-oss-120b",
    "hf:zai-org/GLM-4.5",
    "hf:zai-org/GLM-4.6",
    "hf:zai-org/GLM-4.7",
    "hf:zai-org/GLM-5",
]

CATALOG = load_bundled()
ROW: dict[str, Any] = {"id": "hf:a/b", "kind": "chat", "status": "current", "sources": ["test"]}


def known(model_id: str) -> Model:
    model = CATALOG.find(model_id)
    assert model is not None
    return model


def seed_difference(model_id: str, seed: str, field: str) -> tuple[object, object]:
    (result,) = (
        each
        for each in known(model_id).seed_differences
        if (each.seed, each.field) == (seed, field)
    )
    return result.seed_value, result.value


def test_no_bundled_row_is_skipped() -> None:
    assert CATALOG.skipped == ()
    assert len(CATALOG.models) == 55
    assert CATALOG.observed_on == date(2026, 10, 8)
    assert CATALOG.compiled_on == date(2026, 11, 20)


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.id)
def test_every_row_names_described_sources(model: Model) -> None:
    assert model.sources
    assert set(model.sources) <= set(CATALOG.sources)
    assert all(each.source for each in model.price_history)
    assert all(each.source for each in model.alias_targets)
    assert {each.seed for each in model.seed_differences} <= set(CATALOG.sources)


def test_the_42_rows_of_the_published_tables_are_there() -> None:
    assert (len(MASTRA_IDS), len(OPENCLAW_IDS)) == (21, 21)
    for source, ids in (("mastra-21", MASTRA_IDS), ("openclaw-21", OPENCLAW_IDS)):
        assert all(source in known(model_id).sources for model_id in ids)


@pytest.mark.parametrize("model", CATALOG.models, ids=lambda model: model.id)
def test_figures_are_positive_or_unknown(model: Model) -> None:
    assert model.context_window_tokens is None or model.context_window_tokens > 0
    assert model.max_output_tokens is None or model.max_output_tokens > 0
    for prices in (model.prices, *model.price_history):
        for price in prices.model_dump(include=set(PRICE_FIELDS)).values():
            assert price is None or (price.is_finite() and price >= 0)


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("syn:large:text", ("0.0000006", "0.0000012", "0.00000003", "0")),
        ("hf:moonshotai/Kimi-K3", ("0.000003", "0.000015", "0.00000045", "0")),
        ("hf:zai-org/GLM-5.3", ("0.0000014", "0.0000044", "0.00000026", "0")),
        ("hf:zai-org/GLM-4.7", ("0.00000045", "0.00000219", "0.00000045", "0")),
        ("hf:deepseek-ai/DeepSeek-R1", ("0.00000055", "0.00000219", None, None)),
        ("hf:nomic-ai/nomic-embed-text-v1.5", ("0", "0", None, None)),
        ("hf:syntheticlab/fix-json", (None, None, None, None)),
    ],
)
def test_prices_are_exact_and_unknown_is_not_zero(
    model_id: str, expected: tuple[str | None, ...]
) -> None:
    prices = known(model_id).prices
    assert (
        prices.input_usd_per_token,
        prices.output_usd_per_token,
        prices.cache_read_usd_per_token,
        prices.cache_write_usd_per_token,
    ) == tuple(None if price is None else Decimal(price) for price in expected)


def test_the_last_entry_of_a_price_history_is_the_price() -> None:
    for model in CATALOG.models:
        for last in model.price_history[-1:]:
            assert last.input_usd_per_token == model.prices.input_usd_per_token
            assert last.output_usd_per_token == model.prices.output_usd_per_token


def test_prices_are_written_as_plain_decimal_strings() -> None:
    text = resources.files("litellm_synthetic").joinpath("data/models.json").read_text("utf-8")
    for row in json.loads(text)["models"]:
        for table in (row["prices"], *row["price_history"]):
            prices = [value for field, value in table.items() if field.endswith("_per_token")]
            assert len(prices) == 4
            assert all(
                price is None or (set(price) <= set("0123456789.") and len(price) < 14)
                for price in prices
            )


@pytest.mark.parametrize(
    ("spelling", "model_id"),
    [
        ("hf:openai/gpt-oss-120b", "hf:openai/gpt-oss-120b"),
        ("openai/gpt-oss-120b", "hf:openai/gpt-oss-120b"),
        ("synthetic/hf:openai/gpt-oss-120b", "hf:openai/gpt-oss-120b"),
        ("synthetic/openai/gpt-oss-120b", "hf:openai/gpt-oss-120b"),
        ("syn:large:text", "syn:large:text"),
        ("synthetic/syn:large:text", "syn:large:text"),
        ("nomic-ai/nomic-embed-text-v1.5", "hf:nomic-ai/nomic-embed-text-v1.5"),
    ],
)
def test_each_spelling_of_an_id_finds_its_model(spelling: str, model_id: str) -> None:
    assert canonical_id(spelling) == model_id
    assert known(spelling).id == model_id


@pytest.mark.parametrize(
    "stranger",
    [
        "",
        "synthetic/",
        "gpt-oss-120b",
        "hf:",
        "hf:openai/gpt-oss-20b",
        "syn:large",
        "a/b/c",
        "x:y/z",
    ],
)
def test_an_unknown_id_stays_as_it_is_and_finds_nothing(stranger: str) -> None:
    assert canonical_id(stranger) == stranger.removeprefix("synthetic/")
    assert CATALOG.find(stranger) is None


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(["synthetic", "hf:", "syn:", "/", "a", "b.c", ":"])).map("".join),
    )
)
def test_any_text_has_one_canonical_spelling_and_can_be_looked_up(text: str) -> None:
    canonical = canonical_id(text)
    assert canonical_id(canonical) == canonical
    assert CATALOG.find(text) is CATALOG.find(canonical)


def test_current_models_and_what_may_be_sent_to_them() -> None:
    assert {
        model.id: (" ".join(model.accepted_efforts), model.can_stop_reasoning)
        for model in CATALOG.current()
    } == {
        "syn:large:text": ("none low high xhigh max", True),
        "syn:small:text": ("none low medium high", True),
        "syn:large:vision": ("low high max", None),
        "syn:small:vision": ("low medium xhigh", None),
        "hf:openai/gpt-oss-120b": ("none low medium high", False),
        "hf:zai-org/GLM-5.3": ("low medium high xhigh max", False),
        "hf:zai-org/GLM-5.3-Flash": ("low high max", False),
        "hf:deepseek-ai/DeepSeek-V4.1-Flash": ("none low high xhigh max", True),
        "hf:moonshotai/Kimi-K3": ("low high max", None),
        "hf:Qwen/Qwen3.8-27B": ("low medium xhigh", None),
        "hf:zai-org/GLM-4.7-Flash": ("none low medium high", True),
        "hf:nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4": ("none low medium high", True),
        "hf:nomic-ai/nomic-embed-text-v1.5": ("", None),
    }


def test_a_conflict_of_reports_is_decided_for_rejection_and_said_so() -> None:
    efforts = known("hf:openai/gpt-oss-120b").efforts
    assert efforts is not None
    assert efforts.rejected == ("minimal", "xhigh", "max")
    assert {"minimal", "xhigh"} <= set(efforts.verified or ())
    assert "minimal and xhigh count as rejected" in (efforts.note or "")


def test_efforts_that_fail_to_answer_stay_accepted_but_are_marked() -> None:
    for model_id in ("hf:zai-org/GLM-5.3", "hf:zai-org/GLM-5.3-Flash"):
        efforts = known(model_id).efforts
        assert efforts is not None
        assert efforts.unreliable == ("low",)
        assert "low" in efforts.accepted


@given(*[st.one_of(st.none(), st.lists(st.sampled_from([*EFFORT_SCALE, "ultra"])).map(tuple))] * 3)
def test_accepted_efforts_are_ordered_and_never_rejected_ones(
    advertised: tuple[str, ...] | None,
    verified: tuple[str, ...] | None,
    rejected: tuple[str, ...] | None,
) -> None:
    accepted = Efforts(advertised=advertised, verified=verified, rejected=rejected).accepted
    order = [*EFFORT_SCALE, "ultra"]
    assert list(accepted) == sorted(set(accepted), key=order.index)
    assert not set(accepted) & set(rejected or ())
    assert set(accepted) <= {*(advertised or ()), *(verified or ())}


def test_a_list_that_only_rests_on_probes_is_not_complete() -> None:
    assert known("hf:zai-org/GLM-4.7").accepted_efforts == ("none", "medium")
    assert not known("hf:zai-org/GLM-4.7").accepted_efforts_are_complete
    assert known("syn:large:text").accepted_efforts_are_complete


def test_only_the_model_that_drops_replayed_thinking_asks_for_a_parameter() -> None:
    asking = {model.id: model.replay for model in CATALOG.models if model.replay}
    assert list(asking) == ["hf:zai-org/GLM-5.3-Flash"]
    (replay,) = asking.values()
    assert replay.chat_template_kwargs == {"clear_thinking": False}


def test_capabilities_are_known_false_only_where_a_source_says_so() -> None:
    without_tools = [model.id for model in CATALOG.models if model.cannot_use_tools]
    assert without_tools == [
        "hf:nomic-ai/nomic-embed-text-v1.5",
        "hf:Qwen/Qwen2.5-Coder-32B-Instruct",
    ]
    assert known("hf:syntheticlab/diff-apply").tools is None
    assert known("hf:zai-org/GLM-5.3").cannot_see_images
    assert not known("hf:moonshotai/Kimi-K3").cannot_see_images


def test_an_alias_says_what_it_serves_and_served() -> None:
    alias = known("syn:large:text")
    assert alias.kind == "alias"
    assert alias.current_target == "hf:deepseek-ai/DeepSeek-V4.1-Flash"
    assert alias.alias_targets[0].target == "hf:zai-org/GLM-5.1"
    assert all(
        model.current_target in CATALOG.by_id for model in CATALOG.models if model.kind == "alias"
    )
    assert known("hf:openai/gpt-oss-120b").current_target is None


def test_retired_models_say_when_they_were_last_there() -> None:
    retired = [model for model in CATALOG.models if model.is_retired]
    assert len(retired) == 39
    for model in retired:
        assert model.last_seen is not None
        assert model.removed_on is not None
        assert model.last_seen <= model.removed_on
    glm = known("hf:zai-org/GLM-5.2")
    assert (glm.last_seen, glm.removed_on) == (date(2026, 9, 8), date(2026, 9, 15))


@pytest.mark.parametrize(
    ("model_id", "seed", "field", "value", "content"),
    [
        ("hf:zai-org/GLM-4.6", "mastra-21", "context_window_tokens", 200_000, 202_752),
        ("hf:zai-org/GLM-4.6", "openclaw-21", "context_window_tokens", 198_000, 202_752),
        ("hf:zai-org/GLM-5", "openclaw-21", "input_modalities", ("text", "image"), ("text",)),
        ("hf:zai-org/GLM-4.7", "openclaw-21", "reasoning", False, True),
        ("hf:Qwen/Qwen3-VL-235B-A22B-Instruct", "openclaw-21", "max_output_tokens", 8192, None),
    ],
)
def test_other_figures_of_published_tables_are_kept_beside_ours(
    model_id: str, seed: str, field: str, value: object, content: object
) -> None:
    assert seed_difference(model_id, seed, field) == (value, content)
    assert getattr(known(model_id), field) == content


def test_agreeing_figures_are_no_difference() -> None:
    assert known("hf:Qwen/Qwen2.5-Coder-32B-Instruct").seed_differences == ()


def test_the_embedding_model_gives_its_vector_length() -> None:
    embedding = known("nomic-ai/nomic-embed-text-v1.5").embedding
    assert embedding is not None
    assert embedding.dimensions == 768


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sources": []}, "sources"),
        ({"context_window_tokens": 0}, "context_window_tokens"),
        ({"context_window_tokens": -5}, "context_window_tokens"),
        ({"context_window_tokens": "131072"}, "context_window_tokens"),
        ({"context_window_tokens": True}, "context_window_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"prices": {"input_usd_per_token": "-0.1"}}, "prices"),
        ({"prices": {"input_usd_per_token": "NaN"}}, "prices"),
        ({"prices": {"input_usd_per_token": "Infinity"}}, "prices"),
        ({"prices": {"input_usd_per_token": 1e-7}}, "prices"),
        ({"prices": {"input_usd_per_token": "$1"}}, "prices"),
        ({"kind": "toaster"}, "kind"),
        ({"id": ""}, "id"),
        ({"id": None}, "id"),
    ],
)
def test_a_bad_row_is_skipped_alone_and_says_why(change: dict[str, Any], field: str) -> None:
    models, skipped = parse_rows([{**ROW, "id": "hf:c/d"}, {**ROW, **change}, {**ROW}])
    assert [model.id for model in models] == ["hf:c/d", "hf:a/b"]
    (bad,) = skipped
    assert bad.index == 1
    assert bad.reason.startswith(field)


def test_a_row_that_is_no_object_or_comes_twice_is_skipped() -> None:
    models, skipped = parse_rows([None, 7, ROW, ROW, []])
    assert [model.id for model in models] == ["hf:a/b"]
    assert [each.index for each in skipped] == [0, 1, 3, 4]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.lists(
        json_values
        | st.fixed_dictionaries(
            {key: st.just(value) for key, value in ROW.items()},
            optional=dict.fromkeys(
                ("context_window_tokens", "prices", "efforts", "input_modalities"), json_values
            ),
        )
    )
)
def test_whatever_the_rows_are_each_is_used_or_skipped(rows: list[object]) -> None:
    models, skipped = parse_rows(rows)
    assert len(models) + len(skipped) == len(rows)


@pytest.mark.parametrize("document", [{}, {"format": 2, "models": []}, {"format": 1}])
def test_a_document_of_another_format_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="model"):
        Catalog.from_document(document)


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        known("syn:large:text").max_output_tokens = 1


def test_newer_models_replace_those_of_the_same_id() -> None:
    changed = known("syn:large:text").model_copy(update={"max_output_tokens": 5})
    new = Model.model_validate(ROW)
    merged = CATALOG.with_models([changed, new], observed_on=date(2026, 12, 1))
    assert merged.find("syn:large:text") is changed
    assert merged.models[-1] is new
    assert len(merged.models) == len(CATALOG.models) + 1
    assert (merged.observed_on, CATALOG.observed_on) == (date(2026, 12, 1), date(2026, 10, 8))
    assert known("syn:large:text").max_output_tokens == 65536


def test_reading_the_catalog_does_not_import_litellm() -> None:
    program = (
        "import sys; from litellm_synthetic.catalog import cost_map, table; "
        "cost_map.cost_map(table.load_bundled()); sys.exit('litellm' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603  our own interpreter and text


Outcome = tuple[int, list[str], dict[str, Any]]
"""Exit code, printed lines, and the document that is in the file afterwards."""


class TestRebuilding:
    """The script that makes the bundled file, on a small world of its own."""

    @pytest.fixture
    def rebuild(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[..., Outcome]:
        script = Path(__file__).parents[2] / "scripts" / "build_models.py"
        if not script.exists():
            pytest.skip("the script is only in the repository, not in a source distribution")
        spec = importlib.util.spec_from_file_location("build_models", script)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        # The decisions are about ids of the real table.
        monkeypatch.setattr(module, "EFFORT_DECISIONS", {})
        monkeypatch.setattr(module, "REPLAY_DECISIONS", {})
        seeds = tmp_path / "seeds"
        seeds.mkdir()
        (seeds / "mastra.txt").write_text("synthetic/hf:a/b-3128,000\n", "utf-8")
        (seeds / "claw.txt").write_text(
            "| `hf:a/b-3` | 128 000 | 8\u202f192 | non | texte + image |", "utf-8"
        )
        (seeds / "claw2.txt").write_text("    hf:a/b-3 128,000 8,192 text + image\n", "utf-8")
        facts, out = tmp_path / "facts.json", tmp_path / "models.json"

        def run(*flags: str, **changes: Any) -> Outcome:
            fact = {**self.FACT, **changes}
            facts.write_text(json.dumps({**self.HEADER, "models": [fact]}), "utf-8")
            code = module.main([str(facts), str(seeds), "--out", str(out), *flags])
            content = json.loads(out.read_text("utf-8")) if out.exists() else {}
            return code, capsys.readouterr().out.splitlines(), content

        return run

    HEADER: ClassVar[dict[str, Any]] = {
        "newest_lineup_date": "2026-01-02",
        "compiled": "2026-01-03",
        "source_keys": {"test": "made up", "mastra-21": "one table", "openclaw-21": "another"},
    }
    FACT: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("reasoning", "json_mode", "structured_outputs", "removed_by", "notes")),
        **dict.fromkeys(("max_output_length", "price_history", "first_seen", "last_seen")),
        "id": "hf:a/b-3",
        "kind": "helper-chat (small)",
        "status": "hidden (by hand)",
        "context_length": 131072,
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "tools": True,
        "pricing_usd_per_1m": {"prompt": 0.03, "completion": 15, "cache_read": 0},
        "reasoning_effort": {"advertised_by_api": ["max", "none"], "verified_rejected": ["off"]},
        "sources": ["test"],
    }

    def test_writes_exact_prices_and_keeps_what_other_tables_say(
        self, rebuild: Callable[..., Outcome]
    ) -> None:
        code, message, text = rebuild()
        (row,) = text["models"]
        assert code == 0
        assert "added   hf:a/b-3" in message
        assert (row["kind"], row["status"], row["status_note"]) == ("helper", "hidden", "by hand")
        assert row["prices"] == {
            "input_usd_per_token": "0.00000003",
            "output_usd_per_token": "0.000015",
            "cache_read_usd_per_token": "0",
            "cache_write_usd_per_token": None,
        }
        assert row["efforts"]["advertised"] == ["none", "max"]
        assert [(each["seed"], each["field"]) for each in row["seed_differences"]] == [
            ("mastra-21", "context_window_tokens"),
            ("openclaw-21", "context_window_tokens"),
            ("openclaw-21", "max_output_tokens"),
            ("openclaw-21", "reasoning"),
        ]

    def test_checking_writes_nothing_and_fails_on_a_difference(
        self, rebuild: Callable[..., Outcome]
    ) -> None:
        assert rebuild("--check")[::2] == (1, {})
        rebuild()
        assert rebuild("--check")[:2] == (0, ["nothing changed"])
        code, message, text = rebuild("--check", tools=False)
        assert (code, message) == (1, ["changed hf:a/b-3 tools: true -> false"])
        assert text["models"][0]["tools"] is True

    def test_refuses_a_published_row_it_has_no_fact_for(
        self, rebuild: Callable[..., Outcome]
    ) -> None:
        with pytest.raises(ValueError, match="hf:a/b-3 is not among the facts"):
            rebuild(id="hf:a/c")

    def test_refuses_a_row_without_a_described_source(
        self, rebuild: Callable[..., Outcome]
    ) -> None:
        with pytest.raises(ValueError, match="sources without a description"):
            rebuild(sources=["hearsay"])
        with pytest.raises(ValueError, match="invalid rows"):
            rebuild(sources=[])
