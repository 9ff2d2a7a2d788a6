"""A call is resolved once: behind that, nothing looks up its model, its address or a setting."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import litellm
import pytest

from litellm_synthetic.catalog.table import Catalog
from litellm_synthetic.client import call
from litellm_synthetic.config import endpoint, settings
from litellm_synthetic.config.variable import Setting
from litellm_synthetic.integration import completion_route
from litellm_synthetic.testing import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from litellm_synthetic.testing import SyntheticServer

# Not of the call: LiteLLM's own questions about a model, and whether the table is to be refreshed.
_OTHERS = {"provider_config.py", "background.py"}


def _is_for_the_call() -> bool:
    files = {Path(frame.filename).name for frame in traceback.extract_stack()}
    return files.isdisjoint(_OTHERS)


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_looked_up_behind_resolve(
    either_api: SyntheticServer, monkeypatch: pytest.MonkeyPatch, *, stream: bool
) -> None:
    either_api.respond_with(Text("Hi."))
    is_resolved = False
    lookups: list[str] = []

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **kwargs: Any) -> Any:
            if is_resolved and _is_for_the_call():
                lookups.append(f"{name} {getattr(args[0], 'name', args[-1])}")
            return function(*args, **kwargs)

        return note

    def resolve(*args: Any, **kwargs: Any) -> Any:
        nonlocal is_resolved
        resolved = call.resolve(*args, **kwargs)
        is_resolved = True
        return resolved

    monkeypatch.setattr(completion_route, "resolve", resolve)
    monkeypatch.setattr(Catalog, "find", noted("find", Catalog.find))
    monkeypatch.setattr(Setting, "text", noted("read", Setting.text))
    parse = noted("parse", endpoint.parse_base_url)
    monkeypatch.setattr(settings, "parse_base_url", parse)
    reply: Any = litellm.completion(
        "synthetic/syn:large:text", messages=[{"role": "user", "content": "hello"}], stream=stream
    )
    assert list(reply) if stream else reply.choices[0].message.content
    assert is_resolved
    assert lookups == []
