"""The response headers that were recorded from the service in February 2026."""

from __future__ import annotations

_CLERK_MESSAGE = (
    "Invalid JWT form. A JWT consists of three parts separated by dots. "
    "(reason=token-invalid, token-carrier=header)"
)
_CHAT_HEADERS = (
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("access-control-allow-methods", "GET,POST,PUT,DELETE,OPTIONS"),
    ("access-control-allow-origin", "*"),
    ("vary", "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch"),
    ("vary", "Access-Control-Request-Headers"),
    (
        "x-clerk-auth-message",
        _CLERK_MESSAGE,
    ),
    ("x-clerk-auth-reason", "token-invalid"),
    ("x-clerk-auth-status", "signed-out"),
)


def service_headers(
    route: str, content_type: str, quotas: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a reply of the service itself.

    Every recorded chat reply carries them, the 401 included; only a 200 carries quotas and the
    session cookie. It has neither a request id nor `x-ratelimit-*` nor `Retry-After`.

    Args:
        route: The path that was asked for.
        content_type: The content type of the body; `""` for none.
        quotas: The value of `x-synthetic-quotas`; `None` leaves it and the cookie out.
    """
    path = route if route.startswith(("/openai", "/anthropic", "/v2")) else f"/openai{route}"
    headers = [*_CHAT_HEADERS, ("x-middleware-rewrite", f"/api{path}")]
    if content_type:
        headers.append(("Content-Type", content_type))
    if quotas is not None:
        headers.append(("x-synthetic-quotas", quotas))
        headers.append(("Set-Cookie", "S=stand-in; Domain=synthetic.new; Path=/; HttpOnly; Secure"))
    return tuple(headers)
