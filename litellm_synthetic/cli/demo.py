"""The command `demo`: every kind of call once, with its price, live or on the stand-in."""

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
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import litellm_synthetic
from litellm_synthetic import testing
from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import explain
from litellm_synthetic.cli.formatting import tokens, usd_per_million, without_class_names
from litellm_synthetic.cli.terminal import error
from litellm_synthetic.config import settings
from litellm_synthetic.config.credentials import KEY_VARIABLE
from litellm_synthetic.config.endpoint import BASE_URL_VARIABLE
from litellm_synthetic.config.ids import ROUTE_PREFIX
from litellm_synthetic.config.key_check import KEYS_ARE_MADE_AT, is_synthetics

FAILED: Final = 1
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
_MAX_TOKENS: Final = 4000
_PACE_SECONDS: Final = 0.04
_ANSWERS: Final = (
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


def run(model: str, *, offline: bool = False) -> int:
    """Run the demo and return the exit code: 0, or 1 after an error on stderr."""
    console = Console(highlight=False)
    model = ROUTE_PREFIX + model.removeprefix(ROUTE_PREFIX)
    has_key = settings.API_KEY.text() is not None
    catalog = active.current_table().catalog
    litellm.suppress_debug_info = True
    litellm_synthetic.register()
    with ExitStack() as stack:
        if offline or not has_key:
            if catalog.find(model) is None:  # the stand-in would make up an answer
                error(f"{model} is not in the model table. {explain(model, catalog)}")
                return FAILED
            _use_stand_in(stack)
            reason = "--offline is given" if offline else f"No {KEY_VARIABLE} is set"
            console.print(
                f"[bold]{reason}, so nothing leaves this machine:[/] the calls go through LiteLLM "
                "to a stand-in server on this computer, and its answers are made up. "
                f"{'Without --offline' if has_key else f'With a key from {KEYS_ARE_MADE_AT}'} the "
                "same command talks to Synthetic.\n"
            )
        else:
            base_url = settings.API_BASE.value()
            name = "Synthetic at " if is_synthetics(base_url) else ""
            console.print(f"Calling {name}{base_url} with your {KEY_VARIABLE}.\n", markup=False)
        try:
            costs = [_completion(console, model), _stream(console, model), *_tool(console, model)]
            _limits(console, model)
        except openai.APIError as failure:  # every LiteLLM exception of a call is one
            error(without_class_names(str(failure)))
            return FAILED
    known = [each for each in costs if each is not None]
    total = f"{_usd(sum(known))} at list price" if len(known) == len(costs) else "price unknown"
    console.print(f"\nAll calls together: [bold]{total}[/].")
    return 0


def _use_stand_in(stack: ExitStack) -> None:
    server = stack.enter_context(testing.SyntheticServer())
    os.environ[KEY_VARIABLE] = server.api_key
    os.environ[BASE_URL_VARIABLE] = server.openai_base
    server.enqueue(*_ANSWERS)


def _completion(console: Console, model: str) -> float | None:
    _heading(console, "1  A completion", f'litellm.completion("{model}", …)')
    console.print(Text(_QUESTION, style="cyan"))
    answer = _call(model, _ask(_QUESTION))
    _print_message(console, answer.choices[0].message)
    return _print_price(console, model, answer.usage)


def _stream(console: Console, model: str) -> float | None:
    _heading(console, "2  A stream, live", "stream=True")
    console.print(Text(_STORY, style="cyan"))
    usage: Any = None
    thinking = text = ""
    with Live(console=console, vertical_overflow="visible") as live:
        for chunk in _call(
            model, _ask(_STORY), stream=True, stream_options={"include_usage": True}
        ):
            usage = getattr(chunk, "usage", None) or usage
            for choice in chunk.choices:  # since LiteLLM 1.110 the usage comes without one
                thinking += getattr(choice.delta, "reasoning_content", None) or ""
                text += choice.delta.content or ""
            live.update(_styled(thinking, text))
    if not console.is_terminal:  # there rich ends the line itself
        console.line()
    return _print_price(console, model, usage)


def _tool(console: Console, model: str) -> list[float | None]:
    _heading(console, "3  A tool call", "tools=[…]")
    messages = _ask("What is the weather in Oslo?")
    console.print(Text(messages[0]["content"], style="cyan"))
    answer = _call(model, messages, tools=[_WEATHER])
    message = answer.choices[0].message
    _print_message(console, message)
    costs = [_print_price(console, model, answer.usage)]
    if not message.tool_calls:
        return costs
    messages.append(message)
    report = json.dumps(_WEATHER_REPORT)
    for call in message.tool_calls:
        console.print(Text(f"→ {call.function.name}({call.function.arguments})", style="green"))
        console.print(Text(f"← {report}", style="green"))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": report})
    answer = _call(model, messages, tools=[_WEATHER])
    _print_message(console, answer.choices[0].message)
    return [*costs, _print_price(console, model, answer.usage)]


def _limits(console: Console, model: str) -> None:
    _heading(console, "4  The model's limits and prices", "litellm.get_model_info(…)")
    catalog = active.current_table().catalog
    facts = catalog.find(model)
    if facts is None or model not in litellm.model_cost:
        console.print(Text(f"{model} is not in the model table of {catalog.observed_on}."))
        return
    info: Any = litellm.get_model_info(model)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_row("model", model)
    if facts.current_target is not None:
        table.add_row("serves", facts.current_target)
    table.add_row("context window", f"{tokens(info['max_input_tokens'])} tokens")
    table.add_row("max output", f"{tokens(info['max_output_tokens'])} tokens")
    table.add_row("reasoning effort", ", ".join(facts.reliable_efforts) or "unknown")
    table.add_row("input", ", ".join(facts.input_modalities or ("unknown",)))
    prices = {
        "input": facts.prices.input_usd_per_token,
        "output": facts.prices.output_usd_per_token,
        "cache read": facts.prices.cache_read_usd_per_token,
    }
    known = (f"{name} ${usd_per_million(usd)}" for name, usd in prices.items() if usd is not None)
    table.add_row("per million tokens", ", ".join(known) or "unknown")
    table.add_row("facts of", f"{catalog.observed_on}")
    console.print(table)


def _heading(console: Console, title: str, code: str) -> None:
    line = Text.assemble((title, "bold"), "   ", (code, "dim"))
    console.print(Panel(line, border_style="blue", expand=False))


def _ask(question: str) -> list[Any]:
    return [{"role": "user", "content": question}]


def _call(model: str, messages: list[Any], **options: Any) -> Any:
    return litellm.completion(model=model, messages=messages, max_tokens=_MAX_TOKENS, **options)


def _print_message(console: Console, message: Any) -> None:
    shown = _styled(getattr(message, "reasoning_content", None) or "", message.content or "")
    if shown.plain:
        console.print(shown)


def _styled(thinking: str, text: str) -> Text:
    pieces = (Text(thinking.strip(), style="dim italic"), Text(text.strip()))
    return Text("\n").join(each for each in pieces if each.plain)


def _print_price(console: Console, model: str, usage: Any) -> float | None:
    usd = None
    if usage is not None and model in litellm.model_cost:
        usd = float(litellm.completion_cost(litellm.ModelResponse(model=model, usage=usage)))
    parts = ["price unknown" if usd is None else _usd(usd)]
    if usage is not None:
        parts += [f"{usage.prompt_tokens} tokens in", f"{usage.completion_tokens} out"]
        details = getattr(usage, "prompt_tokens_details", None)
        if cached := getattr(details, "cached_tokens", None):
            parts.append(f"{cached} of the prompt cached")
    console.print(f"[yellow]{', '.join(parts)}[/]\n")
    return usd


def _usd(amount: float) -> str:
    return f"${amount:.6f}"
