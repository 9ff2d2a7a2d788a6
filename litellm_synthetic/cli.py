"""The command `litellm-synthetic`. What a command needs is imported when it runs."""

from __future__ import annotations

import sys

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="litellm-synthetic", prog_name="litellm-synthetic")
def main() -> None:
    """Use Synthetic's open-weight models through LiteLLM."""


@main.command()
@click.option(
    "--model",
    default="synthetic/syn:large:text",
    show_default=True,
    help="The model to show, with or without synthetic/ in front.",
)
@click.option("--offline", is_flag=True, help="Use the stand-in even where a key is set.")
def demo(model: str, offline: bool) -> None:  # noqa: FBT001  # click's flag
    """Show a completion, a stream, a tool call, the limits and the price.

    With SYNTHETIC_API_KEY set the calls go to Synthetic and cost a fraction of a cent; otherwise
    they go to the stand-in server that comes with the package.
    """
    from litellm_synthetic.demo import run  # noqa: PLC0415  # imports LiteLLM

    sys.exit(run(model, offline=offline))
