import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.types.utils import EmbeddingResponse, ModelResponse

from litellm_synthetic.chat.response import (
    UPSTREAM_MODEL,
    arguments_text,
    fill_chat,
    fill_embedding,
    fill_text,
)
from litellm_synthetic.chat.usage import to_usage
from litellm_synthetic.client.exchange import decode
from litellm_synthetic.errors.faults import UnreadableReplyError

MODEL = "synthetic/hf:nvidia/Kimi-K2.5-NVFP4"
# The shape of the replies that were recorded in February 2026, nulls and all.
RECORDED: dict[str, Any] = {
    "id": "chatcmpl-df821d9938e28588db9b88ea0917f790",
    "object": "chat.completion",
    "created": 1771750032,
    "model": "nvidia/Kimi-K2.5-NVFP4",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": ' {"status": "ok"}',
                "refusal": None,
                "annotations": None,
                "audio": None,
                "function_call": None,
                "tool_calls": [],
                "reasoning": " The user wants a JSON object. ",
                "reasoning_content": " The user wants a JSON object. ",
            },
            "logprobs": None,
            "finish_reason": "stop",
            "stop_reason": None,
            "token_ids": None,
        }
    ],
    "service_tier": None,
    "system_fingerprint": None,
    "usage": {
        "prompt_tokens": 37,
        "total_tokens": 236,
        "completion_tokens": 199,
        "prompt_tokens_details": None,
    },
    "prompt_logprobs": None,
    "prompt_token_ids": None,
    "kv_transfer_params": None,
}


def filled(document: dict[str, Any]) -> Any:
    return fill_chat(ModelResponse(), document, MODEL)


def answered(message: dict[str, Any], **choice: Any) -> Any:
    return filled({"choices": [{"message": message, **choice}]}).choices[0]


def test_a_reply_in_the_recorded_shape_is_read_whole() -> None:
    before = copy.deepcopy(RECORDED)
    response = filled(RECORDED)
    assert before == RECORDED
    assert response.id == RECORDED["id"]
    assert response.created == 1771750032
    assert response.model == MODEL
    assert (
        response._hidden_params[UPSTREAM_MODEL] == "nvidia/Kimi-K2.5-NVFP4"  # noqa: SLF001  # LiteLLM's place for it
    )  # LiteLLM's place for it
    (choice,) = response.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content == ' {"status": "ok"}'
    assert choice.message.reasoning_content == " The user wants a JSON object. "
    assert choice.message.tool_calls is None
    assert "reasoning" not in choice.message.model_dump()
    usage = response.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (37, 199, 236)


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "a"},
        {"reasoning": "a"},
        {"reasoning": "a", "reasoning_content": "a"},
        {"reasoning": "a", "reasoning_content": ""},
        {"reasoning": "a", "reasoning_content": None},
        {"content": "<think>a</think>b"},
    ],
)
def test_reasoning_is_there_once_whatever_field_it_came_in(fields: dict[str, Any]) -> None:
    message = answered({"content": "b", **fields}).message
    assert (message.reasoning_content, message.content) == ("a", "b")


def test_a_tag_is_left_alone_where_reasoning_has_its_own_field() -> None:
    message = answered({"content": "<think>is a tag", "reasoning": "a"}).message
    assert message.content == "<think>is a tag"


def test_without_reasoning_there_is_none() -> None:
    message = answered({"content": "b", "reasoning_content": "", "reasoning": None}).message
    assert getattr(message, "reasoning_content", None) is None


def test_a_reply_cut_off_while_thinking_keeps_its_thinking() -> None:
    choice = answered({"content": None, "reasoning": "a"}, finish_reason="length")
    assert (choice.message.content, choice.message.reasoning_content) == (None, "a")
    assert choice.finish_reason == "length"


def test_every_choice_is_read() -> None:
    choices = [{"index": at, "message": {"content": str(at)}} for at in range(3)]
    response = filled({"choices": choices})
    assert [(one.index, one.message.content) for one in response.choices] == [
        (0, "0"), (1, "1"), (2, "2"),
    ]  # fmt: skip  # one list, read as one


def test_a_refusal_and_log_probabilities_are_kept() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}]}
    choice = answered({"content": None, "refusal": "no"}, logprobs=logprobs)
    assert choice.message.refusal == "no"
    assert choice.logprobs.content[0].logprob == -0.5


