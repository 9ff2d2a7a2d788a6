"""`litellm-synthetic run`: programs that never import this package, and their children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from litellm_synthetic.cli import run as run_command
from litellm_synthetic.cli.doctor.installation import check_programs
from litellm_synthetic.startup.on_import import FOLDER, hand_down, is_handed_down
from tests.cli.invocation import invoke

if TYPE_CHECKING:
    from litellm_synthetic.testing import SyntheticServer

PROGRAM = """
import json, os, subprocess, sys
import litellm
tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
reply = litellm.completion(
    model="synthetic/hf:zai-org/GLM-5.3",
    messages=[{"role": "user", "content": "hello"}],
    tools=[tool],
)
print(json.dumps([sys.argv[1:], __name__, reply._hidden_params["response_cost"]]))
if sys.argv[1:] != ["child"]:
    sys.stdout.flush()
    subprocess.run([sys.executable, __file__, "child"], check=False)
sys.exit(7)
"""


@pytest.fixture(autouse=True)
def own_python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a command hands down to its children from the children of other tests."""
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))


def environment_for(server: SyntheticServer) -> dict[str, str]:
    return {
        **os.environ,
        "SYNTHETIC_API_KEY": server.api_key,
        "SYNTHETIC_API_BASE": server.openai_base,
        "SYNTHETIC_CATALOG": "offline",
    }


def python(
    *arguments: str, environment: dict[str, str], folder: Path, interpreter: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own interpreter and text
        [interpreter, *arguments],
        env=environment, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip  # one call, read as one


def test_a_program_and_its_children_have_the_route_with_tools_and_cost(
    synthetic_server: SyntheticServer, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = python(
        "-m", "litellm_synthetic", "run", "--", str(program), "--model", "-m",
        environment={**environment_for(synthetic_server), "SYNTHETIC_BILLING": "list-price"},
        folder=tmp_path,
    )  # fmt: skip  # as above
    assert done.returncode == 7, done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [reply[:2] for reply in replies] == [
        [["--model", "-m"], "__main__"],
        [["child"], "__main__"],
    ]
    assert all(cost > 0 for _, _, cost in replies)
    assert len(synthetic_server.requests) == 2
    for request in synthetic_server.requests:
        assert request.json["tools"][0]["function"]["name"] == "look_up"
        assert request.headers["user-agent"].startswith("litellm-synthetic/")


class TestTheEnvironmentOfChildren:
    def test_keeps_the_rest_of_pythonpath(self) -> None:
        environment = {"PYTHONPATH": os.pathsep.join(["first", "second"])}
        hand_down(environment)
        hand_down(environment)
        assert environment["PYTHONPATH"].split(os.pathsep) == [str(FOLDER), "first", "second"]
        assert is_handed_down(environment)

    def test_is_theirs_alone_until_it_is_handed_down(self) -> None:
        assert not is_handed_down({})
        assert not is_handed_down({"PYTHONPATH": "elsewhere"})

    def test_lets_another_sitecustomize_run(self, tmp_path: Path) -> None:
        (tmp_path / "sitecustomize.py").write_text("print('theirs', __name__)\n")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        hand_down(environment)
        program = (
            "import sys; print('litellm' in sys.modules, sys.modules['sitecustomize'].__file__)"
        )
        done = python("-c", program, environment=environment, folder=tmp_path)
        assert done.stdout.splitlines() == [
            "theirs sitecustomize",
            f"False {tmp_path / 'sitecustomize.py'}",
        ], done.stderr

    def test_harms_no_python_without_this_package(self, tmp_path: Path) -> None:
        environment = {"PATH": os.environ["PATH"]}
        hand_down(environment)
        done = python(
            "-S", "-c", "import sitecustomize; print('ran')",
            environment=environment, folder=tmp_path,
        )  # fmt: skip  # as above
        assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr


class TestWhatCannotBeRun:
    @pytest.mark.parametrize(
        "arguments", [["no-such-program"], ["-m", "no_such_module"], ["-m", "a.b"]]
    )
    def test_is_named(self, arguments: list[str]) -> None:
        result = invoke("run", *arguments, code=run_command.NOT_FOUND)
        assert arguments[-1] in result.stderr
        assert result.stderr.startswith("error: ")

    def test_is_a_script_of_another_environment(self, tmp_path: Path) -> None:
        script = tmp_path / "mini"
        script.write_text("#!/opt/other/bin/python3\nprint('never')\n")
        result = invoke("run", str(script), code=run_command.CANNOT_RUN)
        assert "/opt/other/bin/python3 -m pip install litellm-synthetic" in result.stderr

    def test_is_a_file_that_is_no_program(self, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("not a program")
        result = invoke("run", str(tmp_path / "notes"), code=run_command.CANNOT_RUN)
        assert "cannot be run" in result.stderr


@pytest.mark.parametrize(
    ("head", "interpreter"),
    [
        ("#!/opt/a/bin/python3.12\n", "/opt/a/bin/python3.12"),
        (
            "#!/bin/sh\n'''exec' '/opt/a b/bin/python' \"$0\" \"$@\"\n' '''\n",
            "/opt/a b/bin/python",
        ),
        ("#!/bin/bash\necho\n", None),
        ("plain", None),
    ],
)
def test_the_interpreter_of_a_script_is_read(
    head: str, interpreter: str | None, tmp_path: Path
) -> None:
    (tmp_path / "script").write_text(head)
    found = run_command._interpreter(tmp_path / "script")  # noqa: SLF001  # a table of forms
    assert found == (None if interpreter is None else Path(interpreter))


class TestTheDoctor:
    @pytest.fixture
    def mini(self, tmp_path: Path) -> PathDistribution:
        folder = tmp_path / "mini_swe_agent-2.4.6.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: mini-swe-agent\nVersion: 2.4.6\n"
            "Requires-Dist: litellm>=1.75.5\nRequires-Dist: typer\n"
        )
        (folder / "entry_points.txt").write_text("[console_scripts]\nmini = made_up:main\n")
        return PathDistribution(folder)

    def test_names_programs_that_never_register(
        self, mini: PathDistribution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
        (check,) = check_programs([mini])
        assert "mini (mini-swe-agent)" in check.found
        assert check.found.endswith("litellm-synthetic run mini")

    def test_says_that_programs_started_from_here_register(
        self, mini: PathDistribution, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", str(FOLDER))
        (check,) = check_programs([mini])
        assert check.found.startswith("Started from here they register")

    def test_says_nothing_where_there_are_none(self) -> None:
        assert list(check_programs([])) == []
