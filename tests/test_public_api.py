"""The public names: importable from the package, listed, typed, and free until they are used."""

from __future__ import annotations

import importlib.metadata
import json
import pydoc
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import litellm
import pytest

import litellm_synthetic

FUNCTIONS = {
    "aquotas", "arefresh", "asearch", "known_quotas", "quotas", "refresh",
    "register", "search", "unregister",
}  # fmt: skip
OTHERS = {
    "KnownQuotas", "ModelId", "Quotas", "RefreshError", "RefreshOutcome", "SearchResults",
    "UnsupportedLiteLLMError", "testing",
}  # fmt: skip
_ROOT = Path(__file__).parent.parent
_PROGRAM = _ROOT / "tests" / "data" / "typed_program.py"
_HEAVY = ("litellm", "httpx", "pydantic", "aiohttp", "urllib3", "rich", "click", "asyncio")


def test_every_public_name_is_importable_and_listed() -> None:
    assert {*dir(litellm_synthetic)} == FUNCTIONS | OTHERS | {"__version__"}
    for name in FUNCTIONS | OTHERS:
        assert getattr(litellm_synthetic, name) is not None
    assert litellm_synthetic.__version__ == importlib.metadata.version("litellm-synthetic")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        litellm_synthetic.nothing  # noqa: B018  # what it raises is the point


def test_the_exceptions_are_the_ones_that_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_CATALOG", "offline")
    with pytest.raises(litellm_synthetic.RefreshError):
        litellm_synthetic.refresh()
    monkeypatch.delattr(litellm.main, "_complete_custom_openai")
    with pytest.raises(litellm_synthetic.UnsupportedLiteLLMError):
        litellm_synthetic.register()


def test_help_begins_with_the_functions() -> None:
    text = pydoc.plain(pydoc.render_doc(litellm_synthetic))
    assert "\nFUNCTIONS\n" in text
    assert "\nCLASSES\n" not in text


def test_importing_the_package_and_its_exceptions_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "import litellm_synthetic\n"
        "litellm_synthetic.RefreshError, litellm_synthetic.ModelId, litellm_synthetic.testing\n"
        "print(*sorted(name.split('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert {*done.stdout.split()}.isdisjoint(_HEAVY)


def test_a_model_id_is_what_a_call_takes() -> None:
    ids = get_args(litellm_synthetic.ModelId)
    assert len(ids) > 5
    assert all(one.startswith("synthetic/") for one in ids)


def test_the_names_of_faults_are_those_of_the_type() -> None:
    from litellm_synthetic.testing import FAULTS, FaultName  # noqa: PLC0415  # as users import it

    assert [*get_args(FaultName)] == [*FAULTS]


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_a_users_program_passes_mypy_strict(tmp_path: Path) -> None:
    # LiteLLM's types alone take a minute, so those of a run over this repository are used again.
    # They are a copy, for there our package is the repository's, and here the installed one.
    kept, cache = _ROOT / ".mypy_cache", tmp_path / "cache"
    if kept.is_dir():
        shutil.copytree(kept, cache)
    options = ["--strict", "--config-file", _ROOT / "pyproject.toml", "--cache-dir", cache]
    _check("mypy", *options, _PROGRAM)


@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed")
def test_a_users_program_passes_pyright(tmp_path: Path) -> None:
    shutil.copy(_PROGRAM, tmp_path)
    settings = {"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": "error"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    done = subprocess.run(  # noqa: S603  # the type checker
        ["pyright", "--project", str(tmp_path), "--pythonpath", sys.executable],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 errors" in done.stdout


def _check(module: str, *arguments: object) -> None:
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=_PROGRAM.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
