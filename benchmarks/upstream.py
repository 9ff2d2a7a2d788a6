"""Measure the costs in LiteLLM that docs/upstream.md reports; each takes one function call to see.

python -m benchmarks.upstream
"""

from __future__ import annotations

import os
import time
import timeit
from typing import TYPE_CHECKING, Any, Final

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from litellm import Router
from litellm.llms.openai_like.dynamic_config import create_config_class
from litellm.llms.openai_like.json_loader import JSONProviderRegistry
from litellm.proxy import proxy_server
from litellm.types.utils import Delta, LlmProviders, ModelResponseStream, StreamingChoices

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: Final = 5000
CHUNK: Final = ModelResponseStream(
    id="chatcmpl-1",
    created=1,
    model="synthetic/syn:large:text",
    choices=[StreamingChoices(index=0, delta=Delta(role="assistant", content="word "))],
)
ROUTER: Final[Any] = Router(
    model_list=[{"model_name": "group", "litellm_params": {"model": "gpt-4o", "api_key": "none"}}]
)
DEPLOYMENT: Final[Any] = ROUTER.get_deployment(ROUTER.model_list[0]["model_info"]["id"])
PROVIDER: Final[Any] = JSONProviderRegistry.get("synthetic")
CASES: Final[dict[str, Callable[[], object]]] = {
    "f-string with a chunk's repr": lambda: f"PROCESSED CHUNK POST CHUNK CREATOR: {CHUNK}",
    "list of all providers' values": lambda: "synthetic" in [each.value for each in LlmProviders],
    "look-up of a provider by value": lambda: "synthetic" in LlmProviders._value2member_map_,
    "a text chunk by the fast path": lambda: (
        proxy_server._fast_serialize_simple_model_response_stream(CHUNK)  # noqa: SLF001  # measured
    ),
    "the same by model_dump_json": lambda: CHUNK.model_dump_json(
        exclude_none=True, exclude_unset=True
    ),
    "a Router's facts of a deployment": lambda: ROUTER.get_router_model_info(DEPLOYMENT, "group"),
    "config class of a JSON provider": lambda: create_config_class(PROVIDER),
}


def main() -> None:
    """Print microseconds of CPU per call, the best of five rounds."""
    for name, case in CASES.items():
        rounds = timeit.repeat(case, number=CALLS, repeat=5, timer=time.process_time)
        seconds = min(rounds) / CALLS
        print(f"{name:33} {seconds * 1e6:8.2f} µs")


if __name__ == "__main__":
    main()
