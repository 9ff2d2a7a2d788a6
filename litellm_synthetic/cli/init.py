"""The command `init`: get a key, try it, put it into a `.env` file if asked, say what goes where.

The key itself is never printed. Exit codes: 0 done, 1 not done and why, 2 no key to be had without
a terminal, 130 Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.cli.dotenv_file import (
    DotEnvError,
    DotEnvFile,
    git_exposure,
    is_read_from,
    look,
    working_folder,
    write_key,
)
from litellm_synthetic.cli.init_key import (
    NoKeyError,
    endpoint,
    key_from_environment,
    key_from_pipe,
    key_from_prompt,
    trial,
)
from litellm_synthetic.cli.init_view import instructions
from litellm_synthetic.cli.terminal import Screen, tell
from litellm_synthetic.config import key_check
from litellm_synthetic.config.credentials import KEY_VARIABLE, Secret
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL, InvalidBaseURLError

DONE: Final = 0
NOT_DONE: Final = 1
NO_TERMINAL: Final = 2
INTERRUPTED: Final = 130


class _StopError(Exception):
    """End the command with a line that says why."""


def run(*, check: bool, write_to: Path | None, force: bool) -> int:
    """Do what the command is for, and return the exit code.

    Args:
        check: try the key with one free call.
        write_to: the `.env` file to write without asking; None asks in a terminal.
        force: replace the key that the file holds, without asking.
    """
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        return _run(check=check, write_to=write_to, force=force, has_terminal=has_terminal)
    except NoKeyError as error:
        tell(str(error))
        return NOT_DONE if has_terminal else NO_TERMINAL
    except (_StopError, DotEnvError) as error:
        tell(str(error))
        return NOT_DONE
    except click.Abort as abort:
        # click's prompts turn Ctrl-C and the end of the input into the same exception.
        is_interrupt = isinstance(abort.__context__, KeyboardInterrupt)
        tell("Interrupted; nothing was written." if is_interrupt else "Nothing was written.")
        return INTERRUPTED if is_interrupt else NOT_DONE
    except KeyboardInterrupt:
        tell("Interrupted; nothing was written.")
        return INTERRUPTED


def _run(*, check: bool, write_to: Path | None, force: bool, has_terminal: bool) -> int:
    file = None if write_to is None else look(write_to)  # before anybody types a key
    key = _key(has_terminal=has_terminal)
    _judge_shape(key, has_terminal=has_terminal)
    if check:
        _try(key, has_terminal=has_terminal)
    else:
        tell("The key was not tried (--no-check).")
    if file is not None:
        _warn_of_git(file)
    elif has_terminal:
        file = _offered(key)
    if file is not None:
        _write(file, key, force=force, has_terminal=has_terminal)
    written = None if file is None else file.path
    screen = Screen.of_stdout()
    screen.write(instructions(active.in_force().catalog, written))
    return DONE


def _ask(question: str, *, default: bool = False) -> bool:
    # What is asked stands above the line for the answer, which has room on a narrow terminal then.
    tell(question)
    return click.confirm("Yes or no?", default=default, err=True)


def _key(*, has_terminal: bool) -> Secret:
    ask = (lambda question: _ask(question, default=True)) if has_terminal else None
    text = key_from_environment(ask=ask)
    if text is not None and (reason := key_check.unusable(text)) is not None:
        raise _StopError(f"{KEY_VARIABLE} in the environment can't be a key: {reason}.")
    if text is None:
        text = key_from_prompt() if has_terminal else key_from_pipe()
    return Secret(text)


def _judge_shape(key: Secret, *, has_terminal: bool) -> None:
    try:
        base_url = endpoint().base_url
    except InvalidBaseURLError:
        base_url = DEFAULT_BASE_URL
    is_for_synthetic = key_check.is_synthetics(base_url)
    if (reason := key_check.oddity(key.plain, is_for_synthetic=is_for_synthetic)) is None:
        return
    tell(f"Something is odd about the key: {reason}.")
    if has_terminal and not _ask("Go on with it?"):
        raise _StopError("Nothing was written.")


def _try(key: Secret, *, has_terminal: bool) -> None:
    result = trial(key)
    if result.verdict == "accepted":
        tell(f"The key is accepted. {result.said}")
    elif result.verdict == "rejected":
        raise _StopError(
            f"The key is rejected, and nothing was written. {result.said} Copy it anew from "
            f"{key_check.KEYS_ARE_MADE_AT}."
        )
    else:
        tell(f"The key could not be tried. {result.said}")
        if not has_terminal:
            raise _StopError("Nothing was written; --no-check goes on without the trial.")
        if not _ask("Go on without the trial?"):
            raise _StopError("Nothing was written.")


def _offered(key: Secret) -> DotEnvFile | None:
    """Ask whether to write a `.env` here; None if not, or if it can't be."""
    path = (working_folder() or Path()) / ".env"
    try:
        file = look(path)
    except DotEnvError as error:
        tell(f"No .env file is offered: {error}")
        return None
    if not _needs_writing(file, key):
        return file
    _warn_of_git(file)
    is_new = file.content is None
    question = f"Write the key to {path}, mode 0600?" if is_new else f"Put the key into {path}?"
    if file.is_open_to_others:
        question += f" Its mode, now {file.mode:04o}, becomes 0600."
    return file if _ask(question) else None


def _warn_of_git(file: DotEnvFile) -> None:
    exposure = git_exposure(file.path)
    if exposure == "not ignored":
        tell(
            f"Careful: {file.path} is in a git repository and not ignored, so it may be committed. "
            f"Add {file.path.name} to .gitignore."
        )
    elif exposure == "unknown":
        tell(f"Careful: {file.path} is in a git repository. See that it is ignored.")


def _needs_writing(file: DotEnvFile, key: Secret) -> bool:
    return not file.holds(key) or file.is_open_to_others


def _write(file: DotEnvFile, key: Secret, *, force: bool, has_terminal: bool) -> None:
    if not _needs_writing(file, key):
        tell(f"{file.path} holds this key already (mode {file.mode or 0:04o}).")
        return
    if file.key and not file.holds(key) and not force:
        if not has_terminal:
            raise _StopError(
                f"{file.path} holds another {KEY_VARIABLE}, and nothing was written; --force "
                "replaces it."
            )
        if not _ask(f"{file.path} holds another {KEY_VARIABLE}. Replace it?"):
            raise _StopError("Nothing was written.")
    write_key(file, key)
    mode = f" (mode 0600; it was {file.mode:04o})" if file.is_open_to_others else " (mode 0600)"
    tell(f"The key is in {file.path}{mode}.")
    if is_read_from(file.path):
        tell("LiteLLM reads that file by itself.")
    else:
        tell("LiteLLM does not read that file by itself: load it as shown below.")
