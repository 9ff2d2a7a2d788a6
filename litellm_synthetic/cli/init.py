"""The command `init`: check a key, offer to write it to a `.env` file, and print setup snippets.

The key itself is never printed. Exit codes: 0 done, 1 not done and why, 2 no key to be had without
a terminal, 130 Ctrl-C.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

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
    check_key,
    key_from_environment,
    key_from_pipe,
    key_from_prompt,
)
from litellm_synthetic.cli.terminal import Line, Screen, drop_typed_ahead, error, remark
from litellm_synthetic.cli.usage_errors import INTERRUPTED
from litellm_synthetic.config import key_check, settings
from litellm_synthetic.config.credentials import KEY_PREFIX, KEY_VARIABLE, Secret
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL, InvalidBaseURLError
from litellm_synthetic.config.ids import DEFAULT_ID, ROUTE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE: Final = 0
NOT_DONE: Final = 1
NO_TERMINAL: Final = 2
_NOTHING_WRITTEN: Final = "Nothing was written."
_SNIPPETS: Final = """\
# In a shell
export {variable}={placeholder}

# {env_title}
{env_line}

# In Python
import litellm
import litellm_synthetic

litellm_synthetic.register()
answer = litellm.completion(
    model="{model}",
    messages=[{{"role": "user", "content": "Hello!"}}],
)
print(answer.choices[0].message.content)

# In the proxy's config.yaml
model_list:
  - model_name: {name}
    litellm_params:
      model: {model}
      api_key: os.environ/{variable}
litellm_settings:
  callbacks: ["litellm_synthetic.proxy.route"]

# Then
litellm-synthetic doctor --live
"""


class _StopError(Exception):
    """The command ends here; the message says why."""


def run(*, check: bool, write_to: Path | None, force: bool) -> int:
    """Set up a key and return the exit code.

    Args:
        check: check the key with one free call.
        write_to: the `.env` file to write without asking; None asks in a terminal.
        force: replace the key that the file holds, without asking.
    """
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        _run(check=check, write_to=write_to, force=force, has_terminal=has_terminal)
    except NoKeyError as failure:
        error(str(failure))
        return NOT_DONE if has_terminal else NO_TERMINAL
    except (_StopError, DotEnvError) as failure:
        error(str(failure))
        return NOT_DONE
    except (click.Abort, KeyboardInterrupt) as abort:
        # click's prompts turn Ctrl-C and the end of the input into the same exception.
        is_interrupt = KeyboardInterrupt in (type(abort), type(abort.__context__))
        error(f"{'Interrupted' if is_interrupt else 'No more input'}. {_NOTHING_WRITTEN}")
        return INTERRUPTED if is_interrupt else NOT_DONE
    return DONE


def _run(*, check: bool, write_to: Path | None, force: bool, has_terminal: bool) -> None:
    file = None if write_to is None else look(write_to)  # before anybody types a key
    key = _key(has_terminal=has_terminal)
    _check_shape(key, has_terminal=has_terminal)
    if check:
        _check(key, has_terminal=has_terminal)
    else:
        remark("The key was not checked (--no-check).")
    if file is not None:
        _warn_of_git(file)
    elif has_terminal:
        file = _offer(key)
    if file is not None:
        _write(file, key, force=force, has_terminal=has_terminal)
    Screen.of_stdout().write(_snippets(file))


def _ask(question: str, *, default: bool = False) -> bool:
    # The question has lines of its own, so that the answer has room on a narrow terminal.
    drop_typed_ahead()
    remark(question)
    return click.confirm("Yes or no?", default=default, err=True)


def _key(*, has_terminal: bool) -> Secret:
    ask = (lambda question: _ask(question, default=True)) if has_terminal else None
    text = key_from_environment(ask=ask)
    if text is not None and (reason := key_check.unusable(text)) is not None:
        raise _StopError(f"{KEY_VARIABLE} in the environment is not a key: {reason}. Correct it.")
    if text is None:
        text = key_from_prompt() if has_terminal else key_from_pipe()
    return Secret(text)


def _check_shape(key: Secret, *, has_terminal: bool) -> None:
    try:
        base_url = settings.endpoint().base_url
    except InvalidBaseURLError:
        base_url = DEFAULT_BASE_URL
    is_for_synthetic = key_check.is_synthetics(base_url)
    if (reason := key_check.oddity(key.plain, is_for_synthetic=is_for_synthetic)) is None:
        return
    remark(f"The key looks wrong: {reason}.")
    if has_terminal and not _ask("Continue with it?"):
        raise _StopError(_NOTHING_WRITTEN)


def _check(key: Secret, *, has_terminal: bool) -> None:
    result = check_key(key)
    if result.verdict == "accepted":
        remark(f"The key is accepted. {result.message}")
    elif result.verdict == "rejected":
        raise _StopError(
            f"The key is rejected, and nothing was written. {result.message} Copy it again from "
            f"{key_check.KEYS_ARE_MADE_AT}."
        )
    else:
        remark(f"The key could not be checked. {result.message}")
        if not has_terminal:
            raise _StopError(f"{_NOTHING_WRITTEN} --no-check skips the check.")
        if not _ask("Continue without checking?"):
            raise _StopError(_NOTHING_WRITTEN)


def _offer(key: Secret) -> DotEnvFile | None:
    """Ask whether to write a `.env` here; None if not, or if it cannot be."""
    path = (working_folder() or Path()) / ".env"
    try:
        file = look(path)
    except DotEnvError as failure:
        remark(f"No .env file is offered: {failure}")
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
        remark(
            f"Careful: {file.path} is in a git repository and not ignored, so it may be committed. "
            f"Add {file.path.name} to .gitignore."
        )
    elif exposure == "unknown":
        remark(f"Careful: {file.path} is in a git repository. Check that it is ignored.")


def _needs_writing(file: DotEnvFile, key: Secret) -> bool:
    return not file.holds(key) or file.is_open_to_others


def _write(file: DotEnvFile, key: Secret, *, force: bool, has_terminal: bool) -> None:
    if not _needs_writing(file, key):
        remark(f"{file.path} holds this key already (mode {file.mode or 0:04o}).")
        return
    if file.key and not file.holds(key) and not force:
        other = f"{file.path} holds another {KEY_VARIABLE}"
        if not has_terminal:
            raise _StopError(f"{other}, and nothing was written; --force replaces it.")
        if not _ask(f"{other}. Replace it?"):
            raise _StopError(_NOTHING_WRITTEN)
    write_key(file, key)
    mode = f" (mode 0600; it was {file.mode:04o})" if file.is_open_to_others else " (mode 0600)"
    remark(f"The key is in {file.path}{mode}.")
    if is_read_from(file.path):
        remark("LiteLLM reads that file by itself.")
    else:
        remark("LiteLLM does not read that file by itself: load it as shown below.")


def _snippets(file: DotEnvFile | None) -> Iterator[Line]:
    """Lay out the lines for shell, `.env`, Python and proxy; none of them holds the key."""
    placeholder = f"{KEY_PREFIX}YOUR_KEY"
    text = _SNIPPETS.format(
        variable=KEY_VARIABLE,
        placeholder=placeholder,
        env_title="In a .env file (mode 0600)" if file is None else "Or from the .env file",
        env_line=f"{KEY_VARIABLE}={placeholder}"
        if file is None
        else f"set -a; . {shlex.quote(str(file.path.absolute()))}; set +a",
        model=ROUTE_PREFIX + DEFAULT_ID,
        name=DEFAULT_ID,
    )
    for row in text.splitlines():
        yield ((row, "bold" if row.startswith("# ") else "cyan"),)