@pytest.mark.parametrize(
    ("call", "identifier", "name", "arguments"),
    [
        (
            {
                "id": "functions.read:0",
                "type": "function",
                "function": {"name": "r", "arguments": "{}"},
            },
            "functions.read:0",
            "r",
            "{}",
        ),
        ({"id": "c", "function": {"name": "r", "arguments": ""}}, "c", "r", ""),
        ({"id": "c", "function": {"name": "r"}}, "c", "r", ""),
        ({"id": "c", "function": {"name": "r", "arguments": None}}, "c", "r", ""),
        ({"id": "c", "function": {"name": "r", "arguments": {"a": 1}}}, "c", "r", '{"a": 1}'),
        ({"id": "c", "function": {"name": "r", "arguments": "{broken"}}, "c", "r", "{broken"),
        ({"id": "c", "function": {"name": None}}, "c", "", ""),
        ({"id": "c", "function": "odd"}, "c", "", ""),
        ({"id": None, "function": {"name": "r"}}, None, "r", ""),
        ({"id": 5, "function": {"name": "r"}}, None, "r", ""),
        ({"id": "", "function": {"name": "r"}}, None, "r", ""),
    ],
)
def test_a_tool_call_has_an_id_a_name_and_arguments_as_text(
    call: dict[str, Any], identifier: str | None, name: str, arguments: str
) -> None:
    choice = answered({"content": None, "tool_calls": [call]}, finish_reason="stop")
    (result,) = choice.message.tool_calls
    assert result.id == identifier if identifier else result.id.startswith("call_")
    assert (result.type, result.function.name, result.function.arguments) == (
        "function",
        name,
        arguments,
    )
    assert choice.finish_reason == "tool_calls"


def test_calls_without_ids_get_different_ones() -> None:
    calls = [{"function": {"name": "r"}}, {"function": {"name": "r"}}]
    result = answered({"tool_calls": calls}).message.tool_calls
    assert len({call.id for call in result}) == 2


@pytest.mark.parametrize("tool_calls", [None, [], {}, {"a": 1}, 5, "odd", [None, "odd"]])
def test_what_holds_no_tool_call_is_none(tool_calls: Any) -> None:
    choice = answered({"content": "b", "tool_calls": tool_calls}, finish_reason="stop")
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"


def test_a_reply_cut_off_in_a_tool_call_still_says_length() -> None:
    calls = [{"id": "c", "function": {"name": "r", "arguments": '{"a'}}]
    assert answered({"tool_calls": calls}, finish_reason="length").finish_reason == "length"


@pytest.mark.parametrize(
    ("arguments", "text"), [("x", "x"), (None, ""), ({}, "{}"), ([1], "[1]"), (0, "0")]
)
def test_arguments_are_text(arguments: object, text: str) -> None:
    assert arguments_text(arguments) == text


@pytest.mark.parametrize(
    ("document", "wording"),
    [
        ({}, "no choices"),
        ({"choices": []}, "no choices"),
        ({"choices": None}, "no choices"),
        ({"choices": {}}, "no choices"),
        ({"choices": "odd"}, "no choices"),
        ({"choices": [None]}, "not objects"),
        ({"choices": [{}]}, "no message"),
        ({"choices": [{"message": None}]}, "no message"),
        ({"choices": [{"message": "odd"}]}, "no message"),
        ({"choices": [{"message": {"content": 5}}]}, "not text"),
        ({"choices": [{"message": {"role": "odd"}}]}, "not one of a chat completion"),
        ({"choices": [{"message": {"function_call": "odd"}}]}, "not one of a chat completion"),
        ({"choices": [{"message": {"self": "odd"}}]}, "not one of a chat completion"),
        ({"choices": [{"message": {}, "finish_reason": []}]}, "not one of a chat completion"),
        ({"choices": [{"message": {}, "index": "odd"}]}, "not one of a chat completion"),
    ],
)
def test_what_is_no_chat_completion_is_no_success(document: dict[str, Any], wording: str) -> None:
    with pytest.raises(UnreadableReplyError, match=wording):
        filled(document)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html><body>hello</body></html>", "not JSON"),
        (b'{"choices": [', "not JSON"),
        (b"\xff\xff\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
    ],
)
def test_a_body_that_is_no_object_says_what_it_is(body: bytes, message: str) -> None:
    with pytest.raises(UnreadableReplyError, match=message):
        decode(body)


@given(st.binary() | st.text().map(str.encode))
def test_any_body_is_an_object_or_unreadable(body: bytes) -> None:
    with contextlib.suppress(UnreadableReplyError):
        assert isinstance(decode(body), dict)


# ---- hostile documents

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=2) | st.dictionaries(st.text(max_size=5), children, max_size=2)
    ),
    max_leaves=4,
)


