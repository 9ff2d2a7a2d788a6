"""A refresh returns a better table or raises its one error; the last good one is never lost."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_synthetic.catalog import active, background, fetch
from litellm_synthetic.catalog import cache as table_cache
from litellm_synthetic.catalog.background import Schedule
from litellm_synthetic.catalog.pricing import PRICE_FIELDS
from litellm_synthetic.catalog.refresh import (
    RefreshError,
    RefreshOutcome,
    arefresh,
    check,
    refresh,
    refresh_in_background_if_due,
)
from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.config import settings as catalog_settings
from litellm_synthetic.config import variable
from litellm_synthetic.config.cache_folder import cache_folder
from litellm_synthetic.testing import (
    RawBytes,
    RawJSON,
    Redirect,
    SyntheticServer,
    fault,
    named_fault,
)
from litellm_synthetic.testing.served_models import listed_models
from tests.background_work import end_of_refreshes
from tests.catalog.test_listing import JANUARY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIMI = "hf:moonshotai/Kimi-K3"
ALIAS = "syn:large:text"


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(folder))
    for name in ("SYNTHETIC_CATALOG", "SYNTHETIC_CATALOG_TTL", "SSL_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(variable, "_warned", {})
    monkeypatch.setattr(table_cache, "_warned", set())
    active.forget()
    yield folder
    active.forget()


@pytest.fixture
def server(synthetic_server: SyntheticServer) -> SyntheticServer:
    active.forget()
    return synthetic_server


def asked(server: SyntheticServer) -> int:
    return sum(request.route.endswith("/models") for request in server.requests)


def is_sane(outcome: RefreshOutcome) -> bool:
    for model in outcome.table.catalog.models:
        assert model.context_window_tokens is None or model.context_window_tokens > 0
        assert model.max_output_tokens is None or model.max_output_tokens > 0
        for price in model.prices.model_dump(include=set(PRICE_FIELDS)).values():
            assert price is None or (price.is_finite() and 0 <= price < 1)
    return True


class TestARefresh:
    def test_puts_the_served_list_in_force_and_keeps_it(self, server: SyntheticServer) -> None:
        before = datetime.now(UTC)
        outcome = refresh()
        assert outcome.table is active.current_table()
        assert (outcome.table.source, outcome.table.base_url) == ("refresh", server.openai_base)
        assert outcome.table.fetched_at is not None
        assert before <= outcome.table.fetched_at <= datetime.now(UTC)
        assert (outcome.added, outcome.retired, outcome.skipped) == ((), (), ())
        assert (outcome.not_modified, outcome.cache_note) == (False, None)
        active.forget()
        again = active.current_table()
        assert (again.source, again.fetched_at) == ("cache", outcome.table.fetched_at)
        assert again.catalog == outcome.table.catalog

    async def test_does_the_same_on_an_event_loop(self, server: SyntheticServer) -> None:
        server.set_models([row for row in listed_models() if row["id"] != KIMI])
        outcome = await arefresh()
        assert outcome.retired == (KIMI,)
        assert outcome.table is active.current_table()

    def test_sends_no_key_no_cookie_and_nothing_else_that_names_anyone(
        self, server: SyntheticServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password secret\n", "utf-8")
        monkeypatch.setenv("NETRC", str(netrc))
        reply = RawJSON(200, {"data": listed_models()}, {"Set-Cookie": "S=1; Path=/"})
        server.set_models(reply)
        refresh()
        refresh()
        for request in server.requests:
            assert (request.method, request.path) == ("GET", "/openai/v1/models")
            assert {name.lower() for name in request.headers} == {
                "host", "accept", "accept-encoding", "user-agent",
            }  # fmt: skip  # one set

    def test_names_what_was_added_changed_and_retired(self, server: SyntheticServer) -> None:
        refresh()
        rows = [row for row in listed_models() if row["id"] != KIMI]
        rows[0]["context_length"] = 1_048_576
        server.set_models([*rows, {"id": "hf:new/model"}])
        outcome = refresh()
        assert outcome.added == ("hf:new/model",)
        assert outcome.retired == (KIMI,)
        (change,) = outcome.changed
        assert (change.id, change.field) == (ALIAS, "context_window_tokens")
        assert (change.before, change.after) == (524_288, 1_048_576)
        server.set_models(listed_models())
        assert refresh().added == (KIMI,)

    def test_reads_the_list_of_january(self, server: SyntheticServer) -> None:
        server.set_models(RawBytes(200, JANUARY, "application/json"))
        outcome = refresh()
        assert len(outcome.added) == 18
        assert len(outcome.table.catalog.current()) == 20  # and the unlisted embedding model
        assert len(outcome.skipped) + len(outcome.unreadable) == 0

    def test_tells_the_listeners(self, server: SyntheticServer) -> None:
        del server
        events: list[object] = []
        remove = active.on_change(events.append)
        outcome = refresh()
        remove()
        assert events == [outcome.table]

    def test_of_another_base_url_leaves_the_others_cache_alone(
        self, server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SYNTHETIC_API_BASE")
        active.forget()
        assert active.current_table().source == "bundled"
        refresh(base_url=server.anthropic_base)
        assert server.last_request.path == "/openai/v1/models"
        assert active.current_table().base_url == server.openai_base
        active.forget()
        assert active.current_table().source == "bundled"

    def test_builds_on_what_another_process_has_seen(self, server: SyntheticServer) -> None:
        active.current_table()
        old = active.current_table()
        server.set_models([*listed_models(), {"id": "hf:new/model"}])
        assert refresh().added == ("hf:new/model",)
        active.set_current_table(old)
        assert refresh().added == ()

    def test_works_without_a_cache(self, server: SyntheticServer, world: Path) -> None:
        world.write_text("a file where the folder should be", "utf-8")
        server.set_models([*listed_models(), {"id": "hf:new/model"}])
        outcome = refresh()
        assert outcome.cache_note is not None
        assert outcome.added == ("hf:new/model",)
        assert active.current_table() is outcome.table

    def test_warns_of_a_collapse_and_believes_it(
        self, server: SyntheticServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.set_models(listed_models()[:3])
        assert len(refresh().retired) == 9
        assert "lacks 9 of the 13 models" in caplog.text


class TestAConditionalRequest:
    REPLY_HEADERS = {"ETag": '"v1"', "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT"}  # noqa: RUF012  # never changed

    def test_is_made_where_the_server_offers_it_and_renews_the_age(
        self, server: SyntheticServer
    ) -> None:
        server.set_models(RawJSON(200, {"data": listed_models()}, self.REPLY_HEADERS))
        first = refresh()
        assert "If-None-Match" not in server.last_request.headers
        active.forget()  # so that the next one has it from the cache
        server.set_models(RawBytes(304, content_type=""))
        second = refresh()
        assert server.last_request.headers["If-None-Match"] == '"v1"'
        assert server.last_request.headers["If-Modified-Since"].startswith("Fri, 20 Nov")
        assert second.not_modified
        assert len(second.changed) + len(second.added) + len(second.retired) == 0
        assert first.table.fetched_at is not None
        assert second.table.fetched_at is not None
        assert second.table.fetched_at > first.table.fetched_at
        refresh()
        assert server.last_request.headers["If-None-Match"] == '"v1"'

    def test_ends_when_the_server_stops_offering_it(self, server: SyntheticServer) -> None:
        server.set_models(RawJSON(200, {"data": listed_models()}, self.REPLY_HEADERS))
        refresh()
        server.set_models(listed_models())
        refresh()
        refresh()
        assert "If-None-Match" not in server.last_request.headers

    def test_is_not_made_with_a_name_that_is_none(self, server: SyntheticServer) -> None:
        server.set_models(RawJSON(200, {"data": listed_models()}, {"ETag": '"' + "x" * 9000}))
        assert refresh().table.etag is None

    def test_that_was_not_made_is_no_reason_for_a_304(self, server: SyntheticServer) -> None:
        server.set_models(RawBytes(304, content_type=""))
        with pytest.raises(RefreshError, match="304"):
            refresh()


RAISING = [
    "models_down", "models_html", "models_truncated", "models_huge", "models_many", "models_empty",
    "models_wrong_schema", "unavailable", "invalid_key", "subscription_cap", "empty_200",
    "reset_before_headers", "close_before_headers", "reset_mid_body", "close_mid_body", "redirect",
]  # fmt: skip  # one table


class TestAFailedRefresh:
    @pytest.mark.parametrize("name", RAISING)
    def test_raises_its_one_error_and_keeps_the_last_good_table(
        self, name: str, server: SyntheticServer, world: Path
    ) -> None:
        good = refresh().table
        (cache,) = world.glob("*.json")
        content = cache.read_bytes()
        server.set_models(named_fault(name))
        with pytest.raises(RefreshError) as excinfo:
            refresh()
        assert server.openai_base in str(excinfo.value)
        assert server.api_key not in str(excinfo.value)
        assert active.current_table() is good
        assert cache.read_bytes() == content

    def test_is_told_apart_by_its_reason(self, server: SyntheticServer) -> None:
        for name, reason in (
            ("models_down", "HTTP 503"),
            ("models_html", "not JSON .content type 'text/html'"),
            ("models_huge", "larger than 2 MiB"),
            ("models_empty", "no usable row"),
            ("redirect", "307: a redirect, which is not followed"),
        ):
            server.set_models(named_fault(name))
            with pytest.raises(RefreshError, match=reason):
                refresh()

    def test_ends_in_time_though_the_server_stalls_or_drips(
        self, server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fetch, "TOTAL_SECONDS", 0.2)
        for name in ("stall_before_headers", "stall_mid_stream", "slow_drip"):
            server.set_models(fault(name))
            with pytest.raises(RefreshError, match=r"no whole reply|Timeout"):
                refresh()

    async def test_may_be_cancelled(self, server: SyntheticServer) -> None:
        server.set_models(fault("stall_before_headers"))
        task = asyncio.create_task(arefresh())
        assert await asyncio.to_thread(server.wait_for_requests, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.drop_active()  # what its thread waits for

    def test_follows_no_redirect(self, server: SyntheticServer) -> None:
        server.set_models(Redirect(f"{server.url}/elsewhere", status=302))
        with pytest.raises(RefreshError):
            refresh()
        assert [request.route for request in server.requests] == ["/openai/v1/models"]

    def test_is_no_gzip_bombs_victim(self, server: SyntheticServer) -> None:
        bomb = gzip.compress(b" " * 100_000_000)
        headers = {"Content-Encoding": "gzip"}
        server.set_models(RawBytes(200, bomb, "application/json", headers))
        with pytest.raises(RefreshError, match="larger than 2 MiB"):
            refresh()

    @pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip"])
    def test_reads_nothing_in_another_encoding(
        self, encoding: str, server: SyntheticServer
    ) -> None:
        headers = {"Content-Encoding": encoding}
        server.set_models(RawBytes(200, b"junk", "application/json", headers))
        with pytest.raises(RefreshError):
            refresh()

    def test_has_no_server_to_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", "http://127.0.0.1:9")
        with pytest.raises(RefreshError, match=r"127\.0\.0\.1:9"):
            refresh()

    @pytest.mark.parametrize(
        "base_url", ["ftp://x", "http://remote.example", "https://me:secret@x", "nonsense"]
    )
    def test_has_a_base_url_that_is_refused(self, base_url: str) -> None:
        with pytest.raises(RefreshError) as excinfo:
            refresh(base_url=base_url)
        assert "secret" not in str(excinfo.value)

    def test_has_certificates_that_are_not_there(
        self, server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del server
        monkeypatch.setenv("SSL_VERIFY", "/nowhere/ca.pem")
        with pytest.raises(RefreshError, match=r"SSL_VERIFY.*CA certificates"):
            refresh()


@pytest.mark.parametrize(
    ("name", "skipped", "unreadable"),
    [
        ("models_bad_row", [4, 12, 13], 0),
        ("models_duplicates", [12], 0),
        ("models_odd_prices", [], 6),
        ("models_negative_limits", [], 4),
        ("models_bool_limits", [], 4),
        ("models_text_limits", [], 4),
        ("models_missing_fields", [], 0),
    ],
)
def test_a_partly_bad_list_costs_what_is_bad_and_is_told(
    name: str, skipped: list[int], unreadable: int, server: SyntheticServer
) -> None:
    server.set_models(named_fault(name))
    outcome = refresh()
    assert [each.index for each in outcome.skipped] == skipped
    assert all(each.reason for each in outcome.skipped)
    assert all(each.reason for each in outcome.unreadable)
    assert len(outcome.unreadable) == unreadable
    assert outcome.retired == ()
    assert is_sane(outcome)


def test_odd_prices_are_unknown_and_never_zero(server: SyntheticServer) -> None:
    server.set_models(fault("models_odd_prices"))
    models = [refresh().table.catalog.by_id[row["id"]] for row in listed_models()]
    inputs = [model.prices.input_usd_per_token for model in models]
    assert inputs[:2] == [None, None]
    assert str(inputs[2]) == "0.000001"
    assert inputs[3] is inputs[5] is None
    assert 0 not in inputs


def test_every_models_fault_of_the_stand_in_is_covered_here() -> None:
    from litellm_synthetic.testing.model_list_faults import (  # noqa: PLC0415  # for this one only
        MODEL_LIST_FAULTS,
    )

    covered = {*RAISING} | {
        "models_bad_row", "models_duplicates", "models_odd_prices", "models_negative_limits",
        "models_bool_limits", "models_text_limits", "models_missing_fields",
    }  # fmt: skip  # one set
    assert {name for name, *_ in MODEL_LIST_FAULTS} <= covered


rows_or_junk = st.lists(
    st.sampled_from(listed_models())
    | st.none()
    | st.fixed_dictionaries(
        {"id": st.sampled_from([ALIAS, KIMI, "hf:new/model", "", 7])},
        optional={
            "context_length": st.integers() | st.floats() | st.text(max_size=4),
            "hugging_face_id": st.sampled_from(["new/model", "", None, 3]),
            "pricing": st.dictionaries(
                st.sampled_from(["prompt", "completion"]),
                st.text(max_size=6) | st.floats() | st.sampled_from(["$1e-6", "-1", "free"]),
            ),
            "reasoning_parameters": st.fixed_dictionaries({"efforts": st.lists(st.text())}),
        },
    ),
    max_size=6,
).map(lambda rows: json.dumps({"data": rows}).encode())


@given(bodies=st.lists(rows_or_junk | st.binary(), min_size=1, max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_served_there_is_a_table_or_the_one_error(
    bodies: list[bytes],
) -> None:
    replies = iter(bodies)

    def served(*_: object, **__: object) -> fetch.Fetched:
        return fetch.Fetched(next(replies), "application/json", None, None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "fetch_listing", served)
        refresh_each(bodies)


def refresh_each(bodies: list[bytes]) -> None:
    for _ in bodies:
        before = active.current_table()
        try:
            outcome = refresh()
        except RefreshError:
            assert active.current_table() is before
        else:
            assert is_sane(outcome)
            assert outcome.cache_note is None
            cached_table = active.stored_table(outcome.table.base_url)
            assert cached_table.catalog == outcome.table.catalog


class TestACheck:
    def test_says_what_a_refresh_would_find_and_changes_nothing(
        self, server: SyntheticServer
    ) -> None:
        refresh()
        before, cached_table = active.current_table(), active.stored_table(server.openai_base)
        server.set_models([row for row in listed_models() if row["id"] != KIMI])
        result = check()
        assert result.retired == (KIMI,)
        assert result.has_drifted
        assert active.current_table() is before
        assert active.stored_table(server.openai_base) == cached_table
        assert refresh().retired == (KIMI,)
        assert not check().has_drifted

    def test_writes_no_file(self, server: SyntheticServer) -> None:
        del server
        check()
        assert not cache_folder().exists()
        assert active.current_table().source == "bundled"

    def test_raises_as_a_refresh_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
        with pytest.raises(RefreshError, match="SYNTHETIC_CATALOG=offline"):
            check()


def test_a_price_that_litellm_could_not_charge_is_unknown_and_told(
    server: SyntheticServer,
) -> None:
    rows = [dict(row) for row in listed_models()]
    rows[0]["pricing"] = {**rows[0]["pricing"], "request": "$0.002"}
    server.set_models(rows)
    outcome = refresh()
    model = outcome.table.catalog.by_id[rows[0]["id"]]
    assert not model.is_priced
    (message,) = outcome.unreadable
    assert (message.id, message.field) == (model.id, "pricing.request")
    assert message.reason.startswith("a price per request; LiteLLM cannot charge it")


def test_offline_sends_nothing_even_when_asked_to(
    server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_CATALOG", "Offline")
    with pytest.raises(RefreshError, match="SYNTHETIC_CATALOG=offline"):
        refresh()
    refresh_in_background_if_due(server.openai_base)
    assert asked(server) == 0
    assert active.current_table().source == "bundled"


class TestSettings:
    def test_what_is_not_understood_is_taken_as_the_default_and_said_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_CATALOG", "sometimes")
        monkeypatch.setenv("SYNTHETIC_CATALOG_TTL", "4h")
        for _ in range(3):
            assert catalog_settings.CATALOG.value() == "auto"
            assert catalog_settings.CATALOG_TTL.value() == 14_400
        assert catalog_settings.CATALOG.stated() is None
        assert len(caplog.messages) == 2

    @pytest.mark.parametrize("message", ["0", "-1", "nan", "inf", "1e400"])
    def test_a_time_to_live_is_positive_and_finite(
        self, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_CATALOG_TTL", message)
        assert catalog_settings.CATALOG_TTL.value() == 14_400

    def test_a_time_to_live_may_be_any_other_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_CATALOG_TTL", " 0.5 ")
        assert catalog_settings.CATALOG_TTL.value() == 0.5

    def test_the_default_base_url_is_the_endpoints(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from litellm_synthetic.config import endpoint  # noqa: PLC0415  # for this one only

        monkeypatch.delenv("SYNTHETIC_API_BASE", raising=False)
        assert catalog_settings.models_base_url() == endpoint.DEFAULT_BASE_URL

    @pytest.mark.parametrize(
        ("message", "base_url"),
        [
            ("https://api.synthetic.new/anthropic", "https://api.synthetic.new/openai/v1"),
            ("https://api.synthetic.new/anthropic/v1", "https://api.synthetic.new/openai/v1"),
            ("https://gw.example/x/anthropic/v1/", "https://gw.example/x/openai/v1"),
            ("https://api.synthetic.new", "https://api.synthetic.new/openai/v1"),
            ("https://api.synthetic.new/v1/models", "https://api.synthetic.new/v1"),
        ],
    )
    def test_the_list_is_asked_for_on_the_openai_api(self, message: str, base_url: str) -> None:
        assert catalog_settings.models_base_url(message) == base_url


@pytest.fixture
def auto(server: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> SyntheticServer:
    """Have a stand-in asked by itself, which takes the explicit word."""
    monkeypatch.setenv("SYNTHETIC_CATALOG", "auto")
    return server


class Attempts:
    """Stand for the fetching in a schedule: count, wait, fail as told."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.schedule = Schedule(self)

    def __call__(self, base_url: str) -> active.ModelTable:
        self.made.append(base_url)
        self.gate.wait(60)
        if self.error is not None:
            raise self.error
        return active.ModelTable(load_bundled(), "refresh", datetime.now(UTC), base_url)

    def call(self, base_url: str = "https://api.synthetic.new/openai/v1") -> None:
        self.schedule.start_if_due(base_url)

    def settle(self) -> None:
        assert self.schedule.join(60)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempts]:
    monkeypatch.delenv("SYNTHETIC_API_BASE", raising=False)
    attempts = Attempts()
    yield attempts
    attempts.gate.set()
    attempts.settle()
    active._state.when_forgotten.remove(attempts.schedule.forget)  # noqa: SLF001  # not the process's


