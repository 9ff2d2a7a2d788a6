"""Output and errors of `search`, for people and for pipes."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from litellm_synthetic.cli.search import lines
from litellm_synthetic.cli.terminal import Screen, plain
from litellm_synthetic.client.search_results import SearchResults, read_results
from litellm_synthetic.testing import named_fault
from tests.cli.invocation import invoke

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

HOSTILE = "\x1b]0;owned\x07\u202e title\nsecond line"
ROWS: list[Any] = [
    {
        "url": "https://fox.example/den",
        "title": "Foxes",
        "text": "A fox is a small omnivore.\n" * 40,
        "published": "2026-01-31T00:00:00.000Z",
    },
    {
        "url": "https://a.example/灯台",
        "highlights": ["灯台は" * 60, "two"],
        "published": "long ago",
    },
    {"url": "https://b.example/", "title": HOSTILE},
]
run = partial(invoke, "search")


def shown(rows: list[Any], columns: int) -> list[str]:
    console = Console(width=columns, force_terminal=True)
    screen = Screen(columns, has_glyphs=True, console=console)
    results = read_results({"results": rows}, "x")
    return [plain(each) for each in lines(results, screen, None)]


def test_a_pipe_gets_four_plain_lines_for_each_result(synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_search_results(ROWS)
    result = run("red", "foxes")
    assert synthetic_server.last_request.json == {"query": "red foxes"}
    assert result.stderr == ""
    first, second, third = [block.split("\n") for block in result.stdout[:-1].split("\n\n")]
    text = " ".join(["A fox is a small omnivore."] * 40)
    assert first == ["Foxes", "https://fox.example/den", "2026-01-31", text]
    assert second == ["-", "https://a.example/灯台", "long ago", "灯台は" * 60 + " … two"]
    assert third[1:] == ["https://b.example/", "-", "-"]


def test_no_control_character_is_printed(synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_search_results(ROWS)
    out = run("x").stdout
    assert all(char.isprintable() or char == "\n" for char in out)
    assert "owned" in out


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_wrapped_text_of_four_lines_at_most(columns: int) -> None:
    out = shown(ROWS, columns)
    limit = min(columns, 100)
    assert all(cell_len(each) <= limit for each in out if "://" not in each)
    assert out[0] == "1. Foxes"
    assert out[2].strip() == "2026-01-31"
    text = out[3 : out.index("")]
    assert len(text) == 4
    assert text[-1].endswith("…")
    assert any(each.startswith("3. ") and "second line" in each for each in out)


def test_a_text_without_width_is_cut_once() -> None:
    out = shown([{"url": "https://a.example", "title": "t", "text": "e" + "\u0301" * 3000}], 40)
    assert len(out) == 3
    assert out[-1].endswith("…")


def test_an_address_is_never_broken() -> None:
    url = "https://long.example/" + "a" * 300
    assert f"   {url}" in shown([{"url": url, "title": "t"}], 40)


def test_limit_shows_fewer_and_says_how_many_more(synthetic_server: SyntheticServer) -> None:
    result = run("foxes", "--limit", "1")
    assert result.stdout.count("https://") == 1
    assert "2 more" in result.stderr
    assert run("foxes", "--limit", "3").stderr == ""
    assert run("foxes", "--limit", "0", code=2).stdout == ""
    assert len(synthetic_server.requests) == 2


def test_json_is_one_document(synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_search_results([*ROWS, "row"])
    result = run("foxes", "--json", "--limit", "2")
    document = json.loads(result.stdout)
    assert (document["format"], document["query"], document["left_out"]) == (1, "foxes", 1)
    assert [each["index"] for each in document["skipped"]] == [3]
    assert "object" in document["skipped"][0]["reason"]
    assert document["results"][1] == {
        "url": "https://a.example/灯台",
        "title": None,
        "text": None,
        "highlights": ["灯台は" * 60, "two"],
        "published": None,
        "published_text": "long ago",
    }
    assert document["results"][0]["published"] == "2026-01-31T00:00:00+00:00"
    assert "1 skipped" in result.stderr


def test_no_results_is_not_a_failure(synthetic_server: SyntheticServer) -> None:
    synthetic_server.set_search_results([])
    result = run("foxes")
    assert (result.stdout, result.stderr) == ("", "Nothing was found.\n")
    assert json.loads(run("foxes", "--json").stdout)["results"] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("forbidden", "Search needs a subscription"),
        ("html_200", "not JSON"),
        ("invalid_key_echoed", "redacted"),
        ("redirect", "redirects"),
    ],
)
def test_a_failure_is_one_line_on_stderr(
    synthetic_server: SyntheticServer, name: str, text: str
) -> None:
    synthetic_server.set_search_results(named_fault(name))
    result = run("foxes", code=1)
    assert result.stdout == ""
    assert text in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert "litellm." not in result.stderr
    assert synthetic_server.api_key not in result.output


def test_without_a_key_the_error_names_the_variable(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    assert "SYNTHETIC_API_KEY" in run("foxes", code=1).stderr
    assert not synthetic_server.requests


def test_base_url_on_the_command_line_gets_the_key(synthetic_server: SyntheticServer) -> None:
    run("foxes", "--base-url", f"http://localhost:{synthetic_server.port}/anthropic")
    assert synthetic_server.last_request.bearer == synthetic_server.api_key
    assert synthetic_server.last_request.headers["host"].startswith("localhost")


def test_a_bad_base_url_is_one_line(synthetic_server: SyntheticServer) -> None:
    result = run("foxes", "--base-url", "http://me:secret@host.example", code=1)
    assert "user name" in result.stderr
    assert "secret" not in result.stderr
    assert not synthetic_server.requests


def test_an_empty_list_has_no_lines() -> None:
    assert list(lines(SearchResults("x", ()), Screen(), None)) == []
