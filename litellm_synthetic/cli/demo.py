"""The first minute: every kind of call once, with its price, live or on the stand-in."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from typing import Any, Final

# The demo compares no prices but ours, and a fetch that fails would be the first thing seen.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm
import openai
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import litellm_synthetic
from litellm_synthetic import testing
from litellm_synthetic.catalog.models import load_bundled
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import KEY_VARIABLE
from litellm_synthetic.config.endpoint import BASE_URL_VARIABLE
from litellm_synthetic.config.ids import ROUTE_PREFIX

_QUESTION: Final = "In one sentence: why do open weights matter?"
_STORY: Final = "Tell a very short story about a lighthouse and a router."
_WEATHER: Final = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
_WEATHER_REPORT: Final = {"city": "Oslo", "celsius": 4, "sky": "light rain"}
_LONGEST_TOKENS: Final = 4000
_PACE_SECONDS: Final = 0.04


def run(model: str, *, offline: bool = False) -> int:
    """Run the demo and return the exit code: 0, or 1 after an error that is shown in a line."""
    console = Console(highlight=False)
    model = ROUTE_PREFIX + model.removeprefix(ROUTE_PREFIX)
    litellm.suppress_debug_info = True
    litellm_synthetic.register()
    with ExitStack() as stack:
        if offline or settings.API_KEY.text() is None:
            _use_stand_in(stack, console)
        else:
            base_url = settings.API_BASE.value()
            console.print(f"Calling [bold]Synthetic[/] at {base_url} with your {KEY_VARIABLE}.\n")
        try:
            spent = _completion(console, model) + _stream(console, model) + _tool(console, model)
            _limits(console, model)
        except openai.APIError as error:  # every LiteLLM exception of a call is one
            console.print(f"\n[red]{escape(str(error))}[/]")
            return 1
    console.print(f"\nAll calls together: [bold]{_usd(spent)}[/] at list price.")
    return 0


def _use_stand_in(stack: ExitStack, console: Console) -> None:
    server = stack.enter_context(testing.SyntheticServer())
    os.environ[KEY_VARIABLE] = server.api_key
    os.environ[BASE_URL_VARIABLE] = server.openai_base
    console.print(
        f"[bold]No {KEY_VARIABLE} is set, so nothing leaves this machine:[/] the calls go through "
        "LiteLLM to a stand-in server on this computer, and its answers are made up. With a key "
        "from https://synthetic.new the same command talks to Synthetic.\n"
    )
    server.enqueue(
        testing.Text(
            "Anyone may run, inspect and improve them, so no single vendor decides what they do.",
            reasoning="One sentence. Name the freedom and why it counts.",
        ),
        testing.Text(
            "The lighthouse knew every ship, the router every road. One foggy night they traded: "
            "the lighthouse sent packets home, and the router, for once, was seen from afar.",
            reasoning="A lighthouse, a router, fog. Keep it short and end it warmly.",
            delay_seconds=_PACE_SECONDS,
        ),
        testing.ToolCalls(
            [testing.ToolCall("get_weather", {"city": "Oslo"})],
            reasoning="The weather is asked for; there is a tool for that.",
        ),
        testing.Text("In Oslo it is 4 °C with light rain: take a jacket."),
    )


def _completion(console: Console, model: str) -> float:
    _heading(console, "1  A completion", f'litellm.completion("{model}", …)')
    answer: Any = litellm.completion(
        model=model, messages=_asked(_QUESTION), max_tokens=_LONGEST_TOKENS
    )
    message = answer.choices[0].message
    console.print(Text(_QUESTION, style="cyan"))
    _thinking(console, getattr(message, "reasoning_content", None))
    console.print(Text((message.content or "").strip()))
    return _price(console, answer.usage, _cost(model, answer.usage))


def _stream(console: Console, model: str) -> float:
    _heading(console, "2  A stream, live", "stream=True")
    console.print(Text(_STORY, style="cyan"))
    stream: Any = litellm.completion(
        model=model,
        messages=_asked(_STORY),
        max_tokens=_LONGEST_TOKENS,
        stream=True,
        stream_options={"include_usage": True},
    )
    usage: Any = None
    page = _Page(console)
    for chunk in stream:
        usage = getattr(chunk, "usage", None) or usage
        delta = chunk.choices[0].delta
        page.write(getattr(delta, "reasoning_content", None) or "", "dim italic")
        page.write(delta.content or "", "")
    console.print()
    return _price(console, usage, _cost(model, usage))


def _tool(console: Console, model: str) -> float:
    _heading(console, "3  A tool call", "tools=[…]")
    messages: list[Any] = _asked("What is the weather in Oslo?")
    console.print(Text(messages[0]["content"], style="cyan"))
    first: Any = litellm.completion(
        model=model, messages=messages, tools=[_WEATHER], max_tokens=_LONGEST_TOKENS
    )
    message = first.choices[0].message
    _thinking(console, getattr(message, "reasoning_content", None))
    spent = _price(console, first.usage, _cost(model, first.usage))
    if not message.tool_calls:
        console.print(Text((message.content or "").strip()))
        return spent
    messages.append(message)
    for call in message.tool_calls:
        console.print(
            f"[green]→ {escape(call.function.name)}({escape(call.function.arguments)})[/]"
        )
        report = json.dumps(_WEATHER_REPORT)
        console.print(f"[green]← {escape(report)}[/]")
        messages.append({"role": "tool", "tool_call_id": call.id, "content": report})
    second: Any = litellm.completion(
        model=model, messages=messages, tools=[_WEATHER], max_tokens=_LONGEST_TOKENS
    )
    console.print(Text((second.choices[0].message.content or "").strip()))
    return spent + _price(console, second.usage, _cost(model, second.usage))


def _limits(console: Console, model: str) -> None:
    _heading(console, "4  What the router knows", "litellm.get_model_info(…)")
    facts = load_bundled()
    known = facts.find(model)
    if known is None or model not in litellm.model_cost:
        console.print(f"{escape(model)} is not in the model facts of {facts.observed_on}.")
        return
    info: Any = litellm.get_model_info(model)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    table.add_row("model", model)
    if known.current_target is not None:
        table.add_row("serves", known.current_target)
    table.add_row("context window", _tokens(info["max_input_tokens"]))
    table.add_row("max output", _tokens(info["max_output_tokens"]))
    table.add_row("reasoning effort", ", ".join(known.reliable_efforts) or "unknown")
    table.add_row("input", ", ".join(known.input_modalities or ("unknown",)))
    per_million = {
        "input": info["input_cost_per_token"],
        "output": info["output_cost_per_token"],
        "cache read": info["cache_read_input_token_cost"],
    }
    prices = (f"{name} ${cost * 1e6:.2f}" for name, cost in per_million.items() if cost is not None)
    table.add_row("per million tokens", ", ".join(prices))
    table.add_row("facts of", f"{facts.observed_on}")
    console.print(table)


class _Page:
    """Print pieces as they come, broken between words where the terminal ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._column = 0
        self._style: str | None = None

    def write(self, piece: str, style: str) -> None:
        if not piece:
            return
        if self._style not in (None, style):
            self._break()
        self._style = style
        if self._column + len(piece.rstrip()) > self._console.width:
            self._break()
        if self._column == 0:
            piece = piece.lstrip()
        self._console.print(Text(piece, style=style), end="", soft_wrap=True)
        last_line = piece.rsplit("\n", 1)
        self._column = len(last_line[-1]) + (self._column if len(last_line) == 1 else 0)

    def _break(self) -> None:
        self._console.print()
        self._column = 0


def _heading(console: Console, title: str, how: str) -> None:
    line = Text.assemble((title, "bold"), "   ", (how, "dim"))
    console.print(Panel(line, border_style="blue", expand=False))


def _thinking(console: Console, text: str | None) -> None:
    if text and text.strip():
        console.print(Text(text.strip(), style="dim italic"))


def _cost(model: str, usage: Any) -> float | None:
    if usage is None or model not in litellm.model_cost:
        return None
    answer = litellm.ModelResponse(model=model, usage=usage)
    return float(litellm.completion_cost(answer))


def _price(console: Console, usage: Any, usd: float | None) -> float:
    parts = ["price unknown" if usd is None else _usd(usd)]
    if usage is not None:
        parts += [f"{usage.prompt_tokens} tokens in", f"{usage.completion_tokens} out"]
        details = getattr(usage, "prompt_tokens_details", None)
        if cached := getattr(details, "cached_tokens", None):
            parts.append(f"{cached} of the prompt cached")
    console.print(f"[yellow]{', '.join(parts)}[/]\n")
    return usd or 0.0


def _tokens(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,} tokens"


def _usd(amount: float) -> str:
    return f"${amount:.6f}"


def _asked(question: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": question}]
