"""Programs of this environment that use LiteLLM and never import this package."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.doctor.check import Check
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.startup.on_import import is_handed_down

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# LiteLLM's own proxy is told by its config; see docs/proxy.md.
_NOT_MEANT: Final = frozenset(("litellm", "litellm-proxy", "litellm-synthetic"))
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def check_programs(installed: Iterable[Distribution] | None = None) -> Iterator[Check]:
    """Name the programs in which the route is stock LiteLLM's; yield nothing if there are none.

    Args:
        installed: the packages to look at; by default this environment's.
    """
    owners = {
        command: owner
        for owner, commands in _commands(distributions() if installed is None else installed)
        for command in commands
    }
    if not owners:
        return
    names = ", ".join(f"{command} ({owner})" for command, owner in sorted(owners.items()))
    details = {"programs": owners, "handed_down": is_handed_down()}
    if is_handed_down():
        found = f"Started from here they register as they import LiteLLM: {names}."
    else:
        found = (
            f"These use LiteLLM and may never register, so {ROUTE_PREFIX} is stock LiteLLM's in "
            f"them, which drops tools: {names}. Start one with: litellm-synthetic run "
            f"{min(owners)}"
        )
    yield Check("programs", "ok", found, details=details)


def _commands(installed: Iterable[Distribution]) -> Iterator[tuple[str, list[str]]]:
    for distribution in installed:
        owner = distribution.metadata["Name"]
        needs = {
            match[0].lower() for each in distribution.requires or () if (match := _NAME.match(each))
        }
        if owner is None or owner.lower() in _NOT_MEANT or "litellm" not in needs:
            continue
        scripts = distribution.entry_points.select(group="console_scripts")
        yield owner, [each.name for each in scripts]
