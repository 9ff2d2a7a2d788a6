"""The command `refresh`: fetch the model list and print the difference."""

from __future__ import annotations

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.refresh import RefreshError, refresh
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.cli.refresh_view import difference, difference_document
from litellm_synthetic.cli.terminal import Screen, remark
from litellm_synthetic.config.settings import models_base_url

FAILED = 1


def run(base_url: str | None, *, as_json: bool) -> int:
    """Refresh and return the exit code: 0, or 1 after an error that is told in a line on stderr."""
    try:
        before = active.stored_table(models_base_url(base_url))
        outcome = refresh(base_url=base_url)
    except (RefreshError, ValueError) as error:  # the base URL's errors are ValueErrors
        remark(f"Not refreshed: {error}")
        return FAILED
    remark(provenance(outcome.table))
    if outcome.cache_note is not None:
        remark(f"Not kept for later: {outcome.cache_note}")
    if as_json:
        from litellm_synthetic.cli.models_json import as_json as encoded  # noqa: PLC0415  # see above

        click.echo(encoded(difference_document(before, outcome)))
    else:
        Screen.of_stdout().write(difference(before, outcome))
    return 0
