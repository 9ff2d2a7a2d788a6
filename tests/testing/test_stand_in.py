from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from litellm_synthetic.testing import (
    RawBytes,
    RawJSON,
    RecordedRequest,
    Stream,
    SyntheticServer,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    fault,
)
from litellm_synthetic.testing.schema_values import value_for
from litellm_synthetic.testing.server import DEFAULT_API_KEY
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

# The keys of all 13 chat bodies that were recorded from the service in February 2026.
BODY_KEYS = [
    "id",
    "object",
    "created",
    "model",
    "choices",
    "service_tier",
    "system_fingerprint",
    "usage",
    "prompt_logprobs",
    "prompt_token_ids",
    "kv_transfer_params",
]
CHOICE_KEYS = ["index", "message", "logprobs", "finish_reason", "stop_reason", "token_ids"]
MESSAGE_KEYS = [
    "role",
    "content",
    "refusal",
    "annotations",
    "audio",
    "function_call",
    "tool_calls",
    "reasoning",
    "reasoning_content",
]
USAGE_KEYS = ["prompt_tokens", "total_tokens", "completion_tokens", "prompt_tokens_details"]

GLM = "hf:zai-org/GLM-4.7-Flash"
EMBEDDER = "hf:nomic-ai/nomic-embed-text-v1.5"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}}}


@pytest.fixture
def client(synthetic_server: SyntheticServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=synthetic_server.url, headers=bearer(synthetic_server)) as client:
        yield client


def bearer(server: SyntheticServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.api_key}"}


def asking(text: str = "How are you?", **options: Any) -> dict[str, Any]:
    return {"model": GLM, "messages": [{"role": "user", "content": text}], **options}


def chat(client: httpx.Client, **options: Any) -> dict[str, Any]:
    reply = client.post("/openai/v1/chat/completions", json=asking(**options))
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def events(client: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    text = client.post(path, json=body | {"stream": True}).text
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(each) for each in data if each != "[DONE]"]


def chunks(client: httpx.Client, **options: Any) -> list[dict[str, Any]]:
    return events(client, "/openai/v1/chat/completions", asking(**options))


def likeness(remaining: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(remaining, right, strict=True))


def joined(pieces: list[dict[str, Any]], field: str, index: int = 0) -> str:
    choices = [choice for chunk in pieces for choice in chunk["choices"]]
    return "".join(
        choice["delta"].get(field) or "" for choice in choices if choice["index"] == index
    )


