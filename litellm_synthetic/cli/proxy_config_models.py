"""Which models go into a proxy's config: the current ones, or what was named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.catalog.query import closest_ids
from litellm_synthetic.config.allowlist import Allowlist, parse_allowlist
from litellm_synthetic.config.ids import canonical_id
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from litellm_synthetic.catalog.models import Catalog, Model

_KINDS: Final = ("alias", "chat", "embedding", "helper")
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """Hold the models that were chosen, and what was wrong with the words that chose them.

    Attributes:
        models: aliases, chat models, embedding models, each in the table's order.
        problems: one sentence for each word that names no usable model, and the closest ones.
        remarks: one sentence for each model that may not be what was meant.
        hidden_by_allowlist: how many models `SYNTHETIC_ALLOWED_MODELS` keeps out.
    """

    models: tuple[Model, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    hidden_by_allowlist: int = 0


@dataclass(slots=True)
class _Found:
    models: dict[str, Model] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)


def choose(
    catalog: Catalog, words: Sequence[str], *, aliases: bool, allowlist: Allowlist | None
) -> Choice:
    """Return the models for a config.

    Args:
        catalog: the table.
        words: ids and globs in any spelling and case, over the current models, aliases included;
            an id may also be one that is served without being listed. None at all means every
            current chat and embedding model.
        aliases: whether every current alias is added.
        allowlist: what `SYNTHETIC_ALLOWED_MODELS` allows; others are left out.
    """
    found = _Found()
    current = catalog.current()
    if not words:
        _take(found, (one for one in current if one.kind in {"chat", "embedding"}), allowlist)
    if aliases:
        _take(found, (one for one in current if one.kind == "alias"), allowlist)
    for word in dict.fromkeys(words):
        _look_up(word, catalog, found, allowlist)
    chosen = (one for one in catalog.models if one.id in found.models)
    models = tuple(sorted(chosen, key=lambda one: _KINDS.index(one.kind)))
    return Choice(models, tuple(found.problems), tuple(found.remarks), len(found.hidden))


def _take(found: _Found, models: Iterable[Model], allowlist: Allowlist | None) -> bool:
    """Add what is allowed, note what isn't, and tell whether anything was added."""
    taken = False
    for one in models:
        if allowlist is None or allowlist.allows(one.id):
            found.models[one.id] = one
            taken = True
        else:
            found.hidden.add(one.id)
    return taken


def _look_up(word: str, catalog: Catalog, found: _Found, allowlist: Allowlist | None) -> None:
    # A glob means here what it means in SYNTHETIC_ALLOWED_MODELS.
    glob = parse_allowlist(word)
    if glob is None or glob.malformed:
        found.problems.append(f"{word!r} can match no id.")
        return
    matching = [one for one in catalog.models if glob.allows(one.id)]
    wanted = [one for one in matching if one.is_current]
    if not wanted:
        # What nobody lists is only meant where it is named in full.
        wanted = [one for one in matching if _names(word, one) and not one.is_retired]
        found.remarks += [
            f"{one.id} is not in the list of models ({one.status_note or one.status})."
            for one in wanted
            if allowlist is None or allowlist.allows(one.id)
        ]
    if not _take(found, wanted, allowlist):
        found.problems.append(_why_nothing(word, matching, catalog, allowlist))


def _names(word: str, model: Model) -> bool:
    return canonical_id(word).lower() == model.id.lower()


def _why_nothing(
    word: str, matching: Sequence[Model], catalog: Catalog, allowlist: Allowlist | None
) -> str:
    known = [one for one in catalog.models if allowlist is None or allowlist.allows(one.id)]
    shown = [one for one in matching if one in known]
    if any(one.is_current for one in matching) or (matching and not shown):
        return f"{ALLOWED_MODELS.name} does not allow {word!r}."
    if len(shown) == 1 and shown[0].is_retired:
        # Without what the allowlist hides, so that no such alias is recommended.
        return explain(shown[0].id, catalog.model_validate({**dict(catalog), "models": known}))
    if shown:
        named = ", ".join(f"{one.id} ({one.status})" for one in shown[:_MOST_NAMED])
        more = ", ..." if len(shown) > _MOST_NAMED else ""
        return f"No current model matches {word!r}; in the table: {named}{more}."
    close = closest_ids([word], [one for one in known if one.is_current])
    hint = f" Closest: {', '.join(close)}." if close else ""
    return f"No model matches {word!r}.{hint}"
