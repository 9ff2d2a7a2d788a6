"""The frameworks: what each is installed as, its program, and how the upstream talks to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS = Path(__file__).parent / "programs"
CITY = "Paris"
LAST_WORDS = "It is 18 degrees in Paris."


@dataclass(frozen=True)
class Framework:
    """Describe one framework.

    Attributes:
        name: what tests and folders call it.
        title: what people call it.
        requirements: what is installed, the framework first; always the newest that resolves.
        arguments: what its tool is called with.
        tool: the name of its tool.
        last_tool: a tool that ends its loop, with its arguments; text ends it where there is none.
        streams: whether its program streams.
        has_loop: whether it calls again after the tool.
        in_process: whether it runs in the program's own process.
        window: what it takes the context window for; None where it does not ask.
        recovers: whether it goes on after an overflow.
        max_cap_calls: how often it asks of a spent plan at most.
        waits: whether it still waits, or asks again, a minute after a spent plan's first refusal.
        note: what else to know, in Markdown.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    tool: str = "weather"
    arguments: Mapping[str, Any] = field(default_factory=lambda: {"city": CITY})
    last_tool: tuple[str, Mapping[str, Any]] | None = None
    streams: bool = True
    has_loop: bool = True
    in_process: bool = True
    window: int | None = None
    recovers: bool = False
    max_cap_calls: int = 1
    waits: bool = False
    note: str = ""

    @property
    def program(self) -> Path:
        """Return the program that runs in the framework's environment."""
        return PROGRAMS / f"with_{self.name.replace('-', '_')}.py"

    @property
    def package(self) -> str:
        """Return the framework's name in the registry."""
        return self.requirements[0].partition("[")[0]


_WAITS = "After a spent plan it waits for as long as `Retry-After` says, and shows nothing."

FRAMEWORKS: tuple[Framework, ...] = (
    Framework(
        "crewai", "crewAI", ("crewai[litellm]",), window=524_288, recovers=True, waits=True,
        note=f"{_WAITS} It asks three times in all, with nothing to set. It recovers from an "
        "overflow by the words of the error.",
    ),
    Framework(
        "strands", "Strands Agents", ("strands-agents[litellm]",), recovers=True,
        note="It recovers from an overflow by the error's class, if there are messages to drop.",
    ),
    Framework(
        "openhands", "OpenHands", ("openhands-sdk", "openhands-tools"),
        tool="file_editor", arguments={"command": "view", "path": "/"},
        window=524_288, recovers=True, max_cap_calls=5, waits=True,
        note='It looks limits up by `model.split(":")[0]`, so `synthetic/hf:zai-org/GLM-5.3` has '
        "none there. It asks five more times after a 429, with growing pauses: `num_retries=0` "
        "turns that off. With a condenser it recovers from an overflow.",
    ),
    Framework(
        "smolagents", "smolagents", ("smolagents[litellm]",),
        last_tool=("final_answer", {"answer": LAST_WORDS}), waits=True, max_cap_calls=2,
        note="After a 429 it waits a minute and asks again: `LiteLLMModel(…, retry=False)` turns "
        "that off.",
    ),
    Framework(
        "dspy", "DSPy", ("dspy",), recovers=True, waits=True,
        note=f"{_WAITS} `dspy.LM(…, num_retries=0)` turns that off. After an overflow it ends the "
        "loop of tools, and answers from what it has.",
    ),
    Framework("google-adk", "Google ADK", ("google-adk[extensions]",)),
    Framework("openai-agents", "OpenAI Agents SDK", ("openai-agents[litellm]",)),
    Framework("langchain", "LangChain", ("langchain-litellm", "langchain")),
    Framework(
        "llama-index", "LlamaIndex", ("llama-index-llms-litellm",), window=524_288,
        note="Without `max_retries=1` it asks ten times after any error.",
    ),
    Framework(
        "mini-swe-agent", "mini-swe-agent", ("mini-swe-agent",),
        tool="bash", arguments={"command": f"echo '{LAST_WORDS}' > weather.txt"},
        last_tool=("bash", {"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"}),
        streams=False, in_process=False, max_cap_calls=10, waits=True,
        note="It asks ten times after any error but an overflow and a refusal: "
        "`MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT=1` turns that off. `run` is described below.",
    ),
    Framework(
        "instructor", "Instructor", ("instructor",),
        tool="Weather", arguments={"city": CITY, "degrees": 18}, has_loop=False, max_cap_calls=3,
        streams=False,
    ),
)  # fmt: skip  # one table, read as one
