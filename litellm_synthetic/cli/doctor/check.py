"""One finding of the doctor: its status, its text, its remedy; as lines and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from litellm_synthetic.cli.terminal import Line, Screen, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Status = Literal["ok", "warning", "problem"]

FORMAT: Final = 1
ALL_WELL: Final = 0
PROBLEMS: Final = 1
# 2 is click's, for words on the command line that it can't read.
ONLY_WARNINGS: Final = 3

_STYLES: Final = {"ok": "green", "warning": "yellow", "problem": "bold red"}
_STATUS_WIDTH: Final = 9
_TITLE_WIDTH: Final = 11
_NAME_WIDTH: Final = 14
_NARROW: Final = 60
_TITLES: Final = {"base_url": "base URL", "litellm": "LiteLLM"}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: the subject, a dotted name that stays the same between versions.
        status: `ok`; `warning` for what works but is probably not intended; `problem` for what
            keeps calls from working.
        found: the finding, in a sentence or two.
        remedy: the one thing that fixes it; None where nothing needs to be fixed.
        details: the same for programs, ready for JSON. Never a secret.
    """

    name: str
    status: Status
    found: str
    remedy: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def scrubbed(self, scrub: Callable[[str], str]) -> Check:
        """Return the finding without what `scrub` takes out of a text."""
        return replace(
            self,
            found=scrub(self.found),
            remedy=None if self.remedy is None else scrub(self.remedy),
            details=_scrubbed(self.details, scrub),
        )


def _scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {name: _scrubbed(each, scrub) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(each, scrub) for each in value]
    return value


def exit_code(checks: Iterable[Check]) -> int:
    """Return 0 if all is well, 1 if there is a problem, 3 if there are warnings only."""
    statuses = {check.status for check in checks}
    if "problem" in statuses:
        return PROBLEMS
    return ONLY_WARNINGS if "warning" in statuses else ALL_WELL


def summary(checks: Sequence[Check]) -> str:
    """Return how many findings there are of each kind."""
    statuses = [each.status for each in checks]
    counts = ((word, statuses.count(word)) for word in ("problem", "warning"))
    parts = [f"{count} {word}{'s' * (count != 1)}" for word, count in counts if count]
    return f"{', '.join(parts)}." if parts else "All is well."


def document(checks: Sequence[Check], *, is_live: bool) -> dict[str, Any]:
    """Return the document that `doctor --json` prints; docs/cli.md describes it."""
    return {
        "format": FORMAT,
        "ok": exit_code(checks) == ALL_WELL,
        "live": is_live,
        "checks": checks,
    }


def lines_of(check: Check, screen: Screen) -> Iterator[Line]:
    """Lay one finding out: a line in a pipe, else as many as the width asks for."""
    if screen.width is None:
        fix = "" if check.remedy is None else f" -> {check.remedy}"
        yield (f"{check.status:<{_STATUS_WIDTH}}{check.name:<{_NAME_WIDTH}} {check.found}{fix}",)
        return
    is_narrow = screen.width < _NARROW
    indent = "  " if is_narrow else " " * (_STATUS_WIDTH + _TITLE_WIDTH)
    lead: Line = (
        (f"{check.status:<{_STATUS_WIDTH}}", _STYLES[check.status]),
        (f"{_title(check.name):<{_TITLE_WIDTH}}", "bold"),
    )
    if is_narrow:
        yield lead
        lead = (indent,)
    for text in wrap(check.found, screen.width - len(indent)):
        yield (*lead, text)
        lead = (indent,)
    mark = f"{screen.arrow} "
    for text in wrap(check.remedy or "", screen.width - len(indent) - len(mark)):
        if check.remedy is not None:
            yield (indent, (mark + text, "bold"))
            mark = " " * len(mark)


def _title(name: str) -> str:
    family, _, rest = name.partition(".")
    if family == "settings":
        return "settings"
    return rest or _TITLES.get(name, name)
