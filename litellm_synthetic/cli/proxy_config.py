"""The command `proxy-config`: write a LiteLLM proxy's `config.yaml` for the models asked for."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.fallbacks import window_fallbacks
from litellm_synthetic.cli.formatting import provenance
from litellm_synthetic.cli.new_file import NotWrittenError, write_file
from litellm_synthetic.cli.proxy_config_models import choose
from litellm_synthetic.cli.proxy_config_yaml import Wishes, proxy_config
from litellm_synthetic.cli.terminal import remark
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litellm_synthetic.cli.proxy_config_models import Choice

NOT_WRITTEN: Final = 1
STDOUT: Final = "-"


def run(  # noqa: PLR0913  # one for each option of the command
    words: Sequence[str],
    *,
    aliases: bool,
    fallbacks: bool,
    redis: bool,
    out: str,
    force: bool,
) -> int:
    """Write the config and return the exit code: 0, or 1 where nothing was written.

    Nothing is written if a word names no usable model: a config that lacks a model without a word
    is found out by its users. Problems and remarks go to stderr, one line each.
    """
    table = active.in_force()
    allowlist = ALLOWED_MODELS.value()
    choice = choose(table.catalog, words, aliases=aliases, allowlist=allowlist)
    remark(provenance(table))
    for entry in allowlist.malformed if allowlist is not None else ():
        remark(f"{ALLOWED_MODELS.name}: {entry!r} can match no id and allows nothing")
    for sentence in (*choice.remarks, *choice.problems):
        remark(sentence)
    if choice.hidden_by_allowlist:
        remark(f"{choice.hidden_by_allowlist} hidden by {ALLOWED_MODELS.name}")
    if choice.problems or not choice.models:
        remark("Nothing was written" + ("." if choice.problems else ": there is no model to list."))
        return NOT_WRITTEN
    _remark_on_models(choice, fallbacks=fallbacks)
    command = _command(words, aliases=aliases, fallbacks=fallbacks, redis=redis)
    text = proxy_config(table, choice.models, Wishes(fallbacks, redis, command))
    return _write(text, out, force=force, count=len(choice.models))


def _remark_on_models(choice: Choice, *, fallbacks: bool) -> None:
    for one in choice.models:
        if not one.is_priced:
            remark(f"No price of {one.id} is known: its calls count nothing in spend and budgets.")
    if fallbacks and not window_fallbacks(choice.models):
        remark("No fallbacks: none of these models has a larger known window than another.")


def _command(words: Sequence[str], *, aliases: bool, fallbacks: bool, redis: bool) -> str:
    flags = {"--aliases": aliases, "--fallbacks": fallbacks, "--redis": redis}
    chosen = ["--models", ",".join(words)] if words else []
    said = [*chosen, *(flag for flag, is_set in flags.items() if is_set)]
    return shlex.join(["litellm-synthetic", "proxy-config", *said])


def _write(text: str, out: str, *, force: bool, count: int) -> int:
    if out == STDOUT:
        click.echo(text, nl=False)
        return 0
    try:
        write_file(Path(out), text, force=force)
    except NotWrittenError as error:
        remark(str(error))
        return NOT_WRITTEN
    remark(f"{count} {'model' if count == 1 else 'models'} written to {out}")
    return 0
