"""The command `quotas`: bars, one line, JSON, exit codes, and the history in its file."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from litellm_synthetic.cli import quotas_history
from litellm_synthetic.cli.quotas import state_of
from litellm_synthetic.cli.quotas_history import History, Look, UnusableHistoryError, paces
from litellm_synthetic.cli.quotas_view import bars, fields, history_lines, status_line
from litellm_synthetic.cli.terminal import Screen, plain
from litellm_synthetic.quota.report import parse_quotas
from litellm_synthetic.quota.state import STATE, KnownQuotas
from litellm_synthetic.testing.quotas import form_of_2025, header_value, newest_form
from tests.cli.invocation import invoke
from tests.terminal_session import CTRL_C, TerminalSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litellm_synthetic.testing import SyntheticServer

run = partial(invoke, "quotas")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
USED = st.integers(0, 600)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    STATE.forget()
    yield
    STATE.forget()


def report(requests_used: int = 0, **options: Any) -> dict[str, Any]:
    return newest_form(NOW.timestamp(), requests_used=requests_used, **options)


def known(document: dict[str, Any]) -> KnownQuotas:
    return KnownQuotas(parse_quotas(header_value(document)), 0.0, NOW)


def shown(state: KnownQuotas, width: int | None = 80) -> list[str]:
    return [plain(each) for each in bars(state, Screen(width, has_glyphs=width is not None))]


def serve(server: SyntheticServer, **options: Any) -> None:
    server.set_quotas(newest_form(datetime.now(UTC).timestamp(), **options))


@pytest.mark.parametrize(
    ("options", "code", "state"),
    [
        ({}, 0, "fine"),
        ({"requests_used": 390}, 0, "fine"),
        ({"requests_used": 410}, 1, "low"),
        ({"limited": True}, 2, "empty"),
    ],
)
def test_the_exit_code_is_how_the_plan_stands(
    synthetic_server: SyntheticServer, options: Any, code: int, state: str
) -> None:
    serve(synthetic_server, **options)
    assert json.loads(run("--json", code=code).stdout)["state"] == state
    assert run("--format", "{state}", code=code).stdout == f"{state}\n"


def test_no_plan_is_unknown_and_never_unlimited(synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_quotas({})
    result = run(code=3)
    assert result.stdout == ""
    assert "What is left is not known." in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_watching_asks_again_until_it_is_interrupted(
    synthetic_server: SyntheticServer, tmp_path: Path
) -> None:
    serve(synthetic_server, requests_used=410)
    with TerminalSession(
        ["quotas", "--watch", "1"],
        folder=tmp_path,
        environment={
            "SYNTHETIC_API_KEY": synthetic_server.api_key,
            "SYNTHETIC_API_BASE": synthetic_server.openai_base,
            "SYNTHETIC_CACHE_DIR": str(tmp_path / "cache"),
        },
    ) as terminal:
        terminal.wait_for("90 of 500")
        serve(synthetic_server, requests_used=420)
        terminal.wait_for("80 of 500")
        terminal.type(CTRL_C)
        assert terminal.end() == 1  # low, as last seen


@pytest.mark.usefixtures("synthetic_server")
@pytest.mark.parametrize("key", [None, "syn_not_the_key"])
def test_a_failure_is_unknown_and_one_error(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    if key is None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
    else:
        monkeypatch.setenv("SYNTHETIC_API_KEY", key)
    result = run("--format", code=3)
    assert "error: " in result.stderr
    assert "syn_not_the_key" not in result.output


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["--json", "--format"], ["--watch", "0"], ["--format", "{x}"]]
)
def test_a_wrong_command_line_does_not_look_like_an_empty_plan(arguments: list[str]) -> None:
    assert "error: " in run(*arguments, code=3).stderr


def test_a_bucket_gains_and_never_resets() -> None:
    text = "\n".join(shown(known(report(136, resets_in_seconds=720))))
    assert "364 of 500" in text
    assert "+25 in 12 min" in text
    assert "reset" not in text.lower()


def test_a_full_bucket_gains_nothing() -> None:
    first, *_ = shown(known(report()))
    assert "in 15 min" not in first


def test_a_window_is_shown_against_the_time_that_has_passed() -> None:
    document = report()
    document["search"]["hourly"] |= {
        "requests": 200,
        "renewsAt": (NOW + timedelta(minutes=15)).isoformat(),
    }
    assert any("80% used, 75% of the time gone" in line for line in shown(known(document)))


def test_the_pace_says_when_it_will_be_empty_or_that_it_lasts() -> None:
    state = known(report(400))
    fast = replace(state, per_second={"five_hours": 1.0})
    assert any("3600 an hour of late: empty in 2 min" in line for line in shown(fast))
    slow = replace(state, per_second={"five_hours": 0.001})
    assert any("which lasts" in line for line in shown(slow))


@given(USED, st.sampled_from([None, 30, 40, 80, 140]))
def test_bars_fit_any_terminal(used: int, width: int | None) -> None:
    for line in shown(known(report(used)), width):
        assert cell_len(line) <= max(width or 140, 44)


def test_what_is_left_is_never_drawn_as_nothing_or_as_full() -> None:
    nearly_empty, nearly_full = (shown(known(report(used)))[0] for used in (499, 1))
    assert "█" in nearly_empty
    assert "░" in nearly_full


def test_a_pipe_gets_plain_text(synthetic_server: SyntheticServer) -> None:
    serve(synthetic_server, requests_used=250)
    assert run().stdout.isascii()


class TestTheLine:
    def test_has_what_is_asked_for(self) -> None:
        line = status_line(known(report(136)), "{requests_left}/{requests_limit} {percent}", "fine")
        assert line == "364/500 73%"

    def test_says_question_mark_for_what_is_not_known(self) -> None:
        template = " ".join(f"{{{name}}}" for name in fields(None, "unknown"))
        assert set(status_line(None, template, "unknown").split()) == {"unknown", "?"}

    @given(st.text())
    def test_is_made_of_any_template_or_is_an_error_that_names_the_fields(
        self, template: str
    ) -> None:
        try:
            line = status_line(known(report()), template, "fine")
        except ValueError as error:
            line = str(error).partition("Fields: ")[2]
            assert line  # raised for some templates only
        assert isinstance(line, str)

    def test_does_not_ask_while_the_last_answer_is_young(
        self, synthetic_server: SyntheticServer
    ) -> None:
        serve(synthetic_server, requests_used=100)
        run("--format", "--max-age", "3600")
        assert len(synthetic_server.requests) == 1
        assert run("--format", "{requests_left}", "--max-age", "3600").stdout == "400\n"
        assert len(synthetic_server.requests) == 1


class TestTheHistory:
    @pytest.fixture
    def history(self) -> History:
        return History("0123456789abcdef")

    def looks(self, count: int, *, apart: timedelta = timedelta(hours=1)) -> list[Look]:
        return [
            Look(NOW + number * apart, header_value(report(number % 500)))
            for number in range(count)
        ]

    def test_is_a_private_file_without_the_key(
        self, synthetic_server: SyntheticServer, tmp_path: Path
    ) -> None:
        serve(synthetic_server, requests_used=10)
        run()
        (file,) = (tmp_path / "cache").glob("quotas-*.jsonl")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert synthetic_server.api_key not in file.read_text() + file.name
        shown_history = run("--history").stdout
        assert "5-hour requests" in shown_history
        assert "least 98%" in shown_history
        assert len(json.loads(run("--history", "--json").stdout)["looks"]) == 1

    def test_is_empty_before_the_first_look(self, synthetic_server: SyntheticServer) -> None:
        assert "Nothing is known yet" in run("--history", code=3).stdout
        assert not synthetic_server.requests

    def test_forgets_what_is_older_than_two_weeks(self, history: History) -> None:
        for look in self.looks(20, apart=timedelta(days=1)):
            history.add(look)
        kept = history.looks()
        assert kept[-1].at - kept[0].at == timedelta(days=14)

    def test_is_bounded_in_looks_and_bytes(
        self, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quotas_history, "MAX_LOOKS", 10)
        for look in self.looks(15):
            history.add(look)
        assert len(history.looks()) == 10
        monkeypatch.setattr(quotas_history, "MAX_BYTES", history.path.stat().st_size)
        history.add(Look(NOW + timedelta(hours=20), header_value(form_of_2025(0.0))))
        assert history.path.stat().st_size <= quotas_history.MAX_BYTES

    def test_keeps_one_look_of_those_that_follow_closely(self, history: History) -> None:
        for look in self.looks(60, apart=timedelta(seconds=5)):
            history.add(look)
        assert len(history.looks()) == 2
        assert history.looks()[-1].at == NOW + timedelta(seconds=295)

    def test_survives_a_file_with_damage_and_loses_nothing_of_it(self, history: History) -> None:
        history.add(self.looks(1)[0])
        whole = history.path.read_bytes()
        damaged = (
            whole + b'{"at": "yesterday"}\n\xff\xfe\n{"at": 7, "report": 8}\n[]\n' + whole[:40]
        )
        history.path.write_bytes(damaged)
        assert len(history.looks()) == 1
        history.add(Look(NOW + timedelta(hours=1), header_value(report(5))))
        assert len(history.looks()) == 2
        assert history.path.with_name(f"{history.path.name}.corrupt").read_bytes() == damaged

    def test_is_not_read_or_written_through_a_link_or_where_others_may_write(
        self, history: History, tmp_path: Path
    ) -> None:
        history.add(self.looks(1)[0])
        history.path.chmod(0o666)
        with pytest.raises(UnusableHistoryError, match="written by others"):
            history.add(self.looks(1)[0])
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("mine\n")
        history.path.unlink()
        history.path.symlink_to(elsewhere)
        with pytest.raises(UnusableHistoryError):
            history.add(self.looks(1)[0])
        assert elsewhere.read_text() == "mine\n"

    def test_that_cannot_be_kept_is_a_remark_and_no_failure(
        self, synthetic_server: SyntheticServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(tmp_path / "file"))
        serve(synthetic_server)
        assert "The history is not kept" in run().stderr

    @given(st.binary(max_size=400))
    def test_is_read_whatever_is_in_the_file(self, content: bytes) -> None:
        history = History("fedcba9876543210")
        history.path.parent.mkdir(parents=True, exist_ok=True)
        history.path.write_bytes(content)
        history.path.chmod(0o600)
        assert isinstance(history.looks(), tuple)

    def test_gives_the_pace_of_the_last_hour(self) -> None:
        looks = [
            Look(NOW - timedelta(minutes=each), header_value(report(100 - each)))
            for each in (30, 0)
        ]
        assert paces(looks, NOW)["five_hours"] == pytest.approx(30 / 1800)

    @given(st.lists(USED, min_size=1, max_size=50), st.sampled_from([None, 40, 80, 140]))
    def test_is_drawn_in_any_width(self, used: list[int], width: int | None) -> None:
        looks = [
            Look(NOW - timedelta(hours=number), header_value(report(each)))
            for number, each in enumerate(used)
        ][::-1]
        for line in history_lines(looks, NOW, Screen(width, has_glyphs=width is not None)):
            assert cell_len(plain(line)) <= max(width or 80, 48)


@given(USED)
def test_low_is_below_a_fifth_and_empty_is_nothing(used: int) -> None:
    left = max(500 - used, 0)
    expected = "empty" if left == 0 else "low" if left < 100 else "fine"
    assert state_of(known(report(used))) == expected
