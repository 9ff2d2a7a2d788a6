"""The scheduled job of the examples does what it says: its own commands, run on the stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from litellm_synthetic.testing.served_models import listed_models

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

WORKFLOW = Path(__file__).parents[1] / "examples" / "github-actions" / "model-table.yml"
DRIFTED = "steps.compare.outputs.drift == '1'"


@pytest.fixture
def steps() -> dict[str, dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    return {step["name"]: step for step in job["steps"] if "name" in step}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Make a folder with the commands that the job calls, `gh` only writing down its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, command in (
        ("litellm-synthetic", f'exec "{sys.executable}" -m litellm_synthetic "$@"'),
        ("gh", 'printf "%s\\n" "$@" > gh-called.txt'),
    ):
        tool = folder / name
        tool.write_text(f"#!/bin/sh\n{command}\n")
        tool.chmod(0o755)
    return folder


def test_the_job_tells_of_drift_once_and_of_failures_as_failures(
    synthetic_server: SyntheticServer,
    steps: dict[str, dict[str, Any]],
    tools: Path,
    tmp_path: Path,
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    outputs = tmp_path / "outputs"
    environment = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(WORKFLOW.parents[2]),
        "GITHUB_OUTPUT": str(outputs),
        "SYNTHETIC_CACHE_DIR": str(tmp_path / ".synthetic-models"),
        "SYNTHETIC_API_BASE": synthetic_server.openai_base,
    }

    def run(name: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # the example's own commands
            [bash, "-e", "-c", steps[name]["run"]],
            env=environment | changes,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert steps["Keep the new list"]["if"] == steps["Open an issue"]["if"] == DRIFTED
    synthetic_server.set_models([*listed_models(), {"id": "hf:new-lab/New"}])
    compared = run("Compare")
    assert compared.returncode == 0, compared.stderr
    assert outputs.read_text() == "drift=1\n"
    assert run("Keep the new list").returncode == 0
    assert run("Open an issue").returncode == 0
    assert "added       hf:new-lab/New" in (tmp_path / "issue.md").read_text()
    assert "--body-file\nissue.md\n" in (tmp_path / "gh-called.txt").read_text()
    outputs.unlink()
    assert run("Compare").returncode == 0
    assert outputs.read_text() == "drift=0\n"
    outputs.unlink()
    failure = run("Compare", SYNTHETIC_API_BASE="http://127.0.0.1:9/openai/v1")
    assert failure.returncode == 2
    assert not outputs.exists()
