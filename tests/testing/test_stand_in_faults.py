from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.testing import (
    FAULTS,
    Answer,
    Either,
    Event,
    Framing,
    RawJSON,
    Stream,
    SyntheticServer,
    Text,
    fault,
    named_fault,
)
from litellm_synthetic.testing.streams import body_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing.streams import AnyEvent

MODEL = "hf:zai-org/GLM-4.7-Flash"
PATH = "/openai/v1/chat/completions"

STATUSES = [
    (
        "context_overflow",
        400,
        (
            "Error from inference backend: 400 The input (600000 tokens) is longer than the "
            "model's context length (524288 tokens)."
        ),
    ),
    ("context_overflow_short", 400, "Context limit exceeded"),
    (
        "context_overflow_no_body",
        400,
        "Error from inference backend: 400 status code (no body)",
    ),
    (
        "context_overflow_requested",
        400,
        (
            "Error from inference backend: 400 Requested token count exceeds the model's maximum "
            "context length of 524288 tokens"
        ),
    ),
    (
        "subscription_cap",
        429,
        (
            "You've exceeded your subscription rate limits. Upgrade, or try again later. You can "
            "view your usage at https://synthetic.new/billing"
        ),
    ),
    ("parallel_requests", 429, "max 4 parallel requests per model"),
    ("too_many_requests", 429, "Too many requests, try again later"),
    (
        "payment_required",
        402,
        (
            "Insufficient quota and token balance: consider upgrading your subscription on "
            "https://synthetic.new/billing"
        ),
    ),
    ("invalid_key", 401, "Invalid API Key."),
    ("model_retired", 404, "hf:zai-org/GLM-4.6 is no longer supported"),
    (
        "model_prefix_missing",
        400,
        'Your model name should start with an hf: prefix; for example: "hf:gpt-3.5-turbo"',
    ),
    (
        "unknown_route",
        404,
        "API route not found: '/v2/models'. (HINT: Is the URL spelled correctly?)",
    ),
    (
        "tool_name_unresolvable",
        400,
        (
            "Error from inference backend: 400 Kimi K3 tool messages need a resolvable tool name: "
            "carry `tool`/`name`, or match a preceding assistant tool_call by order."
        ),
    ),
    ("image_unsupported", 400, "hf:zai-org/GLM-5.3 does not appear to support image inputs"),
    (
        "body_too_large",
        400,
        "Could not parse request as valid JSON. Unterminated string in JSON at position 10485760",
    ),
    ("forbidden", 403, "Forbidden"),
    ("request_timeout", 408, "Request timeout"),
    ("backend_error", 500, "Error from inference backend: 500 Internal Server Error"),
]
PAGES = [
    ("html_200", 200, "<!DOCTYPE html>"),
    ("payload_too_large", 413, "413"),
    ("bad_gateway", 502, "502"),
    ("unavailable", 503, "<center>nginx</center>"),
    ("gateway_timeout", 504, "504"),
    ("edge_timeout", 524, "524"),
    ("models_down", 503, "Unavailable"),
    ("models_html", 200, "<!DOCTYPE html>"),
]
STALLS = ["stall_before_headers", "stall_mid_stream"]


@pytest.fixture
def client(synthetic_server: SyntheticServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {synthetic_server.api_key}"}
    with httpx.Client(base_url=synthetic_server.url, headers=headers) as client:
        yield client


def asking(*, stream: bool = False) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": "How are you?"}],
        "stream": stream,
    }


def with_fault(
    client: httpx.Client, value: str, *, stream: bool = False, path: str = PATH
) -> httpx.Response:
    return client.post(path, json=asking(stream=stream), headers={"x-stand-in-fault": value})


