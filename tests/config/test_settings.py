"""One table of settings: parsed alike everywhere, blank means unset, and the docs say the same."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st

import litellm_synthetic
from litellm_synthetic.catalog.fetch import _verify as verify_of_a_fetch
from litellm_synthetic.client.litellm_globals import read_secret
from litellm_synthetic.config import settings, variable
from litellm_synthetic.config.settings import API_KEY, SETTINGS

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer
    from tests.caller import Caller

ROOT = Path(__file__).parents[2]
MODEL = "synthetic/hf:zai-org/GLM-5.3"
MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "syn_made_up_0123456789"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Words that begin like a variable of ours and are none.
NO_SETTINGS = {"SYNTHETIC_APIKEY", "SYNTHETIC_KEY", "SYNTHETIC_COMPLETE"}

by_name = pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.name)


@pytest.fixture(autouse=True)
def nothing_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variable, "_warned", {})


@by_name
@pytest.mark.parametrize("blank", [None, "", "  ", "\t\n"])
def test_a_blank_value_means_unset(
    setting: variable.Setting[Any], blank: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {} if blank is None else {setting.name: blank}
    assert setting.value(environ.get) == setting.default
    assert setting.stated(environ.get) is None
    assert setting.problem(environ.get) is None
    assert not caplog.messages


@by_name
def test_the_default_that_people_read_is_the_default(setting: variable.Setting[Any]) -> None:
    words = re.fullmatch(r"`(.+)`", setting.default_text)
    if setting.default is None and setting is not settings.SSL_VERIFY:
        assert words is None
    elif words is not None:
        expected = True if setting is settings.SSL_VERIFY else setting.default
        assert setting.parser.parse(words[1]) == expected
    else:
        assert setting.default_text.startswith(f"{setting.default:g} ")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SYNTHETIC_CATALOG", " Offline ", "offline"),
        ("SYNTHETIC_CATALOG_TTL", "3.6e3", 3600.0),
        ("SYNTHETIC_BILLING", "SUBSCRIPTION", "subscription"),
        ("SYNTHETIC_MESSAGES", "translate", "translate"),
        ("SYNTHETIC_ALLOW_HTTP", "yes", True),
        ("SYNTHETIC_ALLOW_HTTP", "off", False),
        ("SYNTHETIC_STREAM_MERGE", "0", False),
        ("SYNTHETIC_STREAM_MERGE", "TRUE", True),
        ("SYNTHETIC_CACHE_DIR", "/tmp/x ", Path("/tmp/x")),  # noqa: S108  # never opened
        ("SYNTHETIC_API_BASE", " https://x.example ", "https://x.example"),
        ("SSL_VERIFY", "False", False),
        ("SSL_VERIFY", "true", True),
        ("SSL_VERIFY", "/etc/ca.pem", "/etc/ca.pem"),
    ],
)
def test_a_value_is_read(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (setting,) = (each for each in SETTINGS if each.name == name)
    monkeypatch.setenv(name, text)
    assert setting.value() == value
    assert setting.stated() == value
    monkeypatch.delenv(name)
    assert setting.value() == setting.default


@pytest.mark.parametrize(
    "setting",
    [each for each in SETTINGS if each.problem({each.name: "nonsense"}.get) and not each.strict],
    ids=lambda each: each.name,
)
def test_what_is_not_understood_counts_as_the_default_with_one_warning(
    setting: variable.Setting[Any], caplog: pytest.LogCaptureFixture
) -> None:
    environ = {setting.name: f"of course {KEY}"}
    with caplog.at_level(logging.WARNING, "litellm_synthetic"):
        assert [setting.value(environ.get) for _ in range(3)] == [setting.default] * 3
    (warning,) = caplog.messages
    assert warning.startswith(f"{setting.name}=of course [redacted] is not understood; it counts ")
    assert setting.stated(environ.get) is None


@given(st.sampled_from(SETTINGS), st.text(max_size=50))
def test_any_text_is_read_or_counts_as_the_default(
    setting: variable.Setting[Any], text: str
) -> None:
    environ = {setting.name: text}
    if setting.strict:
        try:
            value = setting.value(environ.get)
        except ValueError:
            assert setting.problem(environ.get)
            return
    else:
        value = setting.value(environ.get)
    if setting.problem(environ.get):
        assert value == setting.default
    elif text.strip():
        assert value == setting.parser.parse(text.strip())


def test_the_key_is_never_in_what_is_said_of_it() -> None:
    problem = API_KEY.problem({"SYNTHETIC_API_KEY": f"{KEY} {KEY}"}.get)
    assert problem is not None
    assert KEY not in problem


# ---- everywhere alike


async def test_a_blank_base_url_is_unset_for_every_kind_of_call(
    upstream: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = upstream.openai_base
    monkeypatch.setattr(
        settings, "API_BASE", _with_default(settings.API_BASE, base)
    )  # so that the default is not a real service
    monkeypatch.setenv("SYNTHETIC_API_BASE", "  ")
    monkeypatch.setenv("SYNTHETIC_CATALOG", "auto")
    await caller.completion(model=MODEL, messages=MESSAGES)
    assert litellm_synthetic.quotas() is not None
    assert litellm_synthetic.search("red foxes").results
    assert litellm_synthetic.refresh().table.base_url == base
    assert await litellm.anthropic_messages(model=MODEL, messages=MESSAGES, max_tokens=9)
    assert {each.path.rpartition("/")[2] for each in upstream.requests} >= {
        "completions",
        "quotas",
        "search",
        "models",
        "messages",
    }


async def test_a_blank_api_base_leaves_it_to_the_environment(
    upstream: SyntheticServer, caller: Caller
) -> None:
    await caller.completion(model=MODEL, messages=MESSAGES, api_base="  ")
    assert litellm_synthetic.quotas(api_base=" ") is not None
    assert litellm_synthetic.search("red foxes", api_base="\t").results
    assert len(upstream.requests) == 3


def _with_default(setting: variable.Setting[str], default: str) -> variable.Setting[str]:
    return variable.Setting(setting.name, setting.parser, default, f"`{default}`", setting.meaning)


@pytest.mark.parametrize("blank", ["", "  "])
async def test_a_blank_ssl_verify_is_unset_for_calls_and_fetches(
    upstream: SyntheticServer, caller: Caller, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    monkeypatch.setenv("SSL_VERIFY", blank)
    await caller.completion(model=MODEL, messages=MESSAGES)
    assert upstream.requests
    assert verify_of_a_fetch() is True


def test_key_and_base_url_come_from_the_secret_manager_of_litellm(
    upstream: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"SYNTHETIC_API_KEY": upstream.api_key, "SYNTHETIC_API_BASE": upstream.openai_base}
    for name in secrets:
        monkeypatch.delenv(name)
    monkeypatch.setattr(litellm, "get_secret", secrets.get)
    assert API_KEY.text(read_secret) == upstream.api_key
    assert litellm_synthetic.quotas() is not None
    assert litellm_synthetic.search("red foxes").results


# ---- names that are nearly a setting


@pytest.mark.parametrize(
    "name",
    [
        "SYNTHETIC_APIKEY",
        "SYNTHETIC_KEY",
        "SYNTETIC_API_KEY",
        "SYNTHETIC_API_KEYS",
        "SYNTHETIC_TOKEN",
        "synthetic_api_key",
    ],
)
@pytest.mark.usefixtures("registered")
async def test_a_misspelt_key_is_named_in_the_error_for_a_missing_one(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, KEY)
    expected = rf"{name} is set, which is not a known setting\. Rename it to SYNTHETIC_API_KEY\."
    with pytest.raises(litellm.AuthenticationError, match=expected) as excinfo:
        await caller.completion(model=MODEL, messages=MESSAGES)
    assert KEY not in str(excinfo.value)
    for call in (litellm_synthetic.quotas, lambda: litellm_synthetic.search("x")):
        with pytest.raises(litellm.AuthenticationError, match=expected):
            call()


@pytest.mark.parametrize(
    "name",
    ["SYNTHESIA_API_KEY", "ANTHROPIC_API_KEY", "SYNTHETIC_UNRELATED_TOOL", "SSL_VERIFY_DEPTH"],
)
def test_the_names_of_others_are_left_alone(name: str) -> None:
    assert list(settings.mistaken_names({name: "x"})) == []


def test_a_misspelt_name_is_nobodys_business_where_it_is_blank_or_the_right_one_is_set() -> None:
    assert list(settings.mistaken_names({"SYNTHETIC_APIKEY": " "})) == []
    both = {"SYNTHETIC_APIKEY": "x", "SYNTHETIC_API_KEY": "y"}
    assert list(settings.mistaken_names(both)) == []
    assert list(settings.mistaken_names({"SYNTHETIC_BILING": "x"})) == [
        ("SYNTHETIC_BILING", settings.BILLING)
    ]


# ---- the docs


def rows(page: Path) -> list[list[str]]:
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_page_of_settings_is_the_table() -> None:
    _, *documented = rows(ROOT / "docs" / "settings.md")
    assert documented == [
        [f"`{each.name}`", each.parser.accepts, each.default_text, each.meaning]
        for each in SETTINGS
    ]


def test_the_readme_says_of_settings_what_the_table_says() -> None:
    names = {each.name: each for each in SETTINGS}
    documented = {
        variable[1]: cells[1:]
        for cells in rows(ROOT / "README.md")
        if len(cells) == 3 and (variable := re.search(r"`([A-Z_]+)`$", cells[0]))
    }
    assert {"SYNTHETIC_API_KEY", "SYNTHETIC_API_BASE", "SYNTHETIC_BILLING"} <= documented.keys()
    assert documented == {
        name: [names[name].meaning, names[name].default_text] for name in documented
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_docs_name_no_variable_that_nobody_reads(page: Path) -> None:
    mentioned = set(re.findall(r"SYNTHETIC_[A-Z_]*[A-Z]", page.read_text("utf-8")))
    assert mentioned - NO_SETTINGS <= {each.name for each in SETTINGS}


def test_the_sources_read_no_variable_past_the_table() -> None:
    names = set[str]()
    for source in (ROOT / "litellm_synthetic").rglob("*.py"):
        if source.parent.name != "config":
            text = source.read_text("utf-8")
            names |= set(re.findall(r"environ[^\n]*[\"'](SYNTHETIC_[A-Z_]+|SSL_VERIFY)", text))
    assert names == set()
