"""Request bodies as JSON, within Synthetic's size limit."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.errors import local
from litellm_synthetic.errors.faults import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

try:
    import orjson  # installed with LiteLLM's proxy
except ImportError:
    orjson = None  # type: ignore[assignment]  # then pydantic_core writes

# 10,485,760 bytes pass; about 10.2 MiB get a misleading 400 (reported 2026-08-21).
MAX_BODY_BYTES: Final = 10 * 1024 * 1024
_JSON_SCALARS: Final = frozenset((str, int, bool, type(None)))


def encode_body(body: Mapping[str, Any], model: str) -> bytes:
    """Return a request body as JSON.

    Raises:
        litellm.BadRequestError: it has no JSON form, or is over Synthetic's 10 MiB.
    """
    try:
        content = encode(body)
        check_body_size(len(content))
    except InvalidParameterError as error:
        raise local.refused(f"{error}.", model) from error
    return content


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON; raises InvalidParameterError where it has no JSON form."""
    content = _encode_fast(body)
    if content is not None:
        return content
    try:
        text = json.dumps(
            body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        # A lone surrogate, NaN, or an object that has no JSON form.
        raise InvalidParameterError(f"the request cannot be written as JSON ({error})") from None


def _encode_fast(body: Mapping[str, Any]) -> bytes | None:
    """Return a body as JSON; None where only the slow way can write it, or say what is wrong.

    An image of 8 MiB takes `json` 25 ms, and orjson or pydantic_core a few.
    """
    try:
        if orjson is None:
            from pydantic_core import to_json  # noqa: PLC0415  # where orjson is not installed

            return to_json(body) if _is_plain_json(body) else None
        content = orjson.dumps(body, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return None
    # orjson writes NaN as null.
    return content if b"null" not in content or _is_plain_json(body) else None


def _is_plain_json(value: Any) -> bool:
    """Tell whether a value consists of JSON's own types, with finite numbers and string keys."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is dict:
            if not all(type(name) is str for name in one):
                return False
            waiting.extend(one.values())
        elif kind is list:
            waiting.extend(one)
        elif kind is float:
            if not math.isfinite(one):
                return False
        elif kind not in _JSON_SCALARS:
            return False
    return True


def _plain(value: object) -> object:
    from pydantic import BaseModel  # noqa: PLC0415  # for bodies that hold one

    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def check_body_size(size_bytes: int) -> None:
    """Check the encoded request against Synthetic's limit.

    Raises:
        InvalidParameterError: over 10 MiB.
    """
    if size_bytes > MAX_BODY_BYTES:
        raise InvalidParameterError(
            f"the request body of {size_bytes:,} bytes is over Synthetic's limit of "
            f"{MAX_BODY_BYTES:,} (10 MiB): shrink the images or the history"
        )
