"""The headers of a caller: those that are sent on, and those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import pytest

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

MODEL = "synthetic/hf:zai-org/GLM-5.3-Flash"
EMBEDDER = "synthetic/hf:nomic-ai/nomic-embed-text-v1.5"
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]
FRAMING = {
    "Transfer-Encoding": "chunked",
    "Content-Length": "3",
    "Connection": "x-kept",
    "TE": "trailers",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAMAAABkAAQAAP__",
    "Keep-Alive": "timeout=1",
    "Trailer": "x-kept",
    "Proxy-Authorization": "Basic eDp5",
    "Proxy-Connection": "close",
    "Host": "elsewhere.example",
    "Expect": "100-continue",
    "Content-Encoding": "gzip",
    " te ": "trailers",
}


async def _send(caller: Caller, kind: str, headers: dict[str, str]) -> None:
    if kind == "messages":
        await litellm.anthropic_messages(
            model=MODEL, max_tokens=9, messages=MESSAGES, extra_headers=headers
        )
    elif kind == "embedding":
        await caller.embedding(model=EMBEDDER, input=["a"], extra_headers=headers)
    elif kind == "text":
        await caller.text_completion(model=MODEL, prompt="a", extra_headers=headers)
    elif kind == "search":
        await caller.litellm_search(query="a", search_provider="synthetic", extra_headers=headers)
    else:
        stream = kind == "stream"
        await caller.completion(
            model=MODEL, messages=MESSAGES, extra_headers=headers, stream=stream
        )


@pytest.mark.parametrize("kind", ["chat", "stream", "text", "embedding", "messages", "search"])
async def test_no_header_that_frames_a_message_is_sent_on(
    upstream: SyntheticServer, caller: Caller, kind: str
) -> None:
    await _send(caller, kind, {**FRAMING, "X-Kept": "yes"})
    (sent,) = upstream.requests
    assert sent.headers["x-kept"] == "yes"
    assert sent.headers["host"] == upstream.url.removeprefix("http://")
    assert int(sent.headers["content-length"]) == len(sent.body)
    assert sent.headers.get("connection") in {None, "keep-alive"}
    own = {"host", "content-length", "connection"}
    assert not {name.strip().lower() for name in FRAMING} - own & set(sent.headers)


async def test_litellms_shared_headers_frame_nothing_either(
    upstream: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "headers", {**FRAMING, "X-Kept": "yes"})
    await caller.completion(model=MODEL, messages=MESSAGES)
    (sent,) = upstream.requests
    assert sent.headers["x-kept"] == "yes"
    assert "transfer-encoding" not in sent.headers
    assert "te" not in sent.headers
