"""Fallbacks to a model with a larger context window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from litellm_synthetic.catalog.models import Model

_MAX_STEPS: Final = 3


def window_fallbacks(models: Sequence[Model]) -> Mapping[str, tuple[str, ...]]:
    """Return, for each chat model and alias, those among `models` that take longer prompts.

    Each step is a strictly larger window, the nearest first, and one model per window, because a
    second one of the same size would refuse the same prompt. Of several it is one of the same kind
    (alias or model), then the cheapest, then the first of the list. At most three steps: the two
    nearest and the largest. A model that may be sent images, or tools, goes only to models that
    are known to take images, or not known to lack tools. Models of unknown window take no part.

    Returns:
        ids by id, in the order of `models`; what has nowhere to go is left out.
    """
    able = [one for one in models if one.kind != "embedding" and one.context_window_tokens]
    fallbacks = {one.id: _steps(one, able) for one in able}
    return {model_id: steps for model_id, steps in fallbacks.items() if steps}


def _steps(model: Model, others: Sequence[Model]) -> tuple[str, ...]:
    best: dict[int, Model] = {}
    for other in sorted(others, key=lambda one: (one.kind != model.kind, *_price(one))):
        if _window(other) > _window(model) and _can_stand_in(other, model):
            best.setdefault(_window(other), other)
    windows = sorted(best)
    if len(windows) > _MAX_STEPS:
        windows = [*windows[: _MAX_STEPS - 1], windows[-1]]
    return tuple(best[window].id for window in windows)


def _window(model: Model) -> int:
    return model.context_window_tokens or 0


def _price(model: Model) -> tuple[bool, object]:
    # A long prompt costs its input; the output is as long as it would have been.
    price = model.prices.input_usd_per_token
    return price is None, 0 if price is None else price


def _can_stand_in(other: Model, model: Model) -> bool:
    sees = other.input_modalities is not None and not other.cannot_see_images
    keeps_images = sees or model.cannot_see_images
    keeps_tools = model.cannot_use_tools or not other.cannot_use_tools
    return keeps_images and keeps_tools
