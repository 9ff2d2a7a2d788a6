"""The header `x-synthetic-quotas`: its name, and the longest that is believed."""

from __future__ import annotations

from typing import Final

HEADER: Final = "x-synthetic-quotas"
# The longest form seen is under 700 characters; a header of a megabyte is not a quota.
MAX_HEADER_CHARACTERS: Final = 16_384