class Clock:
    """Stand for the monotonic clock of the schedule."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(background, "monotonic", clock)
    return clock


class TestInTheBackground:
    def test_the_first_call_starts_one_refresh_and_later_calls_none(
        self, auto: SyntheticServer
    ) -> None:
        for _ in range(5):
            refresh_in_background_if_due(auto.openai_base)
        end_of_refreshes()
        for _ in range(5):
            refresh_in_background_if_due(auto.openai_base)
        end_of_refreshes()
        assert asked(auto) == 1
        assert active.current_table().source == "refresh"

    def test_a_fresh_cache_is_enough(self, auto: SyntheticServer) -> None:
        refresh()
        active.forget()
        refresh_in_background_if_due(auto.openai_base)
        end_of_refreshes()
        assert asked(auto) == 1
        assert active.current_table().source == "cache"

    def test_no_request_waits_for_it(self, auto: SyntheticServer) -> None:
        auto.set_models(fault("stall_before_headers"))
        refresh_in_background_if_due(auto.openai_base)
        assert auto.wait_for_requests(1)
        assert auto.active_requests == 1  # it is still waited for, but not by us
        assert active.current_table().source == "bundled"
        auto.drop_active()
        end_of_refreshes()

    def test_a_stand_in_is_not_asked_unless_told_so(self, server: SyntheticServer) -> None:
        refresh_in_background_if_due(server.openai_base)
        end_of_refreshes()
        assert server.requests == []

    def test_a_server_that_is_down_is_no_requests_concern(
        self, auto: SyntheticServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        auto.set_models(fault("models_down"))
        for _ in range(3):
            refresh_in_background_if_due(auto.openai_base)
            end_of_refreshes()
        assert asked(auto) == 1
        assert caplog.text.count("HTTP 503") == 1
        assert active.current_table().source == "bundled"

    def test_threads_start_one_refresh_between_them(self, attempts: Attempts) -> None:
        attempts.gate.clear()
        barrier = threading.Barrier(16)

        def call() -> None:
            barrier.wait()
            for _ in range(50):
                attempts.call()

        threads = [threading.Thread(target=call) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        attempts.gate.set()
        attempts.settle()
        attempts.call()
        attempts.settle()
        assert len(attempts.made) == 1

    def test_calls_to_another_host_leave_the_table_alone(self, attempts: Attempts) -> None:
        attempts.call("https://gateway.example/v1")
        attempts.call("nonsense")
        attempts.settle()
        assert attempts.made == []

    def test_another_spelling_of_the_base_url_refreshes_the_table_in_force(
        self, attempts: Attempts
    ) -> None:
        attempts.call("https://api.synthetic.new:443/v1/")
        attempts.settle()
        assert attempts.made == ["https://api.synthetic.new/openai/v1"]

    def test_a_long_running_process_stays_fresh(
        self, attempts: Attempts, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attempts.call()
        attempts.settle()
        for hours, expected in ((1, 1), (3.9, 1), (4.1, 2)):
            table = active.current_table()
            old = datetime.now(UTC) - timedelta(hours=hours)
            aged = active.ModelTable(table.catalog, "refresh", old, table.base_url)
            active.set_current_table(aged)
            clock.now += background.RECONSIDER_SECONDS + 1
            attempts.call()
            attempts.settle()
            assert len(attempts.made) == expected
        monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
        active.forget()
        attempts.call()
        assert len(attempts.made) == 2

    def test_a_failure_is_said_once_and_tried_again_later_and_later(
        self, attempts: Attempts, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG", logger="litellm_synthetic")
        attempts.error = RefreshError("it is down")
        pauses = [60, 120, 240, 480, 960, 1920, 3600, 3600]
        for result, pause in enumerate(pauses, start=1):
            attempts.call()
            attempts.settle()
            assert len(attempts.made) == result
            for _ in range(20):
                clock.now += (pause - 1) / 20
                attempts.call()
                attempts.settle()
            assert len(attempts.made) == result
            clock.now += 1.1
        levels = [each.levelname for each in caplog.records if "it is down" in each.message]
        assert levels == ["WARNING"] + ["DEBUG"] * (len(pauses) - 1)

    def test_a_success_ends_the_back_off(self, attempts: Attempts, clock: Clock) -> None:
        attempts.error = RefreshError("it is down")
        attempts.call()
        attempts.settle()
        attempts.error = None
        clock.now += 61
        attempts.call()
        attempts.settle()
        assert len(attempts.made) == 2
        assert active.current_table().source == "refresh"

    def test_what_was_forgotten_meanwhile_is_not_put_in_force(self, attempts: Attempts) -> None:
        attempts.gate.clear()
        attempts.call()
        active.forget()
        attempts.gate.set()
        attempts.settle()
        assert len(attempts.made) == 1
        assert active.current_table().source == "bundled"

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX only")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_forked_child_is_not_bound_by_its_parents_locks(self, tmp_path: Path) -> None:
        # In a process of its own: a fork of this one would inherit the test runner's threads.
        script = """
