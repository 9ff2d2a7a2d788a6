"""smolagents: a ToolCallingAgent."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from smolagents import LiteLLMModel, ToolCallingAgent, tool


@tool
def weather(city: str) -> str:
    """Return the weather of a city.

    Args:
        city: the city's name.
    """
    return f"18 degrees in {city}"


model = LiteLLMModel(model_id="synthetic/hf:zai-org/GLM-5.3")
agent = ToolCallingAgent(tools=[weather], model=model, stream_outputs=True)
# End of the recipe


def ask(prompt: str) -> str:
    return str(agent.run(prompt))


def stream(prompt: str) -> list[str]:
    messages = [{"role": "user", "content": prompt}]
    return [delta.content for delta in model.generate_stream(messages) if delta.content]
