"""crewAI: an agent with one tool in a crew."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


# It takes 8,192 tokens for the window of a model that its own list lacks.
llm = LLM(model="synthetic/hf:zai-org/GLM-5.3", context_window_size=524_288)
agent = Agent(role="meteorologist", goal="tell the weather", backstory="", llm=llm, tools=[weather])
task = Task(description="{question}", expected_output="one sentence", agent=agent)
crew = Crew(agents=[agent], tasks=[task])
# End of the recipe


def ask(prompt: str) -> str:
    return str(crew.kickoff({"question": prompt}))


def stream(prompt: str) -> list[str]:
    from crewai.events import LLMStreamChunkEvent, crewai_event_bus

    pieces: list[str] = []

    @crewai_event_bus.on(LLMStreamChunkEvent)
    def kept(source: object, event: LLMStreamChunkEvent) -> None:
        pieces.append(event.chunk)

    LLM(model="synthetic/hf:zai-org/GLM-5.3", stream=True).call(prompt)
    crewai_event_bus.flush()
    return pieces


def window() -> int:
    return llm.get_context_window_size()