def data_lines(body: bytes) -> list[str]:
    text = body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    content = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if "event: ping" not in lines:
            content += [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return content


def said(lines: list[str]) -> str:
    result = [json.loads(line) for line in lines if line != "[DONE]"]
    choices = [choice for chunk in result for choice in chunk.get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def tool_deltas(lines: list[str]) -> list[dict[str, Any]]:
    result = [json.loads(line) for line in lines if line != "[DONE]"]
    return [
        call
        for chunk in result
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]


class TestStatuses:
    @pytest.mark.parametrize(("name", "status", "text"), STATUSES)
    def test_an_error_has_its_status_and_exact_text(
        self, client: httpx.Client, name: str, status: int, text: str
    ) -> None:
        reply = with_fault(client, name)
        assert (reply.status_code, reply.json()) == (status, {"error": text})
        assert reply.headers["x-clerk-auth-status"] == "signed-out"

    @pytest.mark.parametrize(("name", "status", "part"), PAGES)
    def test_a_page_of_a_proxy_has_none_of_the_services_headers(
        self, client: httpx.Client, name: str, status: int, part: str
    ) -> None:
        reply = with_fault(client, name)
        assert reply.status_code == status
        assert reply.headers["content-type"] == "text/html"
        assert part in reply.text
        assert "x-clerk-auth-status" not in reply.headers

    @pytest.mark.parametrize(("name", "status"), [("empty_200", 200), ("method_not_allowed", 405)])
    def test_a_body_can_be_empty(self, client: httpx.Client, name: str, status: int) -> None:
        reply = with_fault(client, name)
        assert (reply.status_code, reply.content) == (status, b"")
        assert reply.headers["content-length"] == "0"

    def test_the_subscription_cap_tells_the_reset_in_the_quota_header_only(
        self, client: httpx.Client
    ) -> None:
        reply = with_fault(client, "subscription_cap")
        assert "retry-after" not in reply.headers
        quotas = json.loads(reply.headers["x-synthetic-quotas"])
        assert quotas["rollingFiveHourLimit"]["limited"] is True
        assert quotas["rollingFiveHourLimit"]["remaining"] == 0
        assert quotas["rollingFiveHourLimit"]["nextTickAt"] < quotas["subscription"]["renewsAt"]

    @pytest.mark.parametrize(
        ("value", "retry_after"),
        [
            ("parallel_requests", "1"),
            ("parallel_requests; retry_after=-5", "-5"),
            ("parallel_requests; retry_after=999999999", "999999999"),
            ("parallel_requests; retry_after=soon", "soon"),
            ("parallel_requests; retry_after=null", None),
        ],
    )
    def test_retry_after_can_be_anything(
        self, client: httpx.Client, value: str, retry_after: str | None
    ) -> None:
        assert with_fault(client, value).headers.get("retry-after") == retry_after

    def test_the_callers_key_is_echoed(self, synthetic_server: SyntheticServer) -> None:
        synthetic_server.enqueue(fault("invalid_key_echoed"))
        reply = httpx.post(
            f"{synthetic_server.url}{PATH}",
            json=asking(),
            headers={"Authorization": "Bearer syn_not_for_anyone"},
        )
        assert reply.status_code == 401
        assert "syn_not_for_anyone" in reply.json()["error"]

    def test_a_redirect_that_is_followed_shows_the_prompt_on_the_other_host(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.enqueue(fault("redirect"))
        reply = client.post(PATH, json=asking())
        assert reply.status_code == 307
        assert reply.headers["location"] == f"http://localhost:{synthetic_server.port}{PATH}"
        assert len(synthetic_server.requests) == 1
        synthetic_server.enqueue(fault("redirect", location=f"{synthetic_server.url}/elsewhere"))
        client.post(PATH, json=asking(), follow_redirects=True)
        assert synthetic_server.last_request.path == "/elsewhere"
        assert synthetic_server.last_request.json == asking()

    def test_options_change_a_text(self, client: httpx.Client) -> None:
        reply = with_fault(client, "context_overflow; input_tokens=9; context_tokens=8")
        assert "(9 tokens)" in reply.json()["error"]
        assert "(8 tokens)" in reply.json()["error"]
        assert with_fault(client, "backend_error; text=Oh no").json() == {"error": "Oh no"}


class TestStreams:
    def test_an_overflow_is_the_first_event_of_a_stream_and_a_400_otherwise(
        self, client: httpx.Client
    ) -> None:
        streamed = with_fault(client, "context_overflow_in_stream", stream=True)
        assert streamed.status_code == 200
        assert data_lines(streamed.content) == ['{"error": "Context limit exceeded"}']
        assert with_fault(client, "context_overflow_in_stream").status_code == 400

    def test_an_error_event_comes_after_some_text(self, client: httpx.Client) -> None:
        lines = data_lines(with_fault(client, "error_after_text", stream=True).content)
        assert said(lines[:-1]) == " The beginning of"
        assert "Error from inference backend" in json.loads(lines[-1])["error"]

    def test_a_named_error_event_suits_the_anthropic_api(self, client: httpx.Client) -> None:
        path = "/anthropic/v1/messages"
        reply = with_fault(client, "error_event_named", stream=True, path=path)
        assert "\nevent: error\ndata: " in reply.text
        assert "message_stop" not in reply.text

    def test_a_cut_stream_has_neither_a_finish_nor_done(self, client: httpx.Client) -> None:
        lines = data_lines(with_fault(client, "stream_cut", stream=True).content)
        assert said(lines) == " The beginning of"
        assert "[DONE]" not in lines
        assert all(json.loads(line)["choices"][0]["finish_reason"] is None for line in lines)
        with pytest.raises(ValueError, match="Unterminated string"):
            with_fault(client, "stream_cut").json()

    def test_a_broken_line_is_the_last_thing_said(self, client: httpx.Client) -> None:
        lines = data_lines(with_fault(client, "broken_json_line", stream=True).content)
        assert said(lines[:-1]) == " The beginning"
        with pytest.raises(ValueError, match="Unterminated string"):
            json.loads(lines[-1])

    def test_noise_changes_nothing_of_what_is_said(self, client: httpx.Client) -> None:
        noisy = with_fault(client, "noisy_framing", stream=True).content
        assert noisy.startswith(b"\xef\xbb\xbf: keep-alive\r\n\r\nevent: ping\r\n")
        assert said(data_lines(noisy)) == ' You said: "How are you?"'
        assert data_lines(noisy)[-1] == "[DONE]"

    def test_one_byte_writes_arrive_as_such(self, client: httpx.Client) -> None:
        headers = {"x-stand-in-fault": "one_byte_writes"}
        with client.stream("POST", PATH, json=asking(stream=True), headers=headers) as reply:
            pieces = list(reply.iter_raw())
        assert {len(piece) for piece in pieces} == {1}
        assert said(data_lines(b"".join(pieces))) == " Grüße aus Zürich, 你好 👋"

    @pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 64, 100_000])
    @pytest.mark.parametrize("line_ending", ["\n", "\r\n", "\r"])
    def test_a_stream_says_the_same_however_it_is_cut(
        self,
        synthetic_server: SyntheticServer,
        client: httpx.Client,
        chunk_size: int,
        line_ending: str,
    ) -> None:
        text = " Zürich 👋 said."
        synthetic_server.enqueue(Text(text, chunk_size=chunk_size, line_ending=line_ending))
        assert said(data_lines(client.post(PATH, json=asking(stream=True)).content)) == text

    @pytest.mark.parametrize(
        ("name", "indexes", "ids"),
        [
            ("calls_without_index", [None] * 8, 2),
            ("calls_interleaved", [0, 1] * 4, 2),
            ("calls_repeating_id", [0] * 4 + [1] * 4, 8),
            ("call_with_empty_arguments", [0], 1),
            ("call_with_malformed_arguments", [0] * 4, 1),
        ],
    )
    def test_tool_call_deltas_come_in_odd_forms(
        self, client: httpx.Client, name: str, indexes: list[int | None], ids: int
    ) -> None:
        deltas = tool_deltas(data_lines(with_fault(client, name, stream=True).content))
        assert [delta.get("index") for delta in deltas] == indexes
        assert len([delta for delta in deltas if "id" in delta]) == ids
        plain = with_fault(client, name).json()["choices"][0]["message"]["tool_calls"]
        pieces = "".join(delta["function"]["arguments"] for delta in deltas)
        whole = "".join(call["function"]["arguments"] for call in plain)
        assert sorted(pieces) == sorted(whole)

    @pytest.mark.parametrize(
        ("name", "on_finish", "on_final"),
        [
            ("usage_on_finish", True, False),
            ("usage_on_final", False, True),
            ("usage_on_both", True, True),
            ("usage_nowhere", False, False),
        ],
    )
    def test_usage_is_placed_as_named(
        self, client: httpx.Client, name: str, *, on_finish: bool, on_final: bool
    ) -> None:
        lines = data_lines(with_fault(client, name, stream=True).content)[:-1]
        result = [json.loads(line) for line in lines]
        finishing = next(e for e in result if e["choices"] and e["choices"][0]["finish_reason"])
        assert ("usage" in finishing) is on_finish
        assert [e for e in result if not e["choices"] and "usage" in e] == result[-1:] * on_final

    @pytest.mark.parametrize("stream", [False, True])
    def test_choices_can_be_missing(self, client: httpx.Client, *, stream: bool) -> None:
        reply = with_fault(client, "no_choices", stream=stream)
        body = json.loads(data_lines(reply.content)[0]) if stream else reply.json()
        assert body["choices"] == []

    def test_a_length_stop_can_come_before_any_content(self, client: httpx.Client) -> None:
        choice = with_fault(client, "length_before_answer").json()["choices"][0]
        assert choice["finish_reason"] == "length"
        assert choice["message"]["content"] is None
        assert choice["message"]["reasoning"]
        lines = data_lines(with_fault(client, "length_before_answer", stream=True).content)
        assert said(lines) == ""
        assert json.loads(lines[-2])["choices"][0]["finish_reason"] == "length"

    def test_a_stream_can_be_cut_in_mid_line(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        synthetic_server.enqueue(Stream([{"a": 1}], cut_after_bytes=9))
        assert client.post(PATH, json=asking(stream=True)).content == b'data: {"a'


class TestFraming:
    @given(
        texts=st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))
        ),
        chunk_size=st.one_of(st.none(), st.integers(1, 40)),
        line_ending=st.sampled_from(["\n", "\r\n", "\r"]),
        noise=st.tuples(st.booleans(), st.booleans(), st.booleans()),
        one_write=st.booleans(),
    )
    def test_every_cut_of_a_body_is_the_same_body(
        self,
        texts: list[str],
        chunk_size: int | None,
        line_ending: str,
        noise: tuple[bool, bool, bool],
        *,
        one_write: bool,
    ) -> None:
        bom, comments, pings = noise
        framing = Framing(
            chunk_size=chunk_size,
            line_ending=line_ending,
            bom=bom,
            comments=comments,
            pings=pings,
            one_write=one_write,
        )
        events = [{"text": text} for text in texts]
        pieces = body_pieces(events, framing)
        if chunk_size is not None:
            assert all(len(piece) == chunk_size for piece in pieces[:-1])
        lines = data_lines(b"".join(pieces))
        assert [json.loads(line) for line in lines[:-1]] == events
        assert lines[-1] == "[DONE]"

    def test_events_are_written_as_their_kind_says(self) -> None:
        events: list[AnyEvent] = [
            {"a": "ü"},
            "{broken",
            b": raw\n\n",
            Event("ping", {"b": 1}),
            Event("x", "text"),
        ]
        assert b"".join(body_pieces(events, Framing(done=False))).decode() == (
            'data: {"a": "ü"}\n\ndata: {broken\n\n: raw\n\n'
            'event: ping\ndata: {"b": 1}\n\nevent: x\ndata: text\n\n'
        )

    def test_what_follows_a_cut_takes_the_place_of_done(self) -> None:
        framing = Framing(cut_after=1, then=({"error": "no"},))
        assert body_pieces(["1", "2"], framing) == [b"data: 1\n\n", b'data: {"error": "no"}\n\n']


