"""A model call's request, read leniently from either API's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litellm_synthetic.testing.served_models import Operation

_IMAGE_BLOCKS = frozenset({"image_url", "image", "input_image"})


@dataclass(frozen=True, slots=True)
class Tool:
    """State one offered tool: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """State what one request asks for, whichever API it came through.

    Attributes:
        operation: The operation, which decides the form of the reply.
        model: The requested id; `""` where none was given.
        stream: Whether the reply is streamed.
        include_usage: Whether `stream_options.include_usage` was set.
        prompt: All text of the prompt, one message after the other.
        last_user_text: The text of the last message that a user wrote.
        tool_result: The text of the last tool result given since; `None` where there is none.
        tools: The offered tools.
        tool_choice: "auto", "none", "required", or the name of a tool after `=`.
        json_schema: The schema the reply has to fit; `{}` for any JSON; `None` for free text.
        n: Number of choices.
        max_tokens: Output cap in tokens; `None` for none.
        logprobs: Whether log probabilities are asked for.
        top_logprobs: Number of alternatives asked for.
        stop: Texts that end the answer.
        may_reason: `False` where the caller switched thinking off.
        has_images: Whether a message holds an image.
        unmatched_tool_message: Whether a tool message matches no call and names no tool.
    """

    operation: Operation
    model: str = ""
    stream: bool = False
    include_usage: bool = False
    prompt: str = ""
    last_user_text: str = ""
    tool_result: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    json_schema: Mapping[str, Any] | None = None
    n: int = 1
    max_tokens: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0
    stop: tuple[str, ...] = ()
    may_reason: bool = True
    has_images: bool = False
    unmatched_tool_message: bool = False


def read_call(operation: Operation, body: object) -> Call:
    """Return what a request's JSON asks for; anything unreadable is taken as not given."""
    fields: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    messages = [each for each in _list(fields.get("messages")) if isinstance(each, Mapping)]
    if operation == "completion":
        messages = [{"role": "user", "content": _prompt_text(fields.get("prompt"))}]
    system = [{"role": "system", "content": fields["system"]}] if "system" in fields else []
    last_user_text, tool_result = _latest(messages)
    stream_options = _mapping(fields.get("stream_options"))
    return Call(
        operation=operation,
        model=fields["model"] if isinstance(fields.get("model"), str) else "",
        stream=fields.get("stream") is True,
        include_usage=stream_options.get("include_usage") is True,
        prompt=_whole_prompt([*system, *messages], fields.get("tools")),
        last_user_text=last_user_text,
        tool_result=tool_result,
        tools=_tools(fields.get("tools")),
        tool_choice=_tool_choice(fields.get("tool_choice")),
        json_schema=_json_schema(fields.get("response_format")),
        n=_positive(fields.get("n")) or 1,
        max_tokens=_positive(fields.get("max_completion_tokens"))
        or _positive(fields.get("max_tokens")),
        logprobs=bool(fields.get("logprobs")),
        top_logprobs=_positive(fields.get("top_logprobs")) or 0,
        stop=_stop(fields.get("stop", fields.get("stop_sequences"))),
        may_reason=_may_reason(fields),
        has_images=any(_holds_image(message) for message in messages),
        unmatched_tool_message=_unmatched_tool_message(messages),
    )


def text_of(content: object) -> str:
    """Return the text of a message's content, whether it is a text or a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(_block_texts(content))


def _block_texts(content: object) -> Iterator[str]:
    for block in _list(content):
        if isinstance(block, str):
            yield block
        elif isinstance(block, Mapping):
            if isinstance(block.get("text"), str):
                yield block["text"]
            elif block.get("type") == "tool_result":
                yield text_of(block.get("content"))


def _latest(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    tool_result: str | None = None
    for message in reversed(messages):
        if message.get("role") in {"tool", "function"} or _holds(message, "tool_result"):
            if tool_result is None:
                tool_result = text_of(message.get("content"))
        elif message.get("role") == "user":
            return text_of(message.get("content")), tool_result
    return "", tool_result


def _whole_prompt(messages: Sequence[Mapping[str, Any]], tools: object) -> str:
    lines = [json.dumps(tools)] if tools else []
    for message in messages:
        lines.append(f"{message.get('role')}: {text_of(message.get('content'))}")
        if message.get("tool_calls"):
            lines.append(json.dumps(message["tool_calls"]))
    return "\n".join(lines)


def _prompt_text(prompt: object) -> str:
    if isinstance(prompt, str):
        return prompt
    return "\n".join(part if isinstance(part, str) else str(part) for part in _list(prompt))


def _tools(tools: object) -> tuple[Tool, ...]:
    result = []
    for each in _list(tools):
        tool = _mapping(each)
        description = _mapping(tool.get("function")) or tool
        name = description.get("name")
        if isinstance(name, str):
            schema = description.get("parameters", description.get("input_schema"))
            result.append(Tool(name, _mapping(schema)))
    return tuple(result)


def _tool_choice(choice: object) -> str:
    if isinstance(choice, str):
        return "required" if choice == "any" else choice
    fields = _mapping(choice)
    name = _mapping(fields.get("function")).get("name", fields.get("name"))
    if isinstance(name, str):
        return f"={name}"
    kind = fields.get("type")
    return {"any": "required", "none": "none"}.get(kind if isinstance(kind, str) else "", "auto")


def _json_schema(response_format: object) -> Mapping[str, Any] | None:
    fields = _mapping(response_format)
    if fields.get("type") == "json_object":
        return {}
    if fields.get("type") == "json_schema":
        return _mapping(_mapping(fields.get("json_schema")).get("schema"))
    return None


def _may_reason(fields: Mapping[str, Any]) -> bool:
    disabled = _mapping(fields.get("thinking")).get("type") == "disabled"
    return not disabled and fields.get("reasoning_effort") != "none"


def _stop(stop: object) -> tuple[str, ...]:
    if isinstance(stop, str):
        return (stop,)
    return tuple(each for each in _list(stop) if isinstance(each, str) and each)


def _holds(message: Mapping[str, Any], *kinds: str) -> bool:
    return any(_mapping(block).get("type") in kinds for block in _list(message.get("content")))


def _holds_image(message: Mapping[str, Any]) -> bool:
    return _holds(message, *_IMAGE_BLOCKS)


def _unmatched_tool_message(messages: Sequence[Mapping[str, Any]]) -> bool:
    open_calls = 0
    for message in messages:
        open_calls += len(_list(message.get("tool_calls")))
        if message.get("role") == "tool" and not (message.get("name") or message.get("tool")):
            if open_calls == 0:
                return True
            open_calls -= 1
    return False


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
