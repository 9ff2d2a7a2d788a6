"""Register as soon as a program imports LiteLLM.

LiteLLM has no entry point for plugins, and importing it ahead of a program would fix settings that
the program makes first, such as `LITELLM_LOG` or `LITELLM_LOCAL_MODEL_COST_MAP`.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Final

import litellm_synthetic

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from types import ModuleType

FOLDER: Final = Path(__file__).parent / "handed_down"
"""The first entry of PYTHONPATH in processes that are to register."""


def register_on_import() -> None:
    """Have `litellm_synthetic.register()` called when LiteLLM has been imported, or at once.

    Raises:
        UnsupportedLiteLLMError: by `import litellm`, where the installed one lacks something.
    """
    if "litellm" in sys.modules:
        litellm_synthetic.register()
    elif not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def hand_down(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have the Python processes that get this environment register too."""
    rest = [each for each in _entries(environment) if each != str(FOLDER)]
    environment["PYTHONPATH"] = os.pathsep.join([str(FOLDER), *rest])


def is_handed_down(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Tell whether Python processes that get this environment register."""
    return str(FOLDER) in _entries(environment)


def _entries(environment: MutableMapping[str, str]) -> list[str]:
    # An empty entry means the working folder, and stays.
    value = environment.get("PYTHONPATH", "")
    return value.split(os.pathsep) if value else []


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "litellm":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Executes a module as its own loader does, then registers."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # What asks the module for its source or its files later asks its own loader.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        litellm_synthetic.register()