import os, threading
from datetime import UTC, datetime
from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.catalog.background import Schedule

made = []

def renew(base_url):
    made.append(base_url)
    return active.ModelTable(load_bundled(), "refresh", datetime.now(UTC), base_url)

schedule = Schedule(renew)
with active._state.table_lock, schedule._lock:  # as another thread of the parent may
    child = os.fork()
    if child == 0:
        schedule.start_if_due("https://api.synthetic.new/openai/v1")
        os._exit(0 if schedule.join(60) and len(made) == 1 else 1)
_, status = os.waitpid(child, 0)
raise SystemExit(os.waitstatus_to_exitcode(status))
"""
        environment = {
            **os.environ,
            "SYNTHETIC_CACHE_DIR": str(tmp_path),
            "SYNTHETIC_CATALOG": "auto",
        }
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", script], env=environment, check=False
        )
        assert done.returncode == 0

    def test_even_a_bug_stays_in_its_thread(
        self, attempts: Attempts, caplog: pytest.LogCaptureFixture
    ) -> None:
        attempts.error = KeyError("bug")
        attempts.call()
        attempts.settle()
        assert "bug" in caplog.text

    def test_a_system_without_threads_is_no_requests_concern(
        self, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(_self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        attempts.call()
        monkeypatch.undo()
        attempts.schedule._thread = None  # noqa: SLF001  # it never ran
        assert "could not be checked" in caplog.text


HOLDER = """
import sys, filelock
lock = filelock.FileLock(sys.argv[1])
with lock:
    print("held", flush=True)
    sys.stdin.read()
