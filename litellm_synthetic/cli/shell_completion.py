"""Complete model ids in a shell, bash's colons included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import CompletionItem, get_completion_class

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.query import completed, completions
from litellm_synthetic.config.settings import ALLOWED_MODELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from litellm_synthetic.catalog.models import Model

_PROGRAM: Final = "litellm-synthetic"


def complete_id(words: Sequence[str], incomplete: str, *, is_bash: bool) -> list[CompletionItem]:
    """Return the ids that continue what was typed, each with a remark for shells that show one.

    Args:
        words: the arguments before the one that is being typed.
        incomplete: what was typed of it.
        is_bash: whether a colon ends a word, as in bash: `syn:la` then comes as `syn`, `:` and
            `la`, and only what follows the colon may be returned.
    """
    typed = _rejoined(words, incomplete) if is_bash else incomplete
    there_already = typed.rpartition(":")[0] + ":" if is_bash and ":" in typed else ""
    allowlist = ALLOWED_MODELS.value()
    return [
        CompletionItem(completed(one, typed)[len(there_already) :], help=_remark(one))
        for one in completions(active.current_table().catalog, typed)
        if allowlist is None or allowlist.allows(one.id)
    ]


def _rejoined(words: Sequence[str], incomplete: str) -> str:
    pieces = [*words, incomplete]
    typed = pieces.pop()
    while pieces and (typed.startswith(":") or pieces[-1] == ":"):
        typed = pieces.pop() + typed
    return typed


def _remark(model: Model) -> str:
    return model.current_target or (model.kind if model.is_current else model.status)


def script(command: click.Command, shell: str, variable: str) -> str:
    """Return what a shell runs to complete the command line.

    Args:
        command: the command.
        shell: `bash`, `zsh` or `fish`.
        variable: by which the shell tells the command that it is asked to complete.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"click has no completion for {shell}")
    # Not `source()`, which starts bash to see how old it is.
    made = kind(command, {}, _PROGRAM, variable)
    return made.source_template % made.source_vars()