def objects(*names: str, **base: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = dict.fromkeys(names, VALUES) | {name: one | VALUES for name, one in base.items()}
    return st.fixed_dictionaries({}, optional=fields)


CALLS = st.lists(objects("id", "type", "index", function=objects("name", "arguments")), max_size=2)
MESSAGES = objects(
    "reasoning", "reasoning_content", "refusal", "audio", "annotations", "images", "self",
    "thinking_blocks", "provider_specific_fields",
    role=st.just("assistant"), content=st.text(), tool_calls=CALLS,
    function_call=objects("name", "arguments"),
)  # fmt: skip  # one list, read as one
USAGES = objects(
    "prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens",
    prompt_tokens_details=objects("cached_tokens", "self", "odd"),
    completion_tokens_details=objects("reasoning_tokens", "text_tokens", "self"),
)  # fmt: skip  # the same
CHOICES = objects("index", "finish_reason", "text", message=MESSAGES, logprobs=objects("content"))
DOCUMENTS = objects(
    "id", "created", "model", "system_fingerprint", "service_tier",
    choices=st.lists(CHOICES, min_size=1, max_size=2), usage=USAGES,
)  # fmt: skip  # the same


@given(DOCUMENTS)
def test_any_document_is_a_response_or_unreadable(document: dict[str, Any]) -> None:
    try:
        response = filled(document)
    except UnreadableReplyError:
        return
    assert response.choices
    assert response.model == MODEL
    assert isinstance(response.model_dump_json(), str)


@given(DOCUMENTS)
def test_any_document_is_a_legacy_completion_or_unreadable(document: dict[str, Any]) -> None:
    try:
        response = fill_text(document, MODEL)
    except UnreadableReplyError:
        return
    assert all(isinstance(choice.text, str) for choice in response.choices)


@given(objects(data=st.lists(objects("index", "object", embedding=st.lists(st.floats())))))
def test_any_document_is_embeddings_or_unreadable(document: dict[str, Any]) -> None:
    try:
        response = fill_embedding(EmbeddingResponse(), document, MODEL, ["a", "b"])
    except UnreadableReplyError:
        return
    assert len(response.data) == 2


# ---- the other replies


def test_a_legacy_completion_is_read() -> None:
    document = {
        "id": "cmpl-1",
        "model": "zai-org/GLM-4.7-Flash",
        "choices": [{"index": 0, "text": "b", "finish_reason": "length", "logprobs": None}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5},
    }
    response: Any = fill_text(document, MODEL)
    assert (response.id, response.model) == ("cmpl-1", MODEL)
    assert (response.choices[0].text, response.choices[0].finish_reason) == ("b", "length")
    assert response.usage.total_tokens == 5


@pytest.mark.parametrize("choice", [{}, {"text": None}, {"text": 5}, {"message": {"content": "b"}}])
def test_a_legacy_completion_without_text_is_no_success(choice: dict[str, Any]) -> None:
    with pytest.raises(UnreadableReplyError, match=r"no text|not text"):
        fill_text({"choices": [choice]}, MODEL)


def test_embeddings_come_in_input_order() -> None:
    rows = [{"object": "embedding", "index": at, "embedding": [float(at)]} for at in (2, 0, 1)]
    document = {
        "object": "list",
        "data": rows,
        "model": "hf:nomic-ai/nomic-embed-text-v1.5",
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }
    response: Any = fill_embedding(EmbeddingResponse(), document, MODEL, ["a", "b", "c"])
    assert [row["embedding"] for row in response.data] == [[0.0], [1.0], [2.0]]
    assert response.model == MODEL
    assert response._hidden_params[UPSTREAM_MODEL] == document["model"]  # noqa: SLF001  # LiteLLM's place for it
    assert (response.usage.prompt_tokens, response.usage.total_tokens) == (6, 6)


def test_base64_vectors_are_handed_on() -> None:
    document = {"data": [{"embedding": "AACAPw==", "index": 0}]}
    response: Any = fill_embedding(EmbeddingResponse(), document, MODEL, "a")
    assert response.data[0]["embedding"] == "AACAPw=="


@pytest.mark.parametrize("data", [None, [], {}, [None], [{}], [{"embedding": None}]])
def test_what_holds_no_vector_is_no_success(data: Any) -> None:
    with pytest.raises(UnreadableReplyError):
        fill_embedding(EmbeddingResponse(), {"data": data}, MODEL, "a")


# ---- usage


def test_cached_and_reasoning_tokens_have_their_places() -> None:
    usage: Any = to_usage(
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "reasoning_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 80},
        }
    )
    assert usage.prompt_tokens_details.cached_tokens == 80
    assert usage.completion_tokens_details.reasoning_tokens == 30
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (100, 50, 150)