"""


class TestOverProcesses:
    def test_while_another_process_refreshes_nothing_is_fetched(
        self, attempts: Attempts, clock: Clock, world: Path
    ) -> None:
        world.mkdir()
        base_url = active.current_table().base_url
        path = table_cache.cache_file(base_url, ".lock")
        holder = subprocess.Popen(  # noqa: S603  # our own script
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        attempts.call()
        attempts.settle()
        assert attempts.made == []
        # It leaves its table behind, which is taken up at the next check.
        table = table_cache.CachedTable(base_url, datetime.now(UTC), load_bundled())
        assert table_cache.write_cache(table) is None
        holder.communicate("")
        clock.now += background.UNDER_WAY_SECONDS + 1
        attempts.call()
        attempts.settle()
        assert attempts.made == []
        assert active.current_table().source == "cache"

    def test_processes_fetch_once_between_them(self, auto: SyntheticServer) -> None:
        auto.set_models(RawJSON(200, {"data": listed_models()}, delay_seconds=0.3))
        script = (
            "import sys, time;"
            "from litellm_synthetic.catalog import active, refresh;"
            "active.current_table();"
            "import urllib3, filelock;"
            "print('ready', flush=True); sys.stdin.readline();"
            "refresh.refresh_in_background_if_due(sys.argv[1]);"
            "assert refresh._schedule.join(60)"
        )
        processes = [
            subprocess.Popen(  # noqa: S603  # our own script
                [sys.executable, "-c", script, auto.openai_base],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.communicate()
            assert process.returncode == 0
        assert asked(auto) == 1

    def test_without_a_lock_file_each_process_fetches_for_itself(
        self, attempts: Attempts, world: Path
    ) -> None:
        world.write_text("a file where the folder should be", "utf-8")
        attempts.call()
        attempts.settle()
        assert len(attempts.made) == 1
