"""A Messages request without Anthropic's betas: nothing that the model has to know is lost."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.errors.faults import InvalidParameterError
from litellm_synthetic.messages.documented_fields import (
    BETA_FIELDS,
    SERVER_SIDE_FIELDS,
    TOOL_FIELDS,
    in_documented_fields,
)

# What Synthetic documents of a request, and the two that its own clients send beside.
DOCUMENTED = {
    "model", "max_tokens", "messages", "stream", "system", "stop_sequences", "temperature",
    "tool_choice", "tools", "top_k", "top_p", "thinking", "metadata",
}  # fmt: skip  # one set, read as one
MARKED = {"cache_control": {"type": "ephemeral"}}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def shaped(**body: Any) -> dict[str, Any]:
    before = copy.deepcopy(body)
    fields = in_documented_fields({"max_tokens": 32_000, **body}, None, "hf:a/B")
    assert body == before
    return fields


def test_a_request_of_claude_code_is_left_with_documented_fields() -> None:
    fields = shaped(
        model="m",
        messages=[
            {"role": "user", "content": [text("hello")]},
            {"role": "system", "content": "# Environment"},
        ],
        system=[text("Be brief.", **MARKED)],
        tools=[{"name": "look", "input_schema": {}, "defer_loading": True}],
        thinking={"type": "adaptive", "display": "omitted"},
        output_config={"effort": "high"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        metadata={"user_id": "u"},
        stream=True,
    )
    assert fields.keys() <= DOCUMENTED
    assert fields["tools"] == [{"name": "look", "input_schema": {}}]
    assert fields["thinking"] == {"type": "enabled", "budget_tokens": 4096}
    [turn] = fields["messages"]
    assert turn["role"] == "user"
    assert turn["content"] == [
        text("hello"),
        text("<system-reminder>\n# Environment\n</system-reminder>"),
    ]


def test_system_messages_that_come_first_join_the_system_prompt() -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert shaped(messages=messages) == {
        "max_tokens": 32_000,
        "system": [text("Be brief.")],
        "messages": [{"role": "user", "content": "hello"}],
    }
    fields = shaped(messages=messages, system="You are kind.")
    assert fields["system"] == [text("You are kind."), text("Be brief.")]


def test_a_reminder_comes_behind_the_tool_results_of_its_turn() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
    fields = shaped(
        messages=[
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t"}]},
            {"role": "system", "content": [text("Mind the time.", **MARKED)]},
            {"role": "user", "content": [result, text("go on")]},
        ]
    )
    reminder = text("<system-reminder>\nMind the time.\n</system-reminder>", **MARKED)
    assert fields["messages"][-1]["content"] == [result, reminder, text("go on")]


def test_a_reminder_at_the_end_is_a_turn_of_its_own() -> None:
    fields = shaped(
        messages=[
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "hi"},
            {"role": "system", "content": "<system-reminder>go on</system-reminder>"},
        ]
    )
    assert fields["messages"][-1] == {
        "role": "user",
        "content": [text("<system-reminder>go on</system-reminder>")],
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant", "system"]),
            st.one_of(st.text(), st.lists(st.text().map(text), max_size=3)),
        ),
        min_size=1,
    )
)
def test_no_word_is_lost_and_no_system_message_is_left(turns: list[tuple[str, Any]]) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    fields = shaped(messages=messages)
    written = json.dumps([fields.get("system"), fields["messages"]], ensure_ascii=False)
    for _, content in turns:
        for words in [content] if isinstance(content, str) else [one["text"] for one in content]:
            assert json.dumps(words, ensure_ascii=False)[1:-1] in written
    assert {message["role"] for message in fields["messages"]} <= {"user", "assistant"}
    assert [m["role"] for m in fields["messages"] if m["role"] == "assistant"] == [
        role for role, _ in turns if role == "assistant"
    ]


@pytest.mark.parametrize("odd", [None, "text", 5, {"role": "user"}, {"content": "x"}, []])
def test_odd_messages_are_left_to_the_upstream(odd: Any) -> None:
    assert odd in shaped(messages=[odd])["messages"]


# ---- thinking


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_bundled()


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "max"])
@pytest.mark.parametrize("thinking", [None, {"type": "adaptive"}])
def test_every_effort_becomes_thinking_that_leaves_room(
    catalog: Catalog, effort: str, thinking: Any
) -> None:
    for model in catalog.models:
        if model.kind == "embedding":
            continue
        body = {"max_tokens": 2000, "thinking": thinking, "output_config": {"effort": effort}}
        fields = in_documented_fields(body, model, model.id)
        assert "output_config" not in fields
        if model.reasoning is False:
            assert "thinking" not in fields
        else:
            assert fields["thinking"]["type"] == "enabled"
            assert 0 < fields["thinking"]["budget_tokens"] < 2000


def test_thinking_that_names_its_budget_wins_over_an_effort() -> None:
    for thinking in ({"type": "enabled", "budget_tokens": 5000}, {"type": "disabled"}):
        assert shaped(thinking=thinking, output_config={"effort": "low"})["thinking"] == thinking


def test_adaptive_thinking_alone_is_left_to_the_model() -> None:
    assert "thinking" not in shaped(thinking={"type": "adaptive"})


def test_an_output_format_is_not_lost() -> None:
    schema = {"type": "json_schema", "schema": {"type": "object"}}
    config = {"effort": "low", "format": schema, "task_budget": {"total": 5}}
    assert shaped(output_config=config)["output_config"] == {"format": schema}


@pytest.mark.parametrize("effort", ["ultra", "", 5, ["high"], True])
def test_an_effort_that_is_none_is_named(effort: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"output_config\.effort=.* is not one of"):
        shaped(output_config={"effort": effort})


# ---- the rest


@pytest.mark.parametrize("name", sorted(BETA_FIELDS))
def test_beta_fields_are_dropped(name: str) -> None:
    assert shaped(**{name: {"x": 1}}) == {"max_tokens": 32_000}


@pytest.mark.parametrize("name", sorted(TOOL_FIELDS))
def test_beta_fields_of_a_tool_are_dropped(name: str) -> None:
    assert shaped(tools=[{"name": "look", name: True}, "odd"])["tools"] == [{"name": "look"}, "odd"]


@pytest.mark.parametrize("name", sorted(SERVER_SIDE_FIELDS))
def test_what_would_run_on_anthropics_side_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"{name} cannot be served"):
        shaped(**{name: [{"type": "url"}]})
    assert shaped(**{name: []}) == {"max_tokens": 32_000}


def test_fields_that_nobody_knows_pass() -> None:
    assert shaped(of_tomorrow={"a": None}) == {"max_tokens": 32_000, "of_tomorrow": {"a": None}}
