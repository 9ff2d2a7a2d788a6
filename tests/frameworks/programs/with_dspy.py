"""DSPy: a ReAct module."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

import dspy


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"18 degrees in {city}"


lm = dspy.LM("synthetic/hf:zai-org/GLM-5.3", cache=False)
dspy.configure(lm=lm)
agent = dspy.ReAct("question -> answer", tools=[weather])
# End of the recipe


def ask(prompt: str) -> str:
    with dspy.context(lm=lm):
        return agent(question=prompt).answer


def spent() -> float:
    return sum(call["cost"] or 0 for call in lm.history)


async def stream(prompt: str) -> list[str]:
    predict = dspy.Predict("question -> answer")
    listener = dspy.streaming.StreamListener(signature_field_name="answer")
    with dspy.context(lm=lm):
        streamed = dspy.streamify(predict, stream_listeners=[listener])(question=prompt)
        return [each.chunk async for each in streamed if hasattr(each, "chunk")]
