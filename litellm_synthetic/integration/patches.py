"""Places in LiteLLM that are ours for a while: put in, found again, put back.

Others patch LiteLLM too, before us, after us and in between. Whatever wraps ours stays where it is.
Whatever displaced ours gets ours around it, with theirs underneath for the calls that are not ours,
so nobody's patch is lost. No function is wrapped twice.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

_ABSENT: Final = object()
# Beyond it, an object is taken for one that does not lead to ours, which then wraps it.
_MAX_OBJECTS_SEARCHED: Final = 1000


@dataclass(frozen=True, slots=True)
class _Layer:
    owner: Any
    original: Any
    ours: Any


class AttributePatch:
    """One attribute of a module, a class or an object of LiteLLM's.

    It remembers what it has ever put in, so that ours is known again when somebody puts back what
    they had kept.

    Args:
        owner: returns the object that has the attribute; a reload of LiteLLM's modules makes
            classes anew.
        name: the attribute.
        wrap: makes ours from what is there; for a static method from its function.
    """

    def __init__(self, owner: Callable[[], Any], name: str, wrap: Callable[[Any], Any]) -> None:
        self._owner = owner
        self._name = name
        self._wrap = wrap
        self._layers: list[_Layer] = []
        self._checked_owner: Any = None
        self._checked_value: Any = _ABSENT

    def is_in_force(self) -> bool:
        """Tell whether all is as `apply` left it; costs two comparisons."""
        owner = self._owner()
        return (
            owner is self._checked_owner
            and vars(owner).get(self._name, _ABSENT) is self._checked_value
        )

    def apply(self) -> None:
        """Put ours in, unless what is there is ours, or leads to it."""
        owner = self._owner()
        current = _raw(owner, self._name)
        layers = [layer for layer in self._layers if layer.owner is owner]
        known = next((layer for layer in layers if layer.original is current), None)
        if known is None and not _leads_to_any(current, [layer.ours for layer in layers]):
            known = self._layer_over(owner, current)
        if known is not None:
            current = known.ours
            setattr(owner, self._name, current)
        self._checked_owner, self._checked_value = owner, current

    def undo(self) -> None:
        """Put back what was there, where ours is on top; what others put over it stays."""
        for layer in reversed(self._layers):
            if _raw(layer.owner, self._name) is layer.ours:
                setattr(layer.owner, self._name, layer.original)
        self._checked_owner = None

    def _layer_over(self, owner: Any, current: Any) -> _Layer:
        if isinstance(current, staticmethod):
            ours: Any = staticmethod(self._wrap(current.__func__))
        else:
            ours = self._wrap(current)
        self._layers.append(_Layer(owner, current, ours))
        return self._layers[-1]


class ItemPatch:
    """One entry of a table of LiteLLM's.

    Args:
        table: returns the table, or None while LiteLLM has not made it.
        key: the entry.
        value: ours.
    """

    def __init__(
        self, table: Callable[[], MutableMapping[Any, Any] | None], key: Any, value: Any
    ) -> None:
        self._table = table
        self._key = key
        self._value = value
        self._displaced: list[tuple[MutableMapping[Any, Any], Any]] = []

    def is_in_force(self) -> bool:
        """Tell whether the entry is ours, or there is no table."""
        table = self._table()
        return table is None or table.get(self._key) is self._value

    def apply(self) -> None:
        """Put ours in, if there is a table."""
        table = self._table()
        if table is not None:
            self.apply_to(table)

    def apply_to(self, table: MutableMapping[Any, Any]) -> None:
        """Put ours into a table that LiteLLM has just made."""
        current = table.get(self._key, _ABSENT)
        if current is self._value:
            return
        if not any(one is table and was is current for one, was in self._displaced):
            self._displaced.append((table, current))
        table[self._key] = self._value

    def undo(self) -> None:
        """Put back what was there, where the entry is still ours."""
        while self._displaced:
            table, original = self._displaced.pop()
            if table.get(self._key) is not self._value:
                continue
            if original is _ABSENT:
                del table[self._key]
            else:
                table[self._key] = original


Patch = AttributePatch | ItemPatch


def _raw(owner: Any, name: str) -> Any:
    """Return an attribute as it is stored, a static method as such."""
    return vars(owner)[name] if name in vars(owner) else getattr(owner, name)


def _leads_to_any(start: Any, targets: list[Any]) -> bool:
    """Tell whether something is one of the targets, or holds one, as a wrapper holds what it wraps.

    Looked for where wrappers keep that: `__wrapped__`, closures, defaults, bound objects, partials,
    attributes, and globals that the code names.
    """
    wanted = {id(target) for target in targets}
    seen: set[int] = set()
    waiting = [start]
    while waiting and len(seen) < _MAX_OBJECTS_SEARCHED:
        one = waiting.pop()
        if id(one) in wanted:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            waiting.extend(_held_by(one))
    return False


def _held_by(holder: Any) -> Iterator[Any]:
    if isinstance(holder, types.FunctionType):
        yield from _held_by_function(holder)
    elif isinstance(holder, staticmethod | classmethod | types.MethodType):
        yield holder.__func__
        yield getattr(holder, "__self__", None)
    elif isinstance(holder, functools.partial):
        yield from (holder.func, *holder.args, *holder.keywords.values())
    elif isinstance(holder, list | tuple | set | frozenset):
        yield from holder
    elif isinstance(holder, dict):
        yield from holder.values()
    elif not isinstance(holder, types.ModuleType | type):
        # Wrappers in C, such as wrapt's, have `__wrapped__` but no dictionary of their own.
        yield getattr(holder, "__wrapped__", None)
        yield from getattr(holder, "__dict__", {}).values()


def _held_by_function(function: types.FunctionType) -> Iterator[Any]:
    yield from function.__dict__.values()  # `__wrapped__` among them
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    # LiteLLM's own functions name each other, ours among them, and wrap nothing of ours.
    if not str(function.__globals__.get("__name__")).startswith("litellm."):
        for name in function.__code__.co_names:
            # Callables only: a module that is named leads everywhere.
            if callable(held := function.__globals__.get(name)):
                yield held
