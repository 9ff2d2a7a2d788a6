"""The command `refresh`: fetch the model list and print the difference, or only check for one."""

from __future__ import annotations

from typing import Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog import refresh as table_refresh
from litellm_synthetic.catalog.refresh import RefreshError
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.cli.refresh_view import difference, difference_document
from litellm_synthetic.cli.terminal import Screen, remark
from litellm_synthetic.config.settings import models_base_url

FAILED: Final = 1
DRIFTED: Final = 1
CHECK_FAILED: Final = 2


def run(base_url: str | None, *, as_json: bool, check: bool = False) -> int:
    """Refresh, or check, and return the exit code; an error is one line on stderr.

    Args:
        base_url: where to ask.
        as_json: whether to print one JSON document.
        check: whether to compare only, and write nothing.

    Returns:
        Of a refresh, 0, or 1 after an error. Of a check, 0 where nothing differs, 1 where something
        does, 2 after an error.
    """
    try:
        before = active.stored_table(models_base_url(base_url))
        look = table_refresh.check if check else table_refresh.refresh
        outcome = look(base_url=base_url)
    except (RefreshError, ValueError) as error:  # the base URL's errors are ValueErrors
        remark(f"Not {'checked' if check else 'refreshed'}: {error}")
        return CHECK_FAILED if check else FAILED
    remark(provenance(outcome.table))
    if outcome.cache_note is not None:
        remark(f"Not kept for later: {outcome.cache_note}")
    if as_json:
        from litellm_synthetic.cli.models_json import as_json as encoded  # noqa: PLC0415  # see above

        click.echo(encoded(difference_document(before, outcome)))
    else:
        Screen.of_stdout().write(difference(before, outcome))
    return DRIFTED if check and outcome.has_drifted else 0