def test_reasoning_tokens_in_openais_place_are_kept() -> None:
    usage: Any = to_usage(
        {"completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 30}}
    )
    assert usage.completion_tokens_details.reasoning_tokens == 30


def test_a_missing_count_of_the_prompt_is_0_beside_one_of_the_answer() -> None:
    usage: Any = to_usage({"completion_tokens": 3})
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (0, 3, 3)
    usage = to_usage({"prompt_tokens": 3})
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 0, 3)


def test_a_missing_total_is_the_sum() -> None:
    usage: Any = to_usage({"prompt_tokens": 2, "completion_tokens": 3})
    assert usage.total_tokens == 5


@pytest.mark.parametrize(
    "count", [-1, 1.5, True, "5", None, float("nan"), float("inf"), 10**30, []]
)
def test_a_count_that_cannot_be_one_is_absent(count: Any) -> None:
    assert to_usage({"prompt_tokens": count}) is None
    usage: Any = to_usage({"prompt_tokens": count, "completion_tokens": 3})
    assert (usage.prompt_tokens, usage.total_tokens) == (0, 3)


@pytest.mark.parametrize("fields", [None, {}, [], "odd", {"prompt_tokens_details": {}}])
def test_no_usage_is_none(fields: object) -> None:
    assert to_usage(fields) is None


@pytest.mark.parametrize(
    ("prompt", "cached", "expected"), [(5, 4, 4), (5, 5, 5), (5, 6, 5), (5, 10**9, 5), (None, 6, 0)]
)
def test_no_more_is_cached_than_was_sent(prompt: int | None, cached: int, expected: int) -> None:
    usage: Any = to_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
    )
    assert usage.prompt_tokens_details.cached_tokens == expected


@given(USAGES)
def test_the_uncached_part_is_never_negative(fields: dict[str, Any]) -> None:
    usage: Any = to_usage(fields)
    if usage is not None and usage.prompt_tokens_details is not None:
        assert (usage.prompt_tokens_details.cached_tokens or 0) <= usage.prompt_tokens
    assert usage is None or json.loads(usage.model_dump_json())


@pytest.mark.parametrize(
    ("texts", "indexes"),
    [
        (["a", "b"], [0]),
        (["a", "b"], [0, 0]),
        (["a", "b", "c"], [0, 0, True]),
        (["a", "b"], [0, True]),
        (["a", "b"], [1, 2]),
        (["a", "b"], [0, None]),
        (["a", "b"], [0, "1"]),
        ("a", [0, 1]),
        ([1, 2, 3], [0, 1, 2]),  # token ids of one text
    ],
)
def test_embeddings_that_do_not_match_the_inputs_are_an_error(
    texts: Any, indexes: list[Any]
) -> None:
    rows = [{"embedding": [0.5], "index": index} for index in indexes]
    with pytest.raises(UnreadableReplyError, match="inputs"):
        fill_embedding(EmbeddingResponse(), {"data": rows}, MODEL, texts)


@pytest.mark.parametrize("texts", ["a", ["a"], [1, 2, 3], [[1, 2, 3]]])
def test_one_input_has_one_vector(texts: Any) -> None:
    response = fill_embedding(EmbeddingResponse(), {"data": [{"embedding": [1]}]}, MODEL, texts)
    assert response.data == [{"embedding": [1]}]


@pytest.mark.parametrize(
    "content", [["Hel", "lo"], [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]]
)
def test_content_in_parts_is_read_as_text(content: Any) -> None:
    document = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    assert fill_chat(ModelResponse(), document, MODEL).choices[0].message.content == "Hello"


@pytest.mark.parametrize("content", [5, {"text": "a"}, [5], [{"type": "image_url"}], True])
def test_content_that_is_not_text_is_an_error(content: Any) -> None:
    document = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    with pytest.raises(UnreadableReplyError, match="not text"):
        fill_chat(ModelResponse(), document, MODEL)


def test_unknown_fields_at_the_top_come_through_but_take_no_methods_place() -> None:
    document = {
        "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}],
        "prompt_token_ids": [1, 2],
        "kv_transfer_params": {"a": 1},
        "metadata": {"weight_version": "default"},
        "prompt_logprobs": None,
        "model_dump": "hostile",
        "_hidden_params": "hostile",
    }
    response: Any = fill_chat(ModelResponse(), document, MODEL)
    assert response.prompt_token_ids == [1, 2]
    assert response.kv_transfer_params == {"a": 1}
    assert response.metadata == {"weight_version": "default"}
    assert response.model_dump()["metadata"] == {"weight_version": "default"}
    assert response._hidden_params[UPSTREAM_MODEL] is None  # noqa: SLF001  # LiteLLM's place for it
