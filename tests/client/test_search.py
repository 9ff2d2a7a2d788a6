"""Searching the web: what is sent and where, what comes back, and what every failure says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.client.search_results import SearchResult, SearchResults, read_results
from litellm_synthetic.errors.faults import UnreadableReplyError
from litellm_synthetic.testing import KeyEcho, RawBytes, RawJSON, fault, named_fault

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

URL = "https://fox.example/den"


async def test_a_search_returns_typed_results(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    found = await caller.search("red foxes")
    assert isinstance(found, SearchResults)
    assert (found.query, len(found), found.skipped) == ("red foxes", 3, ())
    assert next(iter(found)) == SearchResult(
        url="https://example.com/1",
        title="Result 1 for red foxes",
        text="A made-up page about red foxes.",
        published=datetime(2026, 1, 31, tzinfo=UTC),
        published_text="2026-01-31T00:00:00.000Z",
    )
    request = synthetic_server.last_request
    assert (request.method, request.path, request.json) == (
        "POST",
        "/v2/search",
        {"query": "red foxes"},
    )
    assert request.bearer == synthetic_server.api_key
    assert "x-api-key" not in request.headers


async def test_highlights_come_in_place_of_text(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_search_results([{"url": URL, "highlights": ["one", 2, "three"]}])
    found = await caller.search("foxes")
    assert found.results == (SearchResult(url=URL, highlights=("one", "three")),)


async def test_nothing_found_is_no_error(caller: Caller, synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_search_results([])
    assert (await caller.search("foxes")).results == ()


# ---- where to, and with which key


@pytest.mark.parametrize(
    "form",
    [
        "{url}", "{url}/", "{url}/v1", "{url}/openai/v1", "{url}/openai/v1/chat/completions",
        "{url}/anthropic", "{url}/anthropic/v1/messages", "{url}/v2", "{url}/v2/search",
    ],
)  # fmt: skip  # one list, read as one
@pytest.mark.parametrize("given_as", ["argument", "variable"])
def test_every_form_of_the_base_url_leads_to_the_search(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch, form: str, given_as: str
) -> None:
    import litellm_synthetic  # noqa: PLC0415  # beside its use

    base = form.format(url=synthetic_server.url)
    if given_as == "variable":
        monkeypatch.setenv("SYNTHETIC_API_BASE", base)
    found = litellm_synthetic.search("x", api_base=base if given_as == "argument" else None)
    assert len(found) == 3
    assert synthetic_server.last_request.path == "/v2/search"


async def test_an_unknown_base_url_is_refused_with_the_form_that_works(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    with pytest.raises(litellm.BadRequestError, match=r"ends in /v2") as caught:
        await caller.search("x", api_base=f"{synthetic_server.url}/our/models", api_key="k")
    assert caught.value.llm_provider == "synthetic"
    assert not synthetic_server.requests


async def test_plain_http_to_another_machine_is_refused(caller: Caller) -> None:
    with pytest.raises(litellm.BadRequestError, match="unencrypted"):
        await caller.search("x", api_base="http://search.example", api_key="syn_mine")


async def test_the_environments_key_does_not_go_to_an_origin_that_only_the_call_names(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    elsewhere = f"http://localhost:{synthetic_server.port}"
    with pytest.raises(litellm.AuthenticationError, match="Pass api_key= with api_base=") as caught:
        await caller.search("x", api_base=elsewhere)
    assert synthetic_server.api_key not in str(caught.value)
    assert not synthetic_server.requests
    assert len(await caller.search("x", api_base=elsewhere, api_key=synthetic_server.api_key)) == 3


async def test_synthetics_own_key_does_not_go_to_another_port(
    caller: Caller, synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_BASE")
    with pytest.raises(litellm.AuthenticationError, match=r"the key for https://api\.synthetic"):
        await caller.search("x", api_base=synthetic_server.url)
    assert not synthetic_server.requests


async def test_no_other_vendors_key_is_sent(
    caller: Caller, synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setattr(litellm, "api_key", "sk-shared")
    with pytest.raises(litellm.AuthenticationError, match="SYNTHETIC_API_KEY"):
        await caller.search("x")
    assert not synthetic_server.requests


async def test_a_redirect_is_not_followed(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_search_results(fault("redirect"))
    with pytest.raises(litellm.APIError, match="redirects"):
        await caller.search("x")
    assert len(synthetic_server.requests) == 1


async def test_a_cookie_is_not_kept(caller: Caller, synthetic_server: SyntheticServer) -> None:
    cookie = {"Set-Cookie": "S=someone; Path=/"}
    synthetic_server.set_search_results(RawJSON(200, {"results": []}, cookie))
    await caller.search("x")
    await caller.search("x")
    assert "cookie" not in synthetic_server.last_request.headers


async def test_a_refusal_that_repeats_the_key_is_redacted(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_search_results(KeyEcho())
    with pytest.raises(litellm.AuthenticationError, match="redacted") as caught:
        await caller.search("x")
    assert synthetic_server.api_key not in repr(caught.value) + str(caught.value)


# ---- what failures say


@pytest.mark.parametrize("query", ["", " \n", None, 7, ["foxes"]])
async def test_a_query_must_be_a_text(
    caller: Caller, synthetic_server: SyntheticServer, query: Any
) -> None:
    with pytest.raises(litellm.BadRequestError, match="query"):
        await caller.search(query)
    assert not synthetic_server.requests


async def test_a_query_that_json_cannot_hold_is_refused(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    with pytest.raises(litellm.BadRequestError, match="JSON"):
        await caller.search("\ud800")
    assert not synthetic_server.requests


async def test_an_account_without_a_subscription_is_told_so(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_quotas({})
    with pytest.raises(litellm.PermissionDeniedError, match="Search needs a subscription"):
        await caller.search("x")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payment_required", 402),
        ("forbidden", 403),
        ("unknown_route", 404),
        ("model_retired", 404),
        ("subscription_cap", 429),
        ("too_many_requests", 429),
    ],
)
async def test_what_may_be_the_plan_names_the_subscription_and_no_model(
    caller: Caller, synthetic_server: SyntheticServer, name: str, status: int
) -> None:
    synthetic_server.set_search_results(named_fault(name))
    with pytest.raises(openai.APIError, match="Search needs a subscription") as caught:
        await caller.search("x")
    error: Any = caught.value
    assert (error.status_code, error.llm_provider, error.model) == (status, "synthetic", "search")
    assert "another model" not in str(error)
    assert len(synthetic_server.requests) == 1


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("name", ["backend_error", "unavailable", "edge_timeout", "bad_gateway"])
async def test_a_failing_server_is_asked_again(
    caller: Caller, synthetic_server: SyntheticServer, name: str
) -> None:
    replies = [named_fault(name), None]
    synthetic_server.set_search_results(lambda _: replies.pop(0))
    assert len(await caller.search("x")) == 3
    assert len(synthetic_server.requests) == 2


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("name", ["backend_error", "edge_timeout"])
async def test_advice_about_models_and_streams_is_not_given(
    caller: Caller, synthetic_server: SyntheticServer, name: str
) -> None:
    synthetic_server.set_search_results(named_fault(name))
    with pytest.raises(openai.APIError, match=r"(?i)try again") as caught:
        await caller.search("x")
    assert "model" not in str(caught.value)
    assert "stream" not in str(caught.value)


async def test_the_timeout_bounds_the_whole_call(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_search_results(fault("stall_before_headers"))
    with pytest.raises(litellm.Timeout, match="Raise the limit") as caught:
        await caller.search("x", timeout=0.2)
    assert "model" not in caught.value.message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html><title>Hello</title>", "not JSON"),
        (b"", "empty"),
        (b"[]", "not an object"),
        (b"{}", "no list of results"),
        (b'{"results": {"url": "https://a.example"}}', "no list of results"),
        (b'{"results": null}', "no list of results"),
        (b'{"results": [{"url": "javascript:alert(1)"}]}', "none of its 1 results"),
        (b'{"results": [1, 2]}', "none of its 2 results"),
        (b"[" * 100_000, "not JSON"),
        (b'{"results": [{"url": "https://a.exa', "not JSON"),
    ],
)
async def test_a_reply_that_holds_no_results_is_one_clear_error(
    caller: Caller, synthetic_server: SyntheticServer, body: bytes, reason: str
) -> None:
    synthetic_server.set_search_results(RawBytes(200, body, "text/html"))
    with pytest.raises(litellm.APIError, match=reason) as caught:
        await caller.search("x")
    assert (caught.value.status_code, caught.value.llm_provider) == (502, "synthetic")


async def test_an_error_inside_a_200_is_raised(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    body = {"error": {"message": "search is down", "code": 503}}
    synthetic_server.set_search_results(RawJSON(200, body))
    with pytest.raises(litellm.ServiceUnavailableError, match="search is down"):
        await caller.search("x")


async def test_five_megabytes_of_text_are_taken_whole(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    long = "word " * 1_000_000
    synthetic_server.set_search_results([{"url": URL, "text": long}])
    assert next(iter(await caller.search("x"))).text == long


async def test_a_bad_row_is_skipped_and_counted(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    synthetic_server.set_search_results(["row", {"url": URL}, {"url": "javascript:alert(1)"}, {}])
    found = await caller.search("x")
    assert [result.url for result in found] == [URL]
    assert [each.index for each in found.skipped] == [0, 2, 3]
    assert "javascript" not in repr(found.skipped)


async def test_a_row_is_not_lost_for_its_other_fields(
    caller: Caller, synthetic_server: SyntheticServer
) -> None:
    row = {"url": URL, "title": 7, "text": ["a"], "highlights": {"a": 1}, "published": 1769817600}
    synthetic_server.set_search_results([row])
    assert (await caller.search("x")).results == (SearchResult(url=URL),)


# ---- the parser


def only(row: object) -> SearchResult:
    (result,) = read_results({"results": [row]}, "x").results
    return result


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T10:20:30.000Z", datetime(2026, 1, 31, 10, 20, 30, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:20:30", datetime(2026, 1, 31, 10, 20, 30, tzinfo=UTC)),
        (
            "2026-01-31T10:20:30+02:00",
            datetime(2026, 1, 31, 10, 20, 30, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("last Tuesday", None),
        ("2026-13-45", None),
        ("9999999", None),
    ],
)
def test_a_date_is_aware_or_unknown_and_its_text_is_kept(
    text: str, moment: datetime | None
) -> None:
    result = only({"url": URL, "published": text})
    assert (result.published, result.published_text) == (moment, text)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.example", "a.example",
        "https://", "https:///x", "https://good.example@evil.example/", "https://a.example\\@b",
        "https://a.example/\x1b[31m", "https://a.example/\u202egpj", "https://a.example/a b",
        "https://a.example:99999999/", "https://[::1", "", None, 7,
        "https://a.example/" + "a" * 9000,
    ],
)  # fmt: skip  # one list, read as one
def test_what_is_no_web_address_is_no_result(url: object) -> None:
    document = {"results": [{"url": url}, {"url": URL}]}
    found = read_results(document, "x")
    assert [result.url for result in found] == [URL]
    assert [each.index for each in found.skipped] == [0]


def test_lone_surrogates_do_not_reach_the_caller() -> None:
    result = only(json.loads('{"url": "https://a.example", "title": "a\\ud800b"}'))
    assert result.title == "a?b"


def is_sound(url: str) -> bool:
    # Not httpx.URL: it refuses hosts that browsers open, such as those with an emoji.
    return (
        re.match(r"https?://[^/?#@]", url, re.IGNORECASE) is not None
        and url.isprintable()
        and not re.search(r"[\s\\]", url)
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELD = st.sampled_from(["url", "title", "text", "highlights", "published"])
DATES = st.datetimes().map(lambda moment: moment.isoformat())
WORDS = st.sampled_from([URL, "http://a.example", "javascript:x", "2026-01-31T00:00:00Z", "\ud800"])
ROW = JSON | st.dictionaries(FIELD, JSON | WORDS | DATES | st.lists(WORDS))


@given(st.dictionaries(st.just("results"), JSON | st.lists(ROW)))
def test_every_document_becomes_sound_results_or_one_error(document: dict[str, Any]) -> None:
    try:
        found = read_results(document, "x")
    except UnreadableReplyError:
        return
    assert len(found) + len(found.skipped) == len(document["results"])
    for result in found:
        assert is_sound(result.url)
        assert result.published is None or result.published.tzinfo is not None
        texts = [result.title, result.text, result.published_text, *result.highlights]
        assert all(text.encode() and text.strip() for text in texts if text is not None)


@given(st.text())
def test_any_text_as_an_address_is_sound_or_skipped(text: str) -> None:
    found = read_results({"results": [{"url": URL}, {"url": f"https://{text}"}]}, "x")
    assert all(is_sound(result.url) for result in found)