class TestQuotaHeaders:
    @pytest.mark.parametrize(
        ("name", "pattern"),
        [
            ("quota_empty", r"\{\}"),
            ("quota_junk", r"not \{ json"),
            (
                "quota_2025",
                r'\{"subscription":\{"limit":135,"requests":73\.8,"renewsAt":"[^"]+"\}\}',
            ),
            ("quota_strings", r'\{"subscription":\{"limit":"500",.*"limited":"False"\}\}'),
        ],
    )
    def test_the_header_has_the_named_form(
        self, client: httpx.Client, name: str, pattern: str
    ) -> None:
        for stream in (False, True):
            reply = with_fault(client, name, stream=stream)
            assert reply.status_code == 200
            assert re.fullmatch(pattern, reply.headers["x-synthetic-quotas"])

    def test_the_header_can_be_absent(self, client: httpx.Client) -> None:
        assert "x-synthetic-quotas" not in with_fault(client, "quota_absent").headers

    def test_the_header_can_be_of_any_size(self, client: httpx.Client) -> None:
        reply = with_fault(client, "quota_huge; size=50000")
        assert len(reply.headers["x-synthetic-quotas"]) == 50_000
        with pytest.raises(httpx.RemoteProtocolError):
            with_fault(client, "quota_huge")


class TestConnections:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("name", "failure"),
        [
            ("reset_before_headers", httpx.ReadError),
            ("close_before_headers", httpx.RemoteProtocolError),
            ("reset_mid_body", httpx.ReadError),
            ("close_mid_body", httpx.RemoteProtocolError),
        ],
    )
    def test_a_connection_ends_badly(
        self,
        synthetic_server: SyntheticServer,
        client: httpx.Client,
        name: str,
        failure: type[Exception],
        *,
        stream: bool,
    ) -> None:
        with pytest.raises(failure):
            with_fault(client, name, stream=stream)
        assert synthetic_server.wait_until_idle()

    @pytest.mark.parametrize("name", ["reset_mid_body", "close_mid_body", "stall_mid_stream"])
    def test_what_was_said_before_the_end_arrives(self, client: httpx.Client, name: str) -> None:
        output = b""
        headers = {"x-stand-in-fault": name}
        with client.stream("POST", PATH, json=asking(stream=True), headers=headers) as reply:
            pieces = reply.iter_raw()
            while said(data_lines(output)) != " The beginning of":
                output += next(pieces)
            if name != "stall_mid_stream":
                with pytest.raises(httpx.TransportError):
                    next(pieces)

    @pytest.mark.parametrize("name", STALLS)
    def test_silence_lasts_until_the_client_gives_up(
        self, synthetic_server: SyntheticServer, client: httpx.Client, name: str
    ) -> None:
        headers = {"x-stand-in-fault": name}
        with pytest.raises(httpx.ReadTimeout):
            client.post(PATH, json=asking(), headers=headers, timeout=0.1)
        assert synthetic_server.wait_until_idle()

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_slow_reply_is_whole_in_the_end(self, client: httpx.Client, *, stream: bool) -> None:
        began = time.monotonic()
        reply = with_fault(client, "slow_drip; delay_seconds=0.002; chunk_size=20", stream=stream)
        assert time.monotonic() - began > 0.02
        text = (
            said(data_lines(reply.content))
            if stream
            else reply.json()["choices"][0]["message"]["content"]
        )
        assert text == " Slowly but surely."


