"""The command `search`: ask, and print what was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

# Importing LiteLLM fetches its cost map from the network, which a search has no use for.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import click
import openai

from litellm_synthetic.cli.models_json import as_json as encoded
from litellm_synthetic.cli.search_view import document, lines
from litellm_synthetic.cli.terminal import Screen, remark
from litellm_synthetic.client import search as web_search
from litellm_synthetic.config.settings import API_KEY

if TYPE_CHECKING:
    from litellm_synthetic.client.search_results import SearchResults

FAILED: Final = 1


def run(query: str, *, limit: int | None, as_json: bool, base_url: str | None) -> int:
    """Search and return the exit code: 0, or 1 after an error that is told in a line on stderr.

    Who names a base URL on the command line says with it that the environment's key is for it.
    """
    key = API_KEY.text() if base_url else None
    try:
        found = web_search.search(query, api_key=key, api_base=base_url)
    except openai.APIError as error:  # every LiteLLM exception of a call is one
        remark(_message(error))
        return FAILED
    _remark_on(found, limit)
    if as_json:
        click.echo(encoded(document(found, limit)))
    elif found.results:
        screen = Screen.of_stdout()
        screen.write(lines(found, screen, limit))
    return 0


def _message(error: openai.APIError) -> str:
    # LiteLLM puts the class in front of its messages, which says nothing to people.
    return str(error).removeprefix(f"litellm.{type(error).__name__}: ")


def _remark_on(found: SearchResults, limit: int | None) -> None:
    if not found.results:
        remark("Nothing was found.")
    if found.skipped:
        reasons = sorted({each.reason for each in found.skipped})
        remark(f"{len(found.skipped)} skipped: {', '.join(reasons)}")
    if limit is not None and len(found) > limit:
        remark(f"{len(found) - limit} more without --limit {limit}")
