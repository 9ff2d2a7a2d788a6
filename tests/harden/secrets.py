"""Look for the secret wherever a program may keep what a call left behind."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.harden.cases import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

# Half of it is enough to know it by, and what a text cuts off may be the other half.
NEEDLE: Final = KEY[4:20]
_MAX_DEPTH: Final = 6


def has_secret(text: str) -> bool:
    return NEEDLE in text


def places_in_error(error: BaseException) -> list[str]:
    """Return where an exception, or one that it came from, shows the secret."""
    return sorted({place for place, text in _texts(error, "error", set()) if has_secret(text)})


def _texts(error: BaseException, name: str, seen: set[int]) -> Iterator[tuple[str, str]]:
    if id(error) in seen:
        return
    seen.add(id(error))
    label = f"{name}: {type(error).__name__}"
    yield f"{label} as text", str(error)
    yield f"{label} as repr", repr(error)
    yield f"{label}.args", repr(error.args)
    yield f"{label}.__notes__", repr(getattr(error, "__notes__", ""))
    yield f"{label} in a traceback", "".join(traceback.format_exception_only(error))
    for attribute, value in vars(error).items():
        yield f"{label}.{attribute}", _shown(value, 0)
    if error.__cause__ is not None:
        yield from _texts(error.__cause__, f"{name}.__cause__", seen)
    if error.__context__ is not None and not error.__suppress_context__:
        yield from _texts(error.__context__, f"{name}.__context__", seen)


def _shown(value: Any, depth: int) -> str:
    """Return all that can be read off a value, whatever its repr hides."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, httpx.Response):
        texts = [repr(value), repr(value.headers.raw), str(value.reason_phrase)]
        if value.is_closed:
            texts.append(value.text)
        request = getattr(value, "_request", None)
        return " ".join([*texts, _shown(request, depth + 1)])
    if isinstance(value, httpx.Request):
        # It holds the key, as it has to; its repr and that of its headers do not show it.
        return f"{value!r} {value.url!s} {value.headers!r}"
    if isinstance(value, httpx.Headers):
        return repr(value.raw)
    if isinstance(value, BaseException):
        return f"{value!r} {value.args!r}"
    if isinstance(value, dict):
        return " ".join(f"{name!r} {_shown(one, depth + 1)}" for name, one in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(_shown(one, depth + 1) for one in value)
    return repr(value)


def places_in_call(kwargs: dict[str, Any], response: Any) -> list[str]:
    """Return where the arguments of a callback show the secret."""
    places = []
    # LiteLLM hands callbacks the key under this name, whatever the provider.
    own = {**(kwargs.get("litellm_params") or {}), "api_key": None}
    for name, value in {**kwargs, "litellm_params": own, "api_key": None}.items():
        if isinstance(value, BaseException):
            places += [f"kwargs[{name!r}] {place}" for place in places_in_error(value)]
        elif has_secret(_shown(value, 0)):
            places.append(f"kwargs[{name!r}]")
    if has_secret(_shown(response, 0)):
        places.append("the response")
    return places


def places_in_answer(raw: Any) -> list[str]:
    """Return where an answer's metadata show the secret; its content is the upstream's."""
    places = []
    for one in raw if isinstance(raw, list) else [raw]:
        for name in ("_hidden_params", "_response_headers", "headers"):
            if has_secret(_shown(getattr(one, name, None), 0)):
                places.append(f"{type(one).__name__}.{name}")
    return sorted(set(places))
