"""The command `models`: what was asked for, from the table in force, in the shape asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.query import Selection, closest_ids, matches, select
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.cli.terminal import Screen, remark
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.models import Catalog
    from litellm_synthetic.config.allowlist import Allowlist

NOTHING_FOUND: Final = 1
_MOST_NAMED: Final = 5

Shape = Literal["text", "json", "litellm", "litellm-full"]


def run(words: Sequence[str], *, include_all: bool, shape: Shape) -> int:
    """Print the models and return the exit code: 0, or 1 where nothing is found.

    Remarks on the table, the allowlist and what is left out go to stderr.
    """
    table = active.in_force()
    allowlist = ALLOWED_MODELS.value()
    selection = select(table.catalog, words, include_all=include_all, allowlist=allowlist)
    remark(provenance(table))
    _remark_on_allowlist(selection, allowlist)
    if not selection.models and selection.hidden_by_allowlist == 0:
        _remark_on_nothing(words, table.catalog, allowlist)
    if shape == "text":
        _print_text(selection, table, include_all=include_all)
    else:
        _print_json(selection, table, shape)
    return 0 if selection.models else NOTHING_FOUND


def _remark_on_allowlist(selection: Selection, allowlist: Allowlist | None) -> None:
    if allowlist is None:
        return
    for entry in allowlist.malformed:
        remark(f"{ALLOWED_MODELS.name}: {entry!r} can match no id and allows nothing")
    if selection.hidden_by_allowlist:
        remark(f"{selection.hidden_by_allowlist} hidden by {ALLOWED_MODELS.name}")


def _remark_on_nothing(words: Sequence[str], catalog: Catalog, allowlist: Allowlist | None) -> None:
    shown = " ".join(words)
    known = [one for one in catalog.models if allowlist is None or allowlist.allows(one.id)]
    elsewhere = [one for one in known if all(matches(one.id, word) for word in words)]
    if elsewhere:
        named = ", ".join(f"{one.id} ({one.status})" for one in elsewhere[:_MOST_NAMED])
        more = ", …" if len(elsewhere) > _MOST_NAMED else ""
        remark(f"No current model matches {shown!r}; with --all: {named}{more}")
        return
    close = closest_ids(words, known)
    hint = f" Closest: {', '.join(close)}" if close else ""
    remark(f"No model matches {shown!r}.{hint}")


def _print_text(selection: Selection, table: ModelTable, *, include_all: bool) -> None:
    screen = Screen.of_stdout()
    if selection.page is not None:
        from litellm_synthetic.cli.model_page import page  # noqa: PLC0415  # not for the table

        screen.write(page(selection.page, table.catalog, screen))
        return
    if not selection.models:
        return
    from litellm_synthetic.cli.models_table import view  # noqa: PLC0415  # not for the page

    if screen.width is not None:
        remark("Prices are in USD per million tokens.")
    shown = view(selection.models, screen, show_status=include_all)
    screen.write(shown.lines)
    if shown.left_out:
        remark(f"too narrow for: {', '.join(shown.left_out)} (see --json, or a wider terminal)")


def _print_json(selection: Selection, table: ModelTable, shape: Shape) -> None:
    from litellm_synthetic.cli import models_json  # noqa: PLC0415  # not for people

    if shape == "json":
        hidden = selection.hidden_by_allowlist
        click.echo(
            models_json.as_json(models_json.models_document(table, selection.models, hidden))
        )
        return
    rows = models_json.litellm_document(table.catalog, selection.models)
    without_price = sum(not one.is_priced for one in selection.models)
    if without_price:
        remark(f"{without_price} left out: no price is known, and LiteLLM would take it for free")
    if shape == "litellm-full":
        try:
            rows = models_json.whole_litellm_document(rows)
        except models_json.NoLiteLLMCostMapError as error:
            raise click.ClickException(str(error)) from error
    click.echo(models_json.as_json(rows))
