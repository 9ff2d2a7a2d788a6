"""Loaded into the proxies' workers: write down what each call cost, and say which worker served it.

The tests copy this file beside a proxy's config, where LiteLLM looks for callbacks first.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

WORKER_HEADER = "x-worker"
LOG_VARIABLE = "SPEND_LOG"


class SpendLog(CustomLogger):
    """Append a line of JSON per finished call to the file that `SPEND_LOG` names."""

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Write the cost that spend and budgets are counted in."""
        del response_obj, start_time, end_time
        message = kwargs["standard_logging_object"]
        line = {
            "model": message["model"],
            "model_group": message["model_group"],
            "cost": message["response_cost"],
            "prompt_tokens": message["prompt_tokens"],
            "completion_tokens": message["completion_tokens"],
            "call_type": message["call_type"],
        }
        # One short write in append mode, so that workers don't mix their lines.
        with Path(os.environ[LOG_VARIABLE]).open("a") as log:  # noqa: ASYNC230  # a line in a test
            log.write(json.dumps(line) + "\n")

    async def async_post_call_response_headers_hook(
        self, *args: Any, **kwargs: Any
    ) -> dict[str, str]:
        """Name the worker's process in every reply's headers."""
        del args, kwargs
        return {WORKER_HEADER: str(os.getpid())}


log = SpendLog()
