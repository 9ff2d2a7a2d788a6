"""One finding of the doctor: how it stands, what was found, and the one thing that fixes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from litellm_synthetic.config.endpoint import Api

Status = Literal["ok", "warning", "problem"]

APIS: Final[tuple[Api, ...]] = ("openai", "anthropic", "v2")
ALL_WELL: Final = 0
PROBLEMS: Final = 1
# 2 is click's, for words on the command line that it can't read.
ONLY_WARNINGS: Final = 3


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding.

    Attributes:
        name: what was looked at, a dotted name that stays the same between versions.
        status: `ok`; `warning` for what works but is probably not meant; `problem` for what keeps
            calls from working.
        found: what is the case, in a sentence or two.
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
    seen = {check.status for check in checks}
    if "problem" in seen:
        return PROBLEMS
    return ONLY_WARNINGS if "warning" in seen else ALL_WELL


def blank_call(api: Api, base_url: str | None = None) -> dict[str, Any]:
    """Return the details of a live call before there are any: every field, with None in it."""
    details: dict[str, Any] = {
        "base_url": base_url,
        "latency_ms": None,
        "error": None,
        "status_code": None,
    }
    own = ("quotas",) if api == "v2" else ("model", "cost_usd")
    return {**details, **dict.fromkeys(own)}
