"""Patches of names in LiteLLM: apply, check and undo.

Others patch LiteLLM too, before us, after us and in between. Whatever wraps ours stays where it is.
Whatever displaced ours gets ours around it, with theirs underneath for the calls that are not ours,
so nobody's patch is lost. No function is wrapped twice.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ABSENT: Final = object()
# Beyond it, an object is taken for one that does not lead to ours, which then wraps it.
_MAX_OBJECTS_SEARCHED: Final = 1000


Expected = tuple["Callable[[Any], Any]", Any, Any]
"""A look-up of a place, the name in it, and its value at the last check."""


class _Layer:
    # Not a tuple, through which a search for ours would lead.
    __slots__ = ("original", "ours", "owner")

    def __init__(self, owner: Any, original: Any, ours: Any) -> None:
        self.owner = owner
        self.original = original
        self.ours = ours


class Patch:
    """One attribute of a module, a class or an object, or one entry of a table, of LiteLLM's.

    It remembers what it has ever put in, so that ours is known again when somebody puts back what
    they had kept.

    Args:
        path: what has the attribute or the entry: an object, then the names that lead on from it.
            A reload of a module makes its classes again, so they are looked up each time.
        name: the attribute's name, or the entry's key.
        wrap: makes ours from what is there, None if nothing is; for a static method from its
            function.
    """

    def __init__(self, path: tuple[Any, ...], name: Any, wrap: Callable[[Any], Any]) -> None:
        self._path = path
        self._name = name
        self._wrap = wrap
        self._layers: list[_Layer] = []

    def apply(self) -> list[Expected]:
        """Put ours in, unless what is there is ours, or leads to it.

        Returns:
            What tells that ours is in force, as long as none of it changes.
        """
        expected, owner = self._find_owner()
        if owner is not None:  # a table that LiteLLM has not made yet
            expected.append((_getter(owner), self._name, self.apply_to(owner)))
        return expected

    def apply_to(self, owner: Any) -> Any:
        """Do what `apply` does, for an owner at hand, and return what is there now."""
        current = _getter(owner)(self._name, _ABSENT)
        layers = [layer for layer in self._layers if layer.owner is owner]
        layer = next((layer for layer in layers if layer.original is current), None)
        if layer is None and not _leads_to_any(current, [layer.ours for layer in layers]):
            layer = self._layer_over(owner, current)
        if layer is None:
            return current
        _set(owner, self._name, layer.ours)
        return layer.ours

    def undo(self) -> None:
        """Put back what was there, where ours is on top; what others put over it stays."""
        for layer in reversed(self._layers):
            if _getter(layer.owner)(self._name, _ABSENT) is layer.ours:
                _set(layer.owner, self._name, layer.original)

    def _find_owner(self) -> tuple[list[Expected], Any]:
        owner, *names = self._path
        expected: list[Expected] = []
        for name in names:
            get = _getter(owner)
            owner = get(name)
            expected.append((get, name, owner))
        return expected, owner

    def _layer_over(self, owner: Any, current: Any) -> _Layer:
        if isinstance(current, staticmethod):
            ours: Any = staticmethod(self._wrap(current.__func__))
        else:
            ours = self._wrap(None if current is _ABSENT else current)
        self._layers.append(_Layer(owner, current, ours))
        return self._layers[-1]


def _getter(owner: Any) -> Callable[..., Any]:
    """Return what looks an attribute up as it is stored, a static method as such, or an entry."""
    getter: Callable[..., Any] = owner.get if isinstance(owner, dict) else vars(owner).get
    return getter


def _set(owner: Any, name: Any, value: Any) -> None:
    if isinstance(owner, dict):
        if value is _ABSENT:
            del owner[name]
        else:
            owner[name] = value
    elif value is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, value)


def _leads_to_any(start: Any, targets: list[Any]) -> bool:
    """Tell whether something is one of the targets, or holds one, as a wrapper holds what it wraps.

    Looked for where wrappers keep that: `__wrapped__`, closures, defaults, bound objects, partials,
    attributes, and globals that the code names.
    """
    target_ids = {id(target) for target in targets}
    visited: set[int] = set()
    waiting = [start]
    while waiting and len(visited) < _MAX_OBJECTS_SEARCHED:
        one = waiting.pop()
        if id(one) in target_ids:
            return True
        if id(one) not in visited:
            visited.add(id(one))
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
            if callable(value := function.__globals__.get(name)):
                yield value
