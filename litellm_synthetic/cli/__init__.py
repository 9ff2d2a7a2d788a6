"""The command `litellm-synthetic`: commands and their output.

LiteLLM is imported inside functions only, and only by commands that need it. Nothing below imports
this wing.
"""
