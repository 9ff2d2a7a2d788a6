"""The exceptions of this package that are not LiteLLM's own."""

__all__ = ["RefreshError", "UnsupportedLiteLLMError"]


class RefreshError(Exception):
    """The model table was not refreshed; the one before stays in force."""


class UnsupportedLiteLLMError(RuntimeError):
    """The installed LiteLLM lacks something that this package needs; nothing has been changed."""
