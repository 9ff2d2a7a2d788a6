"""`synthetic/default`, and calls that name no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import litellm
import pytest

import litellm_synthetic
from tests.caller import Caller

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.conftest import Way

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        (None, "syn:large:text"),
        (" ", "syn:large:text"),
        ("syn:small:text", "syn:small:text"),
        ("synthetic/zai-org/GLM-5.3", "hf:zai-org/GLM-5.3"),
        # It would stand for itself.
        ("synthetic/default", "syn:large:text"),
        ("two words", "syn:large:text"),
    ],
)
async def test_default_is_the_model_of_the_setting_on_every_way(
    pairwise: Way, monkeypatch: pytest.MonkeyPatch, setting: str | None, sent: str
) -> None:
    if setting is not None:
        monkeypatch.setenv("SYNTHETIC_MODEL", setting)
    answer = await pairwise.caller.completion(
        model="synthetic/default", messages=HELLO, stream=pairwise.stream
    )
    if pairwise.stream:
        assert await pairwise.caller.collect(answer)
    assert pairwise.server.last_request.json["model"] == sent


def test_default_has_the_price_and_the_limits_of_what_it_stands_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHETIC_MODEL", "hf:zai-org/GLM-5.3")
    litellm_synthetic.register()
    ours = litellm.model_cost["synthetic/default"]
    assert ours == litellm.model_cost["synthetic/hf:zai-org/GLM-5.3"]
    litellm_synthetic.unregister()
    assert "synthetic/default" not in litellm.model_cost


def test_default_of_an_unknown_model_has_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_MODEL", "hf:nobody/knows-it")
    litellm_synthetic.register()
    assert "synthetic/default" not in litellm.model_cost


def test_an_allowlist_counts_for_what_default_stands_for(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", "syn:small:*")
    with pytest.raises(litellm.BadRequestError, match="SYNTHETIC_ALLOWED_MODELS"):
        litellm.completion(model="synthetic/default", messages=HELLO)
    assert not upstream.requests


@pytest.mark.parametrize("model", ["synthetic", "synthetic/", "synthetic//", "synthetic/ "])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("operation", "argument"),
    [("completion", "messages"), ("text_completion", "prompt"), ("embedding", "input")],
)
async def test_no_model_is_one_clear_error(
    upstream: SyntheticServer,
    operation: str,
    argument: str,
    is_async: bool,  # noqa: FBT001  # pytest hands it over
    model: str,
) -> None:
    call = getattr(Caller(is_async=is_async), operation)
    content = HELLO if argument == "messages" else "Hello"
    with pytest.raises(litellm.BadRequestError, match="names no model") as raised:
        await call(model=model, **{argument: content})
    assert "synthetic/default" in str(raised.value)
    assert not upstream.requests
