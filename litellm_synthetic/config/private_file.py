"""Replace a file that nobody but the user may read: at once and whole, with mode 0600."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def replace_privately(path: Path, content: bytes, *, temporary_prefix: str) -> None:
    """Put a file with this content at a path, whatever file was there before.

    Who reads meanwhile sees the old file or the new one, whole. On failure the old one stays, and
    nothing is left beside it.

    Args:
        path: where to; its folder has to exist.
        content: all of the new file.
        temporary_prefix: how the name of the file begins that is renamed to `path` at the end.

    Raises:
        OSError: the file system refuses.
    """
    # mkstemp makes the file with mode 0600, in the same folder because a rename cannot cross file
    # systems. The rename replaces a link that somebody has put there meanwhile, and not its target.
    handle, temporary = tempfile.mkstemp(prefix=temporary_prefix, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
