"""One call of `litellm-synthetic` in this process, with the expected exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from litellm_synthetic.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping


def invoke(
    *arguments: str,
    code: int | None = 0,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Result:
    result = CliRunner().invoke(main, arguments, input=stdin, env=env)
    assert code is None or result.exit_code == code, result.output
    return result
