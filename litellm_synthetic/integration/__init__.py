"""The seam to LiteLLM: everything that LiteLLM calls, and everything that patches LiteLLM.

LiteLLM's internal names are imported in `compat` only. What a request or a reply looks like on the
wire belongs to `chat` and `messages`.
"""

# First of all, so that a LiteLLM that lacks a name is refused before anything here needs the name.
import litellm_synthetic.integration.compat  # noqa: F401
