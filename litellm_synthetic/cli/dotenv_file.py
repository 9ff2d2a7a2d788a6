"""The `.env` file with the key: the one that LiteLLM reads, and writing the key into one.

A file is replaced at once and whole, has mode 0600 afterwards, and is never reached through a
symbolic link. Its other lines stay as they are, to the byte. (`dotenv.set_key` keeps a wide mode,
and loses `export`, CRLF and the blank lines before the key.)
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from litellm_synthetic.config.atomic_file import write_atomically
from litellm_synthetic.config.credentials import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litellm_synthetic.config.credentials import Secret

_MAX_BYTES: Final = 1024 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_GIT_SECONDS: Final = 5.0
_IGNORED, _NOT_IGNORED = 0, 1
# What shells, Docker and python-dotenv all read as it stands, without quotes.
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9_.:/+=@%,-]+")
# What comes before a name, its binding, and the line ends after it.
_BINDING: Final = re.compile(r"\A(\s*(?:export\s+)?).*?([\r\n]*)\Z", re.DOTALL)

Exposure = Literal["ignored", "not ignored", "unknown"]


class DotEnvError(Exception):
    """A `.env` file cannot hold the key. The message says what to do, and never shows a key."""


@dataclass(frozen=True, slots=True)
class DotEnvFile:
    """A `.env` file as it is before anything is written.

    Attributes:
        path: where it is, or would be.
        content: all of it; None if the file does not exist.
        mode: its permission bits; None if the file does not exist.
        key: the key in it; None if it has none.
    """

    path: Path
    content: str | None = field(default=None, repr=False)
    mode: int | None = None
    key: str | None = field(default=None, repr=False)

    @property
    def is_open_to_others(self) -> bool:
        """Tell whether the file's mode lets other users do anything with it."""
        return self.mode is not None and bool(self.mode & _OTHERS)

    def holds(self, key: Secret) -> bool:
        """Tell whether the file has this very key in it."""
        return self.key is not None and self.key.strip() == key.plain


def read_by_litellm(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the `.env` file that importing LiteLLM loads here, or None.

    It looks in the folder of its own code and in those above, so a `.env` is found where the
    virtual environment lies in the project. In an interactive interpreter it starts at the working
    folder instead. `LITELLM_MODE` other than DEV switches it off (litellm/__init__.py:30).
    """
    environ = os.environ if environ is None else environ
    if environ.get("LITELLM_MODE", "DEV") != "DEV":
        return None
    if environ.get("PYTHON_DOTENV_DISABLED", "").strip().lower() in ("1", "true", "t", "yes", "y"):
        return None
    is_interactive = not hasattr(sys.modules.get("__main__"), "__file__")
    start = working_folder() if is_interactive else _litellm()
    for folder in () if start is None else (start, *start.parents):
        candidate = folder / ".env"
        with contextlib.suppress(OSError):  # a folder that may not be searched
            if candidate.is_file():
                return candidate
    return None


def working_folder() -> Path | None:
    """Return the working folder, or None where it has been deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _litellm() -> Path | None:
    spec = find_spec("litellm")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def is_read_from(path: Path, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether LiteLLM loads this file by itself, once it is there."""
    file = read_by_litellm(environ)
    return file is not None and path.exists() and file.samefile(path)


def look(path: Path) -> DotEnvFile:
    """Look at a `.env` file that may not exist yet.

    Raises:
        DotEnvError: it is a symbolic link, not a regular file, somebody else's, write-protected or
            unreadable, or its folder is missing.
    """
    if not path.is_absolute() and working_folder() is None:
        raise DotEnvError("The working folder has been deleted; change to another.")
    try:
        if not path.parent.is_dir():
            raise DotEnvError(f"The folder {path.parent} does not exist; make it first.")
        if path.is_symlink():  # where the system has no O_NOFOLLOW
            raise DotEnvError(f"{path} is a symbolic link; name the file itself.")
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)), "rb") as file:
            mode = _check(path, os.fstat(file.fileno()))
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return DotEnvFile(path)
    except OSError as error:
        raise DotEnvError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > _MAX_BYTES:
        raise DotEnvError(f"{path} is larger than 1 MiB, so it is not a .env file; name another.")
    # What isn't UTF-8 comes back as the same bytes when it is written.
    text = content.decode("utf-8", "surrogateescape")
    return DotEnvFile(path, text, mode, _last_key(text))


def _check(path: Path, status: os.stat_result) -> int:
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        raise DotEnvError(f"{path} is not a regular file; name another.")
    if os.name == "posix":
        if status.st_uid != os.geteuid():
            raise DotEnvError(f"{path} belongs to another user; name another file.")
        if not mode & stat.S_IWUSR:
            raise DotEnvError(f"{path} is write-protected; chmod u+w it if that is not intended.")
    return mode


def _bindings(text: str) -> list[tuple[str | None, str | None, str]]:
    from dotenv.parser import parse_stream

    # The parser drops a byte order mark, which is put back by whoever joins the pieces.
    stream = io.StringIO(text, newline="")
    return [(each.key, each.value, each.original.string) for each in parse_stream(stream)]


def _last_key(text: str) -> str | None:
    values = [value for key, value, _ in _bindings(text) if key == KEY_VARIABLE]
    return values[-1] if values else None


def key_of(path: Path) -> str | None:
    """Return the key in a `.env` file, or None if there is none or it can't be read."""
    try:
        return _last_key(path.read_text("utf-8", "surrogateescape"))
    except OSError:
        return None


def write_key(file: DotEnvFile, key: Secret) -> None:
    """Put a key into a `.env` file, in place of the one that is there, with mode 0600.

    Raises:
        DotEnvError: the folder takes no files, the file has changed since `look`, or the key holds
            characters that readers of such files disagree about.
    """
    if not _PLAIN_VALUE.fullmatch(key.plain):
        raise DotEnvError(
            "The key holds characters that programs read differently in a .env file; set "
            f"{KEY_VARIABLE} in the environment instead."
        )
    if look(file.path) != file:
        raise DotEnvError(f"{file.path} has just been changed by another program; try again.")
    text = _with_key(file.content or "", f"{KEY_VARIABLE}={key.plain}")
    content = text.encode("utf-8", "surrogateescape")
    try:
        write_atomically(file.path, content)
    except OSError as error:
        raise DotEnvError(f"{file.path} cannot be written: {error.strerror or error}.") from error


def _with_key(text: str, line: str) -> str:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    pieces: list[str] = []
    has_key = False
    for key, _, original in _bindings(text):
        if key != KEY_VARIABLE:
            pieces.append(original)
            continue
        has_key = True
        pieces.append(_BINDING.sub(lambda match: f"{match[1]}{line}{match[2]}", original))
    kept = mark + "".join(pieces)
    if has_key:
        return kept
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not kept or kept.endswith(("\n", "\r")) else end
    return f"{kept}{gap}{line}{end}"


def git_exposure(path: Path) -> Exposure | None:
    """Tell whether git would take a file into its repository; None outside of any.

    `unknown` is a repository that git refuses to look at, or git that isn't installed.
    """
    folder = path.parent.resolve()
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false"]
    try:
        code = subprocess.run(  # noqa: S603  # git, with a path after `--`
            [*command, "check-ignore", "--quiet", "--", path.name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        code = None
    if code == _IGNORED:
        return "ignored"
    if code == _NOT_IGNORED:
        return "not ignored"
    return (
        "unknown" if any((each / ".git").exists() for each in (folder, *folder.parents)) else None
    )
