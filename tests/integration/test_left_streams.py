"""A stream that its reader leaves is logged and billed for what came, once, whatever its kind."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

from litellm_synthetic.testing import fault

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.conftest import Recorder

pytestmark = pytest.mark.usefixtures("list_prices")
MODEL = "synthetic/hf:zai-org/GLM-5.3"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
CALLS: dict[str, dict[str, Any]] = {
    "completion": {"messages": MESSAGES},
    "text_completion": {"prompt": "hello"},
    "responses": {"input": "hello"},
    "anthropic_messages": {"messages": MESSAGES, "max_tokens": 100},
}
# LiteLLM's streams of the other kinds have no method for it.
CLOSED = ["completion", "anthropic_messages"]
SYNC = [("completion", "closed"), *((name, "dropped") for name in CALLS if name[0] != "a")]


def _async_call(name: str) -> Any:
    return getattr(litellm, name if name == "anthropic_messages" else f"a{name}")


async def _open(name: str, upstream: SyntheticServer) -> Any:
    """Open a stream that says something and then nothing more."""
    upstream.enqueue(fault("stall_mid_stream"))
    return await _async_call(name)(model=MODEL, stream=True, **CALLS[name])


async def _is_billed_once(recorder: Recorder, upstream: SyntheticServer) -> None:
    assert await asyncio.to_thread(upstream.wait_until_idle)
    [cost] = await recorder.settled_costs()
    assert cost is not None
    assert 0 < cost < 0.01
    assert await recorder.settled_failures() == []


@pytest.mark.parametrize("name", CLOSED)
async def test_closed(name: str, upstream: SyntheticServer, recorder: Recorder) -> None:
    stream = await _open(name, upstream)
    await anext(aiter(stream))
    await stream.aclose()
    await stream.aclose()
    del stream
    gc.collect()
    await _is_billed_once(recorder, upstream)


@pytest.mark.parametrize("name", CALLS)
async def test_dropped(name: str, upstream: SyntheticServer, recorder: Recorder) -> None:
    stream = await _open(name, upstream)
    await anext(aiter(stream))
    del stream
    gc.collect()
    await _is_billed_once(recorder, upstream)


@pytest.mark.parametrize("name", CALLS)
async def test_cancelled(name: str, upstream: SyntheticServer, recorder: Recorder) -> None:
    has_begun = asyncio.Event()

    async def read() -> None:
        async for _ in await _open(name, upstream):
            has_begun.set()

    task = asyncio.create_task(read())
    await has_begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    await _is_billed_once(recorder, upstream)


@pytest.mark.parametrize(("name", "way"), SYNC)
async def test_sync(name: str, way: str, upstream: SyntheticServer, recorder: Recorder) -> None:
    upstream.enqueue(fault("stall_mid_stream"))
    stream = getattr(litellm, name)(model=MODEL, stream=True, **CALLS[name])
    next(iter(stream))
    if way == "closed":
        stream.close()
    del stream
    gc.collect()
    await _is_billed_once(recorder, upstream)


@pytest.mark.parametrize("name", CALLS)
def test_dropped_just_before_its_event_loop_ends(
    name: str, upstream: SyntheticServer, recorder: Recorder
) -> None:
    async def begin_and_drop() -> None:
        stream = await _open(name, upstream)
        await anext(aiter(stream))

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(begin_and_drop())
        # What LiteLLM has been given to log is lost with a loop, whatever the provider.
        loop.run_until_complete(GLOBAL_LOGGING_WORKER.flush())
        loop.run_until_complete(_end_tasks())
    finally:
        loop.close()
    gc.collect()
    asyncio.run(_is_billed_once(recorder, upstream))


async def _end_tasks() -> None:
    """End LiteLLM's worker, which would be left to the collector with the loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
