"""Our rows in LiteLLM's cost map, kept apart from those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm
import litellm.utils

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]


class OwnRows:
    """Keep our rows in LiteLLM's cost map apart from what others set there.

    They go into two tables: the cost map, and the rows that LiteLLM registers anew when it replaces
    that map, as it does on a proxy's reload and behind an import that found no network
    (get_model_cost_map.py:565).
    """

    def __init__(self) -> None:
        self._map: dict[str, Any] = litellm.model_cost
        self._ours: dict[str, Row] = {}
        self._replayed: dict[str, Row] = {}

    def set(self, rows: Mapping[str, Row]) -> None:
        """Put in these rows, and take out those of ours that are not among them."""
        replay: dict[str, Any] = litellm.utils._runtime_registered_model_cost  # noqa: SLF001  # no public way to take a row back
        # In a map that LiteLLM has filled anew, its own work can't be told from a user's. What
        # users registered is in the other table.
        is_new_map = litellm.model_cost is not self._map
        self._map = litellm.model_cost
        for name in self._ours.keys() | rows.keys():
            registered = _without(replay.get(name), self._replayed.get(name))
            theirs = (
                registered if is_new_map else _without(self._map.get(name), self._ours.get(name))
            )
            row = rows.get(name)
            self._ours[name] = _put(self._map, name, row, theirs)
            self._replayed[name] = _put(replay, name, row, registered)
            if row is None:
                del self._ours[name], self._replayed[name]
        # Look-ups are cached; register_model drops the caches the same way (utils.py:5788).
        litellm.utils._invalidate_model_cost_lowercase_map()  # noqa: SLF001


def _without(current: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> Row:
    """Return what others set in a row: all that isn't ours, but for the Nones of register_model."""
    ours = ours or {}
    return {
        field: value
        for field, value in (current or {}).items()
        if value is not None and (field not in ours or ours[field] != value)
    }


def _put(table: dict[str, Any], name: str, row: Row | None, theirs: Row) -> Row:
    """Write a row, or what is left without it, and return the part that is ours."""
    if row is not None or theirs:
        table[name] = {**(row or {}), **theirs}
    else:
        table.pop(name, None)
    return {field: value for field, value in (row or {}).items() if field not in theirs}
