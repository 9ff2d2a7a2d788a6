"""A user's program, for type checkers: the public names, and misuse that they have to refuse.

With warnings about unused ignores on, each `type: ignore` is an assertion that the line is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import litellm_synthetic
from litellm_synthetic import (
    ModelId,
    Quotas,
    RefreshError,
    RefreshOutcome,
    SearchResults,
    UnsupportedLiteLLMError,
)
from litellm_synthetic.testing import Answer, Reply, Stream, SyntheticServer, Text, fault

if TYPE_CHECKING:
    from typing import assert_type


def choose() -> ModelId:
    """Return an id that editors complete."""
    return "synthetic/syn:large:text"


def misspell() -> ModelId:
    """Return what is not an id."""
    return "synthetic/syn:huge:text"  # type: ignore[return-value]


def ask() -> tuple[Quotas | None, SearchResults, RefreshOutcome]:
    """Use each function; the types are those that the docs name."""
    try:
        litellm_synthetic.register()
        outcome = litellm_synthetic.refresh()
    except (RefreshError, UnsupportedLiteLLMError) as error:
        litellm_synthetic.unregister()
        raise SystemExit(str(error)) from error
    found = litellm_synthetic.search("foxes", timeout=3.0)
    left = litellm_synthetic.quotas()
    if TYPE_CHECKING:
        assert_type(found, SearchResults)
        assert_type(left, Quotas | None)
    litellm_synthetic.unregister()
    return left, found, outcome


async def ask_async() -> tuple[Quotas | None, SearchResults, RefreshOutcome]:
    """Use each async function."""
    return (
        await litellm_synthetic.aquotas(),
        await litellm_synthetic.asearch("foxes"),
        await litellm_synthetic.arefresh(),
    )


def script(server: SyntheticServer) -> Reply:
    """Use the stand-in."""
    server.enqueue(Text("Hi."), Answer(ending="reset"), Stream([{"a": 1}]))
    server.enqueue(fault("subscription_cap"), fault("parallel_requests", retry_after="2"))
    server.enqueue(Text("Hi.", usage_placement="both", reasoning_field="reasoning"))
    server.enqueue(Answer(ending="never"))  # type: ignore[arg-type]
    server.enqueue(Text("Hi.", usage_placement="begin"))  # type: ignore[arg-type]
    server.enqueue(fault("subscription_cup"))  # type: ignore[arg-type]
    return litellm_synthetic.testing.fault("html_200")
