# ruff: noqa: INP001  a folder for PYTHONPATH, not a package
"""Read by a Python process at its start, under `litellm-synthetic run`: register in it too.

The process may be another environment's, so only what Python itself has is imported before this
package is known to be there.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path


def _register() -> None:
    if find_spec("litellm_synthetic") is None:
        return  # another environment, without this package
    from litellm_synthetic.startup.on_import import register_on_import  # noqa: PLC0415  # see above

    register_on_import()


def _run_next() -> None:
    """Run the sitecustomize that Python would have run without this one, if there is one."""
    here = Path(__file__).parent
    path = [each for each in sys.path if Path(each) != here]
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


_register()
_run_next()
