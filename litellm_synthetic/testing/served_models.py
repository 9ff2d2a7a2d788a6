"""The models that the stand-in serves, and their known behaviour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from litellm_synthetic.testing.replies import ReasoningField

Operation: TypeAlias = Literal["chat", "completion", "messages", "embedding"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """State what the stand-in needs to know about one id.

    Attributes:
        id: The id callers use.
        target: What the id stands for, with `hf:`; an alias's target, else the id itself.
        is_embedding: Whether it embeds instead of chatting.
        dimensions: Width of its vectors.
        context_tokens: Context window in tokens; `None` where unknown.
        takes_images: Whether images are accepted.
        reasons: Whether it thinks before it answers.
        always_reasons_on: Operations where thinking cannot be switched off.
        reasoning_field: Where its reasoning text goes.
        count_tokens_fails: Whether counting tokens for it was answered with 500.
        tool_messages_need_names: Whether a tool message must match a call or carry a name.
    """

    id: str
    target: str
    is_embedding: bool = False
    dimensions: int = 0
    context_tokens: int | None = None
    takes_images: bool = False
    reasons: bool = False
    always_reasons_on: frozenset[str] = frozenset()
    reasoning_field: ReasoningField = "both"
    count_tokens_fails: bool = False
    tool_messages_need_names: bool = False

    @property
    def upstream_name(self) -> str:
        """Return the name that chat replies carry: no `hf:`."""
        return self.target.removeprefix("hf:")


@cache
def _facts() -> dict[str, Any]:
    text = files("litellm_synthetic.testing").joinpath("served_models.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def listed_models() -> list[dict[str, Any]]:
    """Return the default models list: as of 8 October 2026, 4 aliases and 8 models."""
    models: list[dict[str, Any]] = json.loads(json.dumps(_facts()["models"]))
    return models


def served_models(entries: Iterable[object]) -> dict[str, ServedModel]:
    """Return what can be called when `entries` is the models list, by id.

    Embedding and helper models are served although the list never names them. Entries that are
    no mapping or have no id are ignored, since a broken list is a fault under test.
    """
    models: dict[str, ServedModel] = {}
    for entry in [*_facts()["unlisted"], *entries]:
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            model = _served_model(entry)
            models[model.id] = model
    return models


def _served_model(entry: Mapping[str, Any]) -> ServedModel:
    model_id = entry["id"]
    name = entry.get("hugging_face_id")
    is_alias = model_id.startswith("syn:")
    target = f"hf:{name}" if is_alias and isinstance(name, str) else model_id
    traits = _facts()["traits"].get(target, {})
    context = entry.get("context_length")
    return ServedModel(
        id=model_id,
        target=target,
        is_embedding=entry.get("kind") == "embedding",
        dimensions=entry.get("dimensions", 0),
        context_tokens=context if isinstance(context, int) and context > 0 else None,
        takes_images=_names(entry, "input_modalities", "image"),
        reasons=_names(entry, "supported_features", "reasoning"),
        always_reasons_on=frozenset(traits.get("always_reasons_on", ())),
        reasoning_field=traits.get("reasoning_field", "both"),
        count_tokens_fails=traits.get("count_tokens_fails", False),
        tool_messages_need_names=traits.get("tool_messages_need_names", False),
    )


def _names(entry: Mapping[str, Any], field: str, value: str) -> bool:
    values = entry.get(field)
    return isinstance(values, list) and value in values
