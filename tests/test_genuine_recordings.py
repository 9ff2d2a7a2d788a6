"""Eleven real replies of api.synthetic.new, replayed to LiteLLM's public calls.

Two public projects recorded them; each cassette names its source in `x-recorded-from`. They show
what the stand-in's shapes were copied from, and are never recorded again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import litellm
import pytest
import vcr
import yaml

from litellm_synthetic.catalog.active import current_table

if TYPE_CHECKING:
    from tests.caller import Caller

GENUINE = Path(__file__).parents[1] / "cassettes" / "genuine"
CHATS = sorted(path.stem for path in GENUINE.glob("chat_*.yaml") if "invalid" not in path.stem)
EMBEDDINGS = sorted(path.stem for path in GENUINE.glob("embeddings_*.yaml"))
# The body is matched too: our request has to be the one that the service answered.
REPLAY = vcr.VCR(record_mode="none", match_on=["method", "uri", "body"])


class Recording(NamedTuple):
    """One recorded exchange."""

    request: dict[str, Any]
    reply: dict[str, Any]
    headers: dict[str, list[str]]


def recording(name: str) -> Recording:
    document = yaml.safe_load((GENUINE / f"{name}.yaml").read_text("utf-8"))
    (exchange,) = document["interactions"]
    response = exchange["response"]
    return Recording(
        json.loads(exchange["request"]["body"]),
        json.loads(response["body"]["string"]),
        response["headers"],
    )


def replayed(name: str) -> Any:
    return REPLAY.use_cassette(str(GENUINE / f"{name}.yaml"), allow_playback_repeats=False)


@pytest.fixture(autouse=True)
def with_key(registered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del registered
    monkeypatch.setenv("SYNTHETIC_API_KEY", "replayed")


def routed(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "model": f"synthetic/{request['model']}"}


def test_all_eleven_are_here() -> None:
    assert (len(CHATS), len(EMBEDDINGS)) == (8, 2)
    for path in GENUINE.glob("*.yaml"):
        assert "genuine: api.synthetic.new" in path.read_text("utf-8")


@pytest.mark.parametrize("name", CHATS)
async def test_a_genuine_completion_loses_nothing(name: str, caller: Caller) -> None:
    recorded = recording(name)
    with replayed(name) as cassette:
        answer = await caller.completion(**routed(recorded.request))
        assert cassette.play_count == 1
    (choice,) = recorded.reply["choices"]
    assert answer.choices[0].message.content == choice["message"]["content"]
    assert answer.choices[0].message.reasoning_content == choice["message"]["reasoning_content"]
    assert answer.choices[0].finish_reason == choice["finish_reason"]
    assert not answer.choices[0].message.tool_calls
    assert answer.id == recorded.reply["id"]
    assert answer.usage.prompt_tokens == recorded.reply["usage"]["prompt_tokens"]
    assert answer.usage.completion_tokens == recorded.reply["usage"]["completion_tokens"]
    # The reply's own name would have no price.
    assert answer.model == f"synthetic/{recorded.request['model']}"
    assert answer._hidden_params["upstream_model"] == recorded.reply["model"]  # noqa: SLF001
    headers = answer._hidden_params["additional_headers"]  # noqa: SLF001
    assert [headers["llm_provider-x-synthetic-quotas"]] == recorded.headers["x-synthetic-quotas"]


@pytest.mark.parametrize("name", CHATS)
async def test_a_genuine_completion_has_the_price_of_the_table(name: str, caller: Caller) -> None:
    recorded = recording(name)
    with replayed(name):
        answer = await caller.completion(**routed(recorded.request))
    model = current_table().catalog.find(recorded.request["model"])
    assert model is not None
    prices, usage = model.prices, recorded.reply["usage"]
    assert prices.input_usd_per_token is not None
    assert prices.output_usd_per_token is not None
    usd = (
        prices.input_usd_per_token * usage["prompt_tokens"]
        + prices.output_usd_per_token * usage["completion_tokens"]
    )
    assert litellm.completion_cost(answer) == pytest.approx(float(usd), rel=1e-9)


async def test_a_genuine_refusal_of_a_key_is_an_authentication_error(caller: Caller) -> None:
    recorded = recording("chat_invalid_key")
    with (
        replayed("chat_invalid_key"),
        pytest.raises(litellm.AuthenticationError, match="Invalid API Key") as excinfo,
    ):
        await caller.completion(**routed(recorded.request))
    assert excinfo.value.status_code == 401
    assert excinfo.value.llm_provider == "synthetic"


@pytest.mark.parametrize("name", EMBEDDINGS)
async def test_genuine_embeddings_come_in_order(name: str, caller: Caller) -> None:
    recorded = recording(name)
    with replayed(name):
        answer = await caller.embedding(**routed(recorded.request))
    vectors = [row["embedding"] for row in recorded.reply["data"]]
    assert [row["embedding"] for row in answer.data] == vectors
    assert answer.usage.prompt_tokens == recorded.reply["usage"]["prompt_tokens"]
