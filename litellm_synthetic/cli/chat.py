"""The command `chat`: one question, or a conversation in a terminal."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.cli.chat_reply import ask
from litellm_synthetic.cli.environment import load_dotenv_as_litellm_does
from litellm_synthetic.cli.terminal import error, harmless, has_styles, remark, working
from litellm_synthetic.cli.usage_errors import INTERRUPTED
from litellm_synthetic.config.ids import canonical_id
from litellm_synthetic.errors.classes import CallFailedError, plain_failures
from litellm_synthetic.quota.latest import known_quotas
from litellm_synthetic.quota.wording import quotas_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.cli.chat_reply import ChatReply, Delta

DONE: Final = 0
FAILED: Final = 1
_PROMPT: Final = "> "
_CONTINUED: Final = "... "
_HELP: Final = (
    "/model ID    go on with another model",
    "/new         forget the conversation",
    "/help        this list",
    "/exit        leave, as Ctrl-D does",
    "A line that ends with a backslash goes on in the next one. Ctrl-C stops an answer.",
)


@dataclass
class _Conversation:
    model: str
    system: str | None
    effort: str | None
    shows_reasoning: bool
    messages: list[dict[str, str]] = field(default_factory=list)
    usd: float | None = 0.0

    def forget(self) -> None:
        self.messages.clear()
        if self.system:
            self.messages.append({"role": "system", "content": self.system})


def run(
    prompt: str, *, model: str, system: str | None, effort: str | None, shows_reasoning: bool
) -> int:
    """Ask once and return the exit code, or talk in a terminal until the end of the input.

    Text from a pipe goes before the prompt. The answer goes to stdout, everything else to stderr;
    the reasoning is shown in a terminal only, dimmed.

    Args:
        prompt: the question; blank for a conversation.
        model: the model's id, in any spelling.
        system: the system message.
        effort: the reasoning effort.
        shows_reasoning: whether to show the reasoning at all.
    """
    load_dotenv_as_litellm_does()
    conversation = _Conversation(model, system, effort, shows_reasoning and sys.stdout.isatty())
    conversation.forget()
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    piped = "" if has_terminal or sys.stdin is None else sys.stdin.read()
    question = "\n\n".join(filter(str.strip, (piped, prompt)))
    if question.strip():
        return _turn(conversation, question)
    if not has_terminal:
        error("There is nothing to ask. Give a prompt, or pipe one in.")
        return FAILED
    return _talk(conversation)


def _talk(conversation: _Conversation) -> int:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # editing and the lines before, where there is one
    remark(f"{_name(conversation.model)}. /help lists the commands; Ctrl-D leaves.")
    while True:
        try:
            line = _read_line().strip()
        except EOFError:
            click.echo(err=True)
            break
        except KeyboardInterrupt:
            click.echo(err=True)
            continue
        if line in ("/exit", "/quit"):
            break
        if line.startswith("/"):
            _command(conversation, line)
        elif line:
            _turn(conversation, line)
    if conversation.usd:
        remark(f"All together {_usd(conversation.usd)} at list price.")
    return DONE


def _read_line() -> str:
    # input() writes its prompt to stdout, which may be a file.
    if sys.stdout.isatty():
        line = input(_PROMPT)
        while line.endswith("\\"):
            line = f"{line[:-1]}\n{input(_CONTINUED)}"
        return line
    click.echo(_PROMPT, nl=False, err=True)
    return input()


def _command(conversation: _Conversation, line: str) -> None:
    name, _, argument = line.partition(" ")
    argument = argument.strip()
    if name == "/model" and argument:
        catalog = active.current_table().catalog
        facts = catalog.find(argument)
        if facts is None or not facts.is_current:
            remark(explain(argument, catalog))
        conversation.model = argument
        remark(f"Going on with {_name(argument)}.")
    elif name == "/model":
        remark(f"{_name(conversation.model)}. /model ID goes on with another.")
    elif name == "/new":
        conversation.forget()
        remark("The conversation is forgotten.")
    else:
        if name != "/help":
            remark(f"{name} is not a command.")
        for each in _HELP:
            remark(each)


def _name(model: str) -> str:
    return canonical_id(model)


def _turn(conversation: _Conversation, question: str) -> int:
    """Ask one question and print the answer; a failed one leaves the conversation as it was."""
    conversation.messages.append({"role": "user", "content": question})
    try:
        with plain_failures():
            with working(f"Waiting for {_name(conversation.model)}"):
                reply = ask(conversation.model, conversation.messages, conversation.effort)
                pieces = iter(reply)
                first = next(pieces, None)
            _print(first, pieces, shows_reasoning=conversation.shows_reasoning)
    except CallFailedError as failure:
        _end_line()
        error(str(failure))
        conversation.messages.pop()
        return FAILED
    except KeyboardInterrupt:
        _end_line()
        remark("Stopped.")
        conversation.messages.pop()
        return INTERRUPTED
    conversation.messages.append({"role": "assistant", "content": reply.answer})
    _remark_on(reply, conversation)
    return DONE


def _print(first: Delta | None, rest: Iterator[Delta], *, shows_reasoning: bool) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    before = None
    for delta in _chained(first, rest):
        if delta.kind == "reasoning" and not shows_reasoning:
            continue
        if before == "reasoning" and delta.kind == "answer":
            click.echo("\n")
        before = delta.kind
        text = harmless(delta.text, encoding, keep="\n\t")
        if delta.kind == "reasoning" and has_styles():
            text = click.style(text, dim=True)
        click.echo(text, nl=False)
        sys.stdout.flush()
    click.echo()


def _chained(first: Delta | None, rest: Iterator[Delta]) -> Iterator[Delta]:
    if first is not None:
        yield first
    yield from rest


def _end_line() -> None:
    if sys.stdout.isatty():
        click.echo()


def _remark_on(reply: ChatReply, conversation: _Conversation) -> None:
    """Print what the answer cost, and what is left of the plan, on stderr."""
    parts = ["price unknown" if reply.usd is None else _usd(reply.usd)]
    if reply.prompt_tokens is not None and reply.completion_tokens is not None:
        cached = f" ({reply.cached_tokens:,} cached)" if reply.cached_tokens else ""
        parts.append(f"{reply.prompt_tokens:,} tokens in{cached}, {reply.completion_tokens:,} out")
    if reply.finish_reason == "length":
        parts.append("cut at the limit of tokens")
    text = f"{', '.join(parts)}."
    known = known_quotas()
    if known is not None and known.quotas is not None and not known.quotas.is_empty:
        text += f" {quotas_sentence(known.quotas, known.now)}"
    remark(text, dim=True)
    if reply.usd is not None and conversation.usd is not None:
        conversation.usd += reply.usd
    else:
        conversation.usd = None


def _usd(amount: float) -> str:
    return f"${amount:.6f}"
