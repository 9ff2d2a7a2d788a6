"""The command `litellm-synthetic`. What a command needs is imported when it runs."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from litellm_synthetic.cli.usage_errors import Group, PlanUsageError, QuotasCommand

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from litellm_synthetic.cli.models import Shape

# click's own, by which a shell says who it is.
_COMPLETE_VARIABLE: Final = "_LITELLM_SYNTHETIC_COMPLETE"

_STATUS_LINE: Final = "{requests_left}/{requests_limit} {credits_left} {gain}"
_TABLE_FORMATS: Final = ("litellm", "litellm-full", "models.dev", "opencode", "openrouter")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="litellm-synthetic", prog_name="litellm-synthetic")
def main() -> None:
    """Use Synthetic's open-weight models through LiteLLM."""
    # Python's last look for garbage goes through all that LiteLLM made, for over a second.
    atexit.register(gc.freeze)


def _complete_id(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from litellm_synthetic.cli.shell_completion import complete_id

    typed = context.params.get(parameter.name or "") or ()
    words = () if isinstance(typed, str) else typed
    return complete_id(words, incomplete, is_bash="bash" in os.environ.get(_COMPLETE_VARIABLE, ""))


@main.command()
@click.option(
    "--model",
    default="synthetic/default",
    show_default=True,
    help="The model to show, with or without synthetic/ in front.",
    shell_complete=_complete_id,
)
@click.option("--offline", is_flag=True, help="Use the stand-in even if a key is set.")
def demo(model: str, offline: bool) -> None:
    """Try a completion, a stream and a tool call.

    Each is shown with its price, and the model with its limits. With SYNTHETIC_API_KEY set the
    calls go to Synthetic and cost a fraction of a cent; otherwise they go to the stand-in server
    that comes with the package.
    """
    from litellm_synthetic.cli.demo import run  # imports LiteLLM

    sys.exit(run(model, offline=offline))


@main.command()
@click.argument("filters", metavar="[FILTER]...", nargs=-1, shell_complete=_complete_id)
@click.option("--all", "include_all", is_flag=True, help="Show retired and unlisted models too.")
@click.option("--sources", is_flag=True, help="Show notes, dated prices and sources of one model.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--format",
    "table_format",
    type=click.Choice(_TABLE_FORMATS),
    help="Print JSON for others: LiteLLM's cost map (our rows, or with all of the installed "
    "LiteLLM's), models.dev, opencode's config, OpenRouter's list.",
)
def models(
    filters: tuple[str, ...],
    include_all: bool,
    sources: bool,
    is_json: bool,
    table_format: Shape | None,
) -> None:
    """List models, or show one with its price history.

    The list has limits, inputs, reasoning efforts, prices, and what aliases serve. FILTER is a part
    of an id or a glob such as 'hf:zai-org/*', in any case; of several, all must match. A whole id
    shows everything that is known about that model. Prices are USD per million tokens; in --json
    they are decimal strings per token.
    """
    from litellm_synthetic.cli.models import run

    if is_json and table_format:
        raise click.UsageError("--json and --format exclude each other.")
    shape = table_format or ("json" if is_json else "text")
    sys.exit(run(filters, include_all=include_all, shape=shape, with_sources=sources))


@main.command()
@click.option("--base-url", help="Where to ask; by default SYNTHETIC_API_BASE, else Synthetic.")
@click.option(
    "--check", is_flag=True, help="Only compare: exit 1 if the list differs, 2 after an error."
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
def refresh(base_url: str | None, check: bool, is_json: bool) -> None:
    """Fetch the model list and print what changed.

    It prints which models were added, changed and retired. Needs no key.
    """
    from litellm_synthetic.cli.refresh import run

    sys.exit(run(base_url, is_json=is_json, check=check))


@main.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), help="Show no more results than this.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--base-url",
    help="Where to search, with your key; by default SYNTHETIC_API_BASE, else Synthetic.",
)
def search(query: tuple[str, ...], limit: int | None, is_json: bool, base_url: str | None) -> None:
    """Search the web; needs a key and a subscription.

    Several words make one QUERY. In a pipe each result has four lines: title, address, date and
    text.
    """
    from litellm_synthetic.cli.search import run

    sys.exit(run(" ".join(query), limit=limit, is_json=is_json, base_url=base_url))