class TestModelsLists:
    def test_every_fault_of_the_list_can_be_set_and_taken_back(
        self, synthetic_server: SyntheticServer, client: httpx.Client
    ) -> None:
        good = client.get("/v1/models").content
        for each in FAULTS.values():
            if each.for_models_list:
                synthetic_server.set_models(each.make())
                assert client.get("/v1/models").content != good, each.name
                assert client.post(PATH, json=asking()).status_code == 200
        synthetic_server.reset()
        assert client.get("/v1/models").content == good

    def test_the_lists_are_wrong_as_named(self, client: httpx.Client) -> None:
        def listed(name: str) -> list[Any]:
            reply = client.get("/openai/v1/models", headers={"x-stand-in-fault": name})
            entries: list[Any] = reply.json()["data"]
            return entries

        assert listed("models_empty") == []
        assert listed("models_bad_row")[4]["id"] == 17
        ids = [entry["id"] for entry in listed("models_duplicates")]
        assert len(ids) == len(set(ids)) + 1
        assert [entry["context_length"] for entry in listed("models_negative_limits")][:2] == [
            -1,
            0,
        ]
        assert listed("models_bool_limits")[0]["context_length"] is True
        assert listed("models_text_limits")[0]["context_length"] == "524288"
        prices = [entry["pricing"]["prompt"] for entry in listed("models_odd_prices")[:5]]
        assert prices == ["free", "", "$1e-6", "-0.1", None]
        assert listed("models_odd_prices")[-1]["pricing"] is None
        assert {len(entry) for entry in listed("models_missing_fields")} == {1}
        assert len(listed("models_many; count=100")) == 100

    def test_the_lists_are_unreadable_as_named(self, client: httpx.Client) -> None:
        def listing(name: str) -> httpx.Response:
            return client.get("/openai/v1/models", headers={"x-stand-in-fault": name})

        assert len(listing("models_huge").content) > 5_000_000
        assert list(listing("models_wrong_schema").json()) == ["models"]
        with pytest.raises(ValueError, match="line 1 column"):
            listing("models_truncated").json()


