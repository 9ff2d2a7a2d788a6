"""The folder for files that outlive a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litellm_synthetic.config.settings import CACHE_DIR

if TYPE_CHECKING:
    from pathlib import Path


def cache_folder() -> Path:
    """Return the folder: `SYNTHETIC_CACHE_DIR`, else the user's cache folder on this system.

    Raises:
        OSError: the system names no home directory.
    """
    try:
        if (configured_folder := CACHE_DIR.value()) is not None:
            return configured_folder.expanduser()
        import platformdirs  # noqa: PLC0415  # not needed where the folder is given

        folder = platformdirs.user_cache_path("litellm-synthetic", appauthor=False)
    except RuntimeError as error:  # of expanduser
        raise OSError(str(error)) from None
    if not folder.is_absolute():
        raise OSError("no home directory was found")
    return folder
