import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.chat.params import (
    BY_NAME,
    PARAMETERS,
    check_fields,
    map_parameters,
    map_reasoning,
    supported_parameters,
)
from litellm_synthetic.client.body import MAX_BODY_BYTES, check_body_size
from litellm_synthetic.errors.faults import (
    InvalidParameterError,
    InvalidThinkingError,
    UnsupportedEffortError,
)

NAN, INFINITY = float("nan"), float("inf")
# The request parameters of Synthetic's own documentation, messages and model aside.
DOCUMENTED = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "min_p",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_k",
    "top_logprobs",
    "top_p",
    "user",
    "functions",
    "function_call",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_parameter_that_synthetic_documents_is_in_the_table(name: str) -> None:
    assert name in BY_NAME


def test_each_parameter_has_one_row_and_a_meaning() -> None:
    assert len(BY_NAME) == len(PARAMETERS)
    assert all(one.meaning for one in PARAMETERS)


@pytest.mark.parametrize("name", [one.name for one in PARAMETERS])
def test_every_parameter_is_documented(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "parameters.md").read_text("utf-8")
    assert re.search(rf"^\| `{name}` \|", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("temperature", [0, 0.0, 1, 0.7, 2, 2.0]),
        ("top_p", [0, 0.5, 1]),
        ("min_p", [0, 0.05, 1]),
        ("frequency_penalty", [-2, 0, 2.0]),
        ("presence_penalty", [-2.0, 0.1, 2]),
        ("max_tokens", [1, 65536, 10**9]),
        ("n", [1, 128]),
        ("stop", ["END", ["a"], ["a", "b", "c", "d"], ("a", "b"), []]),
        ("logprobs", [True, False, 0, 5, 20]),
        ("top_logprobs", [0, 20]),
        ("logit_bias", [{}, {"50256": -100}, {50256: 100.0, "7": 0}]),
        ("seed", [0, -5, 10**12]),
        ("top_k", [-1, 0, 40]),
        ("user", ["me"]),
        ("something_else", [NAN, object()]),
    ],
)
def test_values_within_range_pass(name: str, values: list[Any]) -> None:
    for value in [*values, None]:
        check_fields({name: value})


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "temperature",
            [-0.1, 2.1, True, False, "0.7", NAN, INFINITY, -INFINITY, [1], 10**400, -(10**400)],
            "a number from 0 to 2",
        ),
        ("top_p", [-0.01, 1.01, True, "1", NAN], "a number from 0 to 1"),
        ("min_p", [-0.01, 1.01, True, "1", NAN], "a number from 0 to 1"),
        ("frequency_penalty", [-2.1, 2.1, True, NAN], "a number from -2 to 2"),
        ("presence_penalty", [-2.1, 2.1, "1", INFINITY], "a number from -2 to 2"),
        ("max_tokens", [0, -1, 1.5, 100.0, True, "100", NAN, INFINITY], "number of at least 1"),
        ("n", [0, -1, True, "1", 1.0], "number of at least 1"),
        ("top_logprobs", [-1, 21, True, 5.0, "5"], "a whole number from 0 to 20"),
        ("logprobs", [-1, 21, 1.0, "yes"], "a whole number from 0 to 20"),
        (
            "stop",
            ["", [""], ["a", ""], ["a", 1], 5, {"a"}, {"a": 1}, ["a", "b", "c", "d", "e"], [None]],
            "a text or up to 4 non-empty texts",
        ),
        ("logit_bias", [5, "x", [1]], "must map token ids to biases"),
    ],
)
def test_values_out_of_range_are_named_with_the_range(
    name: str, values: list[Any], message: str
) -> None:
    for value in values:
        with pytest.raises(InvalidParameterError) as excinfo:
            check_fields({name: value})
        assert str(excinfo.value).startswith(f"{name}=")
        assert message in str(excinfo.value)
        assert repr(value)[:70] in str(excinfo.value)
        assert len(str(excinfo.value)) < 250


def test_a_number_too_long_to_be_shown_is_refused_all_the_same() -> None:
    with pytest.raises(InvalidParameterError, match="temperature=… is out of range"):
        check_fields({"temperature": 10**5000})


@pytest.mark.parametrize("bias", [100.1, -101, True, "5", NAN])
def test_a_bias_out_of_range_is_named_with_its_token(bias: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"logit_bias\['50256'\]=.* from -100 to 100"):
        check_fields({"logit_bias": {"7": 1, "50256": bias}})


