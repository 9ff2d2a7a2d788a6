# ruff: noqa: INP001  a script that is run by its path, not a package
"""Hold `models --format …` against the readers' own code, from npm; needs node.

    python scripts/check_model_formats.py [FOLDER]

The packages are installed into FOLDER, a temporary one by default. OpenRouter's list is read by
@openrouter/sdk, opencode's config and models.dev's document by opencode itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ("@openrouter/sdk@1.3.19", "opencode-ai@1.18.33")
_OPENROUTER = """
import { ModelsListResponse$inboundSchema as list } from
  "@openrouter/sdk/models/modelslistresponse.js";
import fs from "fs";
const read = list.safeParse(JSON.parse(fs.readFileSync("openrouter.json", "utf8")));
if (!read.success) { console.error(JSON.stringify(read.error.issues, null, 1)); process.exit(1); }
console.log(read.data.data.length);
"""


def _run(*command: str, folder: Path, **variables: str) -> str:
    result = subprocess.run(  # noqa: S603  # our own commands
        command,
        cwd=folder,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout


def _print_table(table_format: str, folder: Path) -> Path:
    command = (sys.executable, "-m", "litellm_synthetic", "models", "--format", table_format)
    file = folder / f"{table_format}.json"
    file.write_text(_run(*command, folder=folder), "utf-8")
    return file


def _opencode_models(folder: Path, **variables: str) -> set[str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    text = _run(
        str(folder / "node_modules" / ".bin" / "opencode"),
        "models",
        "synthetic",
        folder=folder,
        HOME=str(home),
        XDG_CONFIG_HOME=str(home),
        XDG_DATA_HOME=str(home),
        XDG_CACHE_HOME=str(home),
        SYNTHETIC_API_KEY="syn_not_a_key",
        OPENCODE_DISABLE_MODELS_FETCH="1",
        **variables,
    )
    return {line.removeprefix("synthetic/") for line in text.split() if "synthetic/" in line}


def _check(name: str, read: set[str] | int, written: set[str] | int) -> None:
    if read != written:
        sys.exit(f"{name}: read {read}, written {written}")
    print(f"{name}: {read if isinstance(read, int) else len(read)} models read")  # noqa: T201  # a report


def main(folder: Path) -> None:
    """Install the readers and let each read its format."""
    _run("npm", "install", "--no-audit", "--no-fund", *PACKAGES, folder=folder)
    listed = json.loads(_print_table("openrouter", folder).read_text("utf-8"))["data"]
    (folder / "read.mjs").write_text(_OPENROUTER, "utf-8")
    _check("openrouter", int(_run("node", "read.mjs", folder=folder)), len(listed))
    config = _print_table("opencode", folder)
    rows = json.loads(config.read_text("utf-8"))["provider"]["synthetic"]["models"]
    _check("opencode", _opencode_models(folder, OPENCODE_CONFIG=str(config)), set(rows))
    document = _print_table("models.dev", folder)
    rows = json.loads(document.read_text("utf-8"))["synthetic"]["models"]
    _check("models.dev", _opencode_models(folder, OPENCODE_MODELS_PATH=str(document)), set(rows))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).absolute())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
