"""Replies that the stand-in can be told to send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from litellm_synthetic.testing.streams import AnyEvent, Framing

if TYPE_CHECKING:
    from litellm_synthetic.testing.delivery import Delivery
    from litellm_synthetic.testing.recorded import RecordedRequest

UsagePlacement: TypeAlias = Literal["finish", "final", "both", "none"]
ReasoningField: TypeAlias = Literal["reasoning", "reasoning_content", "both"]
HeaderChanges: TypeAlias = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """State token counts.

    Attributes:
        prompt_tokens: All prompt tokens, cached ones included.
        completion_tokens: All generated tokens, reasoning included.
        cached_tokens: Prompt tokens read from the cache. `None` renders
            `prompt_tokens_details: null`, as recorded.
        reasoning_tokens: Rendered at the top level of usage, where it was reported in
            September 2026; left out when `None`.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Call one tool.

    Attributes:
        name: The tool's name.
        arguments: A JSON text, sent exactly as given even where it is malformed, or a mapping.
        id: The call's id; by default one that is made from the reply's.
    """

    name: str
    arguments: str | Mapping[str, object] = "{}"
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spoken(Framing):
    """The options that every logical answer has.

    Attributes:
        reasoning: The thinking that goes before the answer.
        usage: Token counts; a mapping is sent as it is. By default they are counted.
        model: The reply's `model`. By default what the service would name: the requested id
            without `hf:`, or an alias's target.
        reasoning_field: Which fields carry the reasoning. By default the model's own habit.
        usage_placement: Which chunk of a stream carries the usage. By default the finish chunk,
            as documented, and also a final `choices: []` chunk if the caller asked for usage.
        headers: Response headers to set; `None` as a value removes one.
    """

    reasoning: str | None = None
    usage: Usage | Mapping[str, object] | None = None
    model: str | None = None
    reasoning_field: ReasoningField | None = None
    usage_placement: UsagePlacement | None = None
    headers: HeaderChanges = field(default_factory=dict)


@dataclass(frozen=True)
class Text(Spoken):
    """Answer with text, in whatever form the request asks for.

    Attributes:
        content: The answer. `None` renders `content: null`.
        finish_reason: Rendered as `stop_reason` on the Messages API.
        chunks: Cut the content into exactly this many deltas. By default one per word.
    """

    content: str | None
    finish_reason: str | None = field(default="stop", kw_only=True)
    chunks: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a number of chunks that the text cannot give.

        Raises:
            ValueError: `chunks` is below 1 or above the number of characters.
        """
        super().__post_init__()
        length = len(self.content or "")
        if self.chunks is not None and not 1 <= self.chunks <= length:
            raise ValueError(f"{length} characters cannot be cut into {self.chunks} chunks")

    @property
    def calls(self) -> Sequence[ToolCall]:
        """Return no tool calls."""
        return ()


@dataclass(frozen=True)
class ToolCalls(Spoken):
    """Answer with tool calls, in whatever form the request asks for.

    Attributes:
        calls: The calls.
        content: Text that goes before them.
        finish_reason: Rendered as `stop_reason` on the Messages API.
        with_index: Give each streamed delta its `index`.
        repeat_id: Repeat id and name on each delta of a call, not only on the first.
        interleaved: Send the first piece of each call, then the second of each, and so on.
        argument_pieces: Number of deltas that a call's arguments are cut into.
    """

    calls: Sequence[ToolCall]
    content: str | None = field(default=None, kw_only=True)
    finish_reason: str | None = field(default="tool_calls", kw_only=True)
    with_index: bool = field(default=True, kw_only=True)
    repeat_id: bool = field(default=False, kw_only=True)
    interleaved: bool = field(default=False, kw_only=True)
    argument_pieces: int = field(default=3, kw_only=True)

    @property
    def chunks(self) -> int | None:
        """Return `None`: the text before the calls is cut by words."""
        return None


@dataclass(frozen=True)
class Answer(Framing):
    """Answer as the stand-in does by default, in another framing or with other headers.

    Attributes:
        usage_placement: As for `Text`.
        headers: Response headers to set; `None` as a value removes one.
    """

    usage_placement: UsagePlacement | None = field(default=None, kw_only=True)
    headers: HeaderChanges = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Stream(Framing):
    """Send exactly these events, whatever the request asked for.

    Attributes:
        events: Mappings are sent as JSON, texts as the exact content of a `data:` line, bytes
            as they are; an `Event` has a name too.
        headers: Response headers to set; `None` as a value removes one.
    """

    events: Sequence[AnyEvent] = ()
    headers: HeaderChanges = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class RawJSON:
    """Send a status and a JSON body.

    Attributes:
        status: The HTTP status.
        body: Anything JSON can hold.
        headers: Response headers to set; `None` as a value removes one.
        delay_seconds: Pause before the reply, in seconds.
    """

    status: int
    body: object
    headers: HeaderChanges = field(default_factory=dict)
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class RawBytes:
    """Send a status and these bytes, without any of the service's own headers.

    Attributes:
        status: The HTTP status.
        body: The body.
        content_type: The content type; `""` sends none.
        headers: Response headers to set.
        delay_seconds: Pause before the reply, in seconds.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/octet-stream"
    headers: HeaderChanges = field(default_factory=dict)
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Redirect:
    """Send the client elsewhere.

    Attributes:
        location: The target. By default the same path on this server under its other name,
            `localhost`, so that a prompt which follows shows up in `server.requests`.
        status: The HTTP status; 307 and 308 ask for the body to be sent again.
    """

    location: str | None = None
    status: int = 307


@dataclass(frozen=True)
class KeyEcho:
    """Refuse the caller's key and repeat it in the body, which no client may pass on.

    Attributes:
        text: The error's text; `{key}` stands for the key that was sent.
        status: The HTTP status.
    """

    text: str = "Invalid API Key: {key}"
    status: int = 401


@dataclass(frozen=True)
class Verbatim:
    """Carry out a delivery exactly, down to the single write.

    Attributes:
        delivery: What is done on the connection.
    """

    delivery: Delivery


@dataclass(frozen=True)
class Either:
    """Answer a plain request one way and a streamed one another way.

    Attributes:
        plain: The reply to a request without `stream`.
        stream: The reply to a request with `stream: true`.
    """

    plain: Reply
    stream: Reply


Bare: TypeAlias = Stream | RawJSON | RawBytes | Redirect | KeyEcho | Verbatim
Reply: TypeAlias = Text | ToolCalls | Answer | Either | Bare
Replier: TypeAlias = Callable[["RecordedRequest"], Reply | None]
FaultRow: TypeAlias = tuple[str, str, Callable[..., Reply]]
