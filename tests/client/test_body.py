"""Request bodies, written by whichever library is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import Message

from litellm_synthetic.client import body
from litellm_synthetic.client.body import encode
from litellm_synthetic.errors.faults import InvalidParameterError


@pytest.fixture(params=["orjson", "pydantic_core"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write with one of the two libraries."""
    if request.param == "pydantic_core":
        monkeypatch.setattr(body, "orjson", None)
    elif vars(body)["orjson"] is None:
        pytest.skip("orjson is not installed")
    return str(request.param)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip  # any JSON


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), JSON, max_size=4))
def test_every_library_writes_the_same_document(document: dict[str, Any]) -> None:
    assert json.loads(encode(document)) == document
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "orjson", None)
        assert json.loads(encode(document)) == document


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        [1.0, {"a": float("nan")}],
        {"null": None, "b": float("nan")},
        "lone \ud800 surrogate",
        {"\udc00": 1},
        b"bytes",
        {1, 2},
        pytest.param(object(), id="object"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.usefixtures("library")
def test_what_has_no_json_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="cannot be written as JSON"):
        encode({"temperature": value})


@pytest.mark.usefixtures("library")
def test_odd_but_possible_values_are_written_as_json_has_them() -> None:
    message = Message(content="hi", role="assistant")
    document = {"big": 2**80, "pair": (1, 2), "keys": {1: "a", None: "b"}, "message": message}
    written = json.loads(encode(document))
    assert written["big"] == 2**80
    assert written["pair"] == [1, 2]
    assert written["keys"] == {"1": "a", "null": "b"}
    assert written["message"]["content"] == "hi"
    assert None not in written["message"].values()


@pytest.mark.usefixtures("library")
def test_text_is_written_as_it_is() -> None:
    assert encode({"a": "Zoë 🐟 null"}) == '{"a":"Zoë 🐟 null"}'.encode()
