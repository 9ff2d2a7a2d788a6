"""The models that `SYNTHETIC_ALLOWED_MODELS` allows: comma-separated globs over ids.

An entry is matched against the id itself, without regard to case and in every spelling that the
route takes: `hf:zai-org/*`, `zai-org/*` and `synthetic/hf:zai-org/*` mean the same. `*`, `?` and
`[…]` are as in `fnmatch`; a `*` also spans `/`. What an alias serves doesn't count: `hf:zai-org/*`
doesn't allow `syn:large:text`, and `syn:*` allows whatever the aliases serve.

A blank value is not an allowlist. Any other value restricts, even where no entry of it is usable:
a mistake must not open what was meant to be closed.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final, NamedTuple

from litellm_synthetic.config.ids import HUGGING_FACE_SCHEME, ROUTE_PREFIX, canonical_id
from litellm_synthetic.config.lazy_pattern import LazyPattern

# No id holds these. Quotes are what .env files and Compose files leave in a value by mistake.
_IN_NO_ID: Final = LazyPattern(r"[^!-~]|[\"'`\\]")
_UNCLOSED_BRACKET: Final = LazyPattern(r"\[(?!!?+.[^\]]*\])")


class Allowlist(NamedTuple):
    """The globs that decide which model ids may be used.

    Attributes:
        entries: the usable globs, as they were written, without surrounding white space.
        malformed: the entries that can match no id, because of white space, quotes or other
            characters that no id has, or an unclosed `[`. They allow nothing.
    """

    entries: tuple[str, ...]
    malformed: tuple[str, ...] = ()

    def allows(self, model_id: str) -> bool:
        """Tell whether an id, in any spelling `canonical_id` understands, may be used."""
        full_id = canonical_id(model_id)
        spellings = (full_id, full_id.removeprefix(HUGGING_FACE_SCHEME))
        return any(
            _pattern(entry).fullmatch(spelling) for entry in self.entries for spelling in spellings
        )


def parse_allowlist(text: str | None) -> Allowlist | None:
    """Read a comma-separated list of globs; None or a blank text is not an allowlist.

    Empty entries, as after a trailing comma, are skipped. Never raises: entries that can match
    nothing are kept in `malformed`, so that whoever shows the list can say so.
    """
    if text is None or not text.strip():
        return None
    entries = tuple(dict.fromkeys(entry for each in text.split(",") if (entry := each.strip())))
    malformed = tuple(entry for entry in entries if _is_malformed(entry))
    return Allowlist(
        entries=tuple(entry for entry in entries if entry not in malformed), malformed=malformed
    )


def _is_malformed(entry: str) -> bool:
    return bool(_IN_NO_ID.search(entry) or _UNCLOSED_BRACKET.search(entry))


@lru_cache(maxsize=256)
def _pattern(entry: str) -> re.Pattern[str]:
    while entry.startswith(ROUTE_PREFIX):
        entry = entry.removeprefix(ROUTE_PREFIX)
    # ASCII only: by Unicode's rules the Kelvin sign is a k, and the server has its own.
    return re.compile(translate(entry), re.IGNORECASE | re.ASCII)
