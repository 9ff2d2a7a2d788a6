import copy
import logging
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import litellm
import pytest
from litellm import ModelResponse, Usage

from litellm_synthetic.catalog.cost_map import cost_map, cost_map_keys, cost_map_row
from litellm_synthetic.catalog.models import Model
from litellm_synthetic.catalog.table import Catalog, load_bundled

CATALOG = load_bundled()
ROWS = cost_map(CATALOG)
FULL_AND_SHORT = ["synthetic/hf:openai/gpt-oss-120b", "synthetic/openai/gpt-oss-120b"]
CAPABILITIES = {
    "supports_function_calling": litellm.supports_function_calling,
    "supports_parallel_function_calling": litellm.supports_parallel_function_calling,
    "supports_reasoning": litellm.supports_reasoning,
    "supports_response_schema": litellm.supports_response_schema,
    "supports_vision": litellm.supports_vision,
    "supports_prompt_caching": litellm.utils.supports_prompt_caching,
}


def priced_model(**prices: str) -> Model:
    return Model.model_validate(
        {
            "id": "hf:a/b",
            "kind": "chat",
            "status": "current",
            "sources": ["test"],
            "prices": {f"{name}_usd_per_token": price for name, price in prices.items()},
        }
    )


def stated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if value is not None}


def row_of(model: Model) -> dict[str, Any]:
    return cost_map_row(model, observed_on="2026-10-08")


@pytest.fixture(scope="module")
def said_at_registration() -> Iterator[list[str]]:
    """What LiteLLM logged when it was given our rows; all it keeps of them is undone afterwards."""
    prices, remembered = litellm.model_cost, litellm.utils._runtime_registered_model_cost  # noqa: SLF001  undone below
    before = copy.deepcopy(dict(remembered))
    texts: list[str] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("LiteLLM")
    logger.addHandler(listener)
    litellm.model_cost = dict(prices)
    try:
        litellm.register_model(copy.deepcopy(ROWS))
        yield texts
    finally:
        logger.removeHandler(listener)
        litellm.model_cost = prices
        remembered.clear()
        remembered.update(before)
        litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  LiteLLM caches its lookups


def test_each_hugging_face_id_has_two_spellings_and_an_alias_one() -> None:
    assert cost_map_keys("syn:large:text") == ("synthetic/syn:large:text",)
    assert list(cost_map_keys("hf:openai/gpt-oss-120b")) == FULL_AND_SHORT
    assert len(ROWS) == 4 + 2 * 48
    full, short = (ROWS[key] for key in FULL_AND_SHORT)
    assert full == short
    assert full is not short


def test_a_current_model_states_what_first_class_providers_state() -> None:
    assert ROWS["synthetic/hf:moonshotai/Kimi-K3"] == {
        "litellm_provider": "synthetic",
        "mode": "chat",
        "max_tokens": 65536,
        "max_input_tokens": 524288,
        "max_output_tokens": 65536,
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05,
        "cache_read_input_token_cost": 4.5e-07,
        "cache_creation_input_token_cost": 0.0,
        "supports_function_calling": True,
        "supports_tool_choice": True,
        "supports_parallel_function_calling": True,
        "supports_vision": True,
        "supports_reasoning": True,
        "supports_response_schema": True,
        "supports_prompt_caching": True,
        "supports_system_messages": True,
        "supports_native_streaming": True,
        "reasoning_effort_levels": ["low", "high", "max"],
        "supports_none_reasoning_effort": False,
        "supports_minimal_reasoning_effort": False,
        "supports_low_reasoning_effort": True,
        "supports_xhigh_reasoning_effort": False,
        "supports_max_reasoning_effort": True,
        "source": "https://api.synthetic.new/openai/v1/models",
        "metadata": {
            "observed_on": "2026-10-08",
            "status": "current",
            "first_seen": "2026-07-27",
            "last_seen": "2026-10-08",
        },
    }


