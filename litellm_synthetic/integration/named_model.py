"""A call that names the provider and no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litellm_synthetic.config import settings
from litellm_synthetic.config.ids import DEFAULT_ID, PROVIDER, ROUTE_PREFIX
from litellm_synthetic.errors import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_model_is_named(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse `synthetic` and `synthetic/`, which name a provider and no model.

    LiteLLM ends in "list index out of range" on the one (get_llm_provider_logic.py:274), and sends
    an empty model upstream on the other.

    Args:
        args: the positional arguments of the call, of which the first may be the model.
        kwargs: the call's keywords.

    Raises:
        litellm.BadRequestError: no model is named.
    """
    model = kwargs.get("model", args[0] if args else None)
    if not isinstance(model, str) or not model.startswith(PROVIDER):
        return
    if model.removeprefix(PROVIDER).strip("/ \t\n"):
        return
    raise local.refused(
        f"{model!r} names no model. Use {ROUTE_PREFIX}{DEFAULT_ID}, which stands for "
        f"{settings.MODEL.value()} here ({settings.MODEL.name} sets it), or name one as "
        f"{ROUTE_PREFIX}hf:owner/name.",
        model,
    )
