"""A stand-in for LiteLLM's MCP gateway where that cannot be imported.

LiteLLM 1.106.0 to 1.108.3 import the gateway at every call with `tools=`, on every provider, to ask
whether one of the tools is meant for it (main.py:5297, responses/main.py:1066,
pass_through/messages/handler.py:506). The gateway imports `mcp` 2 without a guard, so such calls
end in an ImportError where `mcp` is missing or is 1.x. Earlier releases guard that import, and
later ones ask a module that needs nothing.

While this package is registered, a gateway whose import fails is replaced by one that says no. A
tool that does name the gateway gets the ImportError. Where the import succeeds, nothing changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING, Any, Final

from litellm_synthetic.integration import compat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class AbsentGateway:
    """The one method of LiteLLM's gateway class that calls with other tools need.

    Args:
        reason: why the gateway cannot be imported. Text, because the error's traceback would keep
            all that the importing call holds, its key and its stream's connection among it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def should_use_litellm_mcp_gateway(self, tools: Iterable[object] | None) -> bool:
        """Tell that no tool is meant for the gateway.

        Raises:
            ImportError: a tool names the gateway, which cannot be imported.
        """
        if any(_names_gateway(tool) for tool in tools or ()):
            raise ImportError(
                "A tool names LiteLLM's MCP gateway, which cannot be imported here: "
                f"{self.reason}. Install what it needs: pip install 'litellm[mcp]'."
            )
        return False


class GatewayImport(MetaPathFinder):
    """Imports LiteLLM's gateway, or what answers for it; leaves every other module alone.

    Args:
        module: the full name of the module that defines the gateway's class.
        importer: the full name of the module that takes that class from it.
        class_name: the name of the class.
    """

    def __init__(
        self,
        module: str = compat.GATEWAY_MODULE,
        importer: str = compat.GATEWAY_IMPORTER,
        class_name: str = compat.GATEWAY_CLASS,
    ) -> None:
        self._module = module
        self._importer = importer
        self._class_name = class_name

    def install(self) -> None:
        """Answer from now on; an import that has succeeded already stays as it is."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Give the import back, and forget what answered for the gateway."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        if self.failure() is not None:
            _forget_module(self._importer)
            _forget_module(self._module)

    def failure(self) -> str | None:
        """Return why the gateway could not be imported; None where it was, or was not needed."""
        gateway = getattr(sys.modules.get(self._module), self._class_name, None)
        return gateway.reason if isinstance(gateway, AbsentGateway) else None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the gateway where Python would, with a loader that outlives its failure."""
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._class_name)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, class_name: str) -> None:
        super().__init__(fullname, path)
        self._class_name = class_name

    def exec_module(self, module: ModuleType) -> None:
        before = dict(vars(module))
        try:
            super().exec_module(module)
        except ImportError as error:
            vars(module).clear()
            vars(module).update(before, **{self._class_name: AbsentGateway(str(error))})


gateway_import: Final = GatewayImport()
"""The one that `register()` installs."""


def gateway_failure() -> str | None:
    """Return why LiteLLM's gateway could not be imported; None where it was, or was not needed."""
    return gateway_import.failure()


def _names_gateway(tool: object) -> bool:
    """Tell whether a tool names the gateway, as LiteLLM does (tool_precheck.py:13 in 1.108.4)."""
    if not isinstance(tool, Mapping) or tool.get("type") != "mcp":
        return False
    return str(tool.get("server_url")).startswith(compat.GATEWAY_URL_PREFIX)


def _forget_module(name: str) -> None:
    module: Any = sys.modules.pop(name, None)
    parent, _, child = name.rpartition(".")
    if module is not None and getattr(sys.modules.get(parent), child, None) is module:
        delattr(sys.modules[parent], child)
