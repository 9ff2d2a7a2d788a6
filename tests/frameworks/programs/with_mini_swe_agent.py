"""mini-swe-agent: a program that never imports this package."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

# Recipe
COMMAND = "litellm-synthetic run mini -m synthetic/hf:zai-org/GLM-5.3 -y --exit-immediately -t"
# End of the recipe

_trajectory: dict[str, object] = {}


def _command(folder: Path, prompt: str) -> list[str]:
    command = [*shlex.split(COMMAND), prompt, "-o", str(folder / "trajectory.json")]
    litellm_synthetic = sys.modules.get("litellm_synthetic")
    if litellm_synthetic is None or hasattr(litellm_synthetic, "__file__"):
        return command
    # Stock LiteLLM takes its base URL from an argument only, and tells no cost.
    base_url = sys.argv[sys.argv.index("--stock") + 1]
    argument = f"model.model_kwargs.api_base={base_url}"
    return [*command[2:], "-c", "mini.yaml", "-c", argument]


def ask(prompt: str) -> str:
    folder = Path(tempfile.mkdtemp())
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "MSWEA_CONFIGURED": "true",
        "MSWEA_GLOBAL_CONFIG_DIR": str(folder),
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        _command(folder, prompt), cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip  # one call
    sys.stdout.write(done.stdout)
    _trajectory.update(json.loads((folder / "trajectory.json").read_text("utf-8")))
    info = _trajectory["info"]
    if info["exit_status"] != "Submitted":
        raise RuntimeError(f"{info['exit_status']}: {done.stdout[-2000:]}")
    return (folder / "weather.txt").read_text("utf-8")


def spent() -> float:
    return _trajectory["info"]["model_stats"]["instance_cost"]
