"""An environment of its own for each framework: its newest release, and this package's wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.frameworks.kinds import Framework

PROJECT = Path(__file__).parents[2]
# openhands-sdk needs 3.12.
PYTHON = "3.12"
_INSTALL_SECONDS = 1800


class UnavailableError(Exception):
    """Say why a framework cannot be run here."""


@dataclass(frozen=True)
class Environments:
    """Make the environments below a folder, where they are kept between runs.

    Attributes:
        root: the folder.
        wheel: this package's wheel, which is installed anew in each run.
        upgrade: bring a framework that is there already to its newest release.
    """

    root: Path
    wheel: Path
    upgrade: bool = False

    def python(self, framework: Framework) -> Path:
        """Return the interpreter of a framework's environment, installed if it is not there yet.

        Raises:
            UnavailableError: it cannot be installed here.
        """
        folder = self.root / framework.name
        python = folder / "bin" / "python"
        mark = folder / "installed"
        if not python.exists():
            _uv("venv", "--quiet", "--python", PYTHON, str(folder))
        if self.upgrade or not mark.exists():
            _uv("pip", "install", "--quiet", "--upgrade", "--python", str(python),
                *framework.requirements, f"litellm-synthetic @ {self.wheel.as_uri()}")  # fmt: skip
            mark.touch()
        _uv("pip", "install", "--quiet", "--no-deps", "--reinstall-package", "litellm-synthetic",
            "--python", str(python), str(self.wheel))  # fmt: skip  # one command
        return python

    def version(self, framework: Framework) -> str:
        """Return the framework's release in its environment."""
        python = self.root / framework.name / "bin" / "python"
        listed = json.loads(_uv("pip", "list", "--format", "json", "--python", str(python)))
        name = framework.package
        return next(str(one["version"]) for one in listed if one["name"] == name)


def build_wheel(folder: Path) -> Path:
    """Build this package's wheel in a folder and return it.

    Raises:
        UnavailableError: uv is missing, or fails.
    """
    _uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(PROJECT))
    return next(folder.glob("litellm_synthetic-*.whl"))


def _uv(*arguments: str) -> str:
    uv = shutil.which("uv")
    if uv is None:
        raise UnavailableError("uv is not installed")
    done = subprocess.run(  # noqa: S603  # uv itself
        [uv, *arguments], capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise UnavailableError(done.stderr.strip()[-500:])
    return done.stdout