def test_what_is_unknown_is_left_out() -> None:
    row = ROWS["synthetic/hf:Qwen/Qwen3-VL-235B-A22B-Instruct"]
    assert "max_output_tokens" not in row
    assert all(value is not None for row in ROWS.values() for value in row.values())


def test_a_model_without_a_known_price_gets_no_row_that_would_read_as_free() -> None:
    unpriced = [model.id for model in CATALOG.models if not model.is_priced]
    assert "hf:syntheticlab/fix-json" in unpriced
    assert not [model_id for model_id in unpriced for key in cost_map_keys(model_id) if key in ROWS]


def test_a_retired_model_says_since_when() -> None:
    row = ROWS["synthetic/hf:zai-org/GLM-5.2"]
    assert row["deprecation_date"] == "2026-09-15"
    assert row["metadata"]["status"] == "retired"
    assert not any("deprecation_date" in ROWS[f"synthetic/{each.id}"] for each in CATALOG.current())


def test_an_alias_tells_what_it_serves() -> None:
    row = ROWS["synthetic/syn:large:text"]
    assert row["metadata"]["serves"] == "hf:deepseek-ai/DeepSeek-V4.1-Flash"


def test_the_embedding_model_is_free_and_gives_its_vector_size() -> None:
    row = ROWS["synthetic/hf:nomic-ai/nomic-embed-text-v1.5"]
    assert (row["mode"], row["output_vector_size"]) == ("embedding", 768)
    assert (row["input_cost_per_token"], row["output_cost_per_token"]) == (0.0, 0.0)
    assert row["max_tokens"] == row["max_input_tokens"] == 8192


def test_cached_tokens_without_a_known_discount_cost_what_prompt_tokens_cost() -> None:
    row = row_of(priced_model(input="0.000001", output="0.000002"))
    assert row["cache_read_input_token_cost"] == 1e-06
    assert "cache_creation_input_token_cost" not in row
    assert "supports_prompt_caching" not in row


def test_a_price_that_is_unknown_is_never_written_as_zero() -> None:
    assert not [field for field in row_of(priced_model()) if "cost" in field]
    assert "input_cost_per_token" not in row_of(priced_model(output="0.1"))


def test_efforts_are_only_stated_where_the_api_lists_them() -> None:
    assert "reasoning_effort_levels" not in ROWS["synthetic/hf:zai-org/GLM-4.7"]
    gpt_oss = ROWS["synthetic/hf:openai/gpt-oss-120b"]
    assert gpt_oss["reasoning_effort_levels"] == ["low", "medium", "high"]
    assert gpt_oss["supports_xhigh_reasoning_effort"] is False


def test_efforts_that_do_not_work_are_not_offered() -> None:
    flash = ROWS["synthetic/hf:zai-org/GLM-5.3-Flash"]
    assert flash["reasoning_effort_levels"] == ["high", "max"]
    assert flash["supports_low_reasoning_effort"] is False
    assert flash["supports_max_reasoning_effort"] is True
    glm = ROWS["synthetic/hf:zai-org/GLM-5.3"]
    assert glm["reasoning_effort_levels"] == ["medium", "high", "xhigh", "max"]
    # This one takes `none` and reasons all the same, so `none` is refused before it is sent.
    assert ROWS["synthetic/hf:openai/gpt-oss-120b"]["supports_none_reasoning_effort"] is False
    assert ROWS["synthetic/syn:large:text"]["supports_none_reasoning_effort"] is True


@pytest.mark.parametrize(
    ("announced", "removed", "value"),
    [
        (None, None, None),
        ("2027-01-31", None, "2027-01-31"),
        ("2027-01-31", "2026-12-24", "2026-12-24"),
    ],
)
def test_a_date_of_deprecation_reaches_the_row(
    announced: str | None, removed: str | None, value: str | None
) -> None:
    model = priced_model(output="0.1").model_copy(
        update={
            "deprecation_date": None if announced is None else date.fromisoformat(announced),
            "removed_on": None if removed is None else date.fromisoformat(removed),
        }
    )
    assert row_of(model).get("deprecation_date") == value


