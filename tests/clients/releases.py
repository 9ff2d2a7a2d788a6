"""Pinned releases of the clients, installed from npm and PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

# Installed where the Node.js on PATH is older than a client needs.
NODE_RELEASE = "22.23.3"
_INSTALL_SECONDS = 1200
_AIDER_PYTHONS = ((3, 10), (3, 12))


class UnavailableError(Exception):
    """Say why a client cannot be run here."""


@dataclass(frozen=True)
class Release:
    """Name one release of a client.

    Attributes:
        registry: where it is from.
        package: its name there.
        version: the pinned version.
        command: the executable that it brings.
        node: the lowest major version of Node.js that runs it; 0 for none.
        native: a glob below `node_modules` for the executable of this platform, where only an
            install script would put the command in place.
    """

    registry: Literal["npm", "PyPI"]
    package: str
    version: str
    command: str
    node: int = 0
    native: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    def install(self, root: Path) -> Installed:
        """Return the release, installed below `root` if it is not there yet.

        Raises:
            UnavailableError: the registry has it not, or nothing here can run it.
        """
        if (reason := _unavailable.get(self)) is not None:
            raise UnavailableError(reason)
        try:
            program = _with_npm(self, root) if self.registry == "npm" else _with_pip(self, root)
        except UnavailableError as error:
            _unavailable[self] = str(error)
            raise
        folders = [str(_node(root, self.node).parent)] if self.node else []
        return Installed(program, os.pathsep.join([*folders, "/usr/local/bin", "/usr/bin", "/bin"]))


# Asked for once in a run.
_unavailable: dict[Release, str] = {}


@dataclass(frozen=True)
class Installed:
    """Hold where a release is: its executable, and the PATH that it runs with."""

    program: Path
    path: str


def _with_npm(release: Release, root: Path) -> Path:
    folder = root / f"{release.command}-{release.version}"
    program = folder / "node_modules" / ".bin" / release.command
    if not program.exists():
        npm = _npm()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        # No script of a package runs on this machine; each client works without.
        _run([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
              f"{release.package}@{release.version}"], folder)  # fmt: skip  # one command
    return _native(release, folder) or program


def _native(release: Release, folder: Path) -> Path | None:
    """Return the executable for this platform, the first by name; None where none is named."""
    if not release.native:
        return None
    pattern = release.native.format(platform=sys.platform)
    return min((folder / "node_modules").glob(pattern), default=None)


def _with_pip(release: Release, root: Path) -> Path:
    low, high = _AIDER_PYTHONS
    if not low <= sys.version_info[:2] <= high:
        raise UnavailableError(f"{release} needs Python {low[0]}.{low[1]} to {high[0]}.{high[1]}")
    folder = root / f"{release.command}-{release.version}"
    program = folder / "bin" / release.command
    if not program.exists():
        root.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)], root)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet",
              f"{release.package}=={release.version}"], root)  # fmt: skip  # one command
    return program


@cache
def _node(root: Path, major: int) -> Path:
    """Return a Node.js of at least a major version: that of PATH, else one from npm."""
    found = shutil.which("node")
    if found is not None and _major(found) >= major:
        return _only(found, root)
    return _with_npm(Release("npm", "node", NODE_RELEASE, "node"), root)


def _only(found: str, root: Path) -> Path:
    """Return a Node.js in a folder of its own: its neighbours are not the client's business."""
    folder = root / "node-on-path"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "node"
    link.unlink(missing_ok=True)
    link.symlink_to(found)
    return link


def _major(node: str) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # the user's own Node.js
    match = re.match(r"v(\d+)", told.stdout)
    return int(match[1]) if match else 0


def _npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm is not installed")
    return npm


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603  # the registries' ordinary clients
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if "E404" in done.stderr:
        raise UnavailableError(f"the registry has no {command[-1]}")
    if done.returncode:
        raise UnavailableError(f"{command[-1]} cannot be installed: {done.stderr.strip()[-300:]}")
