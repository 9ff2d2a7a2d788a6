"""Make `synthetic/…` a first-class route in LiteLLM.

Importing this package does no I/O and changes nothing. LiteLLM itself is imported by `register()`,
because importing LiteLLM fetches its cost map over the network.
"""

from typing import Any

__all__ = ["__version__", "register", "unregister"]

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # reads a file, so not at import

        return version("litellm-synthetic")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def register() -> None:
    """Make this package serve `synthetic/…` in the running process.

    Opens no socket. May be called any number of times, from any thread, before or after Routers
    exist. Every other provider behaves as before.

    Raises:
        litellm_synthetic.litellm_seams.UnsupportedLiteLLMError: the installed LiteLLM lacks
            something that is needed; nothing has been changed.
    """
    from litellm_synthetic import registration  # noqa: PLC0415  # imports LiteLLM

    registration.register()


def unregister() -> None:
    """Give LiteLLM back exactly as it was before `register`; do nothing if it wasn't called."""
    from litellm_synthetic import registration  # noqa: PLC0415  # imports LiteLLM

    registration.unregister()