def test_an_empty_catalog_gives_no_rows() -> None:
    assert (
        cost_map(
            Catalog(
                observed_on=CATALOG.observed_on,
                compiled_on=CATALOG.compiled_on,
                sources={},
                models=(),
            )
        )
        == {}
    )


# LiteLLM's response types are built on first use, and pydantic warns about some of them.
@pytest.mark.filterwarnings("ignore:Item .* is using the `ReadOnly` qualifier:UserWarning")
@pytest.mark.usefixtures("said_at_registration")
class TestInLiteLLM:
    def test_takes_the_rows_without_a_warning_and_as_they_are(
        self, said_at_registration: list[str]
    ) -> None:
        assert said_at_registration == []
        assert {key: stated(litellm.model_cost[key]) for key in ROWS} == ROWS

    def test_reports_our_limits_and_no_others(self) -> None:
        fields = ("max_input_tokens", "max_output_tokens", "mode", "output_vector_size")
        for key, row in ROWS.items():
            info: Mapping[str, Any] = {**litellm.get_model_info(key)}
            assert info["litellm_provider"] == "synthetic"
            assert {field: info[field] for field in fields} == {
                field: row.get(field) for field in fields
            }

    @pytest.mark.parametrize("capability", CAPABILITIES)
    def test_reports_our_capabilities_and_no_others(self, capability: str) -> None:
        supports = CAPABILITIES[capability]
        assert {key: supports(model=key) for key in ROWS} == {
            key: row.get(capability, False) for key, row in ROWS.items()
        }

    @pytest.mark.parametrize(
        "model", [each for each in CATALOG.models if each.is_priced], ids=lambda model: model.id
    )
    def test_prices_calls_exactly_in_each_spelling(self, model: Model) -> None:
        prompt, cached, output = 123_457, 100_003, 7_919
        prices = model.prices
        assert prices.input_usd_per_token is not None
        assert prices.output_usd_per_token is not None
        cache_read = prices.cache_read_usd_per_token
        exact = (
            (prompt - cached) * prices.input_usd_per_token
            + cached * (prices.input_usd_per_token if cache_read is None else cache_read)
            + output * prices.output_usd_per_token
        )
        usage = Usage(
            prompt_tokens=prompt,
            completion_tokens=output,
            total_tokens=prompt + output,
            prompt_tokens_details={"cached_tokens": cached},
        )
        for key in cost_map_keys(model.id):
            cost = litellm.completion_cost(ModelResponse(model=key, usage=usage, choices=[]), key)
            assert abs(Decimal(cost) - exact) < Decimal("1e-15")
            parts = litellm.cost_per_token(
                model=key,
                prompt_tokens=prompt,
                completion_tokens=output,
                cache_read_input_tokens=cached,
            )
            assert abs(Decimal(sum(parts)) - exact) < Decimal("1e-15")

    @pytest.mark.parametrize("key", FULL_AND_SHORT)
    def test_keeps_the_facts_of_another_provider_out(
        self, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = {"litellm_provider": "openai", "max_input_tokens": 5, "supports_vision": True}
        monkeypatch.setitem(litellm.model_cost, "openai/gpt-oss-120b", other)
        litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001  LiteLLM caches its lookups
        assert litellm.get_model_info(key)["max_input_tokens"] == 131072
        assert litellm.supports_vision(model=key) is False

    @pytest.mark.parametrize("key", ["synthetic/hf:openai/gpt-oss-20b", "synthetic/syn:large"])
    def test_knows_nothing_of_an_unknown_id(self, key: str) -> None:
        with pytest.raises(Exception, match="isn't mapped yet"):
            litellm.get_model_info(key)
