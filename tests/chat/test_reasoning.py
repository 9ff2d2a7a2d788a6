from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm import constants

from litellm_synthetic.chat.reasoning import (
    SCALE,
    CannotStopReasoningError,
    accepted_effort,
    replays_thinking,
    requested_effort,
    with_replay_needs,
)
from litellm_synthetic.errors.faults import InvalidThinkingError


@pytest.mark.parametrize(
    ("reasoning_effort", "thinking", "level"),
    [
        (None, None, None),
        ("high", None, "high"),
        (" High ", None, "high"),
        ("xhigh", None, "xhigh"),
        ("none", None, "none"),
        ("turbo", None, "turbo"),
        ("default", None, None),
        ({"effort": "low", "summary": "auto"}, None, "low"),
        ({"effort": "default"}, None, None),
        ({"summary": "auto"}, None, None),
        ({"effort": None}, {"type": "disabled"}, "none"),
        ("low", {"type": "disabled"}, "low"),
        ("default", {"type": "disabled"}, None),
        (None, {"type": "disabled"}, "none"),
        (None, {"type": "disabled", "budget_tokens": 9000}, "none"),
        (None, {"type": "adaptive"}, None),
        (None, {"type": "enabled"}, None),
        (None, {"type": "enabled", "budget_tokens": None}, None),
        (None, {"type": "enabled", "budget_tokens": 0}, "minimal"),
        (None, {"type": "enabled", "budget_tokens": 1023}, "minimal"),
        (None, {"type": "enabled", "budget_tokens": 1024}, "low"),
        (None, {"type": "enabled", "budget_tokens": 2047}, "low"),
        (None, {"type": "enabled", "budget_tokens": 2048}, "medium"),
        (None, {"type": "enabled", "budget_tokens": 4095}, "medium"),
        (None, {"type": "enabled", "budget_tokens": 4096}, "high"),
        (None, {"type": "enabled", "budget_tokens": 10**30}, "high"),
    ],
)
def test_each_way_to_ask_comes_to_one_level(
    reasoning_effort: object, thinking: object, level: str | None
) -> None:
    assert requested_effort(reasoning_effort, thinking) == level


@pytest.mark.parametrize(
    ("budget_tokens", "level"),
    [
        (constants.DEFAULT_REASONING_EFFORT_LOW_THINKING_BUDGET, "low"),
        (constants.DEFAULT_REASONING_EFFORT_MEDIUM_THINKING_BUDGET, "medium"),
        (constants.DEFAULT_REASONING_EFFORT_HIGH_THINKING_BUDGET, "high"),
    ],
)
def test_budgets_lead_where_litellms_own_adapter_leads(budget_tokens: int, level: str) -> None:
    below = requested_effort(None, {"type": "enabled", "budget_tokens": budget_tokens - 1})
    assert requested_effort(None, {"type": "enabled", "budget_tokens": budget_tokens}) == level
    assert below != level


@pytest.mark.parametrize(
    ("reasoning_effort", "thinking", "message"),
    [
        ("", None, "reasoning_effort=''"),
        ("  ", None, "reasoning_effort='  '"),
        (5, None, "reasoning_effort=5"),
        (True, None, "reasoning_effort=True"),
        (["high"], None, "reasoning_effort"),
        ({"effort": 5}, None, "reasoning_effort=5"),
        (None, True, "thinking=True"),
        (None, "enabled", "thinking='enabled'"),
        (None, {}, "enabled, disabled or adaptive"),
        (None, {"type": "on"}, "enabled, disabled or adaptive"),
        (None, {"type": ["enabled"]}, "enabled, disabled or adaptive"),
        (None, {"budget_tokens": 5}, "enabled, disabled or adaptive"),
        (None, {"type": "enabled", "budget_tokens": -1}, "budget_tokens=-1"),
        (None, {"type": "enabled", "budget_tokens": True}, "budget_tokens=True"),
        (None, {"type": "enabled", "budget_tokens": "5000"}, "budget_tokens='5000'"),
        (None, {"type": "enabled", "budget_tokens": 5000.0}, "budget_tokens=5000.0"),
    ],
)
def test_malformed_wishes_are_named(
    reasoning_effort: object, thinking: object, message: str
) -> None:
    with pytest.raises(InvalidThinkingError) as excinfo:
        requested_effort(reasoning_effort, thinking)
    assert message in str(excinfo.value)


LOW_HIGH_MAX = ("low", "high", "max")


@pytest.mark.parametrize(
    ("level", "accepted", "expected"),
    [
        ("low", LOW_HIGH_MAX, "low"),
        ("high", LOW_HIGH_MAX, "high"),
        ("max", LOW_HIGH_MAX, "max"),
        ("minimal", LOW_HIGH_MAX, "low"),
        ("medium", LOW_HIGH_MAX, "low"),
        ("xhigh", LOW_HIGH_MAX, "high"),
        ("medium", ("max", "high", "low"), "low"),
        ("minimal", ("none", "high", "max"), "high"),
        ("minimal", ("none", "max"), "max"),
        ("max", ("none", "low", "medium", "high"), "high"),
        ("high", ("low", "medium", "xhigh"), "medium"),
        ("high", (), "high"),
        ("high", ("none",), "high"),
        ("high", ("turbo",), "high"),
        ("turbo", LOW_HIGH_MAX, "turbo"),
        ("turbo", (*LOW_HIGH_MAX, "turbo"), "turbo"),
        ("none", ("none", "high"), "none"),
        ("none", LOW_HIGH_MAX, "none"),
        ("none", (), "none"),
    ],
)
@pytest.mark.parametrize("can_stop", [None, True])
def test_a_level_is_sent_as_it_is_or_as_the_nearest_and_ties_go_down(
    level: str, accepted: tuple[str, ...], expected: str, *, can_stop: bool | None
) -> None:
    assert accepted_effort(level, accepted, can_stop_reasoning=can_stop) == expected


