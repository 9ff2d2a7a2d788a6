"""The rest of the plan: `quotas()` and `aquotas()`."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest

import litellm_synthetic
from litellm_synthetic.testing.quotas import form_of_2025

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litellm_synthetic.quota.report import Quotas
    from litellm_synthetic.testing import SyntheticServer

KEY = "syn_0123456789abcdef0123456789abcdef"


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Any:
    """Return the question, sync in one run and async in the other."""

    async def question(**arguments: Any) -> Quotas | None:
        if request.param:
            return await litellm_synthetic.aquotas(**arguments)
        return litellm_synthetic.quotas(**arguments)

    return question


@contextmanager
def server(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """Answer every GET on this machine with one reply; yield the base URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/openai/v1"
        finally:
            listening.shutdown()
            thread.join()


async def test_the_plan_is_asked_for_beside_the_base_url_with_the_key(
    synthetic_server: SyntheticServer, ask: Any
) -> None:
    found = await ask()
    assert found.rolling_five_hours.maximum == 500
    assert found.weekly_credits.maximum_usd == 24.0
    request = synthetic_server.last_request
    assert (request.method, request.path, request.body) == ("GET", "/v2/quotas", b"")
    assert request.bearer == synthetic_server.api_key


async def test_an_account_without_a_subscription_is_none_and_never_unlimited(
    synthetic_server: SyntheticServer, ask: Any
) -> None:
    synthetic_server.set_quotas({})
    assert await ask() is None


async def test_the_form_of_2025_is_read(synthetic_server: SyntheticServer, ask: Any) -> None:
    synthetic_server.set_quotas(form_of_2025(0))
    found = await ask()
    assert (found.subscription.limit, found.subscription.used) == (135, 73.8)
    assert found.rolling_five_hours is None


async def test_any_of_the_accounts_base_urls_will_do(
    synthetic_server: SyntheticServer, ask: Any
) -> None:
    for base in (synthetic_server.url, synthetic_server.anthropic_base):
        assert await ask(api_base=base) is not None
        assert synthetic_server.last_request.path == "/v2/quotas"


async def test_a_refused_key_is_an_authentication_error_without_it(
    synthetic_server: SyntheticServer, ask: Any
) -> None:
    with pytest.raises(litellm.AuthenticationError, match="Invalid API Key") as caught:
        await ask(api_key=KEY)
    assert KEY not in str(caught.value)
    assert len(synthetic_server.requests) == 1


async def test_without_a_key_nothing_is_sent(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-foreign")
    monkeypatch.setattr(litellm, "api_key", "sk-foreign")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was opened"))
    with pytest.raises(litellm.AuthenticationError, match="SYNTHETIC_API_KEY"):
        await ask()


@pytest.mark.parametrize("base", ["http://example.org/v1", "https://gateway.example/my/llm"])
async def test_a_base_url_that_tells_nothing_of_quotas_gets_no_key(
    ask: Any, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was opened"))
    with pytest.raises(litellm.BadRequestError):
        await ask(api_key=KEY, api_base=base)


async def test_a_redirect_is_not_followed(synthetic_server: SyntheticServer, ask: Any) -> None:
    headers = {"Location": f"{synthetic_server.url}/v2/quotas"}
    with (
        server(307, b"", headers) as base,
        pytest.raises(openai.APIError, match="redirects") as caught,
    ):
        await ask(api_base=base)
    assert not synthetic_server.requests
    assert isinstance(caught.value, litellm.APIError)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"hello": 1}', b"{" * 99_999])
async def test_a_reply_that_is_no_quota_is_an_error(ask: Any, body: bytes) -> None:
    with server(200, body) as base, pytest.raises(litellm.APIError, match="answered 200, but"):
        await ask(api_key=KEY, api_base=base)


async def test_a_server_that_is_down_is_a_connection_error(ask: Any) -> None:
    with pytest.raises(litellm.APIConnectionError):
        await ask(api_key=KEY, api_base="http://127.0.0.1:9/v1", max_retries=0)
