"""Write a file at once and whole: readers see the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE: Final = 0o600
_MAX_NAME_CHARACTERS: Final = 100


def write_atomically(
    path: Path, content: bytes, *, mode: int | None = PRIVATE, overwrite: bool = True
) -> None:
    """Put a file with this content at a path. On failure nothing changes, and nothing is left over.

    A symbolic link at the path is replaced, never followed.

    Args:
        path: where to; its folder has to exist.
        content: all of the new file.
        mode: its permission bits, 0600 by default; None: what the user's umask leaves.
        overwrite: whether a file that is there is replaced.

    Raises:
        FileExistsError: something is there, and `overwrite` is False.
        OSError: the file system refuses.
    """
    # In the same folder, because a rename cannot cross file systems.
    name = path.name.lstrip(".")[:_MAX_NAME_CHARACTERS]
    temporary = path.with_name(f".{name}.{os.urandom(4).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666 if mode is None else PRIVATE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode not in (None, PRIVATE):
            temporary.chmod(mode)
        if overwrite:
            temporary.replace(path)
        else:
            _move_to_free_place(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _move_to_free_place(source: Path, target: Path) -> None:
    """Rename without ever replacing; a plain rename would replace silently on POSIX."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without hard links: at least look once more
        if os.path.lexists(target):
            raise FileExistsError(target) from error
        source.replace(target)
