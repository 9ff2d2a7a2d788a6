"""Embeddings that are unit vectors, always the same, and near for texts that share words."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from litellm_synthetic.testing.exchange import count_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEPT_DIGITS = 9


def inputs_of(body: Mapping[str, Any]) -> list[str] | None:
    """Return the texts to embed, or `None` where `input` has no form the service documents."""
    value = body.get("input")
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(each, int) for each in value):
        return [" ".join(map(str, value))]
    texts = [each if isinstance(each, str) else " ".join(map(str, each)) for each in value]
    return texts if all(isinstance(each, str | list) for each in value) else None


def embed(text: str, dimensions: int, width: int) -> list[float]:
    """Return a text's unit vector: the first `dimensions` of `width` numbers, rescaled."""
    words = text.lower().split() or [text]
    columns = zip(*(_word_vector(word, width)[:dimensions] for word in words), strict=True)
    sums = [math.fsum(column) for column in columns]
    length = math.hypot(*sums) or 1.0
    return [round(number / length, _KEPT_DIGITS) for number in sums]


def embeddings_body(
    model: str, texts: Sequence[str], dimensions: int, width: int, encoding: str
) -> dict[str, Any]:
    """Return the recorded reply; unlike chat, `model` keeps its `hf:`."""
    vectors = [embed(text, dimensions, width) for text in texts]
    tokens = sum(max(count_tokens(text), 1) for text in texts)
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _packed(vector) if encoding == "base64" else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


@lru_cache(maxsize=1024)
def _word_vector(word: str, width: int) -> tuple[float, ...]:
    source = Random(zlib.crc32(word.encode()))  # noqa: S311 - reproducible, guards nothing
    return tuple(source.gauss(0.0, 1.0) for _ in range(width))
