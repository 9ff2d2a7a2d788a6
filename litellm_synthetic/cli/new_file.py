"""Write a file for the user: whole or not at all, and over another one only if told to."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from litellm_synthetic.config.atomic_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


class NotWrittenError(Exception):
    """A file was not written. The message says why and what to do; nothing has changed."""


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write a text as UTF-8, in one step.

    Args:
        path: where to.
        text: all of the new file.
        force: whether an existing file is replaced; its mode is kept.

    Raises:
        NotWrittenError: something is there and `force` is not given; it is a folder, a symbolic
            link or not a regular file, which `force` does not replace either; or the file system
            refuses.
    """
    try:
        mode = _mode_of(path)
        write_atomically(path, text.encode(), mode=mode, overwrite=force)
    except FileExistsError:
        raise NotWrittenError(f"{path} exists already; --force replaces it.") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise NotWrittenError(f"{path} cannot be written: {reason}.") from None


def _mode_of(path: Path) -> int | None:
    """Return the mode of a regular file, or None if nothing is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise NotWrittenError(f"{path} is a folder; name a file in it.")
    if stat.S_ISLNK(mode):
        raise NotWrittenError(f"{path} is a symbolic link; name the file itself.")
    if not stat.S_ISREG(mode):
        raise NotWrittenError(f"{path} is not a regular file; for stdout use '-'.")
    return stat.S_IMODE(mode)
