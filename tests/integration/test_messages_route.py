"""`anthropic_messages` on Synthetic's own endpoint: what goes in comes out as it was."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest
from litellm.integrations.custom_logger import CustomLogger

import litellm_synthetic
from litellm_synthetic.integration import messages_route
from litellm_synthetic.messages.chat_response import fill_message
from litellm_synthetic.testing import (
    Event,
    RawJSON,
    Stream,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    fault,
    named_fault,
)

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.conftest import NewRouter, Recorder

pytestmark = pytest.mark.usefixtures("list_prices")
MODEL = "synthetic/syn:large:text"
MARKED = {"cache_control": {"type": "ephemeral"}}
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "hello", **MARKED}]},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "A greeting.", "signature": ""},
            {"type": "tool_use", "id": "functions.look:0", "name": "look", "input": {"at": 1}},
        ],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "functions.look:0", "content": "ok"}],
    },
]
PLAIN = [{"role": "user", "content": "hello"}]
WINDOW_FULL = litellm.ContextWindowExceededError


async def ask(**more: Any) -> Any:
    arguments = {"model": MODEL, "max_tokens": 500, "messages": PLAIN, **more}
    return await litellm.anthropic_messages(**arguments)


async def read(stream: Any) -> bytes:
    return b"".join([piece async for piece in stream])


def events(raw: bytes) -> list[dict[str, Any]]:
    lines = raw.decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_the_request_arrives_as_it_was_written(upstream: SyntheticServer) -> None:
    document: dict[str, Any] = {
        "messages": MESSAGES,
        "max_tokens": 500,
        "system": [{"type": "text", "text": "Be brief.", **MARKED}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}, **MARKED}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 100},
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "stop_sequences": ["x", "y"],
        "metadata": {"user_id": "u-1"},
        "unheard_of": {"a": [1, None]},
    }
    await litellm.anthropic_messages(model=MODEL, **document)
    request = upstream.last_request
    assert request.path == "/anthropic/v1/messages"
    assert request.json == {"model": "syn:large:text", **document}
    assert request.headers["authorization"] == f"Bearer {upstream.api_key}"
    assert "x-api-key" not in request.headers
    assert "anthropic-beta" not in request.headers


async def test_the_reply_comes_back_as_it_was_written(upstream: SyntheticServer) -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "hf:some/Model",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": "Hi.", "citations": None},
            {"type": "of_tomorrow", "x": 1},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "cache_creation_input_tokens": 7, "output_tokens": 2},
        "unheard_of": {"b": 2},
    }
    upstream.enqueue(RawJSON(200, body))
    assert await ask() == body


async def test_a_stream_passes_byte_for_byte(upstream: SyntheticServer) -> None:
    history: list[Any] = [
        Event("message_start", {"type": "message_start", "message": {"id": "m", "content": []}}),
        Event("ping", {"type": "ping"}),
        Event("content_block_start", {"type": "content_block_start", "content_block": {}}),
        Event("of_tomorrow", {"type": "of_tomorrow", "x": "ü"}),
        Event("content_block_delta", {"type": "content_block_delta", "delta": {"y": None}}),
        Event("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        Event("message_stop", {"type": "message_stop"}),
    ]
    framings: list[dict[str, Any]] = [{}, {"chunk_size": 7}, {"line_ending": "\r\n"}]
    for framing in [*framings, {"comments": True}]:
        upstream.enqueue(Stream(history, done=False, **framing))
        raw = await read(await ask(stream=True))
        end = framing.get("line_ending", "\n")
        for event in history:
            line = f"data: {json.dumps(event.data, ensure_ascii=False)}{end}"
            assert line.encode() in raw
        assert raw.endswith(f"{end}{end}".encode())
        assert [one["type"] for one in events(raw)] == [one.data["type"] for one in history]


async def test_thinking_and_tools_stream_in_their_own_blocks(upstream: SyntheticServer) -> None:
    upstream.enqueue(ToolCalls([ToolCall("look", {"at": 1})], reasoning="I look."))
    message = events(
        await read(await ask(stream=True, tools=[{"name": "look", "input_schema": {}}]))
    )
    blocks = [
        one["content_block"]["type"] for one in message if one["type"] == "content_block_start"
    ]
    assert blocks == ["thinking", "tool_use"]
    arguments = "".join(one.get("delta", {}).get("partial_json", "") for one in message)
    assert json.loads(arguments) == {"at": 1}
    assert message[-1]["type"] == "message_stop"


async def test_events_come_as_they_are_said(upstream: SyntheticServer) -> None:
    upstream.enqueue(Text("one two three four", delay_seconds=0.05, chunks=8))
    stream = await ask(stream=True)
    pieces = [piece async for piece in stream]
    assert len(pieces) > 5


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_the_price_is_told_once_and_right_to_the_token(
    upstream: SyntheticServer, recorder: Recorder, *, stream: bool
) -> None:
    upstream.enqueue(Text("Hi.", usage=Usage(1200, 70, 500)))
    reply = await ask(stream=stream)
    if stream:
        await read(reply)
    else:
        # As the upstream counts: the uncached input stands in it twice.
        assert reply["usage"]["input_tokens"] == 700
        assert reply["usage"]["cache_creation_input_tokens"] == 700
    price = 700 * 0.6e-6 + 500 * 0.03e-6 + 70 * 1.2e-6
    assert await recorder.settled_costs() == [pytest.approx(price)]


@pytest.mark.parametrize("has_callback", [False, True])
async def test_a_streamed_message_is_put_together_for_callbacks_only(
    upstream: SyntheticServer,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    *,
    has_callback: bool,
) -> None:
    recorder = request.getfixturevalue("recorder") if has_callback else None
    filled = []

    def noting(*args: Any, **named: Any) -> Any:
        filled.append(args[1]["content"])
        return fill_message(*args, **named)

    monkeypatch.setattr(messages_route, "fill_message", noting)
    upstream.enqueue(Text("Hi."))
    raw = await read(await ask(stream=True))
    assert events(raw)[-1]["type"] == "message_stop"
    if recorder is not None:
        await recorder.settled_costs()
    assert filled == ([[{"type": "text", "text": "Hi."}]] if has_callback else [])


async def test_a_reader_who_leaves_closes_the_connection_and_pays_for_what_came(
    upstream: SyntheticServer, recorder: Recorder
) -> None:
    upstream.enqueue(Text("word " * 200, delay_seconds=0.01, usage=Usage(100, 200)))
    stream = await ask(stream=True)
    async for _ in stream:
        break
    await stream.aclose()
    assert await asyncio.to_thread(upstream.wait_until_idle)
    [cost] = await recorder.settled_costs()
    assert cost is not None
    assert 100 * 0.6e-6 <= cost < 100 * 0.6e-6 + 200 * 1.2e-6


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("context_overflow", WINDOW_FULL, "tokens"),
        ("context_overflow_in_stream", WINDOW_FULL, "Context limit exceeded"),
        ("subscription_cap", litellm.RateLimitError, "are used up"),
        ("invalid_key_echoed", litellm.AuthenticationError, r"\[redacted\]"),
        ("model_retired", litellm.NotFoundError, "no longer supported"),
        ("redirect", litellm.APIError, "redirects"),
        ("html_200", litellm.APIError, "content type: text/html"),
        ("empty_200", litellm.APIError, "the body is empty"),
    ],
)
async def test_errors_are_the_calls_own(
    upstream: SyntheticServer, name: str, kind: Any, message: str, *, stream: bool
) -> None:
    upstream.respond_with(named_fault(name))
    with pytest.raises(kind, match=message) as excinfo:
        await ask(stream=stream)
    assert upstream.api_key not in str(excinfo.value)
    assert excinfo.value.llm_provider == "synthetic"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("stream_cut", litellm.APIConnectionError),
        ("broken_json_line", litellm.APIConnectionError),
        ("error_event_named", litellm.ServiceUnavailableError),
        ("reset_mid_body", litellm.APIConnectionError),
    ],
)
async def test_a_stream_that_breaks_is_no_success(
    upstream: SyntheticServer, recorder: Recorder, name: str, kind: type[Exception]
) -> None:
    upstream.respond_with(named_fault(name, after_events=4))
    pieces: list[bytes] = []
    stream = await ask(stream=True)

    async def receive() -> None:
        async for piece in stream:
            pieces.append(piece)  # noqa: PERF401  # kept when the loop raises

    with pytest.raises(kind):
        await receive()
    assert [one["type"] for one in events(b"".join(pieces))][:1] == ["message_start"]
    assert b"message_stop" not in b"".join(pieces)
    assert await recorder.settled_failures()
    assert await recorder.settled_costs() == []


async def test_a_silent_stream_is_given_up(upstream: SyntheticServer) -> None:
    upstream.respond_with(fault("stall_mid_stream", after_events=4))
    stream = await ask(stream=True, stream_timeout=0.2)
    with pytest.raises(litellm.Timeout, match="silence"):
        await read(stream)


async def test_a_short_retry_after_is_waited_for(upstream: SyntheticServer) -> None:
    upstream.enqueue(fault("parallel_requests", retry_after="0"), Text("now"))
    reply = await ask()
    assert reply["content"][-1]["text"] == "now"
    assert len(upstream.requests) == 2


async def test_reasoning_effort_becomes_thinking(upstream: SyntheticServer) -> None:
    await ask(reasoning_effort="low")
    request = upstream.last_request.json
    assert request["thinking"] == {"type": "enabled", "budget_tokens": 499}  # below max_tokens
    assert "reasoning_effort" not in request
    with pytest.raises(litellm.BadRequestError, match="enormous"):
        await ask(reasoning_effort="enormous")


@pytest.mark.parametrize(
    "base", ["", "/v1", "/openai/v1", "/anthropic", "/anthropic/v1", "/anthropic/v1/messages"]
)
async def test_every_base_url_leads_to_the_messages_api(
    upstream: SyntheticServer, base: str
) -> None:
    await ask(api_base=upstream.url + base)
    assert upstream.last_request.path == "/anthropic/v1/messages"


async def test_where_nothing_is_known_beside_a_base_url_messages_are_translated(
    upstream: SyntheticServer,
) -> None:
    with pytest.raises(litellm.NotFoundError):
        await ask(api_base=f"{upstream.url}/somewhere")
    assert upstream.last_request.path == "/somewhere/chat/completions"


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ("native", "/anthropic/v1/messages"),
        ("", "/anthropic/v1/messages"),
        ("nonsense", "/anthropic/v1/messages"),
        ("translate", "/openai/v1/chat/completions"),
        ("Translate ", "/openai/v1/chat/completions"),
    ],
)
async def test_one_setting_chooses(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch, message: str, path: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", message)
    await ask()
    assert upstream.last_request.path == path


async def test_a_setting_that_is_not_understood_is_warned_about_once(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    del upstream
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "natively")
    for _ in range(3):
        await ask()
    warnings = [one for one in caplog.messages if "natively" in one]
    (warning,) = warnings
    assert warning == (
        "SYNTHETIC_MESSAGES=natively is not understood; it counts as native. "
        "Set it to native or translate, or unset it."
    )


async def test_a_router_serves_messages_and_falls_back(upstream: SyntheticServer) -> None:
    router = litellm.Router(
        model_list=[
            {"model_name": "a", "litellm_params": {"model": "synthetic/hf:openai/gpt-oss-120b"}},
            {"model_name": "b", "litellm_params": {"model": MODEL}},
        ],
        fallbacks=[{"a": ["b"]}],
        num_retries=0,
    )
    upstream.enqueue(fault("subscription_cap"))
    reply: Any = await router.aanthropic_messages(model="a", max_tokens=50, messages=PLAIN)
    assert reply["content"]
    assert [one.json["model"] for one in upstream.requests] == [
        "hf:openai/gpt-oss-120b",
        "syn:large:text",
    ]


async def test_the_subscription_cap_of_an_only_deployment_is_not_retried(
    upstream: SyntheticServer,
) -> None:
    deployment = {"model_name": "a", "litellm_params": {"model": MODEL}}
    router = litellm.Router(model_list=[deployment], num_retries=2)
    upstream.respond_with(fault("subscription_cap"))
    with pytest.raises(litellm.RateLimitError, match="are used up"):
        await router.aanthropic_messages(model="a", max_tokens=50, messages=PLAIN)
    assert len(upstream.requests) == 1


async def test_a_key_that_a_client_has_for_the_proxy_goes_no_further(
    upstream: SyntheticServer,
) -> None:
    theirs = {"x-api-key": "sk-of-the-proxy", "x-mine": "1", "Cookie": "S=1"}
    await ask(headers=theirs)
    await litellm.acompletion(model=MODEL, messages=PLAIN, headers=theirs)
    for request in upstream.requests:
        assert request.headers["x-mine"] == "1"
        assert "sk-of-the-proxy" not in str(dict(request.headers))
        assert "cookie" not in request.headers


async def test_hooks_of_other_callbacks_still_see_the_message(upstream: SyntheticServer) -> None:
    class Looper(CustomLogger):
        requests: Any = None

        async def async_should_run_agentic_loop(
            self, *args: Any, **by_name: Any
        ) -> tuple[bool, Any]:
            del args
            self.seen = by_name["response"]
            return False, {}

    looper = Looper()
    litellm.callbacks = [looper]
    upstream.enqueue(Text("Hi."))
    await ask()
    assert looper.seen["content"][-1]["text"] == "Hi."


async def test_no_call_is_left_to_us_once_the_route_is_given_back(
    upstream: SyntheticServer,
) -> None:
    litellm_synthetic.unregister()
    with pytest.raises(openai.APIError):
        await ask(api_key="syn_0123456789", api_base=f"{upstream.url}/nowhere")
    assert all(one.path != "/anthropic/v1/messages" for one in upstream.requests)


def test_the_sync_door_is_translated(upstream: SyntheticServer) -> None:
    upstream.respond_with(Text("Hi."))
    reply: Any = litellm.anthropic.messages.create(model=MODEL, max_tokens=50, messages=PLAIN)
    assert upstream.last_request.path == "/openai/v1/chat/completions"
    assert reply["content"][0]["text"] == "Hi."


# ---- Anthropic's betas

BETAS: dict[str, Any] = {
    "messages": [*PLAIN, {"role": "system", "content": "Mind the time."}],
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": []},
}


@pytest.mark.parametrize("stream", [False, True])
async def test_betas_are_written_in_documented_fields(
    upstream: SyntheticServer, *, stream: bool
) -> None:
    answer = await ask(stream=stream, **BETAS, extra_headers={"anthropic-beta": "x-2026-01-01"})
    if stream:
        await read(answer)
    request = upstream.last_request
    assert request.json.keys() - {"stream"} == {"model", "max_tokens", "messages", "thinking"}
    assert request.json["thinking"]["type"] == "enabled"
    assert [turn["role"] for turn in request.json["messages"]] == ["user"]
    assert "anthropic-beta" not in request.headers


async def test_betas_pass_where_the_setting_says_so(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES_BETA", "pass")
    kept = {**BETAS, "mcp_servers": [{"type": "url", "url": "https://example.com"}]}
    await ask(**kept, extra_headers={"anthropic-beta": "x-2026-01-01"})
    request = upstream.last_request
    assert {name: request.json[name] for name in kept} == kept
    assert request.headers["anthropic-beta"] == "x-2026-01-01"


async def test_an_effort_that_is_none_is_refused_before_anything_is_sent(
    upstream: SyntheticServer,
) -> None:
    with pytest.raises(litellm.BadRequestError, match=r"output_config\.effort='ultra'"):
        await ask(output_config={"effort": "ultra"})
    assert not upstream.requests


async def test_betas_that_a_caller_puts_into_extra_body_are_sent(
    upstream: SyntheticServer,
) -> None:
    await ask(extra_body={"output_config": {"effort": "max"}})
    assert upstream.last_request.json["output_config"] == {"effort": "max"}


@pytest.mark.parametrize("way", ["native", "translate"])
async def test_a_router_finds_the_headers_of_a_whole_message(
    upstream: SyntheticServer, new_router: NewRouter, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", way)
    router = new_router([{"model_name": "group", "litellm_params": {"model": MODEL}}])
    answer = await router.aanthropic_messages(model="group", max_tokens=50, messages=PLAIN)
    headers = answer["_hidden_params"]["additional_headers"]
    assert "llm_provider-x-synthetic-quotas" in headers
    assert upstream.api_key not in repr(headers)


@pytest.mark.parametrize("way", ["native", "translate"])
async def test_a_router_finds_the_headers_of_a_stream_of_messages(
    upstream: SyntheticServer, new_router: NewRouter, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", way)
    router = new_router([{"model_name": "group", "litellm_params": {"model": MODEL}}])
    try:
        stream = await router.aanthropic_messages(
            model="group", max_tokens=50, messages=PLAIN, stream=True
        )
    except ModuleNotFoundError as error:
        if error.name != "soundfile":
            raise
        pytest.skip("this LiteLLM's Router imports parts of the proxy extra for a stream")
    headers = stream._hidden_params["additional_headers"]  # noqa: SLF001  # where LiteLLM looks
    assert "llm_provider-x-synthetic-quotas" in headers
    assert upstream.api_key not in repr(headers)
    assert b"message_stop" in b"".join([event async for event in stream])


async def test_a_translated_message_outside_of_a_router_holds_only_the_message(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
    answer = await ask()
    assert upstream.last_request.path.endswith("/chat/completions")
    assert "_hidden_params" not in answer
