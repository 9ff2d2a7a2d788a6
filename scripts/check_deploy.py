# ruff: noqa: INP001  a script that is run by its path, not a package
"""Check the files in `examples/deploy` with the tools that are installed; print what was left out.

python scripts/check_deploy.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "examples" / "deploy"
CHECKS: Final = (
    ("hadolint", "Dockerfile"),
    ("docker", "compose", "--file", "compose.yaml", "config", "--quiet"),
    ("systemd-analyze", "verify", "litellm-synthetic.service"),
    ("kubernetes-validate", "kubernetes.yaml"),
)
# The unit's program is on the machine that it is for.
IGNORED: Final = "is not executable: No such file or directory"
# compose.yaml requires them to be set; what they hold does not matter here.
SECRETS: Final = ("SYNTHETIC_API_KEY", "LITELLM_MASTER_KEY", "POSTGRES_PASSWORD")


def _is_installed(command: tuple[str, ...]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    if command[:2] != ("docker", "compose"):
        return True
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607  # from PATH
    return plugin.returncode == 0


def main() -> int:
    """Run the script; return 1 if a tool finds a fault, else 0."""
    has_fault = False
    environment = {**os.environ, **dict.fromkeys(SECRETS, "made-up")}
    for command in CHECKS:
        if not _is_installed(command):
            sys.stdout.write(f"not checked, {command[0]} is not installed: {' '.join(command)}\n")
            continue
        done = subprocess.run(  # noqa: S603  # the commands above
            command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False
        )
        lines = (done.stdout + done.stderr).splitlines()
        faults = [line for line in lines if IGNORED not in line]
        is_faulty = done.returncode != 0 and (bool(faults) or not lines)
        has_fault |= is_faulty
        sys.stdout.write(f"{'fault' if is_faulty else 'well'}: {' '.join(command)}\n")
        sys.stdout.writelines(f"  {line}\n" for line in faults)
    return int(has_fault)


if __name__ == "__main__":
    sys.exit(main())
