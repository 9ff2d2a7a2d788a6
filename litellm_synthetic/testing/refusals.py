"""The service's error texts, and the check that decides when a call earns one.

A body is `{"error": "<text>"}` throughout. Texts are as seen between January and September 2026
unless a function says that its wording is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.testing.exchange import count_tokens
from litellm_synthetic.testing.replies import RawJSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.testing.calls import Call
    from litellm_synthetic.testing.served_models import ServedModel

MAX_BODY_BYTES = 10_485_760
_PREFIXES = ("hf:", "syn:")


def error(status: int, text: str) -> RawJSON:
    """Return an error in the service's form."""
    return RawJSON(status, {"error": text})


def invalid_key() -> RawJSON:
    """Return the recorded 401."""
    return error(401, "Invalid API Key.")


def unknown_route(route: str) -> RawJSON:
    """Return the 404 for a path that does not exist."""
    hint = "(HINT: Is the URL spelled correctly?)"
    return error(404, f"API route not found: '{route}'. {hint}")


def unreadable_json(reason: str) -> RawJSON:
    """Return the 400 for a body that is not JSON."""
    return error(400, f"Could not parse request as valid JSON. {reason}")


def body_too_large() -> RawJSON:
    """Return the misleading 400 for a body above about 10 MiB, which is read only in part."""
    return unreadable_json(f"Unterminated string in JSON at position {MAX_BODY_BYTES}")


def prefix_missing(model: str) -> RawJSON:
    """Return the 400 for an id without `hf:` or `syn:`."""
    text = f'Your model name should start with an hf: prefix; for example: "hf:{model}"'
    return error(400, text)


def model_retired(model: str) -> RawJSON:
    """Return the 404 for an id that is not served; only its last words are known."""
    return error(404, f"{model} is no longer supported")


def context_overflow(input_tokens: int, context_tokens: int) -> RawJSON:
    """Return the 400 that names both token counts."""
    return error(
        400,
        f"Error from inference backend: 400 The input ({input_tokens} tokens) is longer than "
        f"the model's context length ({context_tokens} tokens).",
    )


def images_unsupported(model: str) -> RawJSON:
    """Return the 400 for an image to a text model; the wording is second-hand."""
    return error(400, f"{model} does not appear to support image inputs")


def tool_name_unresolvable() -> RawJSON:
    """Return the 400 for a tool message that matches no call and names no tool."""
    return error(
        400,
        "Error from inference backend: 400 Kimi K3 tool messages need a resolvable tool name: "
        "carry `tool`/`name`, or match a preceding assistant tool_call by order.",
    )


def search_without_subscription() -> RawJSON:
    """Return the refusal of a search by an account without one; status and wording are unknown."""
    return error(403, "Search is only available to subscribers")


def find_model(model: str, served: Mapping[str, ServedModel]) -> ServedModel | RawJSON:
    """Return the served model, or the error that the service has for the id."""
    if not model.startswith(_PREFIXES):
        return prefix_missing(model)
    return served.get(model) or model_retired(model)


def refuse(call: Call, model: ServedModel) -> RawJSON | None:
    """Return the error that a readable call to a served model earns, or `None`."""
    if model.is_embedding:
        return model_retired(call.model)
    if not call.prompt:
        return error(400, "Could not parse request: messages are missing")
    if call.has_images and not model.takes_images:
        return images_unsupported(call.model)
    tokens = count_tokens(call.prompt)
    if model.context_tokens is not None and tokens > model.context_tokens:
        return context_overflow(tokens, model.context_tokens)
    if call.unmatched_tool_message and model.tool_messages_need_names:
        return tool_name_unresolvable()
    return None
