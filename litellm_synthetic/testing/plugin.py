"""The pytest fixture `synthetic_server`.

pytest loads this module before it knows whether a test wants it, so neither the server nor
aiohttp is imported until the fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.testing.server import SyntheticServer


@pytest.fixture(scope="session")
def synthetic_server_of_session() -> Iterator[SyntheticServer]:
    """Run one stand-in for the whole session; tests use `synthetic_server`."""
    from litellm_synthetic.testing.server import (  # noqa: PLC0415 - see the module's docstring
        SyntheticServer,
    )

    with SyntheticServer() as server:
        yield server


@pytest.fixture
def synthetic_server(
    synthetic_server_of_session: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SyntheticServer]:
    """Give a test a fresh stand-in for api.synthetic.new.

    Sets SYNTHETIC_API_KEY and SYNTHETIC_API_BASE for the test. LiteLLM only takes them up in
    the way of this package once the test calls `litellm_synthetic.register()` itself.
    """
    server = synthetic_server_of_session
    server.reset()
    monkeypatch.setenv("SYNTHETIC_API_KEY", server.api_key)
    monkeypatch.setenv("SYNTHETIC_API_BASE", server.openai_base)
    yield server
    server.drop_active()
    server.reset()
