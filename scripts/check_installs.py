# ruff: noqa: INP001  a script that is run by its path, not a package
"""Show whether agent frameworks still resolve to their newest releases beside this package.

    python scripts/check_installs.py [--resolver uv|pip] [--python 3.12] [REQUIREMENT ...]

Each framework is resolved twice, alone and with this package's wheel; nothing is installed. The
table goes to stdout as Markdown. Exits with 1 where a framework resolves to another release, or to
none, only because of this package. Needs `uv`, which also builds the wheel.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).resolve().parent.parent
FRAMEWORKS: Final = (
    "crewai[litellm]",
    "strands-agents[litellm]",
    "openhands-sdk",
    "smolagents[litellm]",
    "dspy",
    "google-adk[extensions]",
    "openai-agents[litellm]",
    "langchain-litellm",
    "llama-index-llms-litellm",
    "mini-swe-agent",
    "instructor",
)


class Resolution(NamedTuple):
    """The releases that a resolver picked, by normalised name; or why it picked none."""

    releases: dict[str, str]
    failure: str = ""

    def release(self, requirement: str) -> str:
        """Return the release of one package, `none` where it is not among them."""
        return self.releases.get(normalised(re.split(r"[\[<>=! @]", requirement)[0]), "none")


def normalised(name: str) -> str:
    """Return a package's name as resolvers compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolve(resolver: str, requirements: list[str], python: str, folder: Path) -> Resolution:
    """Resolve requirements, and install nothing.

    Args:
        resolver: `uv` or `pip`.
        python: the Python version to resolve for; pip resolves for the one that runs this.
        requirements: names of packages, with extras; or `name @ file:…`.
        folder: a folder for the resolver's files.
    """
    source, out = folder / "requirements.in", folder / "report.json"
    source.write_text("\n".join(requirements) + "\n", "utf-8")
    commands = {
        "uv": [
            "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate",
            "--python-version", python, str(source),
        ],
        "pip": [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
            "--report", str(out), "--requirement", str(source),
        ],
    }  # fmt: skip  # a command a line
    done = subprocess.run(commands[resolver], capture_output=True, text=True, check=False)  # noqa: S603  # the resolvers themselves
    if done.returncode:
        return Resolution({}, " ".join(done.stderr.split()))
    if resolver == "uv":
        pins = (line.partition("==") for line in done.stdout.splitlines() if "==" in line)
        return Resolution({normalised(name): version.split()[0] for name, _, version in pins})
    installs = json.loads(out.read_text("utf-8"))["install"]
    return Resolution(
        {normalised(each["metadata"]["name"]): each["metadata"]["version"] for each in installs}
    )


def build_wheel(folder: Path) -> Path:
    """Build this package's wheel in a folder and return it."""
    subprocess.run(  # noqa: S603  # uv itself
        ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(PROJECT)],  # noqa: S607  # from PATH
        check=True,
    )
    return next(folder.glob("litellm_synthetic-*.whl"))


def main(arguments: list[str] | None = None) -> int:
    """Run the script; return 1 where this package keeps a framework from its newest release."""
    parser = argparse.ArgumentParser(description="Resolve frameworks beside this package.")
    parser.add_argument("requirements", nargs="*", default=FRAMEWORKS, metavar="REQUIREMENT")
    parser.add_argument("--resolver", choices=("uv", "pip"), default="uv")
    # openhands-sdk needs 3.12.
    parser.add_argument("--python", default="3.12", help="the Python version that uv resolves for")
    options = parser.parse_args(arguments)

    sys.stdout.write("| framework | alone | beside us | LiteLLM alone | beside us | mcp |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    is_hindered = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = f"litellm-synthetic @ {build_wheel(folder).as_uri()}"
        for requirement in options.requirements:
            alone = resolve(options.resolver, [requirement], options.python, folder)
            beside = resolve(options.resolver, [requirement, ours], options.python, folder)
            picked = (alone.release(requirement), beside.release(requirement))
            is_hindered |= picked[0] != picked[1]
            cells = (
                f"`{requirement}`",
                *picked,
                alone.release("litellm"),
                beside.release("litellm"),
                beside.release("mcp"),
            )
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
            for resolution in (alone, beside):
                if resolution.failure:
                    sys.stderr.write(f"{requirement}: {resolution.failure}\n")
    return int(is_hindered)


if __name__ == "__main__":
    sys.exit(main())
