"""aider without a proxy: its own LiteLLM, too old for this package, reads the table of models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.recipes import AIDER
from tests.clients.releases import UnavailableError
from tests.clients.scenes import ENVIRONMENT

_PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
_SECONDS = 600


def _documented() -> tuple[list[str], list[str]]:
    """Return the arguments of the page's two commands: ours for the table, and aider's."""
    page = _PAGE.read_text()
    [table] = re.findall(r"litellm-synthetic (models --format litellm) > synthetic\.json", page)
    [aider] = re.findall(r"^ *aider (--model .*--model-metadata-file.*)$", page, re.MULTILINE)
    return table.split(), aider.split()


def test_aiders_own_litellm_reads_limits_and_prices_from_our_table(
    releases: Path, tmp_path: Path
) -> None:
    try:
        installed = AIDER.install(releases)
    except UnavailableError as error:
        pytest.skip(str(error))
    table, aider = _documented()
    environment = {
        **ENVIRONMENT,
        "HOME": str(tmp_path),
        "PATH": installed.path,
        "SYNTHETIC_API_KEY": "syn_made_up_0123456789",
        "SYNTHETIC_CACHE_DIR": str(tmp_path / "cache"),
    }
    with (tmp_path / "synthetic.json").open("w") as written:
        subprocess.run(  # noqa: S603  # our own command
            [sys.executable, "-m", "litellm_synthetic", *table],
            env=environment,
            stdout=written,
            timeout=_SECONDS,
            check=True,
        )
    (tmp_path / "notes.txt").write_text(
        "a text of some words, for a prompt that costs something\n" * 99
    )
    quiet = ["--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--no-pretty"]
    ended = subprocess.run(  # noqa: S603  # a pinned release
        [str(installed.program), *aider, *quiet, "--message", "/tokens", "notes.txt"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    row = json.loads((tmp_path / "synthetic.json").read_text())[aider[1]]
    assert f"{row['max_input_tokens']:,} tokens max context window" in ended.stdout
    [(dollars, tokens)] = re.findall(r"\$ *([\d.]+) +([\d,]+) tokens total", ended.stdout)
    price = int(tokens.replace(",", "")) * row["input_cost_per_token"]
    assert float(dollars) == pytest.approx(price, abs=0.0001)
