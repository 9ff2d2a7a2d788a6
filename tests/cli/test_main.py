"""Output of `models` and `refresh`, for people and for pipes; imports of every command."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.active import ModelTable
from litellm_synthetic.catalog.query import closest_ids, matches
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.cli import formatting
from litellm_synthetic.cli.formatting import ASCII, BLOCKS, sparkline
from litellm_synthetic.cli.main import main
from litellm_synthetic.cli.model_page import page
from litellm_synthetic.cli.models_table import view
from litellm_synthetic.cli.shell_completion import complete_id
from litellm_synthetic.cli.terminal import Screen, harmless, plain
from litellm_synthetic.testing import fault
from litellm_synthetic.testing.served_models import listed_models
from tests.cli.invocation import invoke
from tests.terminal_session import TerminalSession

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from litellm_synthetic.testing import SyntheticServer

LONG_ID = "hf:some-laboratory/A-Model-With-A-Name-Of-Fifty-Characters-FP8"
BASE_URL = "https://api.synthetic.new/openai/v1"


def row(model_id: str, **facts: Any) -> dict[str, Any]:
    return {"id": model_id, "kind": "chat", "status": "current", "sources": ["live"], **facts}


def prices(given_in: str, given_out: str, cached: str | None = None) -> dict[str, Any]:
    return {
        "input_usd_per_token": given_in,
        "output_usd_per_token": given_out,
        "cache_read_usd_per_token": cached,
    }


CATALOG = Catalog.from_document(
    {
        "format": 1,
        "observed_on": "2026-10-08",
        "compiled_on": "2026-10-08",
        "sources": {"live": "the live list"},
        "models": [
            row(
                LONG_ID,
                context_window_tokens=524288,
                max_output_tokens=65536,
                input_modalities=["text", "image"],
                reasoning=True,
                efforts={"advertised": ["none", "low", "medium", "high", "xhigh", "max"]},
                prices=prices("0.00000219", "0.0000150", "0.000000035"),
                price_history=[
                    {"date": "2026-05-01", **prices("0.000003", "0.000015"), "source": "one"},
                    {"date": "2026-07-01", **prices("0.00000219", "0.000015"), "source": "two"},
                ],
                last_seen="2026-10-08",
            ),
            row(
                "syn:large:text",
                kind="alias",
                prices=prices("0.0000006", "0.0000012"),
                alias_targets=[
                    {
                        "from": "2026-05-01",
                        "to": "2026-08-01",
                        "target": "hf:lab/Old",
                        "source": "",
                    },
                    {"from": "2026-08-01", "to": None, "target": LONG_ID, "source": ""},
                ],
            ),
            row(
                "hf:lab/Old",
                status="retired",
                last_seen="2026-08-01",
                reasoning=True,
                efforts={
                    "verified": ["none", "low", "high"],
                    "unreliable": ["low"],
                    "can_stop": False,
                },
            ),
            row("hf:lab/Secret", status="hidden", reasoning=False, prices=prices("0", "0")),
        ],
    }
)


@pytest.fixture
def table() -> ModelTable:
    """Put the small table in force, as if it were bundled."""
    made = ModelTable(catalog=CATALOG, source="bundled", fetched_at=None, base_url=BASE_URL)
    active.set_current_table(made)
    return made


def ids(result: Result) -> list[str]:
    return [line.split()[0] for line in result.stdout.splitlines()[1:]]


@pytest.mark.usefixtures("table")
class TestTheTableInAPipe:
    def test_has_one_line_per_current_model_aliases_first(self) -> None:
        assert ids(invoke("models")) == ["syn:large:text", LONG_ID]

    def test_gives_every_column_in_every_line_exact_and_without_inner_spaces(self) -> None:
        lines = [line.split() for line in invoke("models").stdout.splitlines()]
        facts = "524288 65536 text,image none,low,medium,high,xhigh,max 2.19 15.00 0.035"
        assert lines[0][:5] == ["ID", "CONTEXT", "MAX_OUTPUT", "INPUT", "EFFORTS"]
        assert lines[0][5:] == ["USD/M_IN", "USD/M_OUT", "USD/M_CACHE_READ", "SERVES"]
        assert lines[1] == ["syn:large:text", *"----", "0.60", "1.20", "-", LONG_ID]
        assert lines[2] == [LONG_ID, *facts.split(), "-"]

    def test_is_plain_ascii_even_where_colour_is_forced(self) -> None:
        output = invoke("models", env={"FORCE_COLOR": "1", "COLUMNS": "40"}).stdout
        assert output.isascii()
        assert "\x1b" not in output

    def test_keeps_remarks_off_stdout(self) -> None:
        result = invoke("models")
        age, advice = result.stderr.splitlines()
        assert age == "facts of 2026-10-08, bundled with the package"
        assert advice.endswith("days old; litellm-synthetic refresh renews them.")
        assert "facts of" not in result.stdout

    def test_tells_when_a_fetched_table_was_fetched(self, table: ModelTable) -> None:
        fetched = datetime.now(UTC) - timedelta(hours=3)
        active.set_current_table(ModelTable(table.catalog, "cache", fetched, BASE_URL))
        assert invoke("models").stderr == f"fetched 3 h ago from {BASE_URL}\n"

    def test_shows_the_rest_with_all_and_says_when_it_was_seen(self) -> None:
        lines = invoke("models", "--all").stdout.splitlines()
        assert [line.split()[0] for line in lines[3:]] == ["hf:lab/Secret", "hf:lab/Old"]
        assert lines[4].split()[-2:] == ["retired", "2026-08-01"]

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (["SYN"], ["syn:large:text"]),
            (["hf:*fp8"], [LONG_ID]),
            (["some-lab*"], [LONG_ID]),
            (["synthetic/syn:*"], ["syn:large:text"]),
            (["name", "fifty"], [LONG_ID]),
            (["a"], ["syn:large:text", LONG_ID]),
        ],
    )
    def test_is_filtered_by_words_that_must_all_match(
        self, words: list[str], found: list[str]
    ) -> None:
        assert ids(invoke("models", *words)) == found


@pytest.mark.usefixtures("table")
class TestNothingFound:
    def test_names_the_closest_ids_and_fails(self) -> None:
        result = invoke("models", "hf:lab/Olt", code=1)
        assert result.stdout == ""
        assert "No model matches 'hf:lab/Olt'. Closest: hf:lab/Old" in result.stderr

    def test_says_what_all_would_show(self) -> None:
        assert "With --all: hf:lab/Old (retired)" in invoke("models", "old", code=1).stderr

    def test_names_the_aliases_where_nothing_is_close(self) -> None:
        assert "Aliases: syn:large:text." in invoke("models", "nope", code=1).stderr

    def test_still_prints_a_document(self) -> None:
        assert json.loads(invoke("models", "nonsense", "--json", code=1).stdout)["models"] == []


class TestTheTableInATerminal:
    @pytest.mark.parametrize("width", [30, 60, 80, 100, 120, 130, 160, 200, 240])
    def test_never_breaks_an_id_and_keeps_figures_within_the_width(self, width: int) -> None:
        bundled = load_bundled()
        shown = view(bundled.current(), Screen(width, has_glyphs=True), show_status=False)
        lines = [plain(each) for each in shown.lines]
        for model in bundled.current():
            assert any(line.strip().split("  ")[0].startswith(model.id) for line in lines)
        assert all(len(line) <= max(width, 60) for line in lines)
        assert bool(shown.left_out) is (width < 80)

    def test_takes_one_line_per_model_where_there_is_room(self) -> None:
        current = load_bundled().current()
        lines = view(current, Screen(200), show_status=False).lines
        assert len(lines) == len(current) + 1

    def test_says_under_the_alias_what_it_serves_where_there_is_less(self) -> None:
        on_one_line = view(CATALOG.current(), Screen(80, has_glyphs=True), show_status=False)
        assert f"syn:large:text → {LONG_ID}" in [plain(each) for each in on_one_line.lines]
        below = view(CATALOG.current(), Screen(70, has_glyphs=True), show_status=False)
        assert f"  → {LONG_ID}" in [plain(each) for each in below.lines]

    def test_abbreviates_counts_only_where_that_is_exact(self) -> None:
        assert (formatting.short_tokens(524288), formatting.short_tokens(128000)) == (
            "512Ki",
            "125Ki",
        )
        assert formatting.short_tokens(131000) == "131000"

    def test_shows_no_escape_sequence_of_an_id(self) -> None:
        evil = CATALOG.models[0].model_copy(update={"id": "hf:a/\x1b[2J\n\u202eb [red]c"})
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=200, color_system=None)
        screen = Screen(200, has_glyphs=True, console=console)
        screen.write(view([evil], screen, show_status=False).lines)
        assert "hf:a/?[2J??b [red]c" in out.getvalue()
        assert len(out.getvalue().splitlines()) == 2
        piped = view([evil], Screen(), show_status=False).lines[1]
        assert plain(piped).split()[0] == "hf:a/?[2J_?b_[red]c"

    def test_falls_back_to_what_the_encoding_has(self) -> None:
        assert harmless("→ é", "ascii") == "? ?"
        assert Screen(80, has_glyphs=False).arrow == "->"


@pytest.mark.usefixtures("table")
class TestOneModel:
    @pytest.mark.parametrize("spelling", ["hf:lab/Old", "lab/Old", "synthetic/hf:lab/Old"])
    def test_has_a_page_in_every_spelling_also_when_retired(self, spelling: str) -> None:
        lines = invoke("models", spelling).stdout.splitlines()
        assert lines[0].split() == ["model", "hf:lab/Old"]
        text = "\n".join(lines)
        assert "is retired, last seen on 2026-08-01" in text
        assert f"The alias syn:large:text now serves {LONG_ID}." in text
        assert "served as             syn:large:text, 2026-05-01 to 2026-08-01" in text
        assert "accepted              none, low, high (others were not tried)" in text
        assert "unreliable            low" in text
        assert 'no, though reasoning_effort="none" is accepted' in text

    def test_has_its_price_history_as_a_chart_and_as_figures(self) -> None:
        lines = invoke("models", LONG_ID, "--sources").stdout.splitlines()
        chart = next(line for line in lines if line.startswith("input") and "##" in line)
        assert chart.endswith("*  2.19 to 3.00")
        assert ["from,", "to", "2026-05-01", "2026-10-08"] in [line.split() for line in lines]
        assert "output                15.00, unchanged since 2026-05-01" in lines
        assert "2026-07-01   2.19   15.00       -  two" in lines

    def test_shows_an_alias_with_what_it_served_when(self) -> None:
        text = invoke("models", "syn:large:text", "--sources").stdout
        assert f"serves now            {LONG_ID}" in text
        assert "served                hf:lab/Old, 2026-05-01 to 2026-08-01" in text

    def test_is_the_only_one_in_json(self) -> None:
        (only,) = json.loads(invoke("models", "lab/Old", "--json").stdout)["models"]
        assert only["id"] == "hf:lab/Old"

    @pytest.mark.parametrize("width", [40, 60, 80, 200])
    def test_fits_a_terminal_but_for_what_has_no_space_to_break_at(self, width: int) -> None:
        catalog = load_bundled()
        for model in catalog.models:
            lines = [
                *page(model, catalog, Screen(width, has_glyphs=True)),
                *page(model, catalog, Screen(width, has_glyphs=True), with_sources=True),
            ]
            for line in lines:
                words = max((len(word) for word in plain(line).split()), default=0)
                assert len(plain(line)) <= max(width, 60, 34 + words)

    def test_fits_a_screen_of_80_by_24_below_the_command_and_the_remarks(self) -> None:
        catalog = load_bundled()
        heights = {
            model.id: len(list(page(model, catalog, Screen(80, has_glyphs=True))))
            for model in catalog.models
        }
        assert max(heights.values()) <= 24 - len(("command", "age", "advice", "--sources", "$"))

    def test_has_its_sources_where_they_are_asked_for(self) -> None:
        assert "the live list" not in invoke("models", LONG_ID).stdout
        assert "the live list" in invoke("models", LONG_ID, "--sources").stdout


class TestOldFacts:
    def test_name_what_renews_them(self, table: None) -> None:
        del table
        assert "litellm-synthetic refresh renews them" in invoke("models").stderr

    def test_are_not_mentioned_while_they_are_fresh(self) -> None:
        fetched_at = datetime.now(UTC) - timedelta(days=6)
        active.set_current_table(ModelTable(CATALOG, "cache", fetched_at, BASE_URL))
        assert "renews" not in invoke("models").stderr


class TestTheSparkline:
    def test_is_proportional_from_zero(self) -> None:
        first, last = date(2026, 1, 1), date(2026, 1, 4)
        half = {first: Decimal(4), date(2026, 1, 3): Decimal(2)}
        assert sparkline(half, first, last, 4, BLOCKS) == "███▄"
        assert sparkline(half, date(2025, 12, 31), last, 5, BLOCKS) == " ███▄"

    def test_keeps_a_rise_that_is_shorter_than_a_column(self) -> None:
        days = {date(2026, 1, 1): Decimal(1), date(2026, 6, 1): Decimal(9)}
        days[date(2026, 6, 2)] = Decimal(1)
        assert sparkline(days, min(days), date(2026, 12, 31), 30, ASCII).count("#") == 1

    @given(
        st.dictionaries(
            st.dates(date(2025, 1, 1), date(2027, 1, 1)),
            st.decimals(0, 1, allow_nan=False),
            min_size=1,
        ),
        st.dates(date(2025, 1, 1), date(2027, 1, 1)),
        st.integers(1, 300),
    )
    def test_is_drawn_for_any_prices_and_width(
        self, history: dict[date, Decimal], until: date, width: int
    ) -> None:
        row = sparkline(history, min(history), max(until, *history), width, BLOCKS)
        assert len(row) == width
        assert ("█" in row) is any(history.values())


@pytest.mark.usefixtures("table")
class TestJSON:
    def test_is_one_document_with_exact_prices_per_token(self) -> None:
        document = json.loads(invoke("models", "--json").stdout)
        assert document["format"] == 1
        assert document["table"] == {
            "source": "bundled",
            "base_url": BASE_URL,
            "observed_on": "2026-10-08",
            "fetched_at": None,
        }
        alias, long = document["models"]
        assert alias["serves"] == LONG_ID
        assert alias["alias_history"][1]["to"] is None
        assert long["prices"] == {
            "input_usd_per_token": "0.00000219",
            "output_usd_per_token": "0.0000150",
            "cache_read_usd_per_token": "0.000000035",
            "cache_write_usd_per_token": None,
        }
        assert long["reasoning_efforts"]["others_are_refused"] is True

    def test_has_the_same_fields_for_every_model(self) -> None:
        models = json.loads(invoke("models", "--all", "--json").stdout)["models"]
        assert len({tuple(each) for each in models}) == 1

    def test_names_every_field_in_the_documentation(self, request: pytest.FixtureRequest) -> None:
        text = (request.config.rootpath / "docs" / "cli.md").read_text("utf-8")
        (model,) = json.loads(invoke("models", LONG_ID, "--json").stdout)["models"]
        fields = {*model, *model["reasoning_efforts"], "hidden_by_allowlist", "table"}
        assert {
            field for field in fields if f"`{field}`" not in text and f".{field}" not in text
        } == (set())

    def test_litellm_format_is_its_cost_map_without_what_has_no_price(self) -> None:
        result = invoke("models", "--all", "--format", "litellm")
        rows = json.loads(result.stdout)
        assert rows[f"synthetic/{LONG_ID}"]["input_cost_per_token"] == 2.19e-06
        assert "synthetic/hf:lab/Old" not in rows
        assert "1 left out" in result.stderr

    def test_litellm_full_keeps_litellms_own_rows(self) -> None:
        rows = json.loads(invoke("models", "--format", "litellm-full").stdout)
        assert len(rows) > 1000
        assert "synthetic/syn:large:text" in rows

    def test_two_shapes_at_once_are_refused(self) -> None:
        invoke("models", "--json", "--format", "litellm", code=2)


@pytest.mark.usefixtures("table")
class TestTheAllowlist:
    def test_hides_models_and_says_how_many(self) -> None:
        result = invoke("models", env={"SYNTHETIC_ALLOWED_MODELS": "syn:*, 'x'"})
        assert ids(result) == ["syn:large:text"]
        assert "1 hidden by SYNTHETIC_ALLOWED_MODELS" in result.stderr
        assert "\"'x'\" can match no id" in result.stderr

    @pytest.mark.parametrize("shape", [[], ["--json"], ["--format", "litellm"]])
    def test_hides_a_model_that_is_asked_for_by_name(self, shape: list[str]) -> None:
        result = invoke(
            "models", LONG_ID, *shape, code=1, env={"SYNTHETIC_ALLOWED_MODELS": "syn:*"}
        )
        assert LONG_ID not in result.stdout
        assert "1 hidden" in result.stderr

    def test_is_not_undone_by_suggestions(self) -> None:
        environment = {"SYNTHETIC_ALLOWED_MODELS": "syn:*"}
        assert "lab/Old" not in invoke("models", "lab/Olt", code=1, env=environment).stderr


@pytest.mark.usefixtures("table")
class TestCompletion:
    @pytest.mark.parametrize(
        ("words", "typed", "is_bash", "completed"),
        [
            ([], "sy", False, ["syn:large:text"]),
            (["syn", ":"], "la", True, ["large:text"]),
            (["syn"], ":", True, ["large:text"]),
            (["fast", "syn", ":", "large", ":"], "t", True, ["text"]),
            (["syn:large:text"], "some", False, [LONG_ID.removeprefix("hf:")]),
            ([], "SYN", False, ["syn:large:text"]),
            ([], "synthetic/hf:some", False, [f"synthetic/{LONG_ID}"]),
            ([], "hf:lab/O", False, ["hf:lab/Old"]),
            ([], "nothing", False, []),
        ],
    )
    def test_continues_an_id(
        self, words: list[str], typed: str, *, is_bash: bool, completed: list[str]
    ) -> None:
        found = complete_id(words, typed, is_bash=is_bash)
        assert [item.value for item in found] == completed

    def test_is_switched_on_as_documented(self) -> None:
        environment = {
            "_LITELLM_SYNTHETIC_COMPLETE": "bash_complete",
            "COMP_WORDS": "litellm-synthetic models syn : la",
            "COMP_CWORD": "4",
        }
        result = CliRunner().invoke(main, prog_name="litellm-synthetic", env=environment)
        assert result.stdout == "plain,large:text\n"


class TestRefresh:
    @pytest.fixture
    def server(
        self, synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> SyntheticServer:
        """Let the command fetch from the stand-in, which was fetched from once already."""
        monkeypatch.delenv("SYNTHETIC_CATALOG")
        active.forget()
        invoke("refresh")
        return synthetic_server

    def test_says_that_nothing_changed_and_since_when(self, server: SyntheticServer) -> None:
        result = invoke("refresh")
        assert result.stdout.startswith("nothing changed since 20")
        assert result.stderr == f"fetched just now from {server.openai_base}\n"

    def test_prints_what_was_added_changed_retired_and_skipped(
        self, server: SyntheticServer
    ) -> None:
        first, second, *rest = (dict(each) for each in listed_models())
        before = load_bundled().by_id[first["id"]].context_window_tokens
        server.set_models(
            [first | {"context_length": 1000}, *rest, {"id": "hf:new-lab/New"}],
        )
        lines = invoke("refresh").stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["added", "changed", "retired"]
        assert "hf:new-lab/New" in lines[0]
        assert f"context window tokens: {before:,} -> 1,000" in lines[1]
        assert f"{second['id']} is retired, last seen on" in lines[2]
        server.set_models([first | {"context_length": 1000}, *rest, {"id": 7}])
        skipped = [line for line in invoke("refresh").stdout.splitlines() if "skipped" in line]
        assert len(skipped) == 1

    def test_prints_one_document(self, server: SyntheticServer) -> None:
        rows = [dict(each) for each in listed_models()]
        rows[0]["pricing"] = {**rows[0]["pricing"], "prompt": "$0.00000071"}
        server.set_models(rows)
        document = json.loads(invoke("refresh", "--json").stdout)
        assert document["table"]["source"] == "refresh"
        (change,) = document["changed"]
        assert (change["field"], change["after"]) == ("input_usd_per_token", "0.00000071")

    @pytest.mark.parametrize(
        "arguments",
        [["--base-url", "http://127.0.0.1:9/openai/v1"], ["--base-url", "nonsense"]],
    )
    def test_tells_a_failure_in_one_line(
        self, arguments: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SYNTHETIC_CATALOG")
        result = invoke("refresh", *arguments, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith("error: The model list was not fetched: ")
        assert len(result.stderr.splitlines()) == 1

    def test_a_check_exits_with_one_on_drift_and_writes_nothing(
        self, server: SyntheticServer
    ) -> None:
        same = invoke("refresh", "--check")
        assert same.stdout.startswith("nothing changed since 20")
        server.set_models([*listed_models(), {"id": "hf:new-lab/New"}])
        for _ in range(2):
            drifted = invoke("refresh", "--check", code=1)
            assert drifted.stdout.split()[:2] == ["added", "hf:new-lab/New"]
        assert json.loads(invoke("refresh", "--check", "--json", code=1).stdout)["added"]
        assert invoke("refresh").stdout.split()[:2] == ["added", "hf:new-lab/New"]
        invoke("refresh", "--check")

    def test_a_check_that_fails_is_not_drift(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SYNTHETIC_CATALOG")
        failed = invoke("refresh", "--check", "--base-url", "http://127.0.0.1:9/openai/v1", code=2)
        assert failed.stderr.startswith("error: The model list was not fetched: ")
        assert failed.stdout == ""

    def test_prices_of_long_prompts_and_unknown_ones_are_shown(
        self, server: SyntheticServer
    ) -> None:
        rows = [dict(each) for each in listed_models()]
        long = {"prompt": "$0.000004", "completion": "$0.000018", "min_context": 200_000}
        rows[0]["pricing"] = {**rows[0]["pricing"], "tiers": [long]}
        rows[1]["pricing"] = {**rows[1]["pricing"], "request": "$0.01"}
        server.set_models(rows)
        shown = invoke("refresh", "--check", code=1).stdout
        assert "-> from 200,000 prompt tokens 4.00 in, 18.00 out" in shown
        assert f"unreadable  {rows[1]['id']}  pricing.request: a price per request" in shown
        document = json.loads(invoke("refresh", "--json").stdout)
        (change,) = (each for each in document["changed"] if each["field"] == "tiers")
        assert change["after"][0]["min_prompt_tokens"] == 200_000
        page = invoke("models", rows[0]["id"]).stdout
        assert "from 200,000 tokens" in page
        assert "$4.00 in, $18.00 out per million tokens" in page

    def test_offline_means_offline(self) -> None:
        assert "SYNTHETIC_CATALOG=offline" in invoke("refresh", code=1).stderr


class TestFigures:
    @pytest.mark.parametrize(
        ("per_token", "per_million"),
        [
            ("0.0000006", "0.60"),
            ("6E-7", "0.60"),
            ("0.00000219", "2.19"),
            ("0.000000035", "0.035"),
            ("0.000015", "15.00"),
            ("0", "0.00"),
            ("0.0000000000000000000000000000000000001", "0.0000000000000000000000000000001"),
        ],
    )
    def test_a_price_is_exact_with_two_decimals_or_more(
        self, per_token: str, per_million: str
    ) -> None:
        assert formatting.usd_per_million(Decimal(per_token)) == per_million

    @pytest.mark.parametrize(
        ("seconds", "written"),
        [(5, "just now"), (720, "12 min ago"), (10_800, "3 h ago"), (432_000, "5 days ago")],
    )
    def test_an_age_is_rounded_to_what_counts(self, seconds: float, written: str) -> None:
        assert formatting.age(seconds) == written


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_words_can_be_asked_for(model_id: str, word: str) -> None:
    assert isinstance(matches(model_id, word), bool)
    assert len(closest_ids(word, CATALOG.models)) <= 3


@pytest.mark.parametrize("key", ["right", "wrong"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["models"],
        ["models", "syn:large:text"],
        ["models", "--json"],
        ["models", "--format", "litellm-full"],
        ["models", "--format", "opencode"],
        ["refresh"],
        ["proxy-config", "--aliases", "--fallbacks", "--redis"],
        ["search", "foxes"],
        ["init"],
        ["chat", "hello"],
        ["quotas"],
        ["quotas", "--history"],
        ["config"],
        ["completion", "zsh"],
    ],
    ids=" ".join,
)
def test_no_command_imports_litellm_or_what_a_pipe_needs_not(
    arguments: list[str], key: str, synthetic_server: SyntheticServer, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "from litellm_synthetic.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "loaded = {'litellm', 'openai', 'httpx', 'aiohttp', 'rich.console'} & set(sys.modules)\n"
        "sys.stderr.write(f'loaded={sorted(loaded)}')\n"
    )
    variables = dict(os.environ)
    if key == "wrong":
        variables["SYNTHETIC_API_KEY"] = f"{synthetic_server.api_key}_wrong"
    done = subprocess.run(  # noqa: S603  # our own interpreter and code
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        cwd=tmp_path,
        env=variables,
    )
    assert done.stderr.endswith("loaded=[]")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_terminal_sees_that_a_slow_command_is_at_work_and_nothing_stays_of_it(
    synthetic_server: SyntheticServer, tmp_path: Path
) -> None:
    synthetic_server.set_models(fault("stall_before_headers"))
    with TerminalSession(
        ["refresh"],
        folder=tmp_path,
        environment={
            "SYNTHETIC_API_BASE": synthetic_server.openai_base,
            "SYNTHETIC_CACHE_DIR": str(tmp_path / "cache"),
            "SYNTHETIC_CATALOG": "auto",
        },
    ) as terminal:
        terminal.wait_for("Fetching the model list ...")
        synthetic_server.drop_active()
        terminal.wait_for("\x1b[K")
        terminal.wait_for("error: The model list was not fetched")
        assert terminal.end() == 1


def test_a_reader_that_closes_the_pipe_early_sees_no_traceback() -> None:
    command = f"{sys.executable} -m litellm_synthetic models --all --json | head -c 1"
    done = subprocess.run(  # noqa: S602  # a pipe needs a shell; nothing in it is from outside
        command, shell=True, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr
