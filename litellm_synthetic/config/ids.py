"""Model ids: the forms that Synthetic and LiteLLM use, and how one becomes the other."""

import re

PROVIDER = "synthetic"
"""LiteLLM's name for this provider."""

ROUTE_PREFIX = f"{PROVIDER}/"
"""LiteLLM's prefix of a model id, by which it chooses this provider."""

HUGGING_FACE_SCHEME = "hf:"
"""Synthetic's prefix of a model's Hugging Face name."""

ALIAS_SCHEME = "syn:"
"""The prefix of Synthetic's aliases."""

DEFAULT_ID = "default"
"""The id that stands for `SYNTHETIC_MODEL`, or for an alias of Synthetic's where that is unset."""

SEARCH = "search"
"""What stands for a model where a search needs one: in exceptions, logs and prices."""

_HUGGING_FACE_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


def canonical_id(model_id: str) -> str:
    """Return an id as Synthetic spells it.

    `synthetic/` in front is taken off, and `hf:` is put before exactly `owner/name`, because
    Synthetic answers 400 without it. `default` is the id that `SYNTHETIC_MODEL` names. Anything
    else stays as it is: the server decides.
    """
    while model_id.startswith(ROUTE_PREFIX):
        model_id = model_id.removeprefix(ROUTE_PREFIX)
    if model_id == DEFAULT_ID:
        from litellm_synthetic.config.settings import MODEL  # noqa: PLC0415  # is built on this

        model_id = MODEL.value()
    if _HUGGING_FACE_NAME.fullmatch(model_id):
        return HUGGING_FACE_SCHEME + model_id
    return model_id
