"""The doctor names LiteLLM proxies whose workers are ended when they start slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from litellm_synthetic.cli.doctor.workers import check_workers

if TYPE_CHECKING:
    from pathlib import Path

PROXY = ("/usr/bin/python3", "/opt/bin/litellm", "--config", "c.yaml")


def process(folder: Path, number: int, arguments: tuple[str, ...], **environ: str) -> None:
    """Write one process as Linux lists it."""
    home = folder / str(number)
    home.mkdir()
    (home / "cmdline").write_bytes(b"".join(f"{text}\0".encode() for text in arguments))
    pairs = {"SECRET": "hunter2", **environ}
    (home / "environ").write_bytes(b"".join(f"{n}={v}\0".encode() for n, v in pairs.items()))


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((*PROXY, "--num_workers", "4"), {}),
        ((*PROXY, "--num_workers=4"), {}),
        (PROXY, {"NUM_WORKERS": "4"}),
        (("/opt/bin/litellm", "--num_workers", "4"), {}),
    ],
)
def test_a_running_proxy_that_lacks_the_setting_is_named(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    process(tmp_path, 17, arguments, **environ)
    (check,) = check_workers({}, tmp_path)
    assert (check.name, check.status) == ("workers", "warning")
    assert "process 17, 4 workers" in check.found
    assert check.remedy == "Start it with --timeout_worker_healthcheck 120."
    assert "hunter2" not in repr(check)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (PROXY, {}),
        ((*PROXY, "--num_workers", "1"), {}),
        ((*PROXY, "--num_workers", "many"), {}),
        ((*PROXY, "--num_workers", "4", "--timeout_worker_healthcheck", "120"), {}),
        ((*PROXY, "--num_workers", "4", "--timeout_worker_healthcheck=120"), {}),
        ((*PROXY, "--num_workers", "4"), {"TIMEOUT_WORKER_HEALTHCHECK": "120"}),
        ((*PROXY, "--num_workers", "4", "--run_gunicorn"), {}),
        (("/usr/bin/vi", "notes.txt", "/opt/bin/litellm", "--num_workers", "4"), {}),
        ((), {}),
    ],
)
def test_any_other_process_is_left_alone(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    process(tmp_path, 17, arguments, **environ)
    assert list(check_workers({}, tmp_path)) == []


def test_a_process_that_ends_or_is_anothers_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "17").mkdir()
    assert list(check_workers({}, tmp_path)) == []


def test_the_environment_of_the_next_proxy_is_looked_at_too(tmp_path: Path) -> None:
    environ = {"NUM_WORKERS": "4"}
    (check,) = check_workers(environ, tmp_path)
    assert (check.name, check.status) == ("workers", "warning")
    assert "NUM_WORKERS is 4" in check.found
    environ["TIMEOUT_WORKER_HEALTHCHECK"] = "120"
    assert list(check_workers(environ, tmp_path)) == []


def test_a_system_without_a_list_of_processes_is_no_problem(tmp_path: Path) -> None:
    assert list(check_workers({}, tmp_path / "none")) == []
