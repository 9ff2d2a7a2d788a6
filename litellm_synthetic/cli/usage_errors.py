"""Usage errors of the command line: their text and their exit codes."""

from __future__ import annotations

import io
import sys
from typing import Any, Final

import click

INTERRUPTED: Final = 130


class Group(click.Group):
    """A group whose usage errors are written like the commands' own, `error: …`."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command as click does, but for the text of its errors."""
        run: Any = super().main  # overloads
        try:
            result = run(*args, standalone_mode=False, **extra)
        except click.ClickException as failure:
            if not standalone_mode:
                raise
            text = io.StringIO()
            failure.show(text)
            click.echo(text.getvalue().replace("Error: ", "error: ", 1), nl=False, err=True)
            sys.exit(failure.exit_code)
        except click.Abort:  # Ctrl-C
            if not standalone_mode:
                raise
            click.echo("error: Interrupted.", err=True)
            sys.exit(INTERRUPTED)
        if standalone_mode:
            sys.exit(result or 0)
        return result


class PlanUsageError(click.UsageError):
    """Words that can't be read, which must not look like an empty plan, exit code 2."""

    exit_code = 3


class QuotasCommand(click.Command):
    """A command whose usage errors leave the plan unknown."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the command line, with exit code 3 for an error in it."""
        try:
            return super().make_context(*args, **extra)
        except click.UsageError as failure:
            raise PlanUsageError(failure.format_message(), failure.ctx) from None
