"""`known_quotas()`: what any reply told of the plan, without asking."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest

import litellm_synthetic
from litellm_synthetic.testing import fault

if TYPE_CHECKING:
    from litellm_synthetic.testing import Reply, SyntheticServer

MODEL = "synthetic/hf:zai-org/GLM-5.3"
HELLO: list[Any] = [{"role": "user", "content": "hello"}]
REPORT = {"rollingFiveHourLimit": {"max": 500, "remaining": 77}}


async def plain(_: SyntheticServer) -> None:
    litellm.completion(model=MODEL, messages=HELLO)


async def refusal(server: SyntheticServer) -> None:
    server.enqueue(fault("subscription_cap"))
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(model=MODEL, messages=HELLO)


async def test_a_refusal_tells_of_the_plan_too(upstream: SyntheticServer) -> None:
    await refusal(upstream)
    known = litellm_synthetic.known_quotas()
    assert known is not None
    assert known.tightest is not None
    assert known.tightest.exhausted


async def test_an_account_without_a_subscription_is_known_to_report_none(
    upstream: SyntheticServer,
) -> None:
    upstream.set_quotas({})
    assert litellm_synthetic.quotas() is None
    known = litellm_synthetic.known_quotas()
    assert known is not None
    assert known.quotas is None


async def test_each_key_and_each_origin_has_a_state_of_its_own(upstream: SyntheticServer) -> None:
    await plain(upstream)
    assert litellm_synthetic.known_quotas() is not None
    assert litellm_synthetic.known_quotas(api_base=upstream.anthropic_base) is not None
    assert litellm_synthetic.known_quotas(api_key="syn_another_key_0123456789") is None
    assert litellm_synthetic.known_quotas(api_base="https://gateway.example/v1") is None


@pytest.mark.parametrize(
    "reply",
    [fault("quota_huge", size=30_000), fault("quota_junk"), fault("quota_absent")],
    ids=["30 kB", "junk", "absent"],
)
async def test_a_header_that_is_none_leaves_the_last_one_in_force(
    upstream: SyntheticServer, reply: Reply
) -> None:
    upstream.set_quotas(REPORT)
    await plain(upstream)
    upstream.enqueue(reply)
    await plain(upstream)
    known = litellm_synthetic.known_quotas()
    assert known is not None
    assert known.quotas is not None


def test_without_a_key_there_is_nothing_to_know() -> None:
    with pytest.raises(ValueError, match="SYNTHETIC_API_KEY"):
        litellm_synthetic.known_quotas()


def test_a_key_that_no_header_carries_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="characters that no key has") as caught:
        litellm_synthetic.known_quotas(api_key="syn_with space")
    assert "with space" not in str(caught.value)


def test_asking_imports_no_litellm() -> None:
    script = (
        "import sys, litellm_synthetic; "
        "assert litellm_synthetic.known_quotas(api_key='syn_0123456789') is None; "
        "assert not {'litellm', 'openai', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603  # our own script


async def test_a_failed_question_keeps_what_was_known(upstream: SyntheticServer) -> None:
    upstream.set_quotas(REPORT)
    await plain(upstream)
    with pytest.raises(openai.APIError):
        litellm_synthetic.quotas(api_base="http://127.0.0.1:9/v1", max_retries=0)
    assert litellm_synthetic.known_quotas() is not None
