"""The commands `config` and `completion`."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from litellm_synthetic.cli import environment
from litellm_synthetic.config.settings import SETTINGS
from tests.cli.invocation import invoke

if TYPE_CHECKING:
    from pathlib import Path

KEY = "syn_made_up_0123456789"
run = partial(invoke, "config")


def test_every_setting_is_shown_with_its_source() -> None:
    lines = run(env={"SYNTHETIC_MODEL": "syn:small:text"}).stdout.splitlines()
    assert [each.split()[0] for each in lines] == [each.name for each in SETTINGS]
    shown = dict(each.split(None, 1) for each in lines)
    assert shown["SYNTHETIC_MODEL"] == "syn:small:text  (environment)"
    assert shown["SYNTHETIC_API_KEY"] == "not set  (default)"


def test_no_part_of_a_key_is_ever_shown() -> None:
    for output in (
        run(env={"SYNTHETIC_API_KEY": KEY}),
        run("--json", env={"SYNTHETIC_API_KEY": KEY}),
    ):
        assert "set (not shown)" in output.stdout
        assert KEY not in output.output
        assert KEY[-6:] not in output.output


def test_a_base_url_with_a_password_is_not_shown() -> None:
    url = "https://me:secret@host.example/v1"
    result = run(env={"SYNTHETIC_API_BASE": url}, code=1)
    assert "secret" not in result.output


def test_what_a_dotenv_file_sets_is_named_as_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("SYNTHETIC_BILLING=subscription\n")
    monkeypatch.setattr(environment, "read_by_litellm", lambda: file)
    monkeypatch.setenv("SYNTHETIC_BILLING", "")  # put back by monkeypatch
    monkeypatch.delenv("SYNTHETIC_BILLING")
    document = json.loads(run("--json").stdout)
    (billing,) = [each for each in document["settings"] if each["name"] == "SYNTHETIC_BILLING"]
    assert (billing["value"], billing["source"]) == ("subscription", "dotenv")
    assert document["dotenv"] == str(file)


def test_a_value_that_is_not_understood_is_a_problem_with_its_remedy() -> None:
    result = run(env={"SYNTHETIC_BILLING": "monthly"}, code=1)
    assert "it counts as metered. Set it to metered or subscription" in result.stdout


def test_a_variable_that_is_nearly_a_setting_is_named() -> None:
    result = run(env={"SYNTHETIC_APIKEY": KEY}, code=1)
    assert "SYNTHETIC_API_KEY may be meant" in result.stderr
    assert KEY not in result.output


@pytest.mark.parametrize(
    ("shell", "mark"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef"), ("fish", "complete")],
)
def test_completion_prints_what_the_shell_runs(shell: str, mark: str) -> None:
    script = invoke("completion", shell).stdout
    assert mark in script
    assert f"_LITELLM_SYNTHETIC_COMPLETE={shell}_complete" in script
    assert "litellm-synthetic" in script


def test_another_shell_is_a_usage_error() -> None:
    assert invoke("completion", "csh", code=2).stderr.startswith("Usage:")
