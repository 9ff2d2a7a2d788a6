"""The command `proxy-config`: write a LiteLLM proxy's `config.yaml` for current models."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.fallbacks import window_fallbacks
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.cli.models import remark_on_allowlist
from litellm_synthetic.cli.new_file import NotWrittenError, write_file
from litellm_synthetic.cli.proxy_config_models import choose
from litellm_synthetic.cli.proxy_config_yaml import ConfigOptions, proxy_config
from litellm_synthetic.cli.terminal import error, remark
from litellm_synthetic.config.ids import DEFAULT_ID
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.catalog.models import Model

NOT_WRITTEN: Final = 1
STDOUT: Final = "-"


def run(  # noqa: PLR0913  # one for each option of the command
    words: Sequence[str], *, aliases: bool, fallbacks: bool, redis: bool, out: str, force: bool
) -> int:
    """Write the config and return the exit code: 0, or 1 where nothing was written.

    Nothing is written if a word names no usable model: a config that silently lacks a model fails
    its users later. Errors and remarks go to stderr.
    """
    table = active.current_table()
    allowlist = ALLOWED_MODELS.value()
    choice = choose(table.catalog, words, aliases=aliases, allowlist=allowlist)
    remark(provenance(table))
    remark_on_allowlist(allowlist, hidden=choice.hidden_by_allowlist)
    for sentence in choice.remarks:
        remark(sentence)
    for sentence in choice.problems:
        error(sentence)
    if not choice.problems and not choice.models:
        error("No models to list.")
    if choice.problems or not choice.models:
        remark("Nothing was written.")
        return NOT_WRITTEN
    _remark_on_models(choice.models, fallbacks=fallbacks)
    options = ConfigOptions(
        fallbacks,
        redis,
        aliases and (allowlist is None or allowlist.allows(DEFAULT_ID)),
        _command(words, aliases=aliases, fallbacks=fallbacks, redis=redis),
        "config.yaml" if out == STDOUT else shlex.quote(Path(out).name),
    )
    return _write(proxy_config(table, choice.models, options), out, force, len(choice.models))


def _remark_on_models(models: Sequence[Model], *, fallbacks: bool) -> None:
    for one in models:
        if not one.is_priced:
            remark(f"No price of {one.id} is known: its calls count nothing in spend and budgets.")
    if fallbacks and not window_fallbacks(models):
        remark("No fallbacks: none of these models has a larger known window than another.")


def _command(words: Sequence[str], **flags: bool) -> str:
    models = ["--models", ",".join(words)] if words else []
    options = (f"--{name}" for name, is_set in flags.items() if is_set)
    return shlex.join(["litellm-synthetic", "proxy-config", *models, *options])


def _write(text: str, out: str, force: bool, count: int) -> int:  # noqa: FBT001  # the command's flag
    if out == STDOUT:
        click.echo(text, nl=False)
        return 0
    try:
        write_file(Path(out), text, force=force)
    except NotWrittenError as failure:
        error(str(failure))
        return NOT_WRITTEN
    remark(f"{count} {'model' if count == 1 else 'models'} written to {out}")
    return 0
