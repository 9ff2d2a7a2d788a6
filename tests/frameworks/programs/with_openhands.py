"""OpenHands: an agent that edits files, and condenses what no longer fits."""

import os
import tempfile

os.environ.setdefault("OPENHANDS_SUPPRESS_BANNER", "1")

# Recipe
import litellm_synthetic

litellm_synthetic.register()

from openhands.sdk import LLM, Agent, Conversation, LLMSummarizingCondenser, Tool
from openhands.tools.file_editor import FileEditorTool

# Without `hf:`, because limits are looked up by what stands before the first colon.
llm = LLM(model="synthetic/zai-org/GLM-5.3", usage_id="agent")
agent = Agent(
    llm=llm,
    tools=[Tool(name=FileEditorTool.name)],
    condenser=LLMSummarizingCondenser(llm=llm.model_copy(update={"usage_id": "condenser"})),
)
# End of the recipe


def ask(prompt: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        conversation = Conversation(agent=agent, workspace=folder, visualizer=None)
        conversation.send_message(prompt)
        conversation.run()
        answers = [
            "".join(part.text for part in event.llm_message.content)
            for event in conversation.state.events
            if getattr(event, "source", "") == "agent" and hasattr(event, "llm_message")
        ]
        conversation.close()
    return answers[-1]


def spent() -> float:
    return llm.metrics.accumulated_cost


def stream(prompt: str) -> list[str]:
    from openhands.sdk import Message, TextContent

    pieces: list[str] = []
    streaming = LLM(model="synthetic/zai-org/GLM-5.3", usage_id="stream", stream=True)
    streaming.completion(
        [Message(role="user", content=[TextContent(text=prompt)])],
        on_token=lambda chunk: pieces.append(chunk.choices[0].delta.content or ""),
    )
    return [piece for piece in pieces if piece]


def window() -> int | None:
    return llm.effective_max_input_tokens
