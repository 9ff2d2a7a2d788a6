"""A fallback of another vendor gets no key of the first, whichever of them is Synthetic."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, NoReturn

import litellm
import pytest
from litellm.llms.custom_llm import CustomLLM

from litellm_synthetic.integration import compat
from litellm_synthetic.testing import SyntheticServer, Text, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.caller import Caller

# LiteLLM's sync fallbacks run on an event loop of their own, which it leaves to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    pytest.mark.filterwarnings(
        r"ignore:Exception ignored in. .*LoggingWorker:pytest.PytestUnraisableExceptionWarning"
    ),
]
OURS = "synthetic/hf:zai-org/GLM-5.3-Flash"
THEIRS = "elsewhere/model"
GIVEN = "sk-given-to-the-call-0123456789"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


class Elsewhere(CustomLLM):
    """Be another vendor, who answers nothing and keeps what a call brings."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[dict[str, Any]] = []

    def completion(self, *args: Any, **kwargs: Any) -> NoReturn:
        del args
        self.calls.append({name: kwargs.get(name) for name in ("api_key", "api_base", "headers")})
        raise RuntimeError("elsewhere is closed")

    async def acompletion(self, *args: Any, **kwargs: Any) -> NoReturn:
        self.completion(*args, **kwargs)

    @property
    def told(self) -> str:
        return repr(self.calls)


@pytest.fixture
def other(upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """Make the other vendor known to LiteLLM for one test."""
    del upstream
    vendor = Elsewhere()
    entry = {"provider": "elsewhere", "custom_handler": vendor}
    monkeypatch.setattr(litellm, "custom_provider_map", [*litellm.custom_provider_map, entry])
    monkeypatch.setattr(litellm, "provider_list", [*litellm.provider_list])
    monkeypatch.setattr(litellm, "_custom_providers", [*litellm._custom_providers])  # noqa: SLF001  # LiteLLM appends to it
    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    compat.fill_custom_providers()
    yield vendor
    gc.collect()


def _credentials(server: SyntheticServer) -> set[str | None]:
    return {request.headers.get("authorization") for request in server.requests}


@pytest.mark.parametrize("fallback", [OURS, {"model": OURS}], ids=["name", "mapping"])
async def test_another_vendors_key_does_not_come_here(
    fallback: Any, caller: Caller, upstream: SyntheticServer, other: Elsewhere
) -> None:
    upstream.respond_with(Text("ours"))
    answer = await caller.completion(
        model=THEIRS,
        messages=MESSAGES,
        api_key=GIVEN,
        api_base="https://elsewhere.example",
        extra_headers={"Authorization": f"Bearer {GIVEN}", "x-kept": "yes"},
        max_retries=0,
        fallbacks=[fallback],
    )
    assert answer.choices[0].message.content == "ours"
    assert _credentials(upstream) == {f"Bearer {upstream.api_key}"}
    assert GIVEN in other.told
    assert upstream.requests[0].headers["x-kept"] == "yes"


@pytest.mark.parametrize("fallback", [THEIRS, {"model": THEIRS}], ids=["name", "mapping"])
async def test_synthetics_key_does_not_go_elsewhere(
    fallback: Any, caller: Caller, upstream: SyntheticServer, other: Elsewhere
) -> None:
    upstream.respond_with(fault("model_retired"))
    with pytest.raises(Exception, match="elsewhere is closed"):
        await caller.completion(
            model=OURS,
            messages=MESSAGES,
            api_key=upstream.api_key,
            api_base=upstream.openai_base,
            max_retries=0,
            fallbacks=[fallback],
        )
    assert _credentials(upstream) == {f"Bearer {upstream.api_key}"}
    assert other.calls
    assert upstream.api_key not in other.told
    assert upstream.openai_base not in other.told


async def test_a_fallback_that_brings_its_own_key_keeps_it(
    caller: Caller, upstream: SyntheticServer, other: Elsewhere
) -> None:
    with pytest.raises(Exception, match="elsewhere is closed"):
        await caller.completion(
            model="synthetic/hf:no/such",
            messages=MESSAGES,
            api_key=upstream.api_key,
            max_retries=0,
            fallbacks=[{"model": THEIRS, "api_key": GIVEN}],
        )
    assert other.calls[-1]["api_key"] == GIVEN
    assert upstream.api_key not in other.told


async def test_a_fallback_here_is_asked_with_the_calls_own_key(
    caller: Caller,
    upstream: SyntheticServer,
    other: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del other
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    upstream.enqueue(fault("model_retired"))
    await caller.completion(
        model="synthetic/syn:large:text",
        messages=MESSAGES,
        api_key=upstream.api_key,
        max_retries=0,
        fallbacks=[OURS],
    )
    assert _credentials(upstream) == {f"Bearer {upstream.api_key}"}
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(("model", "target"), [(OURS, THEIRS), (THEIRS, OURS)])
async def test_a_fallback_that_has_no_place_for_a_key_is_refused_beside_one(
    model: str, target: str, caller: Caller, upstream: SyntheticServer, other: Elsewhere
) -> None:
    with pytest.raises(litellm.BadRequestError, match="Use fallbacks=") as caught:
        await caller.completion(
            model=model,
            messages=MESSAGES,
            api_key=GIVEN,
            context_window_fallback_dict={model: target},
        )
    assert GIVEN not in str(caught.value)
    assert not upstream.requests
    assert not other.calls


async def test_a_fallback_by_window_without_a_key_carries_none(
    caller: Caller, upstream: SyntheticServer, other: Elsewhere
) -> None:
    upstream.enqueue(fault("context_overflow"))
    with pytest.raises(Exception, match="elsewhere is closed"):
        await caller.completion(
            model=OURS,
            messages=MESSAGES,
            max_retries=0,
            context_window_fallback_dict={OURS: THEIRS},
        )
    assert _credentials(upstream) == {f"Bearer {upstream.api_key}"}
    assert other.calls
    assert upstream.api_key not in other.told
    assert upstream.openai_base not in other.told
