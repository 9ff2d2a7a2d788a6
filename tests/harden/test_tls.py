"""TLS: whom the key is shown, and what a broken or cut connection becomes."""

from __future__ import annotations

import itertools
import ssl
from typing import TYPE_CHECKING, Any, Final

import litellm
import pytest
import trustme

from tests.harden.entry_points import ENTRY_POINTS, Answer, EntryPoint, Target
from tests.harden.harness import right_text
from tests.harden.replies import head, sized
from tests.harden.secrets import places_in_error
from tests.harden.upstream import CUT, FIN, RESET, STALL, RawUpstream, forever
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.harden.harness import Harness
    from tests.harden.upstream import Step

_numbers: Final = itertools.count()
_NAMES: Final = (
    "chat sync", "chat async", "chat stream sync", "chat stream async", "embedding sync",
    "embedding async", "text async", "over Messages sync", "native Messages async",
    "native Messages stream async", "responses async",
)  # fmt: skip  # one list, read as one
CHOSEN: Final = [one for one in ENTRY_POINTS if one.name in _NAMES]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def _context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def secure(authority: trustme.CA) -> Iterator[RawUpstream]:
    with RawUpstream(tls=_context(authority, "127.0.0.1", "localhost")) as server:
        yield server


def _ended(
    harness: Harness, server: RawUpstream, entry: EntryPoint, verify: Any, seconds: float = 90.0
) -> Answer | BaseException:
    token = f"tls{next(_numbers)}"
    target = Target(server.base(token, "").rstrip("/"), seconds, token, verify=verify)
    server.register(token, lambda _: [sized(entry.kind, _body(entry))])
    return _made(harness, entry, target)


def _made(harness: Harness, entry: EntryPoint, target: Target) -> Answer | BaseException:
    try:
        if entry.is_async:
            return harness.loop.submit(entry.call(target)).result(240)  # type: ignore[no-any-return]
        return harness.pool.submit(entry.call, target).result(240)  # type: ignore[no-any-return]
    except Exception as error:  # noqa: BLE001  # judged by the test
        return error


def _body(entry: EntryPoint) -> bytes:
    from tests.harden.replies import body_of  # noqa: PLC0415

    return body_of(entry.kind)


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda one: one.name)
def test_a_trusted_peer_answers(
    entry: EntryPoint, harness: Harness, secure: RawUpstream, trusted: str
) -> None:
    answer = _ended(harness, secure, entry, trusted)
    assert isinstance(answer, Answer), repr(answer)
    assert answer.text == right_text(entry.kind)


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda one: one.name)
def test_an_untrusted_peer_is_sent_nothing(
    entry: EntryPoint, harness: Harness, secure: RawUpstream
) -> None:
    error = _ended(harness, secure, entry, None)
    assert isinstance(error, litellm.APIConnectionError), repr(error)
    assert "certificate" in str(error)
    assert places_in_error(error) == []
    assert not any(one.headers for one in secure.requests(f"tls{next(_numbers) - 1}"))


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda one: one.name)
def test_a_peer_of_another_name_is_sent_nothing(
    entry: EntryPoint, harness: Harness, authority: trustme.CA, trusted: str
) -> None:
    with RawUpstream(tls=_context(authority, "elsewhere.example")) as server:
        error = _ended(harness, server, entry, trusted)
        assert isinstance(error, litellm.APIConnectionError), repr(error)
        # Sent once: another attempt changes nothing. The server may hear of it a little later.
        wait_until(lambda: server.counts.handshakes_failed == 1, lambda: str(server.counts))
        assert server.counts.opened == 1


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        ((RESET,), litellm.APIConnectionError),
        ((FIN,), litellm.APIConnectionError),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", FIN), litellm.APIConnectionError),
        ((b"\x15\x03\x01\x00\x02\x02\x28", FIN), litellm.APIConnectionError),
        ((bytes(range(256)) * 64, FIN), litellm.APIConnectionError),
        ((STALL,), litellm.Timeout),
        # The header of a record, then what it announced, byte by byte.
        ((b"\x16\x03\x03\x3f\xff", forever(b"\0", 0.1)), litellm.Timeout),
    ],
    ids=["reset", "FIN", "plain HTTP", "an alert", "garbage", "silence", "a drip"],
)
def test_a_broken_handshake_ends(
    greeting: tuple[Step, ...],
    kind: type[Exception],
    entry: EntryPoint,
    harness: Harness,
    trusted: str,
) -> None:
    with RawUpstream(tls=ssl.create_default_context(), greeting=greeting) as server:
        error = _ended(harness, server, entry, trusted, 1.0 if kind is litellm.Timeout else 90.0)
        assert isinstance(error, kind | litellm.Timeout), repr(error)
        assert places_in_error(error) == []


@pytest.mark.parametrize("entry", CHOSEN, ids=lambda one: one.name)
@pytest.mark.parametrize("end", [CUT, FIN], ids=["cut", "closed"])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_body_without_a_length_is_whole_or_an_error(
    share: float, end: Step, entry: EntryPoint, harness: Harness, secure: RawUpstream, trusted: str
) -> None:
    token = f"tls{next(_numbers)}"
    body = _body(entry)
    script = [head(entry.kind) + body[: int(len(body) * share)], end]
    secure.register(token, lambda _: script)
    target = Target(secure.base(token, "").rstrip("/"), 90.0, token, verify=trusted)
    made = _made(harness, entry, target)
    if share == 1.0 and end is FIN:
        assert isinstance(made, Answer), repr(made)
    if isinstance(made, Answer):
        assert share == 1.0
        assert made.text == right_text(entry.kind)
    else:
        assert type(made).__module__ == "litellm.exceptions"