class TestShapes:
    def test_a_chat_body_has_the_recorded_keys_in_the_recorded_order(
        self, client: httpx.Client
    ) -> None:
        body = chat(client)
        choice = body["choices"][0]
        assert list(body) == BODY_KEYS
        assert list(choice) == CHOICE_KEYS
        assert list(choice["message"]) == MESSAGE_KEYS
        assert list(body["usage"]) == USAGE_KEYS

    def test_a_chat_body_has_the_recorded_habits(self, client: httpx.Client) -> None:
        body = chat(client)
        message = body["choices"][0]["message"]
        assert re.fullmatch(r"chatcmpl-[0-9a-f]{32}", body["id"])
        assert body["model"] == "zai-org/GLM-4.7-Flash"
        assert message["content"] == ' You said: "How are you?"'
        assert message["reasoning"] == message["reasoning_content"] != ""
        assert message["tool_calls"] == []
        usage = body["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert usage["prompt_tokens_details"] is None

    def test_the_headers_are_the_recorded_ones(self, client: httpx.Client) -> None:
        headers = client.post("/openai/v1/chat/completions", json=asking()).headers
        assert headers["x-middleware-rewrite"] == "/api/openai/v1/chat/completions"
        assert headers["x-clerk-auth-status"] == "signed-out"
        assert headers["set-cookie"].startswith("S=")
        assert headers["transfer-encoding"] == "chunked"
        assert "date" in headers
        assert "x-request-id" not in headers
        assert set(json.loads(headers["x-synthetic-quotas"])) == {
            "subscription",
            "search",
            "freeToolCalls",
            "weeklyTokenLimit",
            "rollingFiveHourLimit",
        }

    def test_a_wrong_key_gets_the_recorded_401_without_quotas(
        self, synthetic_server: SyntheticServer
    ) -> None:
        reply = httpx.post(
            f"{synthetic_server.openai_base}/chat/completions",
            json=asking(),
            headers={"Authorization": "Bearer syn_other"},
        )
        assert (reply.status_code, reply.json()) == (401, {"error": "Invalid API Key."})
        assert "x-synthetic-quotas" not in reply.headers
        assert "retry-after" not in reply.headers

    def test_the_same_call_is_answered_the_same_way_after_reset(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        first = chat(client)
        synthetic_server.reset()
        second = chat(client)
        assert first | {"created": 0} == second | {"created": 0}

    def test_an_alias_is_answered_with_the_name_of_its_target(self, client: httpx.Client) -> None:
        assert chat(client, model="syn:small:text")["model"] == "zai-org/GLM-4.7-Flash"

    def test_a_model_can_put_its_reasoning_in_one_field_only(self, client: httpx.Client) -> None:
        body = chat(client, model="syn:large:text")
        message = body["choices"][0]["message"]
        assert message["reasoning"]
        assert message["reasoning_content"] is None

    @pytest.mark.parametrize("base", ["/openai/v1", "/v1"])
    def test_the_models_list_needs_no_key(
        self, synthetic_server: SyntheticServer, base: str
    ) -> None:
        body = httpx.get(f"{synthetic_server.url}{base}/models").json()
        assert list(body) == ["data"]
        ids = [entry["id"] for entry in body["data"]]
        assert len([each for each in ids if each.startswith("syn:")]) == 4
        assert len([each for each in ids if each.startswith("hf:")]) == 8
        for entry in body["data"]:
            assert set(entry["pricing"]) == {
                "prompt",
                "completion",
                "image",
                "request",
                "input_cache_reads",
                "input_cache_writes",
            }
            assert entry["pricing"]["prompt"].startswith("$0.")
            assert entry["max_output_length"] == 65536

    def test_embeddings_have_the_recorded_shape_and_are_unit_vectors(
        self, client: httpx.Client
    ) -> None:
        payload = {"model": EMBEDDER, "input": ["a quick fox", "a quick dog", "jugs of liquor"]}
        reply = client.post("/openai/v1/embeddings", json=payload)
        body = reply.json()
        assert list(body) == ["object", "data", "model", "usage"]
        assert body["model"] == EMBEDDER
        assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] > 0
        assert [list(each) for each in body["data"]] == [["object", "index", "embedding"]] * 3
        vectors = [each["embedding"] for each in body["data"]]
        assert [len(vector) for vector in vectors] == [768] * 3
        assert all(math.isclose(math.hypot(*vector), 1, abs_tol=1e-6) for vector in vectors)
        fox, dog, jugs = vectors
        assert likeness(fox, dog) > likeness(fox, jugs) + 0.3

    def test_embeddings_can_be_shortened(self, client: httpx.Client) -> None:
        body = {"model": EMBEDDER, "input": "a fox", "dimensions": 256}
        vector = client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
        assert len(vector) == 256
        assert math.isclose(math.hypot(*vector), 1, abs_tol=1e-6)

    def test_a_legacy_completion_answers_a_prompt(self, client: httpx.Client) -> None:
        payload = {"model": GLM, "prompt": "Hello", "logprobs": 1}
        body = client.post("/openai/v1/completions", json=payload).json()
        assert body["object"] == "text_completion"
        assert body["choices"][0]["text"] == ' You said: "Hello"'
        assert "".join(body["choices"][0]["logprobs"]["tokens"]) == body["choices"][0]["text"]
        streamed = events(client, "/openai/v1/completions", payload)
        texts = [choice["text"] for chunk in streamed for choice in chunk["choices"]]
        assert "".join(texts) == body["choices"][0]["text"]


class TestDefaultAnswers:
    def test_a_stream_says_the_same_as_a_plain_reply_with_the_reasoning_first(
        self, client: httpx.Client
    ) -> None:
        message = chat(client)["choices"][0]["message"]
        pieces = chunks(client)
        assert joined(pieces, "content") == message["content"]
        assert joined(pieces, "reasoning") == message["reasoning"]
        deltas = [each["choices"][0]["delta"] for each in pieces]
        kinds = ["reasoning" in delta for delta in deltas[1:-1]]
        assert kinds == sorted(kinds, reverse=True)
        assert pieces[-1]["choices"][0]["finish_reason"] == "stop"
        assert pieces[-1]["usage"]["completion_tokens"] > 0

    def test_usage_comes_a_second_time_only_if_it_is_asked_for(self, client: httpx.Client) -> None:
        with_usage = chunks(client, stream_options={"include_usage": True})
        assert with_usage[-1]["choices"] == []
        assert with_usage[-1]["usage"] == with_usage[-2]["usage"]
        assert [each for each in chunks(client) if not each["choices"]] == []

    def test_the_first_tool_is_called_with_arguments_that_fit(self, client: httpx.Client) -> None:
        choice = chat(client, tools=[WEATHER, CLOCK])["choices"][0]
        assert choice["finish_reason"] == "tool_calls"
        calls = choice["message"]["tool_calls"][0]
        assert calls["function"]["name"] == "get_weather"
        assert json.loads(calls["function"]["arguments"]) == {"city": "example", "days": 3}

    @pytest.mark.parametrize(
        ("tool_choice", "name"),
        [
            ({"type": "function", "function": {"name": "get_time"}}, "get_time"),
            ("required", "get_weather"),
            ("none", None),
        ],
    )
    def test_tool_choice_is_heeded(
        self, client: httpx.Client, tool_choice: object, name: str | None
    ) -> None:
        message = chat(client, tools=[WEATHER, CLOCK], tool_choice=tool_choice)["choices"][0][
            "message"
        ]
        names = [each["function"]["name"] for each in message["tool_calls"]]
        assert names == ([name] if name else [])

    def test_a_tool_result_ends_the_calling_until_the_next_question(
        self, client: httpx.Client
    ) -> None:
        messages = [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
            {"role": "tool", "tool_call_id": "a", "content": "12 degrees"},
        ]
        answer = chat(client, messages=messages, tools=[WEATHER])["choices"][0]["message"]
        assert answer["content"] == " The tool answered: 12 degrees"
        messages += [{"role": "assistant", "content": "12"}, {"role": "user", "content": "And?"}]
        again = chat(client, messages=messages, tools=[WEATHER])["choices"][0]["message"]
        assert len(again["tool_calls"]) == 1

    def test_a_json_schema_is_fitted(self, client: httpx.Client) -> None:
        schema = {
            "type": "object",
            "properties": {"name": {"type": "string"}, "tags": {"$ref": "#/$defs/tags"}},
            "required": ["name", "tags"],
            "$defs": {"tags": {"type": "array", "items": {"enum": ["red", "blue"]}}},
        }
        target = {"type": "json_schema", "json_schema": {"name": "thing", "schema": schema}}
        content = chat(client, response_format=target)["choices"][0]["message"]["content"]
        assert json.loads(content) == {"name": "example", "tags": ["red"]}
        free = chat(client, response_format={"type": "json_object"})["choices"][0]["message"]
        assert isinstance(json.loads(free["content"]), dict)

    def test_a_small_cap_on_a_reasoning_model_leaves_no_content(self, client: httpx.Client) -> None:
        choice = chat(client, max_tokens=3, tools=[WEATHER])["choices"][0]
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] is None
        assert choice["message"]["tool_calls"] == []
        assert len(choice["message"]["reasoning"]) == 12

    def test_a_cap_without_reasoning_cuts_the_content(self, client: httpx.Client) -> None:
        choice = chat(client, max_tokens=2, reasoning_effort="none")["choices"][0]
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] == " You sai"
        assert choice["message"]["reasoning"] is None

    def test_some_models_reason_although_told_not_to(self, client: httpx.Client) -> None:
        body = chat(client, model="hf:openai/gpt-oss-120b", reasoning_effort="none")
        assert body["choices"][0]["message"]["reasoning"]

    def test_n_choices_and_logprobs_are_given_if_asked_for(self, client: httpx.Client) -> None:
        body = chat(client, n=3, logprobs=True, top_logprobs=2)
        assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
        tokens = body["choices"][2]["logprobs"]["content"]
        assert (
            "".join(each["token"] for each in tokens) == (body["choices"][2]["message"]["content"])
        )
        assert {len(each["top_logprobs"]) for each in tokens} == {2}
        streamed = chunks(client, n=2, logprobs=True)
        assert joined(streamed, "content", 1) == body["choices"][0]["message"]["content"]
        assert len([each for each in streamed if "usage" in each]) == 1

    def test_a_repeated_prompt_counts_as_cached(self, client: httpx.Client) -> None:
        long = "The same beginning, again and again. " * 10
        first = chat(client, text=long)["usage"]
        second = chat(client, text=f"{long} And something new at the end.")["usage"]
        assert first["prompt_tokens_details"] is None
        cached = second["prompt_tokens_details"]["cached_tokens"]
        assert 0 < first["prompt_tokens"] - cached <= 8

    def test_images_go_to_models_that_take_them(self, client: httpx.Client) -> None:
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
        messages = [{"role": "user", "content": [{"type": "text", "text": "What?"}, image]}]
        assert chat(client, model="syn:small:vision", messages=messages)
        reply = client.post("/v1/chat/completions", json={"model": GLM, "messages": messages})
        assert reply.status_code == 400
        assert "does not appear to support image inputs" in reply.json()["error"]

    def test_search_quotas_and_count_tokens_answer(self, client: httpx.Client) -> None:
        results = client.post("/v2/search", json={"query": "foxes"}).json()["results"]
        assert {frozenset(each) for each in results} == {
            frozenset({"url", "title", "text", "published"})
        }
        assert client.get("/v2/quotas").json()["rollingFiveHourLimit"]["max"] == 500
        path = "/anthropic/v1/messages/count_tokens"
        assert client.post(path, json=asking()).json() == {"input_tokens": 5}
        failure = client.post(path, json=asking(model="syn:large:vision"))
        assert failure.status_code == 500

    @pytest.mark.parametrize("report", [{}, None])
    def test_an_account_without_a_subscription_may_not_search(
        self,
        synthetic_server: SyntheticServer,
        client: httpx.Client,
        report: dict[str, object] | None,
    ) -> None:
        synthetic_server.set_quotas(report)
        reply = client.post("/v2/search", json={"query": "foxes"})
        assert (reply.status_code, list(reply.json())) == (403, ["error"])
        synthetic_server.reset()
        assert client.post("/v2/search", json={"query": "foxes"}).status_code == 200

    @pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": 7}, [], "text"])
    def test_a_search_without_a_query_is_refused(self, client: httpx.Client, body: object) -> None:
        assert client.post("/v2/search", json=body).status_code == 400

    def test_search_results_are_sent_as_they_were_set(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        rows = [{"url": "https://fox.example", "highlights": ["a fox"]}, "no row", None]
        synthetic_server.set_search_results(rows)
        assert client.post("/v2/search", json={"query": "x"}).json() == {"results": rows}
        synthetic_server.set_search_results([])
        assert client.post("/v2/search", json={"query": "x"}).json() == {"results": []}
        synthetic_server.reset()
        assert len(client.post("/v2/search", json={"query": "x"}).json()["results"]) == 3

    def test_searches_can_be_answered_with_faults_and_one_by_one(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        replies = [fault("unavailable"), None]
        synthetic_server.set_search_results(lambda _: replies.pop(0))
        statuses = [client.post("/v2/search", json={"query": "x"}).status_code for _ in range(2)]
        assert statuses == [503, 200]
        synthetic_server.set_search_results(fault("payment_required"))
        assert client.post("/v2/search", json={"query": "x"}).status_code == 402
        body = {"x-stand-in-fault": "html_200"}
        page = client.post("/v2/search", json={"query": "x"}, headers=body)
        assert "text/html" in page.headers["content-type"]

    def test_quotas_can_be_set_or_taken_away(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.set_quotas({"subscription": {"limit": 1}})
        headers = client.post("/v1/chat/completions", json=asking()).headers
        assert json.loads(headers["x-synthetic-quotas"]) == {"subscription": {"limit": 1}}
        synthetic_server.set_quotas(None)
        assert client.get("/v2/quotas").json() == {}
        headers = client.post("/v1/chat/completions", json=asking()).headers
        assert "x-synthetic-quotas" not in headers


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "body", "status", "error"),
        [
            ("/v2/models", {}, 404, "API route not found: '/v2/models'. (HINT: Is the URL"),
            ("/v2/chat/completions", {}, 404, "API route not found"),
            ("/v1/chat/completions", asking(model="gpt-4"), 400, 'example: "hf:gpt-4"'),
            ("/v1/chat/completions", asking(model="hf:a/b"), 404, "is no longer supported"),
            ("/v1/chat/completions", asking(model=EMBEDDER), 404, "is no longer supported"),
            ("/v1/chat/completions", [1], 400, "Could not parse request as valid JSON"),
            ("/v1/embeddings", {"model": EMBEDDER, "input": 5}, 400, "input must be"),
        ],
    )
    def test_a_bad_request_gets_the_documented_text(
        self, client: httpx.Client, path: str, body: object, status: int, error: str
    ) -> None:
        reply = client.post(path, json=body)
        assert reply.status_code == status
        assert error in reply.json()["error"]

    def test_asking_chat_with_get_is_a_405_without_a_body(self, client: httpx.Client) -> None:
        reply = client.get("/v1/chat/completions")
        assert (reply.status_code, reply.content) == (405, b"")

    def test_ten_mebibytes_pass_and_one_byte_more_does_not(self, client: httpx.Client) -> None:
        frame = {"model": GLM, "messages": [{"role": "user", "content": "hi"}], "user": ""}
        room = 10_485_760 - len(json.dumps(frame))
        largest = json.dumps(frame | {"user": "x" * room})
        assert client.post("/v1/chat/completions", content=largest).status_code == 200
        reply = client.post("/v1/chat/completions", content=f"{largest} ")
        assert reply.status_code == 400
        assert "Could not parse request as valid JSON. Unterminated" in reply.json()["error"]

    def test_a_prompt_above_the_context_window_names_both_counts(
        self, client: httpx.Client
    ) -> None:
        reply = client.post("/v1/chat/completions", json=asking("x" * 800_000))
        assert reply.status_code == 400
        assert (
            "(200002 tokens) is longer than the model's context length (196608 tokens)"
            in (reply.json()["error"])
        )

    def test_a_tool_message_that_matches_nothing_is_refused_by_the_model_that_minds(
        self, client: httpx.Client
    ) -> None:
        messages = [{"role": "tool", "content": "12"}, {"role": "user", "content": "So?"}]
        minds = {"model": "syn:large:vision", "messages": messages}
        reply = client.post("/v1/chat/completions", json=minds)
        assert reply.status_code == 400
        assert "need a resolvable tool name" in reply.json()["error"]
        assert chat(client, messages=messages)


class TestAnthropicAPI:
    def test_a_message_counts_the_uncached_input_twice_and_keeps_the_prefix(
        self, client: httpx.Client
    ) -> None:
        body = client.post("/anthropic/v1/messages", json=asking(max_tokens=500)).json()
        assert body["model"] == GLM
        assert [block["type"] for block in body["content"]] == ["thinking", "text"]
        assert body["stop_reason"] == "end_turn"
        usage = body["usage"]
        assert usage["input_tokens"] == usage["cache_creation_input_tokens"] > 0
        assert usage["cache_read_input_tokens"] == 0

    def test_a_streamed_message_opens_and_closes_each_block(self, client: httpx.Client) -> None:
        tool = {"name": "get_weather", "input_schema": WEATHER["function"]["parameters"]}  # type: ignore[index]
        body = asking(max_tokens=500, tools=[tool])
        pieces = events(client, "/anthropic/v1/messages", body)
        kinds = [each["type"] for each in pieces]
        assert kinds[0] == "message_start"
        assert kinds[-2:] == ["message_delta", "message_stop"]
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 2
        parts = [each["delta"].get("partial_json", "") for each in pieces if "delta" in each]
        assert json.loads("".join(parts)) == {"city": "example", "days": 3}
        assert pieces[-2]["delta"]["stop_reason"] == "tool_use"

    def test_thinking_can_be_disabled(self, client: httpx.Client) -> None:
        payload = asking(max_tokens=500, thinking={"type": "disabled"})
        body = client.post("/anthropic/v1/messages", json=payload).json()
        assert [block["type"] for block in body["content"]] == ["text"]

    def test_a_bare_api_key_header_is_not_enough(self, synthetic_server: SyntheticServer) -> None:
        reply = httpx.post(
            f"{synthetic_server.anthropic_base}/v1/messages",
            json=asking(max_tokens=5),
            headers={"x-api-key": synthetic_server.api_key},
        )
        assert reply.status_code == 401


class TestScripting:
    def test_enqueued_replies_come_in_order_and_before_the_sticky_one(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.respond_with(Text("always"))
        synthetic_server.enqueue(Text("one"), RawJSON(418, {"two": 2}), lambda _: None)
        path = "/v1/chat/completions"
        assert chat(client)["choices"][0]["message"]["content"] == "one"
        second = client.post(path, json=asking())
        assert (second.status_code, second.json()) == (418, {"two": 2})
        assert "You said" in chat(client)["choices"][0]["message"]["content"]
        assert chat(client)["choices"][0]["message"]["content"] == "always"
        assert synthetic_server.pending_replies == 0
        synthetic_server.reset()
        assert "You said" in chat(client)["choices"][0]["message"]["content"]

    def test_a_callable_sees_the_request(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        def shout(request: RecordedRequest) -> Text:
            return Text(request.json["messages"][-1]["content"].upper())

        synthetic_server.respond_with(shout)
        assert chat(client, text="hello")["choices"][0]["message"]["content"] == "HELLO"

    def test_a_callable_that_raises_is_a_500_that_says_so(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.respond_with(lambda request: request.json["missing"])
        reply = client.post("/v1/chat/completions", json=asking())
        assert reply.status_code == 500
        assert "KeyError: 'missing'" in reply.json()["error"]

    def test_one_text_is_rendered_as_each_api_wants_it(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.respond_with(
            Text("Hi you.", reasoning="Hm.", usage=Usage(7, 5, 3, 2), model="some/model")
        )
        body = chat(client)
        assert body["model"] == "some/model"
        assert body["usage"] == {
            "prompt_tokens": 7,
            "total_tokens": 12,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 3},
            "reasoning_tokens": 2,
        }
        pieces = chunks(client)
        assert joined(pieces, "content") == "Hi you."
        assert joined(pieces, "reasoning_content") == "Hm."
        message = client.post("/anthropic/v1/messages", json=asking()).json()
        assert [block.get("text", block.get("thinking")) for block in message["content"]] == [
            "Hm.",
            "Hi you.",
        ]
        assert message["usage"] == {
            "input_tokens": 4,
            "cache_creation_input_tokens": 4,
            "cache_read_input_tokens": 3,
            "output_tokens": 5,
        }
        legacy = client.post("/v1/completions", json={"model": GLM, "prompt": "x"}).json()
        assert legacy["choices"][0]["text"] == "Hi you."

    def test_tool_calls_keep_their_order_ids_and_exact_arguments(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.respond_with(
            ToolCalls([ToolCall("a", {"x": 1}, id="functions.a:0"), ToolCall("b", "{oops")])
        )
        plain = chat(client)["choices"][0]["message"]["tool_calls"]
        assert [each["function"]["arguments"] for each in plain] == ['{"x": 1}', "{oops"]
        assert plain[0]["id"] == "functions.a:0"
        assert plain[1]["id"].startswith("call_")
        pieces = [
            call
            for chunk in chunks(client)
            for call in chunk["choices"][0]["delta"].get("tool_calls", [])
        ]
        assert [piece["index"] for piece in pieces] == [0] * 4 + [1] * 4
        assert [piece["function"]["arguments"] for piece in pieces[:4]] == ["", '{"', 'x":', " 1}"]
        assert [piece.get("id") for piece in pieces[:4]] == ["functions.a:0", None, None, None]

    def test_raw_bytes_and_streams_are_sent_as_they_are(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.enqueue(
            RawBytes(202, b"\x00\xff", "application/x-odd", {"x-odd": "1"}),
            Stream([{"a": 1}, "not json", b"raw\n\n"], line_ending="\r\n", done=False),
        )
        raw = client.post("/v1/chat/completions", json=asking())
        assert (raw.status_code, raw.content) == (202, b"\x00\xff")
        assert raw.headers["x-odd"] == "1"
        assert "x-clerk-auth-status" not in raw.headers
        stream = client.post("/v1/chat/completions", json=asking())
        assert stream.content == b'data: {"a": 1}\r\n\r\ndata: not json\r\n\r\nraw\n\n'

    @pytest.mark.parametrize("one_write", [True, False])
    def test_a_text_is_cut_into_exactly_the_chunks_asked_for(
        self, synthetic_server: SyntheticServer, client: httpx.Client, *, one_write: bool
    ) -> None:
        text = "word " * 100
        synthetic_server.respond_with(Text(text, chunks=200, one_write=one_write))
        pieces = chunks(client)
        with_content = [each for each in pieces if each["choices"][0]["delta"].get("content")]
        assert len(with_content) == 200
        assert joined(pieces, "content") == text

    def test_impossible_replies_are_refused_when_they_are_made(self) -> None:
        with pytest.raises(ValueError, match="2 characters cannot be cut into 3 chunks"):
            Text("hi", chunks=3)
        with pytest.raises(ValueError, match="at least 1"):
            Stream([], chunk_size=0)
        with pytest.raises(ValueError, match="negative"):
            Text("hi", delay_seconds=-1)

    def test_a_logical_answer_cannot_be_an_embedding(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.respond_with(Text("hi"))
        reply = client.post("/v1/embeddings", json={"model": EMBEDDER, "input": "x"})
        assert reply.status_code == 500
        assert "Text cannot answer an embeddings call" in reply.json()["error"]

    def test_only_the_models_that_were_set_can_be_called(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.set_models([{"id": "hf:me/mine", "context_length": 10}])
        assert client.get("/v1/models").json()["data"] == [
            {"id": "hf:me/mine", "context_length": 10}
        ]
        assert chat(client, model="hf:me/mine")["model"] == "me/mine"
        assert client.post("/v1/chat/completions", json=asking()).status_code == 404


class TestRecording:
    def test_a_request_is_kept_as_it_arrived(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        client.post("/v1/chat/completions?x=1", content=b'{"model": "hf:a/b"}')
        request = synthetic_server.last_request
        assert (request.method, request.path) == ("POST", "/v1/chat/completions?x=1")
        assert request.route == "/v1/chat/completions"
        assert request.body == b'{"model": "hf:a/b"}'
        assert request.json == {"model": "hf:a/b"}
        assert request.headers["AUTHORIZATION"] == request.headers["authorization"]
        assert request.bearer == synthetic_server.api_key

    def test_the_representation_of_a_request_shows_no_key(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        client.get("/v1/models")
        assert synthetic_server.api_key not in repr(synthetic_server.requests)

    def test_a_body_that_is_no_json_is_none(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        client.post("/v1/chat/completions", content=b"\xff{")
        assert synthetic_server.last_request.json is None

    async def test_requests_from_many_tasks_are_all_kept(
        self, synthetic_server: SyntheticServer
    ) -> None:
        async with httpx.AsyncClient(
            base_url=synthetic_server.openai_base, headers=bearer(synthetic_server)
        ) as client:
            replies = await asyncio.gather(
                *(client.post("/chat/completions", json=asking(str(n))) for n in range(40))
            )
        texts = [reply.json()["choices"][0]["message"]["content"] for reply in replies]
        assert texts == [f' You said: "{n}"' for n in range(40)]
        assert len(synthetic_server.requests) == 40
        assert len({reply.json()["id"] for reply in replies}) == 40


class TestLifecycle:
    def test_stop_ends_stalled_requests_the_thread_and_the_port(self) -> None:
        before = set(threading.enumerate())
        server = SyntheticServer().start()
        threads = set(threading.enumerate()) - before
        assert threads
        port = server.port
        stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        for each in stalled:
            each.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                b"x-stand-in-fault: stall_before_headers\r\n\r\n"
            )
        assert server.wait_for_requests(3)
        assert (server.active_requests, server.open_connections) == (3, 3)
        server.stop()
        assert (server.active_requests, server.open_connections) == (0, 0)
        assert not any(thread.is_alive() for thread in threads)
        for each in stalled:
            with each:
                assert closed_by_server(each)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        server.stop()

    def test_it_listens_on_loopback_only(self, synthetic_server: SyntheticServer) -> None:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", synthetic_server.url)
        assert synthetic_server.openai_base == f"{synthetic_server.url}/openai/v1"
        assert synthetic_server.anthropic_base == f"{synthetic_server.url}/anthropic"

    def test_it_starts_only_once_and_has_no_address_before(self) -> None:
        server = SyntheticServer()
        with pytest.raises(RuntimeError, match=r"before start\(\)"):
            _ = server.url
        with pytest.raises(LookupError, match="no request"):
            _ = server.last_request
        server.stop()
        with server, pytest.raises(RuntimeError, match="only once"):
            server.start()

    def test_a_taken_port_is_told_to_the_caller(self, synthetic_server: SyntheticServer) -> None:
        with pytest.raises(OSError, match="address already in use"):
            SyntheticServer(port=synthetic_server.port).start()

    @pytest.mark.parametrize("name", ["stall_before_headers", "stall_mid_stream", "slow_drip"])
    async def test_a_client_that_leaves_is_noticed(
        self, synthetic_server: SyntheticServer, name: str
    ) -> None:
        headers = bearer(synthetic_server) | {"x-stand-in-fault": name}
        before = synthetic_server.open_connections
        async with httpx.AsyncClient(base_url=synthetic_server.url, headers=headers) as client:
            call = asyncio.create_task(
                client.post("/v1/chat/completions", json=asking(stream=True))
            )
            assert await asyncio.to_thread(synthetic_server.wait_for_requests, 1)
            assert synthetic_server.active_requests == 1
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await asyncio.to_thread(synthetic_server.wait_until_idle)
            # The last socket closes behind us.
            await asyncio.to_thread(
                wait_until,
                lambda: synthetic_server.open_connections <= before,
                lambda: "the connection stays open",
            )

    def test_waiting_gives_up_in_time(self, synthetic_server: SyntheticServer) -> None:
        assert not synthetic_server.wait_for_requests(1, timeout_seconds=0.01)
        with socket.create_connection(("127.0.0.1", synthetic_server.port)) as stalled:
            stalled.sendall(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
            )
            wait_until(lambda: synthetic_server.active_requests > 0, lambda: "nothing came")
            assert not synthetic_server.wait_until_idle(timeout_seconds=0.05)
            synthetic_server.drop_active()
            assert synthetic_server.active_requests == 0
            assert closed_by_server(stalled)

    def test_a_delay_is_kept(self) -> None:
        with SyntheticServer(delay_seconds=0.1) as server:
            began = time.monotonic()
            httpx.get(f"{server.openai_base}/models")
            assert time.monotonic() - began >= 0.1


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the arguments are written in this file
        [sys.executable, *arguments], check=False, capture_output=True, text=True
    )


def closed_by_server(connection: socket.socket) -> bool:
    connection.settimeout(60)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


class TestCommand:
    def test_it_serves_until_it_is_told_to_stop(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-m", "litellm_synthetic.testing", "--delay-ms", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command:
            assert command.stdout is not None
            assert command.stderr is not None
            output = [command.stdout.readline() for _ in range(9)]
            url = output[0].split()[-1]
            assert url.startswith("http://127.0.0.1:")
            assert f"  export SYNTHETIC_API_BASE={url}/openai/v1\n" in output
            assert f"  export SYNTHETIC_API_KEY={DEFAULT_API_KEY}\n" in output
            assert len(httpx.get(f"{url}/v1/models").json()["data"]) == 12
            command.terminate()
            assert command.wait(60) == 0
            assert command.stderr.read() == ""

    def test_it_lists_the_faults_and_refuses_a_port_that_is_taken_or_not_one(
        self, synthetic_server: SyntheticServer
    ) -> None:
        ids = python("-m", "litellm_synthetic.testing", "--list-faults")
        assert ids.returncode == 0
        assert "subscription_cap " in ids.stdout
        for port in (synthetic_server.port, 99_999, -1):
            refusal = python("-m", "litellm_synthetic.testing", "--port", str(port))
            assert refusal.returncode == 1
            assert refusal.stderr.startswith(f"error: Cannot listen on 127.0.0.1:{port}: ")
            assert refusal.stderr.count("\n") == 1

    @pytest.mark.parametrize(
        "arguments", [("--port", "many"), ("--delay-ms", "nan"), ("--delay-ms", "-1"), ("--what",)]
    )
    def test_its_errors_are_written_like_those_of_the_command_line(
        self, arguments: tuple[str, ...]
    ) -> None:
        refusal = python("-m", "litellm_synthetic.testing", *arguments)
        assert refusal.returncode == 2
        assert refusal.stderr.splitlines()[-1].startswith("error: ")


class TestPlugin:
    def test_the_fixture_gives_each_test_a_fresh_server_and_the_environment(
        self, pytester: pytest.Pytester
    ) -> None:
        pytester.makepyfile(
            """
            import os, urllib.request

            def ask(server):
                urllib.request.urlopen(f"{server.openai_base}/models").close()

            def test_one(synthetic_server):
                assert os.environ["SYNTHETIC_API_KEY"] == synthetic_server.api_key
                assert os.environ["SYNTHETIC_API_BASE"] == synthetic_server.openai_base
                ask(synthetic_server)
                assert len(synthetic_server.requests) == 1

            def test_two(synthetic_server):
                assert synthetic_server.requests == []

            def test_three():
                assert "SYNTHETIC_API_BASE" not in os.environ
            """
        )
        result = pytester.runpytest_subprocess("-p", "no:asyncio", "-W", "error")
        result.assert_outcomes(passed=3)

    @pytest.mark.parametrize(
        "module", ["litellm_synthetic.testing", "litellm_synthetic.testing.plugin"]
    )
    def test_loading_it_imports_neither_aiohttp_nor_litellm(self, module: str) -> None:
        program = (
            f"import sys, {module}; loaded = set(sys.modules);"
            "print(sorted(loaded & {'aiohttp', 'litellm', 'httpx', 'pydantic'}))"
        )
        ran = python("-c", program)
        assert ran.stdout.strip() == "[]"

    def test_running_the_server_does_not_import_litellm(self) -> None:
        program = (
            "import sys; from litellm_synthetic.testing import SyntheticServer\n"
            "with SyntheticServer(): pass\n"
            "print('litellm' in sys.modules)"
        )
        ran = python("-W", "error", "-X", "dev", "-c", program)
        assert (ran.stdout.strip(), ran.stderr) == ("False", "")

    def test_every_public_name_can_be_imported(self) -> None:
        from litellm_synthetic import testing  # noqa: PLC0415 - the module itself is under test

        assert all(getattr(testing, name) is not None for name in testing.__all__)
        assert set(testing.__all__) <= set(dir(testing))
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            _ = testing.nothing


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 5}, 5),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "string", "format": "email"}, "someone@example.com"),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "examplexx"),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "number", "exclusiveMaximum": 0}, -1),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "null"}, None),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}]}, [1, "example"]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
            {"a": 1, "b": 2},
        ),
        ({"properties": {"a": {"type": "integer"}}, "required": ["b"]}, {"a": 1, "b": "example"}),
        (True, "example"),
    ],
)
def test_a_value_fits_its_schema(schema: Any, value: object) -> None:
    assert value_for(schema) == value


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}, "all": {"type": "array", "items": {"$ref": "#"}}},
    }
    assert isinstance(value_for(node), dict)
    endless = node | {"required": ["next"]}
    assert isinstance(value_for(endless), dict)
    assert value_for({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}) is not None