class TestNaming:
    @pytest.mark.parametrize("name", list(FAULTS))
    def test_every_fault_has_its_own_name_and_can_be_made(self, name: str) -> None:
        assert FAULTS[name].name == name
        assert FAULTS[name].shows
        assert named_fault(name) is not None

    def test_the_guide_names_every_fault(self) -> None:
        guide = Path(__file__).parents[2].joinpath("docs", "testing.md").read_text("utf-8")
        assert [name for name in FAULTS if f"`{name}`" not in guide] == []

    def test_an_option_may_be_called_name(self, client: httpx.Client) -> None:
        reply = with_fault(client, "call_with_empty_arguments; name=get_time")
        calls = reply.json()["choices"][0]["message"]["tool_calls"][0]
        assert calls["function"] == {"name": "get_time", "arguments": ""}

    def test_an_unknown_name_or_option_is_an_error_that_says_so(self) -> None:
        with pytest.raises(LookupError, match="'nothing' is not a fault"):
            named_fault("nothing")
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            fault("stream_cut", colour="red")

    @pytest.mark.parametrize("value", ["nothing", "stream_cut; colour=red"])
    def test_a_client_in_another_process_reads_the_error(
        self, client: httpx.Client, value: str
    ) -> None:
        reply = with_fault(client, value)
        assert reply.status_code == 400
        assert reply.json()["error"].startswith("stand-in: ")

    def test_a_fault_can_be_asked_of_any_path(self, client: httpx.Client) -> None:
        for path in ("/v2/quotas", "/v1/models", "/nowhere"):
            reply = client.get(path, headers={"x-stand-in-fault": "unavailable"})
            assert reply.status_code == 503
        reply = client.get("/v2/quotas", headers={"x-stand-in-fault": "quota_empty"})
        assert reply.headers["x-synthetic-quotas"] == "{}"
        reply = client.get("/v2/quotas", headers={"x-stand-in-fault": "stream_cut"})
        assert reply.status_code == 200
        reply = client.get("/v2/quotas", headers={"x-stand-in-fault": "length_before_answer"})
        assert "Text answers model calls" in reply.json()["error"]

    def test_replies_combine(self, synthetic_server: SyntheticServer, client: httpx.Client) -> None:
        synthetic_server.respond_with(
            Either(
                plain=RawJSON(409, {}, {"x-a": "1"}, delay_seconds=0.01),
                stream=Answer(headers={"x-b": "2", "set-cookie": None}, done=False),
            )
        )
        plain = client.post(PATH, json=asking())
        assert (plain.status_code, plain.headers["x-a"]) == (409, "1")
        streamed = client.post(PATH, json=asking(stream=True))
        assert streamed.headers["x-b"] == "2"
        assert "set-cookie" not in streamed.headers
        assert "[DONE]" not in streamed.text

    async def test_faults_do_not_disturb_other_requests(
        self, synthetic_server: SyntheticServer
    ) -> None:
        names = ["stall_before_headers", "reset_mid_body", "slow_drip", "unavailable"]
        headers = {"Authorization": f"Bearer {synthetic_server.api_key}"}
        async with httpx.AsyncClient(
            base_url=synthetic_server.url, headers=headers, timeout=60
        ) as client:
            faulty = [
                asyncio.create_task(
                    client.post(PATH, json=asking(), headers={"x-stand-in-fault": name})
                )
                for name in names * 5
            ]
            good = await asyncio.gather(*(client.post(PATH, json=asking()) for _ in range(20)))
            for task in faulty:
                task.cancel()
            await asyncio.gather(*faulty, return_exceptions=True)
        assert {reply.status_code for reply in good} == {200}
        assert await asyncio.to_thread(synthetic_server.wait_until_idle)
