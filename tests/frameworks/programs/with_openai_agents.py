"""OpenAI's Agents SDK: an agent on LitellmModel."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from agents import Agent, Runner, function_tool
from agents.extensions.models.litellm_model import LitellmModel


@function_tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


agent = Agent(
    name="meteorologist",
    model=LitellmModel(model="synthetic/hf:zai-org/GLM-5.3"),
    tools=[weather],
)
# End of the recipe


async def ask(prompt: str) -> str:
    return (await Runner.run(agent, prompt)).final_output


async def stream(prompt: str) -> list[str]:
    result = Runner.run_streamed(agent, prompt)
    return [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
