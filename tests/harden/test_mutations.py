"""Right replies with one field wrong: deleted, null, of another type, huge, deep."""

from __future__ import annotations

import copy
import json
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import yaml

from tests.harden.cases import Case, Reply
from tests.harden.entry_points import ENTRY_POINTS
from tests.harden.replies import DOCUMENTS as RIGHT
from tests.harden.replies import DONE, STREAMS, sized, tool_chunks, tool_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harden.harness import Harness
    from tests.harden.upstream import Script

_GENUINE: Final = Path(__file__).parents[2] / "cassettes" / "genuine"
_DELETED: Final = object()


def _nest(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: Final[dict[str, Any]] = {
    "deleted": _DELETED,
    "null": None,
    "an empty text": "",
    "a text": "text",
    "zero": 0,
    "minus one": -1,
    "true": True,
    "a fraction": 1.5,
    "a huge number": 10**30,
    "infinity": math.inf,
    "NaN": math.nan,
    "an empty list": [],
    "an empty object": {},
    "a list of null": [None],
    "a list of lists": [[]],
    "an object in a list": [{"a": 1}],
    "a lone surrogate": "\ud800",
    "a huge text": "x" * 1_000_000,
    "a nest": _nest(300),
}
_SHORT_VALUES: Final = 3
# What a reply can do without: whatever is in there, the answer is paid for and has to arrive.
_INESSENTIAL: Final = frozenset(
    ("id", "created", "model", "usage", "system_fingerprint", "service_tier", "prompt_logprobs",
     "prompt_token_ids", "kv_transfer_params", "stop_sequence")
)  # fmt: skip  # one list, read as one


class Field(NamedTuple):
    """One field of one right reply."""

    source: str
    kind: str
    document: Any
    """The reply, or the list of a stream's documents."""
    path: tuple[str | int, ...]

    @property
    def name(self) -> str:
        return f"{self.source}: {'.'.join(map(str, self.path))}"

    @property
    def is_essential(self) -> bool:
        return self.path[0] not in _INESSENTIAL


def _paths(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if above:
        yield above
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*above, name))
    elif isinstance(value, list) and value:
        yield from _paths(value[0], (*above, 0))


def _genuine(name: str) -> Any:
    recorded = yaml.safe_load((_GENUINE / f"{name}.yaml").read_text("utf-8"))
    return json.loads(recorded["interactions"][0]["response"]["body"]["string"])


def _plain_fields() -> Iterator[Field]:
    sources = {f"the right {kind}": (kind, document) for kind, document in RIGHT.items()}
    sources |= {
        "a tool call": ("chat", tool_document()),
        "chat_json_mode": ("chat", _genuine("chat_json_mode")),
        "chat_long_prompt": ("chat", _genuine("chat_long_prompt")),
    }
    for source, (kind, document) in sources.items():
        for path in _paths(document):
            yield Field(source, kind, document, path)


def _stream_fields() -> Iterator[Field]:
    """Return the fields of each kind of event once."""
    sources = {f"the right {kind}": (kind, documents) for kind, documents in STREAMS.items()}
    sources["a streamed tool call"] = ("chat_stream", tool_chunks())
    for source, (kind, documents) in sources.items():
        seen = set()
        for at, document in enumerate(documents):
            for path in _paths(document):
                shape = (document.get("type"), path)
                if shape not in seen:
                    seen.add(shape)
                    yield Field(source, kind, documents, (at, *path))


FIELDS: Final = [*_plain_fields(), *_stream_fields()]


def _mutated(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is _DELETED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


def _body(kind: str, document: Any) -> bytes:
    # In ASCII, with Python's NaN and Infinity, as some backends write them.
    if kind not in STREAMS:
        return json.dumps(document).encode()
    events = []
    for one in document:
        data = b"data: " + json.dumps(one).encode() + b"\n\n"
        named = isinstance(one, dict) and isinstance(one.get("type"), str) and one["type"].isascii()
        events.append(b"event: " + one["type"].encode() + b"\n" + data if named else data)
    return b"".join(events) + (b"" if kind == "message_stream" else DONE)


def _case(field: Field, name: str, value: Any) -> Case:
    def build(reply: Reply) -> Script:
        return [sized(reply.kind, _body(field.kind, _mutated(field.document, field.path, value)))]

    is_right = field.source.startswith("the right") and field.kind not in STREAMS
    # JSON has no NaN and no surrogates of their own; a client may refuse a reply that has.
    survives = is_right and not field.is_essential and field.kind not in ("search", "quotas")
    return Case(f"{field.name} is {name}", build, "answer" if survives else "sane", (field.kind,))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_wrong_field_ends_well(field: Field, harness: Harness, *, is_short: bool) -> None:
    fitting = [one for one in ENTRY_POINTS if one.kind == field.kind]
    start = zlib.crc32(field.name.encode())
    names = list(VALUES)
    if is_short:
        step = len(names) // _SHORT_VALUES
        names = [names[(start + number * step) % len(names)] for number in range(_SHORT_VALUES)]
    under_way = []
    for number, name in enumerate(names):
        entry_points = [fitting[(start + number) % len(fitting)]] if is_short else fitting
        case = _case(field, name, VALUES[name])
        under_way.append((case, harness.begin(case, entry_points)))
    complaints = []
    for case, begun in under_way:
        found = harness.judge(case, harness.end(begun))
        complaints += [f"{case.name}: {text}" for text in found]
    assert not complaints, "\n".join(["", *complaints])