@main.command()
@click.option("--live", "is_live", is_flag=True, help="Make one cheap call per API as well.")
@click.option("--model", help="The model of those calls; by default the cheapest chat model.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
def doctor(is_live: bool, model: str | None, is_json: bool) -> None:
    """Check everything that a call depends on.

    LiteLLM, the route, the key and its source (never the key itself), the base URL, the settings,
    the model table and its cache; each problem is printed with the one thing that fixes it. Without
    --live nothing is sent anywhere. Exit code 0: all is well; 1: a problem; 3: warnings only.
    """
    from litellm_synthetic.cli.doctor.command import run

    sys.exit(run(is_json=is_json, is_live=is_live, model=model))


@main.command()
@click.option("--no-check", is_flag=True, help="Don't check the key with a free call.")
@click.option(
    "--write-env",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Put the key into this .env file without asking, with mode 0600.",
)
@click.option("--force", is_flag=True, help="Replace a key that is in the file already.")
def init(no_check: bool, write_env: Path | None, force: bool) -> None:
    """Validate your key and print setup snippets.

    The key comes from SYNTHETIC_API_KEY, a hidden prompt, or a pipe, and is never printed. It is
    written to a file only if you say so.
    """
    from litellm_synthetic.cli.init import run

    sys.exit(run(check=not no_check, write_to=write_env, force=force))


@main.command("proxy-config")
@click.option(
    "--models",
    "globs",
    metavar="GLOB,...",
    multiple=True,
    help="Ids and globs such as 'hf:zai-org/*', instead of all chat and embedding models.",
)
@click.option("--aliases", is_flag=True, help="Add the syn: aliases and default.")
@click.option("--fallbacks", is_flag=True, help="Send a prompt that is too long to a larger model.")
@click.option("--redis", is_flag=True, help="Share state between proxies (REDIS_HOST and so on).")
@click.option("--out", metavar="FILE", default="-", help="Where to; '-', the default, is stdout.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def proxy_config(
    globs: tuple[str, ...], aliases: bool, fallbacks: bool, redis: bool, out: str, force: bool
) -> None:
    """Write a config.yaml for LiteLLM's proxy.

    It lists the current models with their limits and capabilities, loads this package in each
    worker, and reads keys from the environment. Prices are left out: the proxy takes the current
    ones from the model table.
    """
    from litellm_synthetic.cli.proxy_config import run

    words = [word for option in globs for each in option.split(",") if (word := each.strip())]
    if globs and not words:
        raise click.UsageError("--models names no model.")
    if not out:
        raise click.UsageError("--out names no file.")
    if force and out == "-":
        raise click.UsageError("--force needs --out FILE.")
    sys.exit(run(words, aliases=aliases, fallbacks=fallbacks, redis=redis, out=out, force=force))


@main.command()
@click.argument("prompt", nargs=-1)
@click.option(
    "-m",
    "--model",
    default="default",
    show_default=True,
    help="The model, in any spelling.",
    shell_complete=_complete_id,
)
@click.option("-s", "--system", help="The system message.")
@click.option("--effort", help="The reasoning effort, such as none, low or high.")
@click.option("--no-reasoning", is_flag=True, help="Don't show the reasoning.")
def chat(
    prompt: tuple[str, ...], model: str, system: str | None, effort: str | None, no_reasoning: bool
) -> None:
    """Talk to a model.

    With a PROMPT, or with text from a pipe, it answers once; several words make one prompt, and the
    text goes before it. Otherwise a conversation begins: /help lists its commands. The answer goes
    to stdout; its cost at list price and what is left of the plan go to stderr.
    """
    from litellm_synthetic.cli.chat import run

    words = " ".join(prompt)
    sys.exit(
        run(words, model=model, system=system, effort=effort, shows_reasoning=not no_reasoning)
    )


@main.command(cls=QuotasCommand)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--format",
    "template",
    is_flag=False,
    flag_value=_STATUS_LINE,
    metavar="[TEXT]",
    help="Print one line for a status bar, such as '{requests_left} {credits_left}'.",
)
@click.option("--history", is_flag=True, help="Show the last 14 days; asks nothing.")
@click.option(
    "--watch",
    type=click.FloatRange(min=1),
    is_flag=False,
    flag_value=60.0,
    metavar="[SECONDS]",
    help="Ask again every minute, or so many seconds, until Ctrl-C.",
)
@click.option(
    "--max-age",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Show the last answer if it is at most this old.",
)
def quotas(
    is_json: bool, template: str | None, history: bool, watch: float | None, max_age: float
) -> None:
    """Show what is left of the plan, and when it gains more.

    The question is free. Exit code 0: fine; 1: less than a fifth is left of something that calls
    need; 2: nothing is left; 3: unknown, after an error or without a subscription.
    """
    from litellm_synthetic.cli.quotas import run
    from litellm_synthetic.cli.quotas_view import status_line

    if sum((is_json, template is not None)) > 1 or (history and (template or watch)):
        raise PlanUsageError("These options exclude each other.")
    if template is not None:
        try:
            status_line(None, template, "unknown")
        except ValueError as failure:
            raise PlanUsageError(str(failure)) from None
    sys.exit(
        run(
            is_json=is_json,
            template=template,
            shows_history=history,
            watch_seconds=watch,
            max_age_seconds=max_age,
        )
    )


@main.command()
@click.option("--json", "is_json", is_flag=True, help="Print one JSON document.")
def config(is_json: bool) -> None:
    """Show every setting, its value, and where that comes from.

    The key itself is never shown. Exit code 1: a value is not understood, or a variable is nearly a
    setting.
    """
    from litellm_synthetic.cli.config import run

    sys.exit(run(is_json=is_json))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes commands, options and model ids.

    For bash: eval "$(litellm-synthetic completion bash)" in ~/.bashrc; zsh likewise in ~/.zshrc.
    For fish: litellm-synthetic completion fish | source
    """
    from litellm_synthetic.cli.shell_completion import script

    click.echo(script(main, shell, _COMPLETE_VARIABLE))


@main.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument(
    "program", metavar="[--] PROGRAM [ARGUMENT]...", nargs=-1, required=True, type=click.UNPROCESSED
)
def run(program: tuple[str, ...]) -> None:
    """Run a program of this environment with the route registered.

    For programs that use LiteLLM and never import this package, such as mini-swe-agent's mini.
    PROGRAM is a command, a path or -m MODULE. It runs in this process; the Python processes that it
    starts register too, through their environment. Nothing is installed.
    """
    from litellm_synthetic.cli.run import run

    sys.exit(run(program))
