"""The command `chat`: in a pipe, and as a conversation in a terminal."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.testing import RawBytes, Text, fault, named_fault
from tests.cli.invocation import invoke
from tests.terminal_session import CTRL_D, TerminalSession

if TYPE_CHECKING:
    from pathlib import Path

    from litellm_synthetic.testing import SyntheticServer

run = partial(invoke, "chat")


def messages(server: SyntheticServer) -> Any:
    return server.last_request.json["messages"]


def test_a_prompt_is_answered_once_and_the_answer_alone_is_on_stdout(
    synthetic_server: SyntheticServer,
) -> None:
    synthetic_server.enqueue(Text("Because of\nRayleigh.", reasoning="Physics."))
    result = run("why", "is", "it", "blue")
    assert result.stdout == "Because of\nRayleigh.\n"
    assert messages(synthetic_server) == [{"role": "user", "content": "why is it blue"}]
    assert synthetic_server.last_request.json["model"] == "syn:large:text"
    assert "tokens in" in result.stderr
    # The plan, from the reply's own header.
    assert "Left of the plan: 5-hour requests: 499 of 500 (+25 in " in result.stderr


def test_piped_text_goes_before_the_prompt(synthetic_server: SyntheticServer) -> None:
    run("sum it up", "-m", "syn:small:text", "-s", "Be brief.", stdin="a long text\n")
    assert messages(synthetic_server) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a long text\n\n\nsum it up"},
    ]
    assert synthetic_server.last_request.json["model"] == "syn:small:text"


def test_the_model_of_the_setting_is_the_default(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHETIC_MODEL", "hf:zai-org/GLM-5.3")
    run("hi", "--effort", "high")
    assert synthetic_server.last_request.json["model"] == "hf:zai-org/GLM-5.3"
    assert synthetic_server.last_request.json["reasoning_effort"] == "high"


def test_control_characters_of_a_model_reach_no_terminal(
    synthetic_server: SyntheticServer,
) -> None:
    synthetic_server.enqueue(Text("a\x1b]0;owned\x07b\tc\nd"))
    assert run("hi").stdout == "a?]0;owned?b\tc\nd\n"


def test_nothing_to_ask_is_an_error() -> None:
    assert "error: There is nothing to ask." in run(code=1, stdin="  \n").stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("invalid_key", "Check SYNTHETIC_API_KEY"),
        ("subscription_cap", "are used up"),
        ("stream_cut", "incomplete"),
        ("error_after_text", "reported in the stream"),
        ("html_200", "answered 200, but"),
        ("empty_200", "answered 200, but"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(
    synthetic_server: SyntheticServer, name: str, words: str
) -> None:
    synthetic_server.enqueue(*[named_fault(name)] * 3)
    result = run("hi", code=1)
    assert words in result.stderr
    (line,) = [each for each in result.stderr.splitlines() if each.startswith("error: ")]
    assert synthetic_server.api_key not in line


def test_a_missing_key_is_named(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    assert "Set SYNTHETIC_API_KEY" in run("hi", code=1).stderr
    assert not synthetic_server.requests


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": "none"},
        {"choices": [7, {"delta": 7}]},
        {"choices": [{"delta": {"content": 7}, "finish_reason": 7}]},
        {"usage": {"prompt_tokens": "many"}},
        {"usage": 7, "choices": None},
    ],
)
def test_odd_chunks_are_passed_over(synthetic_server: SyntheticServer, chunk: Any) -> None:
    whole = {"choices": [{"delta": {"content": "fine"}, "finish_reason": "stop"}]}
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in (chunk, whole)) + "data: [DONE]\n\n"
    synthetic_server.enqueue(RawBytes(200, body.encode(), "text/event-stream"))
    assert run("hi").stdout == "fine\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
class TestInATerminal:
    def session(self, server: SyntheticServer, folder: Path) -> TerminalSession:
        return TerminalSession(
            ["chat"],
            folder=folder,
            environment={
                "SYNTHETIC_API_KEY": server.api_key,
                "SYNTHETIC_API_BASE": server.openai_base,
            },
        )

    def test_a_conversation_keeps_what_was_said_until_it_is_forgotten(
        self, synthetic_server: SyntheticServer, tmp_path: Path
    ) -> None:
        synthetic_server.enqueue(Text("One.", reasoning="Hm."), Text("Two."), Text("Three."))
        with self.session(synthetic_server, tmp_path) as terminal:
            terminal.answer("> ", "first")
            terminal.wait_for("Hm.")
            terminal.wait_for("One.")
            terminal.answer("> ", "second")
            terminal.wait_for("Two.")
            assert [each["content"] for each in messages(synthetic_server)] == [
                "first", "One.", "second",
            ]  # fmt: skip  # one conversation
            terminal.answer("> ", "/model syn:small:text")
            terminal.answer("> ", "/new")
            terminal.answer("> ", "third")
            terminal.wait_for("Three.")
            assert len(messages(synthetic_server)) == 1
            assert synthetic_server.last_request.json["model"] == "syn:small:text"
            terminal.wait_for("> ")
            terminal.type(CTRL_D)
            assert terminal.end() == 0
        assert "All together $" in terminal.shown

    def test_a_failed_question_is_not_part_of_the_conversation(
        self, synthetic_server: SyntheticServer, tmp_path: Path
    ) -> None:
        synthetic_server.enqueue(fault("invalid_key"), Text("Yes."))
        with self.session(synthetic_server, tmp_path) as terminal:
            terminal.answer("> ", "first")
            terminal.wait_for("error: ")
            terminal.answer("> ", "again")
            terminal.wait_for("Yes.")
            assert [each["content"] for each in messages(synthetic_server)] == ["again"]
            terminal.answer("> ", "/exit")
            assert terminal.end() == 0
