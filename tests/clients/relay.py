"""A relay between a client and the proxy that keeps what the client sends."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SECONDS = 120
_HOP_BY_HOP = frozenset(("connection", "content-length", "host", "transfer-encoding"))


@contextlib.contextmanager
def relay_to(target: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Relay to a server until the block ends; yield the address, and the requests with a body."""
    kept: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self._relay()

        def do_POST(self) -> None:  # as above
            self._relay()

        def _relay(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower() not in _HOP_BY_HOP
            }
            if content:
                body = json.loads(content)
                kept.append({"path": self.path, "headers": headers, "body": body})
            with httpx.stream(
                self.command, target + self.path, headers=headers, content=content,
                timeout=_MAX_SECONDS,
            ) as reply:  # fmt: skip  # one call
                self.send_response(reply.status_code)
                for name, value in reply.headers.items():
                    if name not in _HOP_BY_HOP | {"content-encoding", "date"}:
                        self.send_header(name, value)
                self.send_header("connection", "close")
                self.end_headers()
                for piece in reply.iter_bytes():
                    self.wfile.write(piece)
                    self.wfile.flush()

        def log_message(self, *args: Any) -> None:
            """Say nothing; the suite prints what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