def test_the_number_of_stop_sequences_is_said_and_may_be_waived() -> None:
    with pytest.raises(InvalidParameterError, match="5 given"):
        check_fields({"stop": list("abcde")})
    check_fields({"stop": list("abcde")}, unlimited_stop=True)


@given(st.dictionaries(st.sampled_from([one.name for one in PARAMETERS]), st.from_type(object)))
def test_any_value_passes_or_is_refused_by_name(fields: dict[str, Any]) -> None:
    message = None
    try:
        check_fields(fields)
    except InvalidParameterError as error:
        message = str(error)
    assert message is None or message.startswith(tuple(fields))


def test_the_body_may_have_ten_mebibytes_and_no_byte_more() -> None:
    check_body_size(MAX_BODY_BYTES)
    assert MAX_BODY_BYTES == 10_485_760
    with pytest.raises(InvalidParameterError, match=r"10,485,761 bytes is over .* 10,485,760"):
        check_body_size(MAX_BODY_BYTES + 1)


# ---- mapping


def mapped(
    body: Mapping[str, Any], efforts: tuple[str, ...] = (), *, can_stop: bool | None = None
) -> dict[str, Any]:
    reasoning = map_reasoning(body, accepted_efforts=efforts, can_stop_reasoning=can_stop)
    return {**map_parameters(body), **reasoning}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {}),
        ({"temperature": 0.5, "user": "me"}, {"temperature": 0.5, "user": "me"}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 5, "max_completion_tokens": 7}, {"max_tokens": 7}),
        ({"max_completion_tokens": 7, "max_tokens": 5}, {"max_tokens": 7}),
        ({"max_tokens": 5, "max_completion_tokens": None}, {"max_tokens": 5}),
        ({"temperature": None}, {}),
        ({"functions": [], "function_call": "auto"}, {"functions": [], "function_call": "auto"}),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ({"reasoning_effort": "default"}, {}),
        ({"thinking": {"type": "enabled"}}, {}),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
        (
            {"reasoning_effort": "low", "thinking": {"type": "disabled"}},
            {"reasoning_effort": "low"},
        ),
        ({"max_retries": 3, "extra_headers": {}, "unheard_of": 1}, {}),
    ],
)
def test_what_is_asked_becomes_what_is_sent(body: dict[str, Any], fields: dict[str, Any]) -> None:
    before = dict(body)
    assert mapped(body) == fields
    assert body == before


def test_a_level_goes_to_the_nearest_that_the_model_takes() -> None:
    fields = mapped({"reasoning_effort": "medium"}, ("low", "high", "max"), can_stop=False)
    assert fields == {"reasoning_effort": "low"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"reasoning_effort": "none"}, "reasoning_effort='none' asks for no reasoning"),
        ({"thinking": {"type": "disabled"}}, "thinking={'type': 'disabled'} asks for no reasoning"),
    ],
)
def test_reasoning_that_cannot_be_stopped_is_said_so(body: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedEffortError) as excinfo:
        mapped(body, ("low", "high"), can_stop=False)
    assert message in str(excinfo.value)
    assert "its levels are low, high" in str(excinfo.value)
    assert "drop_params=True" in str(excinfo.value)


def test_malformed_thinking_is_refused() -> None:
    with pytest.raises(InvalidThinkingError):
        mapped({"thinking": True})


# ---- what LiteLLM is told


def test_tools_and_reasoning_are_supported_unless_known_to_be_lacking() -> None:
    everything = {one.name for one in PARAMETERS}
    assert everything <= set(supported_parameters(tools=None, reasoning=None))
    assert supported_parameters(tools=True, reasoning=True) == supported_parameters(
        tools=None, reasoning=None
    )
    without_tools = set(supported_parameters(tools=False, reasoning=None))
    assert everything - without_tools == {
        "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call",
    }  # fmt: skip  # one set, read as one
    without_reasoning = set(supported_parameters(tools=None, reasoning=False))
    assert everything - without_reasoning == {"reasoning_effort", "thinking"}


@pytest.mark.parametrize(
    "name",
    [
        "audio", "modalities", "prediction", "web_search_options", "store", "service_tier",
        "metadata", "verbosity", "safety_identifier", "prompt_cache_key",
    ],
)  # fmt: skip  # one list, read as one
def test_what_synthetic_does_not_take_is_not_supported(name: str) -> None:
    assert name not in supported_parameters(tools=True, reasoning=True)


def test_the_list_of_parameters_is_the_callers_to_change() -> None:
    supported_parameters(tools=True, reasoning=True).clear()
    assert supported_parameters(tools=True, reasoning=True)
