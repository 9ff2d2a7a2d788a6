"""The free question for a plan's state, asked beside the calls: at most once a minute per key."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

import openai

from litellm_synthetic.quota.state import STATE

if TYPE_CHECKING:
    from litellm_synthetic.integration.deployments import Account
    from litellm_synthetic.quota.clock import Instant
    from litellm_synthetic.quota.scope import Scope

INTERVAL_SECONDS: Final = 60.0
TIMEOUT_SECONDS: Final = 10.0
_MAX_ACCOUNTS: Final = 1024
_log: Final = logging.getLogger("litellm_synthetic")


class Questions:
    """Ask for the state of plans, each in a thread of its own, so that no call waits for it."""

    def __init__(self) -> None:
        self._last: dict[Scope, Instant] = {}

    def ask_soon(self, account: Account) -> threading.Thread | None:
        """Ask how a plan is, unless that was asked within the last minute; return at once."""
        now = STATE.clock.now()
        last = self._last.get(account.scope)
        if last is not None and now.seconds_since(last) < INTERVAL_SECONDS:
            return None
        if len(self._last) >= _MAX_ACCOUNTS:
            self._last.clear()
        self._last[account.scope] = now
        thread = threading.Thread(
            target=_ask, args=(account,), name="litellm-synthetic-quotas", daemon=True
        )
        thread.start()
        return thread

    def forget(self) -> None:
        """Forget when what was asked."""
        self._last.clear()


def _ask(account: Account) -> None:
    from litellm_synthetic.client import quotas  # noqa: PLC0415  # pydantic, for the first question

    try:
        quotas.quotas(
            api_key=account.key.plain,
            api_base=account.base_url,
            timeout=TIMEOUT_SECONDS,
            max_retries=0,
        )
    except openai.APIError as error:  # every LiteLLM exception of a call is one
        _log.info("the state of a plan could not be asked for: %s", error)


QUESTIONS: Final = Questions()
