"""Whom a call trusts, and through whom it goes."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from litellm_synthetic.transport import destination
from litellm_synthetic.transport.failures import (
    ConnectionBrokenError,
    UnsendableError,
    UntrustedPeerError,
)
from litellm_synthetic.transport.tls import tls_context
from tests.transport.upstream import Connection, Upstream, Way, chunked, whole

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def secure(server_tls: ssl.SSLContext) -> Iterator[Upstream]:
    """Serve HTTPS with a certificate that no one knows."""
    with Upstream(whole(b"{}"), tls=server_tls) as upstream:
        yield upstream


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.fixture
def ca_folder(ca_file: str, tmp_path: Path) -> str:
    """Name the certificate by its hash, as OpenSSL wants it in a folder."""
    folder = tmp_path / "cas"
    folder.mkdir()
    try:
        hashed = subprocess.run(  # noqa: S603  # fixed arguments
            ["openssl", "x509", "-hash", "-noout", "-in", ca_file],  # noqa: S607  # whichever it is
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the openssl command")
    (folder / f"{hashed}.0").write_bytes(Path(ca_file).read_bytes())
    return str(folder)


@pytest.mark.usefixtures("no_waiting")
async def test_an_unknown_certificate_ends_the_call_at_once(own_way: Way, secure: Upstream) -> None:
    with pytest.raises(UntrustedPeerError, match="certificate is not trusted"):
        await own_way.send(secure.url, max_retries=3)
    assert not secure.requests
    assert secure.accepted == 1


async def test_a_certificate_for_another_host_is_not_trusted(
    own_way: Way, ca_file: str, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with Upstream(whole(b"{}"), tls=context) as upstream, pytest.raises(UntrustedPeerError):
        await own_way.send(upstream.url, verify=ca_file)
    assert not upstream.requests


async def test_a_file_of_cas_is_trusted(own_way: Way, secure: Upstream, ca_file: str) -> None:
    for _ in range(2):
        assert (await own_way.send(secure.url, verify=ca_file)).body == b"{}"
    assert secure.accepted == 1


async def test_a_folder_of_cas_is_trusted(own_way: Way, secure: Upstream, ca_folder: str) -> None:
    assert (await own_way.send(secure.url, verify=ca_folder)).body == b"{}"


async def test_a_context_is_used_as_it_is(own_way: Way, secure: Upstream, ca_file: str) -> None:
    context = ssl.create_default_context(cafile=ca_file)
    assert (await own_way.send(secure.url, verify=context)).body == b"{}"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_the_environment_names_cas(
    own_way: Way,
    secure: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    request: pytest.FixtureRequest,
) -> None:
    path = request.getfixturevalue("ca_file" if variable.endswith("FILE") else "ca_folder")
    monkeypatch.setenv(variable, path)
    assert (await own_way.send(secure.url)).body == b"{}"


async def test_only_false_trusts_anybody(own_way: Way, secure: Upstream) -> None:
    assert (await own_way.send(secure.url, verify=False)).body == b"{}"
    with pytest.raises(UntrustedPeerError):
        await own_way.send(secure.url, verify="")
    with pytest.raises(UntrustedPeerError):
        await own_way.send(secure.url)


async def test_connections_of_one_setting_do_not_serve_another(
    own_way: Way, secure: Upstream, ca_file: str
) -> None:
    await own_way.send(secure.url, verify=False)
    await own_way.send(secure.url, verify=ca_file)
    with pytest.raises(UntrustedPeerError):
        await own_way.send(secure.url)
    assert secure.accepted == 3


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_a_path_without_certificates_is_named_by_its_setting(
    own_way: Way, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnsendableError, match="ssl_verify or SSL_VERIFY") as excinfo:
        await own_way.send("https://127.0.0.1:1/v1", verify=str(path))
    assert str(path) not in str(excinfo.value)


async def test_a_stream_over_tls_reads_like_any_other(
    own_way: Way, secure: Upstream, ca_file: str
) -> None:
    secure.answer = chunked(*[b"data: %d\n\n" % number for number in range(300)])
    for _ in range(2):
        body = await own_way.open(secure.url, verify=ca_file)
        assert (await own_way.read_all(body)).count(b"data:") == 300
        await own_way.close(body)
    assert secure.accepted == 1


async def test_what_speaks_no_tls_is_a_broken_connection(own_way: Way) -> None:
    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=greet)
        server.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        with pytest.raises(ConnectionBrokenError):
            await own_way.send(url, verify=False)
        server.join()


def test_the_default_checks_certificate_and_host() -> None:
    assert tls_context(verify=True).verify_mode is ssl.CERT_REQUIRED
    assert tls_context(verify=True).check_hostname


class Tunnel:
    """Be a proxy that opens tunnels, and passes on what asks for a whole address."""

    def __init__(self) -> None:
        self.upstream = Upstream(self.answer)

    def answer(self, connection: Connection) -> bool:
        if not connection.request.line.startswith("CONNECT "):
            connection.write(whole(b"forwarded"))
            return True
        host, _, port = connection.request.line.split()[1].rpartition(":")
        with socket.create_connection((host, int(port))) as behind:
            connection.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there = threading.Thread(target=pump, args=(connection.socket, behind))
            there.start()
            pump(behind, connection.socket)
            there.join()
        return False


def pump(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(10)
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def proxy() -> Iterator[Upstream]:
    with Tunnel().upstream as upstream:
        yield upstream


def address(proxy: Upstream, credentials: str = "") -> str:
    return f"http://{credentials}127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_http_goes_through_the_proxy_of_the_environment(
    own_way: Way, proxy: Upstream, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, address(proxy, "user:pass%3Aword@"))
    reply = await own_way.send("http://behind.invalid/v1/x")
    assert reply.body == b"forwarded"
    assert proxy.requests[0].line == "POST http://behind.invalid/v1/x HTTP/1.1"
    assert proxy.requests[0].headers["host"] == "behind.invalid"
    credentials = base64.b64encode(b"user:pass:word").decode()
    assert proxy.requests[0].headers["proxy-authorization"] == f"Basic {credentials}"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_https_goes_through_a_tunnel_that_sees_neither_key_nor_body(
    own_way: Way,
    proxy: Upstream,
    secure: Upstream,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, address(proxy, "user:word@"))
    for _ in range(2):
        assert (await own_way.send(secure.url, verify=ca_file)).body == b"{}"
    [body] = proxy.requests
    assert body.line.startswith(f"CONNECT 127.0.0.1:{secure.port} ")
    assert body.headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in body.headers
    assert "proxy-authorization" not in secure.requests[0].headers
    await own_way.let_go()
    assert await secure.all_left()


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*", "localhost,127.0.0.1"])
async def test_no_proxy_names_who_is_reached_without(
    own_way: Way, proxy: Upstream, monkeypatch: pytest.MonkeyPatch, exempt: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address(proxy))
    monkeypatch.setenv("NO_PROXY", exempt)
    with Upstream(whole(b"{}")) as upstream:
        assert (await own_way.send(upstream.url)).body == b"{}"
    assert not proxy.requests


async def test_a_proxy_that_refuses_is_a_broken_connection(
    own_way: Way, proxy: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.answer = whole(b"", "407 Proxy Authentication Required")
    monkeypatch.setenv("HTTPS_PROXY", address(proxy, "user:hunter2@"))
    with pytest.raises(ConnectionBrokenError, match="407") as excinfo:
        await own_way.send("https://behind.invalid/v1")
    assert "hunter2" not in repr(excinfo.value)


async def test_a_socks_proxy_needs_what_speaks_socks(
    own_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(UnsendableError, match=r"pip install 'httpx\[socks\]'"):
        await own_way.send("https://behind.invalid/v1")


@pytest.mark.parametrize("by_name", ["gopher://a", "http://", "http://a:port"])
async def test_what_is_no_proxy_is_named_by_its_variable(
    own_way: Way, monkeypatch: pytest.MonkeyPatch, by_name: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", by_name)
    with pytest.raises(UnsendableError, match="HTTP_PROXY"):
        await own_way.send("http://behind.invalid/v1")


def test_a_proxys_credentials_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://user:hunter2@proxy.example:3128")
    result: Any = destination.proxy_for("https://api.synthetic.new")
    assert result.url == "http://proxy.example:3128"
    assert "hunter2" not in repr(result)
