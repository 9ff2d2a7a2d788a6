"""The command `config`: every setting, its value and where that comes from; never a key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from litellm_synthetic.cli.environment import load_dotenv_as_litellm_does
from litellm_synthetic.cli.json_document import FORMAT, as_json
from litellm_synthetic.cli.terminal import Line, Screen, remark, wrap
from litellm_synthetic.config.cache_folder import cache_folder
from litellm_synthetic.config.settings import (
    API_BASE,
    API_KEY,
    SETTINGS,
    endpoint,
    mistaken_names,
)
from litellm_synthetic.config.variable import plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from litellm_synthetic.config.variable import Setting

ALL_WELL: Final = 0
PROBLEMS: Final = 1
_UNSET_KEY: Final = "not set"
_SET_KEY: Final = "set (not shown)"
_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """What one setting is, for people and programs.

    Attributes:
        name: the variable.
        value: what is in force, as text; of a key only whether there is one.
        source: `environment`, `dotenv` or `default`.
        problem: what is wrong with it, and the remedy; None where nothing is.
        meaning: one line for people.
    """

    name: str
    value: str
    source: str
    problem: str | None
    meaning: str


def run(*, is_json: bool) -> int:
    """Print every setting and return the exit code: 0, or 1 where a value is not understood."""
    before = dict(os.environ)
    file = load_dotenv_as_litellm_does()
    settings = [_in_force(each, before) for each in SETTINGS]
    mistaken = [
        f"{name} is set, which is not a setting; {meant.name} may be meant."
        for name, meant in mistaken_names()
    ]
    if is_json:
        click.echo(as_json(_document(settings, mistaken, file)))
    else:
        screen = Screen.of_stdout()
        screen.write(_lines(settings, screen))
        for each in _places(file):
            remark(each)
        for sentence in mistaken:
            remark(sentence)
    return PROBLEMS if mistaken or any(each.problem for each in settings) else ALL_WELL


def _in_force(setting: Setting[Any], before: dict[str, str]) -> SettingInForce:
    text = setting.text()
    if text is None:
        source = "default"
    else:
        source = "environment" if setting.text(before.get) == text else "dotenv"
    value = _SET_KEY if text else _UNSET_KEY
    problem = setting.problem()
    if setting is not API_KEY:
        value = plain(setting.default_text) if text is None or problem else shown(text)
    if setting is API_BASE:
        try:
            value = endpoint().base_url
        except ValueError as error:  # it may hold a password
            value, problem = "unusable", f"{setting.name}: {error}."
    elif problem is not None:
        problem = f"{problem} {setting.remedy()}"
    return SettingInForce(setting.name, value, source, problem, plain(setting.meaning))


def _places(file: Path | None) -> Iterator[str]:
    try:
        yield f"The model table is kept in {cache_folder()}."
    except OSError as error:
        yield f"The model table is not kept: {error}."
    if file is not None:
        yield f"{file} is read, as LiteLLM reads it."


def _document(
    settings: Sequence[SettingInForce], mistaken: Sequence[str], file: Path | None
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "dotenv": None if file is None else str(file),
        "settings": settings,
        "mistaken": mistaken,
    }


def _lines(settings: Sequence[SettingInForce], screen: Screen) -> Iterator[Line]:
    """Lay the settings out: a line each, and in a terminal the meaning below."""
    names = max(len(each.name) for each in settings)
    for each in settings:
        style = "bold" if each.source != "default" else ""
        name = (each.name.ljust(names), style)
        lead: Line = (name, _GAP, (each.value, "cyan" if style else ""), _GAP)
        yield (*lead, (f"({each.source})", "dim"))
        if screen.width is not None:
            for text in wrap(each.meaning, screen.width - names - len(_GAP)):
                yield (" " * (names + len(_GAP)), (text, "dim"))
        if each.problem is not None:
            for text in wrap(each.problem, screen.width and screen.width - len(_GAP)):
                yield (_GAP, (text, "bold red"))
