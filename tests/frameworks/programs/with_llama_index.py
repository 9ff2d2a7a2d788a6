"""LlamaIndex: a FunctionAgent."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.llms.litellm import LiteLLM


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


# One attempt: by default it asks ten times after any error, that of a spent plan too.
llm = LiteLLM(model="synthetic/hf:zai-org/GLM-5.3", max_retries=1)
agent = FunctionAgent(tools=[weather], llm=llm)
# End of the recipe


async def ask(prompt: str) -> str:
    return str(await agent.run(prompt))


async def stream(prompt: str) -> list[str]:
    handler = agent.run(prompt)
    pieces = [
        event.delta
        async for event in handler.stream_events()
        if isinstance(event, AgentStream) and event.delta
    ]
    await handler
    return pieces


def window() -> int:
    return llm.metadata.context_window
