"""The command `run`: run a program that never imports this package, with the route registered."""

from __future__ import annotations

import os
import runpy
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_synthetic.cli.terminal import error
from litellm_synthetic.startup.on_import import hand_down, register_on_import

if TYPE_CHECKING:
    from collections.abc import Sequence

# As shells have it.
NOT_FOUND: Final = 127
CANNOT_RUN: Final = 126
_USAGE: Final = 2
_MAX_HEAD: Final = 1024


def run(arguments: Sequence[str]) -> int:
    """Run a program in this process, and return only where that failed.

    Args:
        arguments: a console script, a path, or `-m` and a module; then the program's arguments.

    Returns:
        126 where the program cannot be run, or not in this Python environment; 127 where there is
        none.
    """
    name, *rest = arguments
    if name == "-m" and not rest:
        error("-m names no module.")
        return _USAGE
    if name == "-m":
        return _run_module(*rest)
    program = _program(name)
    if program is None:
        error(f"{name} was not found. Install it in this environment, or name its path.")
        return NOT_FOUND
    interpreter = _interpreter(program)
    if interpreter is None and program.suffix != ".py":
        hand_down()
        try:
            os.execv(program, [str(program), *rest])  # noqa: S606  # what the user asked for
        except OSError as failure:
            error(f"{program} cannot be run: {failure.strerror}. Name a program.")
            return CANNOT_RUN
    if interpreter is not None and not _is_ours(interpreter):
        error(
            f"{program} runs in another Python environment ({interpreter}), where this package is "
            f"not in force. Install both into one: {interpreter} -m pip install litellm-synthetic, "
            f"then run that environment's litellm-synthetic."
        )
        return CANNOT_RUN
    _prepare(str(program), rest)
    sys.path.insert(0, str(program.resolve().parent))
    runpy.run_path(str(program), run_name="__main__")
    return 0


def _run_module(name: str, *arguments: str) -> int:
    sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    try:
        is_there = find_spec(name) is not None
    except ImportError:  # a parent that is missing, or no package
        is_there = False
    if not is_there:
        del sys.path[0]
        error(f"The module {name} was not found in this environment. Install it here.")
        return NOT_FOUND
    _prepare(name, arguments)
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _prepare(program: str, arguments: Sequence[str]) -> None:
    register_on_import()
    hand_down()
    sys.argv = [program, *arguments]


def _program(name: str) -> Path | None:
    """Return a program's file: a path, else what is installed beside this Python, else on PATH."""
    if os.sep in name or name.endswith(".py"):
        return Path(name) if Path(name).is_file() else None
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    return Path(found) if found else None


def _interpreter(program: Path) -> Path | None:
    """Return the Python that a script names in its first lines; None where it names none.

    An environment with a long path names it on the second line, after `#!/bin/sh`.
    """
    with program.open("rb") as file:
        head = file.read(_MAX_HEAD).split(b"\n")
    if not head[0].startswith(b"#!"):
        return None
    lines = head[:2] if head[0].startswith(b"#!/bin/sh") else head[:1]
    for line in lines:
        # Read as the shell reads it: the path may be quoted.
        try:
            words = shlex.split(line.decode("utf-8", "replace").removeprefix("#!"))
        except ValueError:  # a quote that is not closed
            continue
        for path in map(Path, words):
            if path.name.startswith("python"):
                found = path if path.is_absolute() else shutil.which(path.name)
                return Path(found) if found else path
    return None


def _is_ours(interpreter: Path) -> bool:
    """Tell whether an interpreter belongs to the environment that runs this."""
    # Not resolved: the links of two environments lead to one Python.
    folders = (interpreter.parent.resolve(), Path(sys.executable).parent.resolve())
    return folders[0] == folders[1]
