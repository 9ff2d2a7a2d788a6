"""The command `doctor`: check everything that a call depends on, and say what fixes it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

import click

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog.advice import cheapest_chat_model
from litellm_synthetic.cli.doctor.check import Check, document, exit_code, lines_of, summary
from litellm_synthetic.cli.doctor.configuration import (
    check_base_url,
    check_key,
    check_settings,
    endpoint_in_force,
    key_in_force,
)
from litellm_synthetic.cli.doctor.installation import (
    check_cache,
    check_litellm,
    check_programs,
    check_route,
    check_table,
)
from litellm_synthetic.cli.doctor.workers import check_workers
from litellm_synthetic.cli.json_document import as_json
from litellm_synthetic.cli.terminal import Screen, error, remark, working
from litellm_synthetic.cli.usage_errors import INTERRUPTED
from litellm_synthetic.config.credentials import Secret
from litellm_synthetic.config.endpoint import DEFAULT_BASE_URL, InvalidBaseURLError
from litellm_synthetic.config.settings import models_base_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def run(*, is_json: bool, is_live: bool, model: str | None) -> int:
    """Print the findings as they come, and return the exit code.

    Args:
        is_json: print one JSON document at the end instead.
        is_live: make one cheap call per API as well.
        model: the model of those calls; by default the cheapest chat model that may be used.

    Returns:
        What `exit_code` says, or 130 after Ctrl-C.
    """
    screen = Screen.of_stdout()
    checks: list[Check] = []
    findings = examine(is_live=is_live, model=model)
    try:
        while True:
            with working("Checking"), _quiet():
                check = next(findings, None)
            if check is None:
                break
            checks.append(check)
            if not is_json:
                screen.write(lines_of(check, screen))
    except KeyboardInterrupt:
        error("Interrupted.")
        return INTERRUPTED
    if is_json:
        click.echo(as_json(document(checks, is_live=is_live)))
    remark(summary(checks))
    return exit_code(checks)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep stdout for the findings, and stderr free of log lines that repeat them."""
    log = logging.getLogger("litellm_synthetic")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # LiteLLM prints here and there
            yield
    finally:
        log.setLevel(level)


def examine(*, is_live: bool, model: str | None) -> Iterator[Check]:
    """Yield the findings, each without any trace of the key."""
    environ_before = dict(os.environ)
    for check in _examine(environ_before, is_live=is_live, model=model):
        # Only now is the key known for certain: LiteLLM has read its .env file.
        yield check.scrubbed(Secret(key_in_force().strip()).scrub)


def _examine(
    environ_before: Mapping[str, str], *, is_live: bool, model: str | None
) -> Iterator[Check]:
    # The doctor compares no prices but ours, and importing LiteLLM would fetch others.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    yield check_litellm()
    table = active.current_table()
    usable = cheapest_chat_model(table.catalog)
    route = check_route(usable)
    yield route
    try:
        endpoint = endpoint_in_force()
    except InvalidBaseURLError:
        endpoint = None
    key = check_key(environ_before, DEFAULT_BASE_URL if endpoint is None else endpoint.base_url)
    yield key
    where = check_base_url(environ_before)
    yield where
    yield from check_settings(table.catalog)
    yield check_table(table)
    yield check_cache(DEFAULT_BASE_URL if endpoint is None else models_base_url(endpoint.base_url))
    yield from check_programs()
    yield from check_workers()
    if not is_live:
        return
    from litellm_synthetic.cli.doctor.live import check_live, not_called  # imports LiteLLM

    obstacle = next((each for each in (route, key, where) if each.status == "problem"), None)
    if obstacle is not None or endpoint is None:
        yield from not_called((obstacle or where).name)
    else:
        yield from check_live(endpoint, model or usable)
