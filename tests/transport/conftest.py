"""Every test of an exchange runs over each of the libraries underneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from litellm_synthetic.transport.pool import retire_connections
from tests.transport.upstream import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def own_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Share no connection with another test, and see none of the machine's settings."""
    for name in (*PROXY_VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    retire_connections()
    yield
    retire_connections()


@pytest.fixture(params=["sync", "async", "httpx-sync", "httpx-async"])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    """Reach the upstream over one library."""
    async with Way(request.param) as result:
        yield result


@pytest.fixture(params=["sync", "async"])
async def own_way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    """Reach the upstream over one of the libraries that are used where no client is brought."""
    async with Way(request.param) as result:
        yield result


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let back-off pass at once."""
    monkeypatch.setattr("litellm_synthetic.transport.retries._FIRST_DELAY_SECONDS", 0.001)
