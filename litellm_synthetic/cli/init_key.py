"""Getting the key for `init`: from the environment, a hidden prompt or a pipe; and trying it."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import click

from litellm_synthetic.cli.terminal import tell
from litellm_synthetic.config import key_check, settings
from litellm_synthetic.config.credentials import KEY_VARIABLE, Secret
from litellm_synthetic.config.endpoint import (
    BASE_URL_VARIABLE,
    Endpoint,
    InvalidBaseURLError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PIPE_SECONDS: Final = 10.0
_MOST_BYTES: Final = 4096
_TRIES: Final = 3


class NoKeyError(Exception):
    """Say why there is no key to go on with."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Say what Synthetic said of a key: that it is good, bad, or nothing that decides."""

    verdict: Literal["accepted", "rejected", "unknown"]
    said: str


def key_from_environment(*, ask: Callable[[str], bool] | None) -> str | None:
    """Return the key in the environment, saying so; None if there is none or it isn't wanted.

    Args:
        ask: asks a person whether to use it; None where nobody can be asked.
    """
    key = settings.API_KEY.text()
    if key is None:
        return None
    tell(f"{KEY_VARIABLE} is set in the environment.")
    return key if ask is None or ask("Use that key?") else None


def key_from_prompt() -> str:
    """Ask for the key without showing it, up to three times.

    Raises:
        NoKeyError: none that could be sent was given.
        click.Abort: the input ended, or Ctrl-C.
    """
    tell(f"Keys are made at {key_check.KEYS_ARE_MADE_AT}. What you type or paste stays hidden.")
    for _ in range(_TRIES):
        text: str = click.prompt("Synthetic API key", hide_input=True, err=True)
        if (reason := key_check.unusable(text)) is None:
            return text.strip()
        tell(f"That can't be a key: {reason}.")
    raise NoKeyError("No usable key was given.")


def key_from_pipe() -> str:
    """Read the key from stdin, which is no terminal; wait 10 s at most.

    Raises:
        NoKeyError: nothing came, or nothing that could be sent.
    """
    text = _piped()
    how = f"Pipe one in, set {KEY_VARIABLE}, or run this in a terminal."
    if text is None:
        raise NoKeyError(f"No key came on stdin within {PIPE_SECONDS:g} s. {how}")
    if not text.strip():
        raise NoKeyError(f"There is no terminal to ask for a key in, and none on stdin. {how}")
    if (reason := key_check.unusable(text)) is not None:
        raise NoKeyError(f"What came on stdin can't be a key: {reason}.")
    tell("The key is taken from stdin.")
    return text.strip()


def _piped() -> str | None:
    """Return what stdin holds up to its end, or None if that doesn't come in time."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        return sys.stdin.read(_MOST_BYTES) if sys.stdin is not None else ""
    pieces: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        # Not by way of sys.stdin, whose lock would keep the interpreter from ending.
        try:
            while sum(map(len, pieces)) < _MOST_BYTES:
                piece = os.read(descriptor, _MOST_BYTES)
                if not piece:
                    break
                pieces.append(piece)
        except OSError:
            pass
        done.set()

    threading.Thread(target=read, name="litellm-synthetic-stdin", daemon=True).start()
    if not done.wait(PIPE_SECONDS) and not any(b"\n" in piece for piece in pieces):
        return None
    return b"".join(pieces).decode("utf-8", "replace")


def endpoint() -> Endpoint:
    """Return where the key would be used: `SYNTHETIC_API_BASE`, else Synthetic.

    Raises:
        InvalidBaseURLError: the variable's value is refused.
    """
    return settings.endpoint()


def trial(key: Secret) -> Trial:
    """Ask Synthetic for the quotas with a key, which is free; never raises for a failed call."""
    # Importing LiteLLM would fetch its cost map otherwise. It also reads a .env file, which may say
    # to whom the key belongs, so it comes before the look at the base URL.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm  # noqa: PLC0415  # only for the trial
    import openai  # noqa: PLC0415  # the same

    import litellm_synthetic  # noqa: PLC0415  # the same
    from litellm_synthetic.cli.doctor.live import TIMEOUT_SECONDS, told_apart  # noqa: PLC0415  # LiteLLM
    from litellm_synthetic.quota.wording import quotas_sentence  # noqa: PLC0415  # the same

    try:
        where = endpoint()
    except InvalidBaseURLError as error:
        return Trial("unknown", f"{BASE_URL_VARIABLE}: {error}.")
    if where.beside("v2") is None:
        return Trial("unknown", f"Nothing is known of {where.base_url} that tries a key for free.")
    tell(f"Trying the key with one free call to {where.base_url}")
    try:
        left = litellm_synthetic.quotas(
            api_key=key.plain, api_base=where.base_url, timeout=TIMEOUT_SECONDS, max_retries=0
        )
    except (litellm.AuthenticationError, litellm.PermissionDeniedError) as error:
        return Trial("rejected", told_apart(key.scrub(str(error)))[0])
    except openai.APIError as error:  # every other exception of a call
        return Trial("unknown", " ".join(told_apart(key.scrub(str(error)))))
    return Trial("accepted", quotas_sentence(left))
