"""The key for `init`: from the environment, a hidden prompt or a pipe; and a check of it."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import click

from litellm_synthetic.cli.environment import load_dotenv_as_litellm_does
from litellm_synthetic.cli.formatting import split_message
from litellm_synthetic.cli.terminal import remark, working
from litellm_synthetic.client import quotas as account
from litellm_synthetic.config import key_check, settings
from litellm_synthetic.config.credentials import KEY_VARIABLE, Secret
from litellm_synthetic.config.endpoint import BASE_URL_VARIABLE, InvalidBaseURLError
from litellm_synthetic.errors.classes import CallFailedError, plain_failures
from litellm_synthetic.quota.wording import quotas_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

PIPE_SECONDS: Final = 10.0
CHECK_SECONDS: Final = 30.0
_MAX_BYTES: Final = 4096
_MAX_TRIES: Final = 3
_REJECTIONS: Final = ("AuthenticationError", "PermissionDeniedError")


class NoKeyError(Exception):
    """No usable key was given. The message says why."""


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Synthetic's verdict on a key, and what it answered; `unknown` where nothing decides."""

    verdict: Literal["accepted", "rejected", "unknown"]
    message: str


def key_from_environment(*, ask: Callable[[str], bool] | None) -> str | None:
    """Return the key in the environment and say so; None if there is none or it is turned down.

    Args:
        ask: asks a person whether to use it; None where nobody can be asked.
    """
    key = settings.API_KEY.text()
    if key is None:
        return None
    remark(f"{KEY_VARIABLE} is set in the environment.")
    return key if ask is None or ask("Use that key?") else None


def key_from_prompt() -> str:
    """Ask for the key without showing it, up to three times.

    Raises:
        NoKeyError: no key that can be sent was given.
        click.Abort: the input ended, or Ctrl-C.
    """
    remark(f"Keys are made at {key_check.KEYS_ARE_MADE_AT}. What you type or paste stays hidden.")
    for _ in range(_MAX_TRIES):
        text: str = click.prompt("Synthetic API key", hide_input=True, err=True)
        if (reason := key_check.unusable(text)) is None:
            return text.strip()
        remark(f"That is not a key: {reason}.")
    raise NoKeyError("No usable key was given.")


def key_from_pipe() -> str:
    """Read the key from stdin, which is not a terminal; wait 10 s at most.

    Raises:
        NoKeyError: nothing came, or nothing that can be sent.
    """
    text = _read_stdin()
    remedy = f"Pipe one in, set {KEY_VARIABLE}, or run this in a terminal."
    if text is None:
        raise NoKeyError(f"No key came on stdin within {PIPE_SECONDS:g} s. {remedy}")
    if not text.strip():
        raise NoKeyError(f"No key came on stdin, and stdin is not a terminal. {remedy}")
    if (reason := key_check.unusable(text)) is not None:
        raise NoKeyError(f"The text on stdin is not a key: {reason}. {remedy}")
    remark("The key is read from stdin.")
    return text.strip()


def _read_stdin() -> str | None:
    """Return what stdin holds up to its end, or None if that does not come in time."""
    try:
        descriptor = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):  # closed, or not a file at all
        return sys.stdin.read(_MAX_BYTES) if sys.stdin is not None else ""
    pieces: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        # Not by way of sys.stdin, whose lock would keep the interpreter from ending.
        try:
            while sum(map(len, pieces)) < _MAX_BYTES:
                piece = os.read(descriptor, _MAX_BYTES)
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


def check_key(key: Secret) -> KeyCheck:
    """Ask Synthetic for the quotas with a key, which is free; never raises for a failed call."""
    load_dotenv_as_litellm_does()  # it may name the key's base URL
    try:
        where = settings.endpoint()
    except InvalidBaseURLError as error:
        return KeyCheck("unknown", f"{BASE_URL_VARIABLE}: {error}.")
    if where.beside("v2") is None:
        return KeyCheck("unknown", f"No free call is known beside {where.base_url}.")
    remark(f"Checking the key with one free call to {where.base_url}")
    try:
        with plain_failures(), working("Waiting for the answer"):
            quotas = account.quotas(
                api_key=key.plain, api_base=where.base_url, timeout=CHECK_SECONDS, max_retries=0
            )
    except CallFailedError as failure:
        parts = split_message(key.scrub(str(failure)))
        if failure.kind in _REJECTIONS:
            return KeyCheck("rejected", parts[0])
        return KeyCheck("unknown", " ".join(parts))
    return KeyCheck("accepted", quotas_sentence(quotas))
