"""Our rows in LiteLLM's cost map, kept apart from those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import litellm

from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
# What LiteLLM's register_model adds to a row that is there already (utils.py:5780). It does so to
# ours where it registers them again a moment after we have put them back.
_DERIVED: Final = frozenset(("key", "supported_openai_params"))


class OwnRows:
    """Keep our rows in LiteLLM's cost map apart from what others set there.

    They go into two tables: the cost map, and the rows that LiteLLM registers again when it
    replaces that map, as it does on a proxy's reload and behind an import that found no network
    (get_model_cost_map.py:565).
    """

    def __init__(self) -> None:
        self._map: dict[str, Any] = litellm.model_cost
        self._rows: Mapping[str, Row] = {}
        self._ours: dict[str, Row] = {}
        self._replayed: dict[str, Row] = {}

    def are_in_force(self) -> bool:
        """Tell whether LiteLLM still has the map that our rows are in, and has not emptied it."""
        return litellm.model_cost is self._map and next(iter(self._ours), None) in self._map

    def put_back(self) -> None:
        """Put in what somebody has taken out."""
        self.set(self._rows)

    def set(self, rows: Mapping[str, Row]) -> None:
        """Put in these rows, and take out those of ours that are not among them."""
        self._rows = rows
        replay = compat.registered_rows()
        # In a map that LiteLLM has filled again, its own work can't be told from a user's. What
        # users registered is in the other table.
        is_new_map = litellm.model_cost is not self._map
        self._map = litellm.model_cost
        for name in self._ours.keys() | rows.keys():
            registered = _without(replay.get(name), self._replayed.get(name))
            is_missing = is_new_map or name not in self._map
            theirs = (
                registered if is_missing else _without(self._map.get(name), self._ours.get(name))
            )
            row = rows.get(name)
            self._ours[name] = _put(self._map, name, row, theirs)
            self._replayed[name] = _put(replay, name, row, registered)
            if row is None:
                del self._ours[name], self._replayed[name]
        compat.forget_price_look_ups()


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
    if row is not None or theirs.keys() - _DERIVED:
        table[name] = {**(row or {}), **theirs}
    else:
        table.pop(name, None)
    return {field: value for field, value in (row or {}).items() if field not in theirs}
