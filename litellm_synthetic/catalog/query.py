"""Queries on the model table: filters, the allowlist, the closest ids."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from litellm_synthetic.config.ids import HUGGING_FACE_SCHEME, ROUTE_PREFIX, canonical_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.config.allowlist import Allowlist

_STATUS_ORDER: Final = ("current", "hidden", "retired", "unverified")
_GLOB_CHARACTERS: Final = frozenset("*?[")
_MAX_SUGGESTIONS: Final = 3
_MIN_SIMILARITY: Final = 0.5


class Selection(NamedTuple):
    """The models that were asked for.

    Attributes:
        models: those that match, aliases first, then by status, in the table's order.
        page: the one model whose id was asked for exactly, else None.
        hidden_by_allowlist: how many more would be there but for the allowlist.
    """

    models: tuple[Model, ...]
    page: Model | None = None
    hidden_by_allowlist: int = 0


def select(
    catalog: Catalog,
    words: Sequence[str],
    *,
    include_all: bool,
    allowlist: Allowlist | None,
) -> Selection:
    """Return the models whose id matches every word, among the current ones or in the whole table.

    A single word that is an id, in any spelling `canonical_id` understands, means just that one,
    whatever its status.
    """
    exact = catalog.find(words[0]) if len(words) == 1 else None
    if exact is not None:
        selection: tuple[Model, ...] = (exact,)
    else:
        models = catalog.models if include_all else catalog.current()
        selection = tuple(one for one in models if all(matches(one.id, word) for word in words))
    allowed = tuple(one for one in selection if allowlist is None or allowlist.allows(one.id))
    return Selection(
        models=tuple(sorted(allowed, key=_rank)),
        page=exact if allowed else None,
        hidden_by_allowlist=len(selection) - len(allowed),
    )


def matches(model_id: str, word: str) -> bool:
    """Tell whether an id contains a word, or matches it as a glob, without regard to case."""
    model_id = model_id.lower()
    word = word.lower().removeprefix(ROUTE_PREFIX)
    if not _GLOB_CHARACTERS.intersection(word):
        return word in model_id
    bare = model_id.removeprefix(HUGGING_FACE_SCHEME)
    return fnmatchcase(model_id, word) or fnmatchcase(bare, word)


def closest_ids(
    model_id: str,
    models: Iterable[Model],
    *,
    max_count: int = _MAX_SUGGESTIONS,
    min_similarity: float = _MIN_SIMILARITY,
) -> tuple[str, ...]:
    """Return the ids that are spelt most like what was asked for, the likeliest first."""
    from difflib import get_close_matches  # noqa: PLC0415  # for an id that is not known

    model_id = canonical_id(model_id).lower()
    # An id is known by its last part: nobody misspells the owner of "glm-5.3".
    by_spelling = {
        spelling: one.id
        for one in models
        for spelling in (one.id.lower(), one.id.lower().rpartition("/")[2])
    }
    close = get_close_matches(model_id, by_spelling, n=2 * max_count, cutoff=min_similarity)
    return tuple(dict.fromkeys(by_spelling[each] for each in close))[:max_count]


def completions(catalog: Catalog, start: str) -> tuple[Model, ...]:
    """Return the models whose id begins with what was typed; retired ones if no other does."""
    begun = [
        one
        for one in sorted(catalog.models, key=_rank)
        if any(each.lower().startswith(start.lower()) for each in _spellings(one.id, start))
    ]
    return tuple([one for one in begun if one.is_current] or begun)


def completed(model: Model, start: str) -> str:
    """Return the spelling of a model's id that continues what was typed."""
    return next(
        each for each in _spellings(model.id, start) if each.lower().startswith(start.lower())
    )


def _spellings(model_id: str, start: str) -> tuple[str, ...]:
    prefix = ROUTE_PREFIX if start.startswith(ROUTE_PREFIX) else ""
    return prefix + model_id, prefix + model_id.removeprefix(HUGGING_FACE_SCHEME)


def _rank(model: Model) -> tuple[bool, int]:
    current_alias = model.kind == "alias" and model.is_current
    return not current_alias, _STATUS_ORDER.index(model.status)
