"""Instructor: an answer of a given shape, which is a tool call."""

# Recipe
import litellm_synthetic

litellm_synthetic.register()

import instructor
import litellm
from pydantic import BaseModel


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


client = instructor.from_litellm(litellm.completion)
# End of the recipe


def _arguments(prompt: str) -> dict[str, object]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "synthetic/hf:zai-org/GLM-5.3", "messages": messages}


def ask(prompt: str) -> str:
    found = client.chat.completions.create(response_model=Weather, **_arguments(prompt))
    return f"It is {found.degrees} degrees in {found.city}."
