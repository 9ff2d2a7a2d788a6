"""The type of model ids is made from the bundled table and is never behind it."""

from __future__ import annotations

import importlib.util
import typing
from pathlib import Path
from typing import Any

import pytest

from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.model_ids import ModelId

SCRIPT = Path(__file__).parent.parent / "scripts" / "build_model_ids.py"


@pytest.fixture
def script() -> Any:
    if not SCRIPT.exists():
        pytest.skip("the script is only in the repository, not in a source distribution")
    spec = importlib.util.spec_from_file_location("build_model_ids", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_type_names_exactly_the_current_ids() -> None:
    current = [f"synthetic/{model.id}" for model in load_bundled().current()]
    assert list(typing.get_args(ModelId)) == current


def test_the_module_is_as_the_script_writes_it(script: Any) -> None:
    assert script.main(["--check"]) == 0


def test_the_script_writes_only_when_something_changed(script: Any, tmp_path: Path) -> None:
    out = tmp_path / "model_ids.py"
    assert script.main(["--check", "--out", str(out)]) == 1
    assert not out.exists()
    assert script.main(["--out", str(out)]) == 0
    assert script.main(["--check", "--out", str(out)]) == 0
