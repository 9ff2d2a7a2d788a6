"""The automatic prefix cache: which part of a prompt was seen before."""

from __future__ import annotations

from litellm_synthetic.testing.exchange import count_tokens

_BLOCK_CHARACTERS = 16


class PromptCache:
    """Remember prompts by their blocks of four tokens, as a prefix cache does.

    The service caches by itself and forgets on its own terms; this one forgets on `clear`.
    """

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._blocks: set[int] = set()

    def cached_tokens(self, model: str, prompt: str) -> int | None:
        """Return how many tokens of the prompt were seen before, and remember the prompt.

        Only whole blocks count. `None` stands for none, as usage states it.
        """
        chain = hash(model)
        cached_characters = 0
        for end in range(_BLOCK_CHARACTERS, len(prompt) + 1, _BLOCK_CHARACTERS):
            chain = hash((chain, prompt[end - _BLOCK_CHARACTERS : end]))
            if chain in self._blocks:
                cached_characters = end
            else:
                self._blocks.add(chain)
        return count_tokens(prompt[:cached_characters]) or None

    def clear(self) -> None:
        """Forget every prompt."""
        self._blocks.clear()
