"""Strands Agents: an agent that drops its oldest messages where they no longer fit."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from strands import Agent, tool
from strands.models.litellm import LiteLLMModel


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


agent = Agent(
    model=LiteLLMModel(model_id="synthetic/hf:zai-org/GLM-5.3"),
    tools=[weather],
    callback_handler=None,
)
# End of the recipe

# It drops the oldest messages after an overflow, so there have to be some.
for question in ("What is the weather in Rome?", "And in Oslo?"):
    agent.messages.append({"role": "user", "content": [{"text": question}]})
    agent.messages.append({"role": "assistant", "content": [{"text": "It rains."}]})


def ask(prompt: str) -> str:
    return str(agent(prompt))


async def stream(prompt: str) -> list[str]:
    return [event["data"] async for event in agent.stream_async(prompt) if "data" in event]
