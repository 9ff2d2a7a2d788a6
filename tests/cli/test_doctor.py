"""Findings, texts and exit codes of `litellm-synthetic doctor`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import litellm_synthetic
from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.active import ModelTable
from litellm_synthetic.catalog.advice import cheapest_chat_model
from litellm_synthetic.catalog.cache import CachedTable, cache_file, write_cache
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.cli.doctor import workers
from litellm_synthetic.cli.doctor.check import Check, exit_code, lines_of
from litellm_synthetic.cli.formatting import split_message
from litellm_synthetic.cli.terminal import Screen, plain
from litellm_synthetic.config import key_check
from litellm_synthetic.integration import required_names
from litellm_synthetic.testing import Text
from tests.cli.invocation import invoke

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from litellm_synthetic.testing import SyntheticServer

KEY = "syn_0123456789abcdef0123456789abcdef"
BASE_URL = "https://api.synthetic.new/openai/v1"


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide what else runs on this machine, such as the proxies of other tests."""
    monkeypatch.setattr(workers, "PROCESSES", tmp_path / "proc")


@pytest.fixture
def well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set up what a machine has on which all is well: a key, and a table fetched just now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHETIC_API_KEY", KEY)
    monkeypatch.delenv("SYNTHETIC_CATALOG")  # auto, but nothing is fetched from this machine
    write_cache(CachedTable(BASE_URL, datetime.now(UTC), load_bundled()))


run = partial(invoke, "doctor")


def checks(*arguments: str, code: int | None = 0) -> dict[str, Any]:
    found = json.loads(run("--json", *arguments, code=code).stdout)
    return {each["name"]: each for each in found["checks"]}