@given(st.sampled_from(SCALE), st.lists(st.sampled_from(("none", *SCALE)), unique=True))
def test_a_wish_to_think_never_becomes_none_or_a_level_that_is_refused(
    level: str, accepted: list[str]
) -> None:
    request = accepted_effort(level, accepted, can_stop_reasoning=None)
    assert request != "none"
    assert request in accepted or not set(accepted) - {"none"}


@pytest.mark.parametrize(
    ("level", "accepted", "unreliable", "expected"),
    [
        ("medium", LOW_HIGH_MAX, ("low",), "high"),
        ("minimal", LOW_HIGH_MAX, ("low",), "high"),
        ("xhigh", LOW_HIGH_MAX, ("low",), "high"),
        ("minimal", ("low", "medium", "high"), ("low",), "medium"),
        ("xhigh", LOW_HIGH_MAX, ("high", "max"), "low"),
        # Where no level is reliable, the nearest is as good as any.
        ("medium", LOW_HIGH_MAX, LOW_HIGH_MAX, "low"),
        ("turbo", LOW_HIGH_MAX, ("low",), "turbo"),
        ("none", LOW_HIGH_MAX, ("low",), "none"),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_the_nearest_level_is_a_reliable_one(
    level: str,
    accepted: tuple[str, ...],
    unreliable: tuple[str, ...],
    expected: str,
    *,
    is_named: bool,
) -> None:
    choice = accepted_effort(
        level, accepted, can_stop_reasoning=None, unreliable=unreliable, is_named=is_named
    )
    assert choice == expected


def test_an_unreliable_level_is_for_callers_who_name_it() -> None:
    def sent(*, is_named: bool) -> str:
        return accepted_effort(
            "low", LOW_HIGH_MAX, can_stop_reasoning=None, unreliable=("low",), is_named=is_named
        )

    assert sent(is_named=True) == "low"
    assert sent(is_named=False) == "high"


@given(
    level=st.sampled_from(SCALE),
    accepted=st.sets(st.sampled_from(SCALE)),
    unreliable=st.sets(st.sampled_from(SCALE)),
    is_named=st.booleans(),
)
def test_what_is_chosen_for_a_caller_is_reliable_where_anything_is(
    level: str, accepted: set[str], unreliable: set[str], *, is_named: bool
) -> None:
    choice = accepted_effort(
        level,
        tuple(accepted),
        can_stop_reasoning=None,
        unreliable=tuple(unreliable),
        is_named=is_named,
    )
    if accepted - unreliable and not (is_named and level in accepted):
        assert choice in accepted - unreliable


@pytest.mark.parametrize("accepted", [LOW_HIGH_MAX, ("none", *LOW_HIGH_MAX)])
def test_none_is_refused_where_reasoning_cannot_be_stopped(accepted: tuple[str, ...]) -> None:
    with pytest.raises(CannotStopReasoningError, match="its levels are low, high, max"):
        accepted_effort("none", accepted, can_stop_reasoning=False)


def test_none_is_refused_also_where_no_level_is_known() -> None:
    with pytest.raises(CannotStopReasoningError, match=r"cannot stop reasoning$"):
        accepted_effort("none", (), can_stop_reasoning=False)


# ---- thinking of earlier turns

NEEDS = {"chat_template_kwargs": {"clear_thinking": False}}
THOUGHT: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "hello", "reasoning_content": "greet"},
]


@pytest.mark.parametrize(
    ("messages", "replayed"),
    [
        (THOUGHT, True),
        (THOUGHT[:1], False),
        ([{"role": "assistant", "content": "hello"}], False),
        ([{"role": "assistant", "content": "hello", "reasoning_content": ""}], False),
        ([{"role": "user", "content": "hi", "reasoning_content": "x"}], False),
        ([], False),
    ],
)
def test_thinking_is_replayed_if_an_earlier_answer_carries_it(
    messages: list[dict[str, Any]], *, replayed: bool
) -> None:
    assert replays_thinking(messages) is replayed
    body = with_replay_needs({"messages": messages}, NEEDS)
    assert ("chat_template_kwargs" in body) is replayed


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, {"clear_thinking": False}),
        ({"chat_template_kwargs": None}, {"clear_thinking": False}),
        ({"chat_template_kwargs": {"clear_thinking": True}}, {"clear_thinking": True}),
        ({"chat_template_kwargs": {"a": 1}}, {"clear_thinking": False, "a": 1}),
        ({"chat_template_kwargs": "odd"}, "odd"),
    ],
)
def test_what_the_model_needs_gives_way_to_what_the_caller_said(
    message: dict[str, Any], expected: object
) -> None:
    before = {name: dict(value) for name, value in NEEDS.items()}
    body = with_replay_needs({"messages": THOUGHT, **message}, NEEDS)
    assert body["chat_template_kwargs"] == expected
    if isinstance(expected, dict):
        body["chat_template_kwargs"]["later"] = 1
    assert before == NEEDS


@pytest.mark.parametrize("needs", [None, {}])
def test_a_model_without_needs_gets_nothing_extra(needs: dict[str, Any] | None) -> None:
    assert with_replay_needs({"messages": THOUGHT}, needs) == {"messages": THOUGHT}
