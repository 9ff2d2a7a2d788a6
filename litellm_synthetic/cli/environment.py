"""The environment as importing LiteLLM would leave it, without the import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.cli.dotenv_file import read_by_litellm

if TYPE_CHECKING:
    from pathlib import Path


def load_dotenv_as_litellm_does() -> Path | None:
    """Add to the environment what the `.env` file that LiteLLM reads sets; return that file."""
    file = read_by_litellm()
    if file is not None:
        from dotenv import load_dotenv  # only where there is such a file

        load_dotenv(file)
    return file
