"""Write a file for the user: whole or not at all, and over another one only if told to."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class NotWrittenError(Exception):
    """Say why a file was not written, and what to do about it. Nothing has changed."""


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write a text as UTF-8, in one step: who reads meanwhile sees the old file or the new one.

    Args:
        path: where to.
        text: what.
        force: whether an existing file is replaced; its mode is kept.

    Raises:
        NotWrittenError: something is there and `force` is not given; it is a folder, a symbolic
            link or another thing that is no file, which `force` does not replace either; or the
            file system refuses.
    """
    mode = _mode_of_present(path, force=force)
    # In the same folder, because a rename cannot cross file systems.
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        _create(temporary, text, mode)
        if force:
            temporary.replace(path)
        else:
            _move_to_free_place(temporary, path)
    except FileExistsError:  # it came into being meanwhile
        raise NotWrittenError(_already_there(path)) from None
    except OSError as error:
        raise NotWrittenError(f"{path} cannot be written: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _mode_of_present(path: Path, *, force: bool) -> int | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # a folder in the way, a name with a null byte
        raise NotWrittenError(f"{path} cannot be written: {_reason(error)}.") from None
    if stat.S_ISDIR(found.st_mode):
        raise NotWrittenError(f"{path} is a folder; name a file in it.")
    if stat.S_ISLNK(found.st_mode):
        raise NotWrittenError(f"{path} is a symbolic link; name the file itself.")
    if not stat.S_ISREG(found.st_mode):
        raise NotWrittenError(f"{path} is no regular file; for stdout use '-'.")
    if not force:
        raise NotWrittenError(_already_there(path))
    return stat.S_IMODE(found.st_mode)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _already_there(path: Path) -> str:
    return f"{path} is there already; --force replaces it."


def _create(path: Path, text: str, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    # The mode of new files, which the user's umask narrows.
    with os.fdopen(os.open(path, flags, 0o666), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)


def _move_to_free_place(source: Path, target: Path) -> None:
    """Rename without ever replacing; a plain rename would replace silently on POSIX."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: at least look once more
        if os.path.lexists(target):
            raise FileExistsError from None
        source.replace(target)
