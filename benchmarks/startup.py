"""What importing this package and `register()` cost, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.children import environment

if TYPE_CHECKING:
    from collections.abc import Callable

_IMPORT: Final = "import litellm_synthetic"
_REGISTER: Final = "import litellm_synthetic\nlitellm_synthetic.register()"
_TIMED: Final = """
import time
{before}
start = time.process_time()
{timed}
print(time.process_time() - start)
"""


@dataclass(frozen=True, slots=True)
class Startup:
    """Hold CPU seconds, one for each interpreter."""

    import_seconds: list[float]
    register_seconds: list[float]


def measure(rounds: int, progress: Callable[[str], None]) -> Startup:
    """Return what `import litellm_synthetic` takes, and `register()` after `import litellm`."""
    _cpu_seconds("", _REGISTER)  # writes the bytecode
    imports, registers = [], []
    for number in range(rounds):
        progress(f"start {number + 1} of {rounds}")
        imports.append(_cpu_seconds("", _IMPORT))
        registers.append(_cpu_seconds("import litellm", _REGISTER))
    return Startup(imports, registers)


def _cpu_seconds(before: str, timed: str) -> float:
    code = _TIMED.format(before=before, timed=timed)
    done = subprocess.run(  # noqa: S603  # this interpreter, this text
        [sys.executable, "-c", code], env=environment(), check=True, capture_output=True, text=True
    )
    return float(done.stdout)
