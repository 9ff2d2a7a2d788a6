"""Router's look for limits: left out where a deployment has none, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

import litellm_synthetic
from litellm_synthetic.integration import compat
from tests.integration.litellm_calls import forget_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing import SyntheticServer

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
MESSAGES: Any = [{"role": "user", "content": "hello"}]
LIMITS = ("tpm", "rpm", "itpm", "otpm")

counts_in_its_own_method = pytest.mark.skipif(
    compat.usage_counter() is None, reason="this LiteLLM looks for limits elsewhere"
)


def deployment(model: str = MODEL, *, api_base: str | None = None, **parts: Any) -> dict[str, Any]:
    params = {"model": model, "api_key": "syn_test_key", **parts.pop("litellm_params", {})}
    if api_base is not None:
        params["api_base"] = api_base
    return {"model_name": "group", "litellm_params": params, **parts}


def router(*deployments: dict[str, Any], kind: type[litellm.Router] = litellm.Router) -> Any:
    return kind(model_list=list(deployments))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the models whose facts Router has put together so far, to look for limits."""
    models: list[str] = []
    original = litellm.Router.get_router_model_info

    def counting(self: Any, deployment: Any, *args: Any, **kwargs: Any) -> Any:
        models.append(deployment.litellm_params.model)
        return original(self, deployment, *args, **kwargs)

    monkeypatch.setattr(litellm.Router, "get_router_model_info", counting)
    return models


async def count(of_router: Any) -> Any:
    """Count one request, as Router does after a call."""
    return await of_router._increment_deployment_usage(  # noqa: SLF001  # what is taken over
        deployment_id=of_router.model_list[0]["model_info"]["id"],
        deployment_name=of_router.model_list[0]["litellm_params"]["model"],
        model_group="group",
        total_tokens=10,
        rpm_increment=1,
        parent_otel_span=None,
    )


def counters(of_router: Any) -> dict[str, Any]:
    """Return what Router has counted of tokens and requests, by kind."""
    cached = of_router.cache.in_memory_cache.cache_dict
    return {
        kind: value
        for key, value in cached.items()
        for kind in ("tpm", "rpm")
        if f":{kind}:" in key
    }


@counts_in_its_own_method
async def test_limits_are_not_looked_for_again_where_there_are_none(looks: list[str]) -> None:
    litellm_synthetic.register()
    group = router(deployment())
    assert await count(group) is None
    looks.clear()
    assert [await count(group) for _ in range(3)] == [None, None, None]
    assert looks == []
    assert counters(group) == {}


@counts_in_its_own_method
@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("part", ["litellm_params", "model_info"])
async def test_a_deployment_with_any_limit_is_counted(part: str, name: str) -> None:
    litellm_synthetic.register()
    without = router(deployment())
    await count(without)
    await count(without)
    limits: dict[str, Any] = {part: {name: 1000}}
    group = router(deployment(**limits))
    key = await count(group)
    assert key is not None
    assert counters(group) == {"tpm": 10, "rpm": 1}


@counts_in_its_own_method
@pytest.mark.parametrize("name", ["tpm", "rpm"])
async def test_a_limit_in_the_models_row_is_counted_against(name: str) -> None:
    litellm_synthetic.register()
    group = router(deployment())
    assert [await count(group), await count(group)] == [None, None]
    row = {**litellm.model_cost[MODEL], name: 1000}
    litellm.register_model({MODEL: row})
    try:
        assert await count(group) is not None
    finally:
        forget_row(MODEL)


@counts_in_its_own_method
async def test_a_limit_that_is_set_later_is_counted_against() -> None:
    litellm_synthetic.register()
    group = router(deployment())
    assert [await count(group), await count(group)] == [None, None]
    group.model_list[0]["litellm_params"]["rpm"] = 5
    assert await count(group) is not None


def _of_another_provider() -> Any:
    return router(deployment("openai/gpt-4o"))


def _pattern() -> Any:
    return router(deployment("synthetic/*"))


def _of_another_class() -> Any:
    class Other(litellm.Router):
        """What somebody makes of Router."""

    return router(deployment(), kind=Other)


@counts_in_its_own_method
@pytest.mark.parametrize("make", [_of_another_provider, _pattern, _of_another_class])
async def test_what_is_not_ours_alone_is_left_to_litellm(
    make: Callable[[], Any], looks: list[str]
) -> None:
    litellm_synthetic.register()
    ours = router(deployment())
    await count(ours)
    await count(ours)
    looks.clear()
    other = make()
    for _ in range(2):
        await count(other)
    assert len(looks) == 2


@counts_in_its_own_method
async def test_after_unregister_litellm_looks_again(looks: list[str]) -> None:
    before = vars(litellm.Router)["_increment_deployment_usage"]
    litellm_synthetic.register()
    group = router(deployment())
    await count(group)
    litellm_synthetic.unregister()
    assert vars(litellm.Router)["_increment_deployment_usage"] is before
    looks.clear()
    with pytest.raises(Exception, match="isn't mapped"):  # our rows are gone too
        await count(group)
    assert looks == [MODEL]


async def _counts_always(self: Any, *, deployment_id: str, rpm_increment: int, **_: Any) -> str:
    """Stand for a LiteLLM that counts whether there is a limit or not."""
    self.cache.set_cache(f"{deployment_id}:rpm:always", rpm_increment)
    return "key"


async def _lacks_the_argument(self: Any, *, deployment_id: str, **_: Any) -> None:
    """Stand for a LiteLLM whose method means something else."""
    self.cache.set_cache(f"{deployment_id}:rpm:other", 1)


@counts_in_its_own_method
@pytest.mark.parametrize("method", [_counts_always, _lacks_the_argument])
async def test_a_litellm_that_counts_otherwise_is_asked_each_time(
    method: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    litellm_synthetic.unregister()
    monkeypatch.setattr(litellm.Router, "_increment_deployment_usage", method, raising=False)
    monkeypatch.setattr("litellm_synthetic.integration.registration._seams", None)
    litellm_synthetic.register()
    group = router(deployment())
    for _ in range(3):
        group.cache.in_memory_cache.cache_dict.clear()
        await count(group)
        assert counters(group) == {"rpm": 1}
    litellm_synthetic.unregister()


async def test_without_the_method_calls_through_a_router_are_served(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    litellm_synthetic.unregister()
    if "_increment_deployment_usage" in vars(litellm.Router):
        monkeypatch.delattr(litellm.Router, "_increment_deployment_usage")
    monkeypatch.setattr("litellm_synthetic.integration.registration._seams", None)
    litellm_synthetic.register()
    own = {"api_key": synthetic_server.api_key}
    group = router(deployment(api_base=synthetic_server.openai_base, litellm_params=own))
    assert (await group.acompletion("group", messages=MESSAGES)).choices[0].message.content
    assert group.completion("group", messages=MESSAGES).choices[0].message.content
    litellm_synthetic.unregister()
