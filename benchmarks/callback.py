"""A success callback as agents have one: it keeps what each call cost."""

from __future__ import annotations

from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger


class CostKeeper(CustomLogger):
    """Keep each call's `response_cost` in USD, None where LiteLLM knows no price."""

    def __init__(self) -> None:
        super().__init__()
        self.costs_usd: list[float | None] = []

    # LiteLLM calls both by keyword, so the names are its own.
    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Keep the cost of a sync call."""
        del response_obj, start_time, end_time
        self.costs_usd.append(kwargs.get("response_cost"))

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Keep the cost of an async call."""
        del response_obj, start_time, end_time
        self.costs_usd.append(kwargs.get("response_cost"))


def install(count: int) -> list[CostKeeper]:
    """Register callbacks with LiteLLM and return them.

    Each has a class of its own: LiteLLM calls only one callback per class.
    """
    keepers = [type(f"CostKeeper{number}", (CostKeeper,), {})() for number in range(count)]
    litellm.callbacks = list(keepers)
    return keepers
