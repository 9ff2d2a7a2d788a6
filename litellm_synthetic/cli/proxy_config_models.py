"""The models of a proxy's config: all current ones, or those that were named."""

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

    from litellm_synthetic.catalog.models import Model
    from litellm_synthetic.catalog.table import Catalog

_KINDS: Final = ("alias", "chat", "embedding", "helper")
_MAX_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen models, and what was wrong with the words that chose them.

    Attributes:
        models: aliases, chat models, embedding models, each in the table's order.
        problems: one message for each word that names no usable model, with the closest ones.
        remarks: one sentence for each model that may not be the intended one.
        hidden_by_allowlist: how many models `SYNTHETIC_ALLOWED_MODELS` keeps out.
    """

    models: tuple[Model, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    hidden_by_allowlist: int = 0


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
    search = _Search(catalog, allowlist)
    kinds = {"alias": aliases, "chat": not words, "embedding": not words}
    search.take(one for one in catalog.current() if kinds.get(one.kind))
    for word in dict.fromkeys(words):
        search.look_up(word)
    chosen = (one for one in catalog.models if one.id in search.chosen)
    models = tuple(sorted(chosen, key=lambda one: _KINDS.index(one.kind)))
    return Choice(models, tuple(search.problems), tuple(search.remarks), len(search.hidden))


@dataclass(slots=True)
class _Search:
    catalog: Catalog
    allowlist: Allowlist | None
    chosen: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def is_allowed(self, model: Model) -> bool:
        return self.allowlist is None or self.allowlist.allows(model.id)

    def take(self, models: Iterable[Model]) -> bool:
        """Add the allowed models, note the others, and tell whether any was added."""
        allowed = {one.id: self.is_allowed(one) for one in models}
        self.chosen |= {model_id for model_id, is_allowed in allowed.items() if is_allowed}
        self.hidden |= {model_id for model_id, is_allowed in allowed.items() if not is_allowed}
        return any(allowed.values())

    def look_up(self, word: str) -> None:
        # A glob means here what it means in SYNTHETIC_ALLOWED_MODELS.
        glob = parse_allowlist(word)
        if glob is None or glob.malformed:
            self.problems.append(f"{word!r} can match no id.")
            return
        matching = [one for one in self.catalog.models if glob.allows(one.id)]
        wanted = [one for one in matching if one.is_current]
        if not wanted:
            # An unlisted model is only meant where it is named in full.
            name = canonical_id(word).lower()
            wanted = [one for one in matching if one.id.lower() == name and not one.is_retired]
            self.remarks += [
                f"{one.id} is not in the list of models ({one.status_note or one.status})."
                for one in wanted
                if self.is_allowed(one)
            ]
        if not self.take(wanted):
            self.problems.append(self._why_none(word, matching))

    def _why_none(self, word: str, matching: Sequence[Model]) -> str:
        known = [one for one in self.catalog.models if self.is_allowed(one)]
        shown = [one for one in matching if one in known]
        if any(one.is_current for one in matching) or (matching and not shown):
            return f"{ALLOWED_MODELS.name} does not allow {word!r}."
        if len(shown) == 1 and shown[0].is_retired:
            # Without the models that the allowlist hides, so that no such alias is recommended.
            allowed = self.catalog.model_validate({**dict(self.catalog), "models": known})
            return explain(shown[0].id, allowed)
        if shown:
            named = ", ".join(f"{one.id} ({one.status})" for one in shown[:_MAX_NAMED])
            more = ", ..." if len(shown) > _MAX_NAMED else ""
            return f"No current model matches {word!r}; in the table: {named}{more}."
        close = closest_ids(word, [one for one in known if one.is_current])
        hint = f" Closest: {', '.join(close)}." if close else ""
        return f"No model matches {word!r}.{hint}"
