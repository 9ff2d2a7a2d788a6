"""The same bytes to the openai SDK and to us: the same answer, or both fail."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest

from tests.harden.cases import KEY
from tests.harden.entry_points import (
    ENTRY_POINTS,
    MESSAGES,
    Answer,
    Target,
    chat_answer,
    chunks_answer,
)
from tests.harden.replies import (
    DONE,
    chat_chunks,
    chat_document,
    chunk,
    event,
    head,
    sized,
    tool_chunks,
    tool_document,
)
from tests.harden.test_mutations import _body as body_in_ascii
from tests.harden.test_mutations import _genuine as genuine
from tests.harden.upstream import FIN, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.harden.harness import Harness
    from tests.harden.upstream import RawUpstream, Script

_numbers: Final = itertools.count()
_PAUSE_SECONDS: Final = 0.002


def _interleaved() -> list[dict[str, Any]]:
    """Return two tool calls whose arguments come by turns, without an id on later pieces."""
    documents = tool_chunks()
    other = [
        {**one, "choices": [_second(choice) for choice in one["choices"]]}
        for one in documents[1:-2]
    ]
    mixed = [one for pair in zip(documents[1:-2], other, strict=True) for one in pair]
    return [documents[0], *mixed, *documents[-2:]]


def _second(choice: dict[str, Any]) -> dict[str, Any]:
    calls = [
        {**call, "index": 1, **({"id": "call_2"} if "id" in call else {})}
        for call in choice["delta"]["tool_calls"]
    ]
    return {**choice, "delta": {"tool_calls": calls}}


STREAMS: Final[dict[str, list[dict[str, Any]]]] = {
    "text": chat_chunks(),
    "a tool call": tool_chunks(),
    "two tool calls": _interleaved(),
}
FORMS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "as it is": lambda body: body,
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "comments": lambda body: body.replace(b"\n\n", b"\n\n: ping\n\n"),
    "no blank line at the end": lambda body: body.rstrip(b"\n"),
}


def stream_of(name: str) -> bytes:
    return b"".join(map(event, STREAMS[name])) + DONE


def _told(answer: Answer) -> tuple[Any, ...]:
    return (answer.text or "", answer.finish, answer.calls, answer.usage)


def _sdk(upstream: RawUpstream, token: str, *, stream: bool) -> Answer | None:
    """Return what the SDK makes of a script; None where it fails."""
    arguments: dict[str, Any] = {"model": "m", "messages": MESSAGES}
    if stream:
        arguments |= {"stream": True, "stream_options": {"include_usage": True}}
    with openai.OpenAI(base_url=upstream.base(token), api_key=KEY, max_retries=0) as client:
        try:
            made: Any = client.chat.completions.create(**arguments)
            return chunks_answer(list(made)) if stream else chat_answer(made)
        except Exception:  # noqa: BLE001  # how it fails is its own affair
            return None


def _ours(harness: Harness, token: str, *, stream: bool, is_async: bool) -> Answer | None:
    name = f"chat {'stream ' if stream else ''}{'async' if is_async else 'sync'}"
    (entry,) = [one for one in ENTRY_POINTS if one.name == name]
    more = {"stream_options": {"include_usage": True}} if stream else {}
    target = Target(harness.upstream.base(token, "").rstrip("/"), 90.0, token, more=more)
    try:
        if is_async:
            return harness.loop.submit(entry.call(target)).result()  # type: ignore[no-any-return]
        return entry.call(target)  # type: ignore[no-any-return]
    except Exception as error:
        if type(error).__module__ != "litellm.exceptions":
            raise
        return None


def _difference(
    harness: Harness,
    script: Script,
    *,
    stream: bool,
    is_async: bool,
    is_cut: bool = False,
    finishes: bool = False,
) -> str:
    """Return how the two differ; `finishes` says that a cut stream has told its finish."""
    token = f"differential{next(_numbers)}"
    steps = list(script)
    harness.upstream.register(token, lambda _: steps)
    sdk = _sdk(harness.upstream, token, stream=stream)
    ours = _ours(harness, token, stream=stream, is_async=is_async)
    harness.upstream.forget(token)
    if ours is None:
        # The SDK takes a stream that breaks off for one that is over, without a finish.
        if sdk is None or (is_cut and sdk.finish is None):
            return ""
        return f"we fail, the SDK has {_told(sdk)!r}"
    if sdk is None:
        return f"the SDK fails, we have {_told(ours)!r}"
    if is_cut and finishes and sdk.finish is None:
        # The SDK drops an event that came whole but for its blank line.
        sdk = replace(sdk, finish=ours.finish, usage=ours.usage)
    if _told(sdk) == _told(ours):
        return ""
    if is_cut and ours.usage is not None and sdk.usage is None:
        # A stream that is cut after its finish lost its usage: LiteLLM counts.
        return "" if _told(sdk)[:3] == _told(ours)[:3] else f"{_told(sdk)!r} != {_told(ours)!r}"
    return f"the SDK has {_told(sdk)!r}, we have {_told(ours)!r}"


def _head() -> bytes:
    return head("chat_stream", b"transfer-encoding: chunked")


def _in_pieces(pieces: list[bytes]) -> Script:
    yield _head()
    for piece in pieces:
        if piece:
            yield chunk(piece)
            yield pause(_PAUSE_SECONDS)
    yield b"0\r\n\r\n"


def _points(size: int, *, is_short: bool, seed: str) -> Iterator[int]:
    if not is_short:
        yield from range(1, size)
        return
    yield from sorted(random.Random(seed).sample(range(1, size), 12))  # noqa: S311  # a choice of tests


def _tells_finish(body: bytes) -> bool:
    """Tell whether a cut stream ends with the JSON of an event that names the finish."""
    try:
        last = json.loads(body.rpartition(b"data: ")[2])
    except ValueError:
        return False
    return any(choice["finish_reason"] for choice in last["choices"])


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_stream_cut_anywhere_says_the_same(
    name: str, harness: Harness, *, is_async: bool, is_short: bool
) -> None:
    body = stream_of(name)
    differences = {
        at: _difference(harness, _in_pieces([body[:at], body[at:]]), stream=True, is_async=is_async)
        for at in _points(len(body), is_short=is_short, seed=f"{name}{is_async}")
    }
    assert {at: text for at, text in differences.items() if text} == {}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_stream_that_breaks_off_anywhere_is_never_taken_for_whole(
    name: str, harness: Harness, *, is_async: bool, is_short: bool
) -> None:
    body = stream_of(name)
    differences = {
        at: _difference(
            harness,
            [head("chat_stream") + body[:at], FIN],
            stream=True,
            is_async=is_async,
            is_cut=True,
            finishes=_tells_finish(body[:at]),
        )
        for at in _points(len(body), is_short=is_short, seed=f"cut{name}{is_async}")
    }
    assert {at: text for at, text in differences.items() if text} == {}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_stream_in_any_form_says_the_same(
    form: str, name: str, harness: Harness, *, is_async: bool, is_short: bool
) -> None:
    body = FORMS[form](stream_of(name))
    dice = random.Random(f"{form}{name}{is_async}")  # noqa: S311  # a choice of tests
    for _ in range(2 if is_short else 40):
        cuts = sorted(dice.sample(range(1, len(body)), dice.randrange(1, 8)))
        pieces = [body[start:end] for start, end in itertools.pairwise([0, *cuts, len(body)])]
        assert _difference(harness, _in_pieces(pieces), stream=True, is_async=is_async) == ""


@pytest.mark.parametrize(
    "document",
    [
        chat_document(),
        tool_document(),
        *map(genuine, ("chat_json_mode", "chat_json_status_ok", "chat_patient_name")),
    ],
    ids=["text", "a tool call", "genuine 1", "genuine 2", "genuine 3"],
)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_plain_reply_says_the_same(document: Any, harness: Harness, *, is_async: bool) -> None:
    script = [sized("chat", body_in_ascii("chat", document))]
    assert _difference(harness, script, stream=False, is_async=is_async) == ""


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_refusal_is_one_for_both(status: int, harness: Harness, *, stream: bool) -> None:
    script = [sized("chat", b'{"error": "no"}', status=b"%d No" % status)]
    assert _difference(harness, script, stream=stream, is_async=False) == ""
