"""Findings as lines and as JSON."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.cli.doctor.check import exit_code
from litellm_synthetic.cli.terminal import Line, Screen, Span, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from litellm_synthetic.cli.doctor.check import Check

FORMAT: Final = 1
_STYLES: Final = {"ok": "green", "warning": "yellow", "problem": "bold red"}
_STATUS_WIDTH: Final = 9
_TITLE_WIDTH: Final = 11
_NAME_WIDTH: Final = 14
_NARROW: Final = 60
_TITLES: Final = {"base_url": "base URL", "litellm": "LiteLLM"}


def lines_of(check: Check, screen: Screen) -> Iterator[Line]:
    """Lay one finding out: a line in a pipe, else as many as the width asks for."""
    status, title = check.status, _title(check.name)
    if screen.width is None:
        fix = "" if check.remedy is None else f" -> {check.remedy}"
        yield line(f"{status:<{_STATUS_WIDTH}}{check.name:<{_NAME_WIDTH}} {check.found}{fix}")
        return
    is_narrow = screen.width < _NARROW
    indent = 2 if is_narrow else _STATUS_WIDTH + _TITLE_WIDTH
    head = (
        Span(f"{status:<{_STATUS_WIDTH}}", _STYLES[status]),
        Span(f"{title:<{_TITLE_WIDTH}}", "bold"),
    )
    found = _wrapped(check.found, screen.width - indent)
    if is_narrow:
        yield line(*head)
    else:
        yield line(*head, found.pop(0))
    for each in found:
        yield line(" " * indent + each)
    if check.remedy is not None:
        mark = f"{screen.arrow} "
        for index, each in enumerate(_wrapped(check.remedy, screen.width - indent - len(mark))):
            yield line(
                " " * indent, Span(f"{mark if index == 0 else ' ' * len(mark)}{each}", "bold")
            )


def _title(name: str) -> str:
    family, _, rest = name.partition(".")
    if family == "settings":
        return "settings"
    return rest or _TITLES.get(name, name)


def _wrapped(text: str, width: int) -> list[str]:
    # A path or a command that is broken can't be copied.
    return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False)


def summary(checks: Sequence[Check]) -> str:
    """Return how many findings there are of each kind."""
    problems = sum(check.status == "problem" for check in checks)
    warnings = sum(check.status == "warning" for check in checks)
    if not problems and not warnings:
        return "All is well."
    counted = ((problems, "problem"), (warnings, "warning"))
    parts = [f"{count} {word}{'s' * (count != 1)}" for count, word in counted if count]
    return f"{', '.join(parts)}."


def document(checks: Sequence[Check], *, is_live: bool) -> dict[str, Any]:
    """Return the document that `doctor --json` prints; docs/cli.md describes it."""
    return {
        "format": FORMAT,
        "ok": exit_code(checks) == 0,
        "live": is_live,
        "checks": [
            {
                "name": each.name,
                "status": each.status,
                "found": each.found,
                "remedy": each.remedy,
                "details": dict(each.details),
            }
            for each in checks
        ],
    }