def process(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


CALL_WITH_TOOLS = """
import json, litellm

tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
fault = None
try:
    litellm.completion(
        model="openai/made-up", api_key="made-up", mock_response="hello",
        messages=[{"role": "user", "content": "hello"}], tools=[tool],
    )
except ImportError as error:
    fault = str(error)
print(json.dumps(fault))
"""


def gateway_fault_of_litellm_alone(folder: Path) -> str | None:
    """Return the import error that ends a call with tools without this package, if one does."""
    done = process(folder, "-c", CALL_WITH_TOOLS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]  # a text or null


DOCTOR = "import sys; from litellm_synthetic.cli.main import main; main(sys.argv[1:])"


@pytest.mark.usefixtures("well")
class TestAllIsWell:
    def test_is_exit_code_0_and_says_so(self) -> None:
        result = run()
        assert "All is well." in result.stderr
        statuses = [line.split()[0] for line in result.stdout.splitlines()]
        assert statuses == ["ok"] * 7

    def test_names_everything_that_a_call_depends_on(self, tmp_path: Path) -> None:
        found = checks()
        assert list(found) == [
            "litellm", "route", "key", "base_url", "settings", "table", "cache",
        ]  # fmt: skip  # one list, read as one
        assert found["litellm"]["details"]["version"] in found["litellm"]["found"]
        assert found["route"]["details"] == {
            "ours": True,
            "version": litellm_synthetic.__version__,
            "missing_mcp_gateway": gateway_fault_of_litellm_alone(tmp_path),
        }
        assert found["key"]["details"] == {"source": "environment", "file": None}
        assert found["base_url"]["details"] == {
            "source": "default",
            "base_url": BASE_URL,
            "api": "openai",
        }
        assert found["table"]["details"]["source"] == "cache"
        assert found["table"]["details"]["stale"] is False

    def test_opens_no_socket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            pytest.fail("a socket was opened")

        monkeypatch.setattr("socket.socket.connect", refuse)
        monkeypatch.setattr("socket.getaddrinfo", refuse)
        run()

    def test_says_which_settings_are_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_MESSAGES", "translate")
        monkeypatch.setenv("SYNTHETIC_CATALOG_TTL", "3600")
        found = checks()["settings"]
        assert found["details"]["set"] == [
            "SYNTHETIC_CATALOG_TTL",
            "SYNTHETIC_CACHE_DIR",
            "SYNTHETIC_MESSAGES",
        ]
        assert "SYNTHETIC_MESSAGES=translate" in found["found"]


class TestTheExitCode:
    @pytest.mark.parametrize(
        ("statuses", "code"),
        [
            (["ok", "ok"], 0),
            (["ok", "warning"], 3),
            (["warning", "problem"], 1),
            (["problem"], 1),
        ],
    )
    def test_tells_problems_from_warnings(self, statuses: list[Any], code: int) -> None:
        assert exit_code(Check("each", status, "found") for status in statuses) == code

    @pytest.mark.usefixtures("well")
    def test_is_not_0_without_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        found = checks(code=1)["key"]
        assert found["status"] == "problem"
        assert found["remedy"] == "Run: litellm-synthetic init"

    @pytest.mark.usefixtures("well")
    def test_is_3_where_there_are_warnings_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_BILLING", "free")
        result = run(code=3)
        assert "1 warning." in result.stderr


@pytest.mark.usefixtures("well")
class TestTheKey:
    @pytest.mark.parametrize(
        ("key", "status", "says"),
        [
            ("   ", "problem", "blank"),
            ("syn_with space_0123456789", "problem", "white space"),
            ("Bearer syn_0123456789abcdef", "problem", "Bearer"),
            ("syn_…", "problem", "placeholder"),
            ("syn_YOUR_KEY", "warning", "placeholder"),
            ("<your key>", "problem", "white space"),
            ("'syn_0123456789abcdef'", "warning", "quotes"),
            ("sk-proj-0123456789abcdef", "warning", "OpenAI's"),
            ("sk-ant-0123456789abcdef", "warning", "Anthropic's"),
            ("0123456789abcdef0123", "warning", "doesn't begin with syn_"),
            (f" {KEY}\t", "ok", "white space around it is dropped"),
        ],
    )
    def test_of_an_odd_shape_is_named_but_never_shown(
        self, monkeypatch: pytest.MonkeyPatch, key: str, status: str, says: str
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_KEY", key)
        output = run("--json", code=None).output
        found = checks(code=None)["key"]
        assert found["status"] == status
        assert says in found["found"]
        assert (found["remedy"] is None) == (status == "ok")
        hidden = key.strip().strip("'").removeprefix("Bearer ")
        assert not hidden or hidden not in output
        assert not hidden or hidden[-6:] not in output

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
    def test_is_judged_whatever_it_is(self, key: str) -> None:
        reason = key_check.unusable(key) or key_check.oddity(key, is_for_synthetic=True)
        assert reason is None or len(reason) > 5
        assert reason is None or len(key.strip()) < 12 or key.strip() not in reason

    def test_of_a_private_gateway_may_have_any_shape(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_API_KEY", "sk-0123456789abcdef")
        monkeypatch.setenv("SYNTHETIC_API_BASE", "https://gateway.example/openai/v1")
        assert checks(code=None)["key"]["status"] == "ok"

    def test_of_another_vendor_is_mentioned_where_ours_is_missing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
        result = run(code=1)
        assert "never sent to Synthetic" in result.stdout
        assert "sk-of" not in result.output

    def test_in_a_file_that_litellm_does_not_read_is_pointed_out(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        (tmp_path / ".env").write_text(f"SYNTHETIC_API_KEY={KEY}\n")
        found = checks(code=1)["key"]
        assert "LiteLLM does not read that file" in found["found"]
        assert found["remedy"] == f"Load it first: set -a; . {tmp_path / '.env'}; set +a"

    def test_that_hides_another_in_a_file_is_pointed_out(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("SYNTHETIC_API_KEY=syn_another_0123456789\n")
        result = run(code=3)
        assert f"hides another key, which is in {tmp_path / '.env'}" in result.stdout
        assert "syn_another" not in result.output

    def test_from_a_file_that_litellm_reads_is_traced_to_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        (tmp_path / ".env").write_text(f"SYNTHETIC_API_KEY={KEY}\n")
        # Without a main file, as in an interpreter, LiteLLM starts to look in the working folder.
        done = process(tmp_path, "-c", DOCTOR, "doctor", "--json")
        key = next(e for e in json.loads(done.stdout)["checks"] if e["name"] == "key")
        assert key["details"] == {"source": "dotenv", "file": str(tmp_path / ".env")}
        assert key["status"] == "ok"
        assert KEY not in done.stdout + done.stderr

    def test_misnamed_is_recognised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        monkeypatch.setenv("SYNTHETIC_APIKEY", KEY)
        result = run(code=1)
        assert "Rename SYNTHETIC_APIKEY to SYNTHETIC_API_KEY." in result.stdout
        assert KEY not in result.output


@pytest.mark.usefixtures("well")
class TestTheBaseURL:
    @pytest.mark.parametrize(
        ("given", "base_url", "api"),
        [
            ("https://api.synthetic.new", BASE_URL, "openai"),
            (
                "https://api.synthetic.new/anthropic",
                "https://api.synthetic.new/anthropic/v1",
                "anthropic",
            ),
            ("http://localhost:9/v1", "http://localhost:9/v1", "openai"),
        ],
    )
    def test_is_shown_as_it_is_understood(
        self, monkeypatch: pytest.MonkeyPatch, given: str, base_url: str, api: str
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", given)
        details = checks(code=None)["base_url"]["details"]
        assert details == {"source": "environment", "base_url": base_url, "api": api}

    @pytest.mark.parametrize(
        "given", ["api.synthetic.new", "http://example.org/v1", "https://u:pa55word@example.org/v1"]
    )
    def test_that_is_refused_is_a_problem_with_a_remedy(
        self, monkeypatch: pytest.MonkeyPatch, given: str
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", given)
        result = run("--live", code=1)
        assert "SYNTHETIC_API_BASE is refused" in result.stdout
        assert f"Unset SYNTHETIC_API_BASE to use {BASE_URL}" in result.stdout
        assert "pa55word" not in result.output
        assert result.stdout.count("Not called: base_url has a problem.") == 3

    @pytest.mark.parametrize(
        "given", ["https://synthetic.new/api/openai/v1", "https://api.glhf.chat/v1"]
    )
    def test_of_the_past_is_warned_about(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", given)
        assert checks(code=3)["base_url"]["status"] == "warning"


@pytest.mark.usefixtures("well")
class TestTheSettings:
    @pytest.mark.parametrize(
        ("name", "value", "code", "says"),
        [
            ("SYNTHETIC_CATALOG", "onlin", 3, "counts as auto"),
            ("SYNTHETIC_CATALOG_TTL", "4h", 3, "counts as 14400"),
            ("SYNTHETIC_CATALOG_TTL", "-1", 3, "counts as 14400"),
            ("SYNTHETIC_BILLING", "free", 3, "counts as metered"),
            ("SYNTHETIC_MESSAGES", "openai", 3, "counts as native"),
            ("SYNTHETIC_ALLOW_HTTP", "please", 3, "counts as 0"),
            ("SYNTHETIC_ALLOWED_MODELS", "gpt-*", 1, "allows no current model"),
            ("SYNTHETIC_ALLOWED_MODELS", "syn:*, hf:gone/*", 3, "matches 'hf:gone/*'"),
            ("SYNTHETIC_ALLOWED_MODELS", "syn:*, 'x", 3, "'x"),
            ("SYNTHETIC_BASE_URL", "https://x.example", 3, "Rename"),
            ("SYNTHETIC_BILING", "metered", 3, "Rename SYNTHETIC_BILING to SYNTHETIC_BILLING"),
            ("SSL_VERIFY", "false", 3, "can read key and prompts"),
            ("SSL_VERIFY", "/no/such/ca.pem", 1, "does not exist"),
        ],
    )
    def test_that_are_wrong_are_named_with_the_value_used_instead(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: int, says: str
    ) -> None:
        monkeypatch.setenv(name, value)
        found = checks(code=code)[f"settings.{name}"]
        assert found["details"] == {"variable": name}
        assert says in f"{found['found']} {found['remedy']}"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SYNTHETIC_CATALOG", " AUTO "),
            ("SYNTHETIC_BILLING", "Subscription"),
            ("SYNTHETIC_MESSAGES", "native"),
            ("SYNTHETIC_ALLOW_HTTP", "0"),
            ("SYNTHETIC_ALLOWED_MODELS", "syn:*,"),
            ("SYNTHETIC_BILLING", ""),
            ("SYNTHETIC_UNRELATED_TOOL", "x"),
        ],
    )
    def test_that_are_right_are_left_alone(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        assert checks()["settings"]["status"] == "ok"

    def test_with_a_key_in_the_wrong_place_do_not_show_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_BILLING", KEY)
        monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", f"syn:*,{KEY}x")
        assert KEY not in run(code=3).output


def _table(monkeypatch: pytest.MonkeyPatch, age: timedelta) -> None:
    bundled = load_bundled()
    catalog = bundled.with_models((), observed_on=bundled.observed_on)
    fetched_at = datetime.now(UTC) - age
    active.set_current_table(ModelTable(catalog, "cache", fetched_at, BASE_URL))
    monkeypatch.setenv("SYNTHETIC_CATALOG_TTL", "3600")


@pytest.mark.usefixtures("well")
class TestTheTable:
    def test_that_renews_itself_is_well_however_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _table(monkeypatch, timedelta(days=30))
        found = checks()["table"]
        assert found["details"]["stale"] is True
        assert "The next call renews it" in found["found"]

    def test_that_is_old_and_kept_from_being_renewed_is_warned_about(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _table(monkeypatch, timedelta(days=30))
        monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
        found = checks(code=3)["table"]
        assert found["remedy"] == "Run: SYNTHETIC_CATALOG=auto litellm-synthetic refresh"
        assert "30 days ago" in found["found"]

    def test_that_is_bundled_says_of_when_it_is(self) -> None:
        cache_file(BASE_URL).unlink()
        found = checks()["table"]["details"]
        assert found["source"] == "bundled"
        assert found["fetched_at"] is None
        assert found["observed_on"] == load_bundled().observed_on.isoformat()
        assert found["age_seconds"] > 0


@pytest.mark.usefixtures("well")
class TestTheCache:
    def test_that_cannot_be_a_folder_is_warned_about(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(tmp_path / "file" / "cache"))
        found = checks(code=3)["cache"]
        assert "not a folder" in found["found"] or "Not a directory" in found["found"]
        assert "SYNTHETIC_CACHE_DIR" in found["remedy"]

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, even from root")
    def test_that_takes_no_files_is_warned_about(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_CACHE_DIR", "/proc")
        assert "cannot be kept in /proc" in checks(code=3)["cache"]["found"]

    def test_with_a_file_that_is_ignored_says_why(self) -> None:
        cache_file(BASE_URL).chmod(0o666)
        found = checks(code=3)["cache"]
        assert found["found"] == f"{cache_file(BASE_URL)} is ignored: other users may write it."
        assert found["remedy"] == f"Delete {cache_file(BASE_URL)}."

    def test_that_is_not_there_yet_is_not_made(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(tmp_path / "later"))
        assert checks()["cache"]["status"] == "ok"
        assert not (tmp_path / "later").exists()


@pytest.mark.usefixtures("well")
class TestTheRoute:
    def test_that_a_variable_takes_away_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("USE_LITELLM_PROXY", "true")
        found = checks("--live", code=1)
        assert found["route"]["remedy"] == "Unset USE_LITELLM_PROXY."
        assert found["route"]["details"]["ours"] is False
        assert found["live.openai"]["remedy"] == "Fix route first."

    def test_that_somebody_has_taken_over_since_is_a_problem(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        litellm_synthetic.register()
        ours = litellm.main._complete_custom_openai  # noqa: SLF001

        def theirs(ctx: Any, passed_by: Any = ours) -> Any:
            del ctx, passed_by  # who holds ours is taken for a wrapper of it
            return litellm.ModelResponse()

        monkeypatch.setattr("litellm.main._complete_custom_openai", theirs)
        found = checks(code=1)["route"]
        assert "was not sent by this package" in found["found"]

    def test_of_an_unsupported_litellm_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr("litellm.main._complete_custom_openai")
        found = checks(code=1)
        assert "_complete_custom_openai" in found["litellm"]["found"]
        assert required_names.WORKING_VERSIONS in found["litellm"]["found"]
        assert found["route"]["status"] == "problem"

    def test_that_a_folder_would_shadow_in_a_proxy_is_warned_about(self, tmp_path: Path) -> None:
        (tmp_path / "litellm_synthetic.py").write_text("")
        found = checks(code=3)["route"]
        assert found["remedy"] == f"Rename {tmp_path / 'litellm_synthetic.py'}."

    def test_of_a_litellm_that_cannot_be_imported_is_reported_without_a_traceback(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "litellm").mkdir()
        (tmp_path / "litellm" / "__init__.py").write_text("raise ImportError('it is broken')")
        path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
        done = process(tmp_path, "-c", DOCTOR, "doctor", environment={"PYTHONPATH": path})
        assert done.returncode == 1
        assert "cannot be imported: ImportError: it is broken." in done.stdout
        assert "Traceback" not in done.stderr


@pytest.fixture
def live(well: None, upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch) -> SyntheticServer:
    """Put a stand-in where Synthetic would be, with a key of its own."""
    del well
    monkeypatch.setenv("SYNTHETIC_CATALOG", "auto")
    return upstream


class TestLive:
    @pytest.mark.parametrize("api", ["openai", "anthropic", "v2"])
    def test_each_api_says_how_fast_it_answered(self, live: SyntheticServer, api: str) -> None:
        found = checks("--live")[f"live.{api}"]
        assert found["status"] == "ok"
        assert found["details"]["latency_ms"] >= 0
        assert f"{found['details']['latency_ms']} ms" in found["found"]
        assert found["details"]["base_url"].startswith(live.url)

    def test_the_calls_are_few_and_small(self, live: SyntheticServer) -> None:
        run("--live")
        calls = [each for each in live.requests if each.route.endswith("/chat/completions")]
        assert len(calls) == 1
        assert calls[0].json["max_tokens"] <= 16
        assert calls[0].json["model"] == cheapest_chat_model(load_bundled())
        quotas = [each for each in live.requests if each.route == "/v2/quotas"]
        assert [each.method for each in quotas] == ["GET"]
        assert quotas[0].bearer == live.api_key

    def test_each_chat_api_is_called_through_litellm_at_its_own_base(
        self, live: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bases: list[str] = []
        really = litellm.completion

        def completion(**arguments: Any) -> Any:
            if arguments.get("client") is None:  # not the rehearsal
                bases.append(arguments["api_base"])
                arguments["api_base"] = live.openai_base
            return really(**arguments)

        monkeypatch.setattr(litellm, "completion", completion)
        found = checks("--live")
        assert bases == [live.openai_base]
        assert found["live.anthropic"]["details"]["base_url"] == f"{live.anthropic_base}/v1"

    def test_the_messages_api_is_called_as_claude_code_does(self, live: SyntheticServer) -> None:
        found = checks("--live")["live.anthropic"]
        assert found["details"]["cost_usd"] > 0
        [call] = [each for each in live.requests if each.route == "/anthropic/v1/messages"]
        assert call.json["max_tokens"] <= 16
        assert [turn["role"] for turn in call.json["messages"]] == ["user"]
        assert "Do not use tools." in repr(call.json["messages"])
        assert call.json["tools"]

    def test_the_model_is_the_cheapest_that_may_be_used(
        self, live: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_ALLOWED_MODELS", "syn:large:text")
        assert checks("--live")["live.openai"]["details"]["model"] == "syn:large:text"
        assert live.requests

    def test_another_model_can_be_named(self, live: SyntheticServer) -> None:
        run("--live", "--model", "synthetic/zai-org/GLM-5.3")
        called = next(e for e in live.requests if e.route.endswith("/chat/completions"))
        assert called.json["model"] == "hf:zai-org/GLM-5.3"

    def test_reasoning_that_takes_all_tokens_proves_the_api(self, live: SyntheticServer) -> None:
        live.enqueue(Text("", reasoning="Hm", finish_reason="length"))
        found = checks("--live")["live.openai"]
        assert found["status"] == "ok"
        assert "in reasoning only" in found["found"]

    def test_the_quota_is_shown(self, live: SyntheticServer) -> None:
        live.set_quotas(
            {
                "weeklyTokenLimit": {"maxCredits": "$24.00", "remainingCredits": "$11.20"},
                "rollingFiveHourLimit": {
                    "remaining": 73.5,
                    "max": 500,
                    "limited": False,
                    "tickPercent": 0.05,
                    "nextTickAt": (datetime.now(UTC) + timedelta(seconds=719)).isoformat(),
                },
            }
        )
        found = checks("--live")["live.v2"]
        assert "5-hour requests: 73.5 of 500 (+25 in 12 min)" in found["found"]
        assert "weekly credits: $11.20 of $24.00" in found["found"]
        quotas = found["details"]["quotas"]
        assert quotas["requests_left"] == 73.5
        assert quotas["weekly_credits_left_usd"] == 11.2
        assert quotas["exhausted"] is False

    def test_a_plan_that_is_used_up_is_warned_about_with_the_time(
        self, live: SyntheticServer
    ) -> None:
        gains_at = datetime.now(UTC) + timedelta(hours=2)
        live.set_quotas(
            {
                "rollingFiveHourLimit": {
                    "remaining": 0,
                    "max": 500,
                    "limited": True,
                    "nextTickAt": gains_at.isoformat(),
                }
            }
        )
        found = checks("--live", code=3)["live.v2"]
        assert found["status"] == "warning"
        assert found["remedy"].startswith(f"Wait until {gains_at:%Y-%m-%d %H:%M} UTC")

    def test_no_subscription_is_not_taken_for_unlimited(self, live: SyntheticServer) -> None:
        live.set_quotas({})
        found = checks("--live")["live.v2"]
        assert found["details"]["quotas"] is None
        assert "No subscription is reported" in found["found"]

    def test_a_rejected_key_is_reported_with_its_remedy_and_never_shown(
        self, live: SyntheticServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_KEY", KEY)
        result = run("--live", "--json", code=1)
        found = {each["name"]: each for each in json.loads(result.stdout)["checks"]}
        for api in ("openai", "v2"):
            check = found[f"live.{api}"]
            assert check["found"] == 'Synthetic answered 401: "Invalid API Key".'
            assert check["remedy"].startswith("Check SYNTHETIC_API_KEY")
            assert check["details"]["status_code"] == 401
            assert check["details"]["error"] == "AuthenticationError"
        assert KEY not in result.output
        assert live.requests

    @pytest.mark.usefixtures("well")
    def test_an_upstream_that_is_down_is_reported_with_its_remedy(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", "http://127.0.0.1:9/openai/v1")
        found = checks("--live", code=1)
        for name in ("live.openai", "live.v2"):
            assert "http://127.0.0.1:9/" in found[name]["found"]
            assert found[name]["remedy"].startswith("Check the network")
            assert found[name]["details"]["error"] == "APIConnectionError"
            assert found[name]["details"]["status_code"] is None

    @pytest.mark.usefixtures("well")
    def test_unknown_apis_are_not_guessed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", "http://127.0.0.1:9/my/llm")
        found = checks("--live", code=1)
        assert [name for name in found if name.startswith("live.")] == ["live.openai"]
        assert "No other API is known beside it." in found["base_url"]["found"]

    @pytest.mark.usefixtures("well")
    def test_nothing_is_sent_without_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SYNTHETIC_API_KEY")
        monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was opened"))
        found = checks("--live", code=1)
        assert found["live.openai"]["found"] == "Not called: key has a problem."


@pytest.mark.parametrize(
    ("message", "found", "remedy"),
    [
        (
            'litellm.AuthenticationError: Synthetic answered 401: "No. Way". Check it.',
            'Synthetic answered 401: "No. Way".',
            "Check it.",
        ),
        (
            "litellm.APIConnectionError: The connection to http://a.b/v1 failed: x. Try again.",
            "The connection to http://a.b/v1 failed: x.",
            "Try again.",
        ),
    ],
)
def test_a_message_is_split_into_what_happened_and_what_fixes_it(
    message: str, found: str, remedy: str
) -> None:
    assert split_message(message) == (found, remedy)


@given(st.text(max_size=80))
def test_any_message_yields_something_to_do(message: str) -> None:
    assert split_message(message)[1] or message.endswith(". ")


def test_the_cheapest_model_is_a_current_one_with_known_prices() -> None:
    def row(model_id: str, status: str, price: str | None, kind: str = "chat") -> dict[str, Any]:
        prices = {"input_usd_per_token": price, "output_usd_per_token": price}
        return {
            "id": model_id,
            "kind": kind,
            "status": status,
            "sources": ["live"],
            "prices": {name: value for name, value in prices.items() if value is not None},
        }

    def catalog(*rows: dict[str, Any]) -> Catalog:
        return Catalog.from_document(
            {
                "format": 1,
                "observed_on": "2026-10-08",
                "compiled_on": "2026-10-08",
                "sources": {"live": ""},
                "models": list(rows),
            }
        )

    rows = (
        row("hf:lab/Unpriced", "current", None),
        row("hf:lab/Dear", "current", "0.000002"),
        row("hf:lab/Cheap", "current", "0.000001"),
        row("hf:lab/Gone", "retired", "0"),
        row("hf:lab/Vectors", "current", "0", "embedding"),
    )
    assert cheapest_chat_model(catalog(*rows)) == "hf:lab/Cheap"
    assert cheapest_chat_model(catalog(*rows[:1])) == "hf:lab/Unpriced"
    assert cheapest_chat_model(catalog(*rows[3:])) is None


class TestOnAScreen:
    CHECK = Check(
        "base_url",
        "warning",
        "https://gateway.example.org/a/very/long/path/that/is/wider/than/forty/columns is odd.",
        "Unset SYNTHETIC_API_BASE to use the default.",
    )

    def shown(self, width: int | None) -> list[str]:
        console = None if width is None else Console(width=width)
        screen = Screen(width, has_glyphs=False, console=console)
        return [plain(each) for each in lines_of(self.CHECK, screen)]

    @pytest.mark.parametrize("width", [40, 59, 60, 80, 200])
    def test_no_line_but_that_of_a_long_path_is_wider(self, width: int) -> None:
        lines = self.shown(width)
        assert all(len(each) <= width or "/a/very/long/path" in each for each in lines)
        assert sum("/a/very/long/path/that/is/wider/than/forty/columns" in e for e in lines) == 1
        assert any(each.lstrip().startswith("-> Unset") for each in lines)

    def test_a_pipe_gets_one_line_with_the_remedy_in_it(self) -> None:
        (only,) = self.shown(None)
        assert only.startswith("warning  base_url ")
        assert only.endswith("is odd. -> Unset SYNTHETIC_API_BASE to use the default.")


@pytest.mark.usefixtures("well")
def test_a_pipe_gets_ascii_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    output = run().stdout
    assert output.isascii()
    assert "\x1b" not in output


@pytest.mark.usefixtures("well")
def test_json_is_one_document_of_the_documented_form() -> None:
    result = run("--json")
    document = json.loads(result.stdout)
    assert document["format"] == 1
    assert document["ok"] is True
    assert document["live"] is False
    fields: Iterable[set[str]] = (set(each) for each in document["checks"])
    assert all(each == {"name", "status", "found", "remedy", "details"} for each in fields)


@pytest.mark.usefixtures("well")
def test_what_litellm_prints_stays_out_of_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    really = litellm.get_llm_provider

    def noisy(*arguments: Any, **more: Any) -> Any:
        print("Provider List: …")  # noqa: T201  # as LiteLLM does
        return really(*arguments, **more)

    monkeypatch.setattr(litellm, "get_llm_provider", noisy)
    result = run("--json")
    json.loads(result.stdout)
    assert "Provider List" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use can't be deleted there")
@pytest.mark.usefixtures("well")
def test_a_deleted_working_folder_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    run()


@pytest.mark.usefixtures("well")
def test_ctrl_c_ends_it_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("litellm_synthetic.cli.doctor.command.check_table", interrupt)
    result = run(code=130)
    assert "Interrupted." in result.stderr
