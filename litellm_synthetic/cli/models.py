"""The command `models`: a selection of the current table as a table, a page or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.query import Selection, closest_ids, matches, select
from litellm_synthetic.cli.formatting import provenance, remedy_for_age
from litellm_synthetic.cli.json_document import as_json
from litellm_synthetic.cli.terminal import Screen, error, remark
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.catalog.active import ModelTable
    from litellm_synthetic.catalog.table import Catalog
    from litellm_synthetic.config.allowlist import Allowlist

NO_MODEL: Final = 1
_MAX_NAMED: Final = 5

Shape = Literal["text", "json", "litellm", "litellm-full", "models.dev", "opencode", "openrouter"]


def run(
    words: Sequence[str], *, include_all: bool, shape: Shape, with_sources: bool = False
) -> int:
    """Print the models and return the exit code: 0, or 1 where no model matches.

    Remarks on the table, the allowlist and what is left out go to stderr.
    """
    table = active.current_table()
    allowlist = ALLOWED_MODELS.value()
    selection = select(table.catalog, words, include_all=include_all, allowlist=allowlist)
    remark(provenance(table))
    if (advice := remedy_for_age(table)) is not None:
        remark(advice)
    remark_on_allowlist(allowlist, hidden=selection.hidden_by_allowlist)
    if not selection.models and selection.hidden_by_allowlist == 0:
        error(_why_none(words, table.catalog, allowlist))
    if shape == "text":
        _print_text(selection, table, include_all=include_all, with_sources=with_sources)
    else:
        _print_json(selection, table, shape)
    return 0 if selection.models else NO_MODEL


def remark_on_allowlist(allowlist: Allowlist | None, *, hidden: int) -> None:
    """Tell which entries of the allowlist are malformed, and how many models it hides."""
    for entry in allowlist.malformed if allowlist is not None else ():
        remark(f"{ALLOWED_MODELS.name}: {entry!r} can match no id and allows nothing")
    if hidden:
        remark(f"{hidden} hidden by {ALLOWED_MODELS.name}")


def _why_none(words: Sequence[str], catalog: Catalog, allowlist: Allowlist | None) -> str:
    shown = " ".join(words)
    known = [one for one in catalog.models if allowlist is None or allowlist.allows(one.id)]
    if others := [one for one in known if all(matches(one.id, word) for word in words)]:
        named = ", ".join(f"{one.id} ({one.status})" for one in others[:_MAX_NAMED])
        more = ", …" if len(others) > _MAX_NAMED else ""
        return f"No current model matches {shown!r}. With --all: {named}{more}."
    if close := closest_ids(shown, known):
        return f"No model matches {shown!r}. Closest: {', '.join(close)}."
    aliases = ", ".join(one.id for one in known if one.is_current and one.kind == "alias")
    hint = f" Aliases: {aliases}." if aliases else ""
    return f"No model matches {shown!r}.{hint} All ids: litellm-synthetic models"


def _print_text(
    selection: Selection, table: ModelTable, *, include_all: bool, with_sources: bool
) -> None:
    screen = Screen.of_stdout()
    if selection.page is not None:
        from litellm_synthetic.cli.model_page import page

        screen.write(page(selection.page, table.catalog, screen, with_sources=with_sources))
        if not with_sources:
            remark("Notes, dated prices and sources: --sources", dim=True)
        return
    if not selection.models:
        return
    from litellm_synthetic.cli.models_table import view

    if screen.width is not None:
        remark("Prices are in USD per million tokens.")
    shown = view(selection.models, screen, show_status=include_all)
    screen.write(shown.lines)
    if shown.left_out:
        remark(f"too narrow for: {', '.join(shown.left_out)} (see --json, or a wider terminal)")


def _print_json(selection: Selection, table: ModelTable, shape: Shape) -> None:
    from litellm_synthetic.cli import models_json

    if shape == "json":
        hidden = selection.hidden_by_allowlist
        document = models_json.models_document(table, selection.models, hidden)
        click.echo(as_json(document))
        return
    if shape in ("models.dev", "opencode", "openrouter"):
        _print_for_others(selection, table, shape)
        return
    rows = models_json.litellm_document(table.catalog, selection.models)
    if unpriced := sum(not one.is_priced for one in selection.models):
        remark(f"{unpriced} left out: no price is known, and LiteLLM would take it for free")
    if shape == "litellm-full":
        try:
            rows = models_json.whole_litellm_document(rows)
        except models_json.NoLiteLLMCostMapError as failure:
            raise click.ClickException(str(failure)) from failure
    click.echo(as_json(rows))


def _print_for_others(selection: Selection, table: ModelTable, shape: Shape) -> None:
    from litellm_synthetic.cli import models_for_others

    documents = {
        "models.dev": models_for_others.models_dev_document,
        "opencode": models_for_others.opencode_document,
        "openrouter": models_for_others.openrouter_document,
    }
    document, left_out = documents[shape](table, selection.models)
    if left_out:
        remark(f"{left_out} left out: a fact that {shape} requires is not known")
    click.echo(as_json(document))
