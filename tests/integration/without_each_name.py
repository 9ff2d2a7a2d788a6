"""Take one of LiteLLM's names away at a time, register, and print what became of it.

Run as a program. Each name gets a fork of a process that has imported LiteLLM and nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any


def _outcome(module: str, path: str) -> str:
    *owners, last = path.split(".")
    if module == "providers.json":
        loader: Any = import_module("litellm.llms.openai_like.json_loader")
        delattr(loader.JSONProviderRegistry.get(owners[0]), last)
    else:
        is_messages = module.startswith("the module of")
        owner: Any = import_module(
            sys.modules["litellm"].anthropic_messages.__wrapped__.__module__
            if is_messages
            else module
        )
        for name in owners:
            owner = getattr(owner, name)
        getattr(owner, last)  # LiteLLM imports many of its names when they are first asked for
        if isinstance(owner, type) and hasattr(owner, "__members__"):
            vars(owner)["_member_map_"].pop(last)
        for each in (owner, *getattr(owner, "__mro__", type(owner).__mro__)):
            if last in vars(each):
                delattr(each, last)
        if not owners:  # nor is it imported again when it is asked for
            vars(owner).pop("__getattr__", None)
    litellm_synthetic = import_module("litellm_synthetic")
    try:
        litellm_synthetic.register()
    except BaseException as error:  # noqa: BLE001  # whatever it is, the test judges it
        return f"{type(error).__name__}: {error}"
    return "registered"


def main() -> None:
    """Print a JSON object with the outcome for each pair of module and path on standard input."""
    import litellm  # noqa: F401, PLC0415  # before the forks

    outcomes = {}
    for module, path in json.load(sys.stdin):
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.write(writing, _outcome(module, path).encode()[:4000])
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            outcomes[f"{module}.{path}"] = pipe.read().decode()
        os.waitpid(child, 0)
    print(json.dumps(outcomes))  # noqa: T201  # its result


if __name__ == "__main__":
    main()
