"""The subject of a quota report: one key at one origin, named by a digest.

The digest is the same in every process, so that workers and machines can share what they know. It
is salted, so that it cannot be looked up in a list of other digests, and it does not lead back to
the key, which is kept nowhere.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from litellm_synthetic.config.endpoint import origin_of

if TYPE_CHECKING:
    from litellm_synthetic.config.credentials import Secret

Scope = str
_SALT: Final = b"synthetic quotas"  # 16 bytes, as many as blake2b takes
_DIGEST_BYTES: Final = 12


def scope_of(key: Secret, base_url: str) -> Scope:
    """Return the name of a key at the origin of a base URL."""
    text = f"{origin_of(base_url)} {key.plain}"
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES, salt=_SALT).hexdigest()
