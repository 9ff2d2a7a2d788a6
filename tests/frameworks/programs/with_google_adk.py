"""Google's Agent Development Kit: an LlmAgent."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


agent = LlmAgent(
    name="meteorologist",
    model=LiteLlm(model="synthetic/hf:zai-org/GLM-5.3"),
    instruction="Tell the weather.",
    tools=[weather],
)
runner = InMemoryRunner(agent=agent, app_name="weather")
# End of the recipe

from google.adk.agents.run_config import RunConfig, StreamingMode
from google.genai import types


async def _events(prompt: str, mode: StreamingMode) -> list[object]:
    session = await runner.session_service.create_session(app_name="weather", user_id="someone")
    message = types.Content(role="user", parts=[types.Part(text=prompt)])
    return [
        event
        async for event in runner.run_async(
            user_id="someone",
            session_id=session.id,
            new_message=message,
            run_config=RunConfig(streaming_mode=mode),
        )
    ]


def _text(event: object) -> str:
    parts = (event.content and event.content.parts) or []
    return "".join(part.text or "" for part in parts)


async def ask(prompt: str) -> str:
    events = await _events(prompt, StreamingMode.NONE)
    if events[-1].error_code:
        raise RuntimeError(events[-1].error_message)
    return _text(events[-1])


async def stream(prompt: str) -> list[str]:
    events = await _events(prompt, StreamingMode.SSE)
    return [_text(event) for event in events if event.partial and _text(event)]
