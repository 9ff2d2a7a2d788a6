"""TLS settings: one trust store for every HTTP library underneath."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path

from litellm_synthetic.transport.failures import UnsendableError

Verify = bool | str | ssl.SSLContext
"""True for the usual CAs, False for no check at all, a CA file or folder, or a context."""


def tls_context(verify: Verify) -> ssl.SSLContext:
    """Return the context for a setting; a caller's own is used as it is.

    True means the CAs in the file `SSL_CERT_FILE` or the folder `SSL_CERT_DIR` where the
    environment names one, else certifi's.

    Raises:
        UnsendableError: the file or folder does not hold certificates.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    environment = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    return _made(verify, *environment)


@lru_cache(maxsize=16)
def _made(verify: str | bool, file: str, folder: str) -> ssl.SSLContext:  # noqa: FBT001  # a setting
    # Reading the CAs takes some 20 ms, and every event loop has connections of its own.
    context = _unverified() if verify is False else _verified(verify, file, folder)
    context.set_alpn_protocols(["http/1.1"])
    return context


forget_contexts = _made.cache_clear


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _verified(verify: str | bool, file: str, folder: str) -> ssl.SSLContext:  # noqa: FBT001  # the same
    source = verify if isinstance(verify, str) else ""
    if source:
        file, folder = ("", source) if Path(source).is_dir() else (source, "")
    elif not (file or folder):
        import certifi  # noqa: PLC0415  # only where no other CAs are named

        file = certifi.where()
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (OSError, ValueError):
        setting = "ssl_verify or SSL_VERIFY" if source else "SSL_CERT_FILE or SSL_CERT_DIR"
        raise UnsendableError(f"{setting} does not name CA certificates that can be read") from None
