"""LangChain: an agent on ChatLiteLLM."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_litellm import ChatLiteLLM


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


model = ChatLiteLLM(model="synthetic/hf:zai-org/GLM-5.3")
agent = create_agent(model, tools=[weather])
# End of the recipe


def ask(prompt: str) -> str:
    state = agent.invoke({"messages": [{"role": "user", "content": prompt}]})
    return state["messages"][-1].content


def stream(prompt: str) -> list[str]:
    return [chunk.content for chunk in model.stream(prompt) if chunk.content]
