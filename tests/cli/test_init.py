"""Questions, files and output of `litellm-synthetic init`, in a terminal and without one."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from litellm_synthetic.cli import dotenv_file
from litellm_synthetic.cli.dotenv_file import DotEnvError, git_exposure, look, write_key
from litellm_synthetic.config.credentials import Secret
from tests.cli.invocation import invoke
from tests.terminal_session import CTRL_C, CTRL_D, TerminalSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.testing import Result

    from litellm_synthetic.testing import SyntheticServer

KEY: Final = "syn_0123456789abcdef0123456789abcdef"
OTHER_KEY: Final = "syn_fedcba9876543210fedcba9876543210"
NOWHERE: Final = "http://127.0.0.1:9/openai/v1"


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Work in an empty folder, outside of every git repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return folder


@pytest.fixture
def upstream_without_key(
    synthetic_server: SyntheticServer, monkeypatch: pytest.MonkeyPatch
) -> SyntheticServer:
    """Put a stand-in where Synthetic would be, with no key in the environment yet."""
    monkeypatch.delenv("SYNTHETIC_API_KEY")
    return synthetic_server


run = partial(invoke, "init")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.endswith(".tmp")]


class TestWithoutATerminal:
    def test_a_piped_key_is_checked_and_not_written(
        self, upstream_without_key: SyntheticServer, project: Path
    ) -> None:
        server = upstream_without_key
        result = run(stdin=f"{server.api_key}\n")
        assert "The key is accepted." in result.stderr
        assert [(each.method, each.route) for each in server.requests] == [("GET", "/v2/quotas")]
        assert server.last_request.bearer == server.api_key
        assert not list(project.iterdir())

    def test_a_key_in_the_environment_is_used_and_mentioned(
        self, synthetic_server: SyntheticServer
    ) -> None:
        result = run()
        assert "SYNTHETIC_API_KEY is set in the environment." in result.stderr
        assert synthetic_server.last_request.bearer == synthetic_server.api_key

    def test_the_key_is_never_printed(self, synthetic_server: SyntheticServer) -> None:
        result = run("--write-env", ".env")
        assert synthetic_server.api_key not in result.output
        assert synthetic_server.api_key[-8:] not in result.output

    def test_it_prints_setup_snippets(self) -> None:
        printed = run("--no-check", stdin=KEY).stdout
        for line in (
            "export SYNTHETIC_API_KEY=syn_YOUR_KEY",
            "SYNTHETIC_API_KEY=syn_YOUR_KEY",
            "litellm_synthetic.register()",
            "      api_key: os.environ/SYNTHETIC_API_KEY",
            '  callbacks: ["litellm_synthetic.proxy.route"]',
        ):
            assert line in printed.splitlines()

    def test_the_printed_python_and_yaml_are_right(self) -> None:
        parts = dict(
            part.split("\n", 1) for part in run("--no-check", stdin=KEY).stdout.split("# ")[1:]
        )
        compile(parts["In Python"], "printed", "exec")
        # In JSON's part of YAML there would be no indentation to get wrong.
        lines = parts["In the proxy's config.yaml"].splitlines()
        assert lines[0] == "model_list:"
        assert lines[1].startswith("  - model_name: ")
        assert lines[3] == "      model: synthetic/default"

    @pytest.mark.parametrize("stdin", ["", "\n", "  \n"])
    def test_no_key_at_all_is_an_error_and_exit_code_2(self, stdin: str) -> None:
        result = run(code=2, stdin=stdin)
        assert "No key came on stdin" in result.stderr
        assert not result.stdout

    @pytest.mark.parametrize(
        ("piped", "says"), [("a b c", "white space"), ("Bearer syn_0123456789", "Bearer")]
    )
    def test_text_that_is_not_a_key_is_refused_unshown(self, piped: str, says: str) -> None:
        result = run(code=2, stdin=piped)
        assert says in result.stderr
        assert "0123456789" not in result.output

    def test_a_rejected_key_is_not_written(
        self, upstream_without_key: SyntheticServer, project: Path
    ) -> None:
        result = run("--write-env", ".env", code=1, stdin=KEY)
        assert "The key is rejected, and nothing was written." in result.stderr
        assert upstream_without_key.last_request.bearer == KEY
        assert not (project / ".env").exists()
        assert not result.stdout

    def test_a_key_that_could_not_be_checked_is_not_written(
        self, monkeypatch: pytest.MonkeyPatch, project: Path
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", NOWHERE)
        result = run("--write-env", ".env", code=1, stdin=KEY)
        assert "could not be checked" in result.stderr
        assert "--no-check skips the check" in result.stderr
        assert not (project / ".env").exists()
        run("--write-env", ".env", "--no-check", stdin=KEY)
        assert dotenv_values(project / ".env") == {"SYNTHETIC_API_KEY": KEY}

    @pytest.mark.parametrize("base", ["api.synthetic.new", "http://127.0.0.1:9/my/llm"])
    def test_a_base_url_without_a_free_call_gets_no_key(
        self, monkeypatch: pytest.MonkeyPatch, base: str
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", base)
        monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was opened"))
        assert "could not be checked" in run(code=1, stdin=KEY).stderr

    def test_a_key_of_an_odd_shape_is_remarked_on(self) -> None:
        result = run("--no-check", stdin="sk-0123456789abcdef")
        assert "it begins with sk-, as OpenAI's" in result.stderr

    @pytest.mark.skipif(os.name != "posix", reason="a pipe that nobody writes to, as CI has it")
    def test_a_silent_pipe_ends_the_command_after_a_while(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("litellm_synthetic.cli.init_key.PIPE_SECONDS", 0.5)
        reading, writing = os.pipe()
        script = (
            "from litellm_synthetic.cli import init_key\n"
            "init_key.PIPE_SECONDS = 0.5\n"
            "from litellm_synthetic.cli.main import main\n"
            "main(['init', '--no-check'])\n"
        )
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", script],
            cwd=project,
            stdin=reading,
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(reading)
        os.close(writing)
        assert done.returncode == 2
        assert "No key came on stdin within 0.5 s." in done.stderr
        assert "Fatal" not in done.stderr


class TestWritingAFile:
    def write(self, *arguments: str, code: int = 0, key: str = KEY) -> Result:
        return run("--no-check", "--write-env", ".env", *arguments, code=code, stdin=key)

    def test_makes_it_with_mode_0600(self, project: Path) -> None:
        result = self.write()
        assert (project / ".env").read_text() == f"SYNTHETIC_API_KEY={KEY}\n"
        assert mode_of(project / ".env") == 0o600
        assert f"The key is in {Path('.env')} (mode 0600)." in result.stderr

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("A=1\n", "A=1\nSYNTHETIC_API_KEY={}\n"),
            ("A=1", "A=1\nSYNTHETIC_API_KEY={}\n"),
            ("A=1\r\nB=2\r\n", "A=1\r\nB=2\r\nSYNTHETIC_API_KEY={}\r\n"),
            ("\ufeffA=1\n", "\ufeffA=1\nSYNTHETIC_API_KEY={}\n"),
            ("# SYNTHETIC_API_KEY=x\n", "# SYNTHETIC_API_KEY=x\nSYNTHETIC_API_KEY={}\n"),
            ("MY_SYNTHETIC_API_KEY=x\n", "MY_SYNTHETIC_API_KEY=x\nSYNTHETIC_API_KEY={}\n"),
            (
                'T="\nSYNTHETIC_API_KEY=x\n"\n',
                'T="\nSYNTHETIC_API_KEY=x\n"\nSYNTHETIC_API_KEY={}\n',
            ),
            ("", "SYNTHETIC_API_KEY={}\n"),
        ],
    )
    def test_keeps_every_other_line(self, project: Path, before: str, after: str) -> None:
        (project / ".env").write_bytes(before.encode())
        self.write()
        assert (project / ".env").read_bytes() == after.format(KEY).encode()

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("A=1\nSYNTHETIC_API_KEY=old\n\nB=2\n", "A=1\nSYNTHETIC_API_KEY={}\n\nB=2\n"),
            ("\n export SYNTHETIC_API_KEY = 'a' # b\nB=2", "\n export SYNTHETIC_API_KEY={}\nB=2"),
            ("SYNTHETIC_API_KEY=old\r\nB=2\r\n", "SYNTHETIC_API_KEY={}\r\nB=2\r\n"),
            ("SYNTHETIC_API_KEY=old", "SYNTHETIC_API_KEY={}"),
            (
                "SYNTHETIC_API_KEY=a\nB=2\nSYNTHETIC_API_KEY=b\n",
                "SYNTHETIC_API_KEY={0}\nB=2\nSYNTHETIC_API_KEY={0}\n",
            ),
        ],
    )  # fmt: skip  # a row is a file before and after
    def test_replaces_a_key_only_with_force(self, project: Path, before: str, after: str) -> None:
        file = project / ".env"
        file.write_bytes(before.encode())
        result = self.write(code=1)
        assert "--force replaces it" in result.stderr
        assert file.read_bytes() == before.encode()
        self.write("--force")
        assert file.read_bytes() == after.format(KEY).encode()

    def test_keeps_bytes_that_are_not_text(self, project: Path) -> None:
        (project / ".env").write_bytes(b"NAME=caf\xe9\n")
        self.write()
        assert (project / ".env").read_bytes() == b"NAME=caf\xe9\n" + (
            f"SYNTHETIC_API_KEY={KEY}\n".encode()
        )

    def test_with_the_same_key_changes_nothing(self, project: Path) -> None:
        self.write()
        before = (project / ".env").stat()
        assert "holds this key already" in self.write().stderr
        after = (project / ".env").stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_narrows_a_wide_mode_and_says_so(self, project: Path) -> None:
        (project / ".env").write_text("A=1\n")
        (project / ".env").chmod(0o644)
        assert "(mode 0600; it was 0644)" in self.write().stderr
        assert mode_of(project / ".env") == 0o600

    def test_follows_no_symbolic_link(self, project: Path) -> None:
        target = project / "elsewhere"
        target.write_text("A=1\n")
        (project / ".env").symlink_to(target)
        assert "is a symbolic link" in self.write(code=1).stderr
        assert target.read_text() == "A=1\n"
        target.unlink()  # a dangling link leads somewhere as well
        self.write(code=1)
        assert not target.exists()

    def test_needs_the_folder_to_be_there(self, project: Path) -> None:
        result = run("--no-check", "--write-env", "no/such/.env", code=1, stdin=KEY)
        assert f"The folder {Path('no/such')} does not exist; make it first." in result.stderr
        assert result.stderr.count("\n") == 1
        assert not list(project.iterdir())

    @pytest.mark.skipif(sys.platform == "win32", reason="a folder in use can't be deleted there")
    def test_in_a_folder_that_is_gone_is_one_clear_line(self, project: Path) -> None:
        project.rmdir()
        result = self.write(code=1)
        assert "The working folder has been deleted" in result.stderr
        assert result.stderr.count("\n") == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, even from root")
    def test_into_a_folder_that_takes_no_files_is_one_clear_line(self) -> None:
        result = run("--no-check", "--write-env", "/proc/.env", code=1, stdin=KEY)
        assert "/proc/.env cannot be written" in result.stderr
        assert "Traceback" not in result.output

    def test_leaves_a_protected_file_alone(self, project: Path) -> None:
        (project / ".env").write_text("A=1\n")
        (project / ".env").chmod(0o400)
        assert "write-protected" in self.write(code=1).stderr
        assert (project / ".env").read_text() == "A=1\n"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
    def test_does_not_wait_for_a_named_pipe(self, project: Path) -> None:
        os.mkfifo(project / ".env")
        assert "not a regular file" in self.write(code=1).stderr

    def test_refuses_a_key_that_programs_read_differently(self, project: Path) -> None:
        result = self.write(code=1, key="syn_a$HOME'b\"0123456789")
        assert "read differently" in result.stderr
        assert not (project / ".env").exists()

    def test_leaves_the_old_file_whole_when_it_breaks_off(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / ".env").write_text("A=1\n")

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        assert "No space left on device" in self.write(code=1).stderr
        assert (project / ".env").read_text() == "A=1\n"
        assert not leftovers(project)

    def test_does_not_undo_what_another_program_wrote_meanwhile(self, project: Path) -> None:
        file = look(project / ".env")
        (project / ".env").write_text("A=1\n")
        with pytest.raises(DotEnvError, match="changed by another program"):
            write_key(file, Secret(KEY))
        assert (project / ".env").read_text() == "A=1\n"

    def test_shows_no_key_in_its_description_of_a_file(self, project: Path) -> None:
        self.write()
        assert KEY not in repr(look(project / ".env"))

    @given(
        lines=st.lists(
            st.sampled_from(
                (
                    "A=1", "export B='x y'", "# note", "", "C", 'D="two\nlines"', "=bad",
                    "SYNTHETIC_API_KEY=old", "é=ü",
                )
            ),
            max_size=8,
        ),
        end=st.sampled_from(["\n", "\r\n"]),
        ends=st.booleans(),
    )  # fmt: skip  # one list, read as one
    def test_adds_or_replaces_the_key_and_nothing_else(
        self, lines: list[str], end: str, *, ends: bool
    ) -> None:
        text = end.join(lines) + (end if ends else "")
        changed = dotenv_file._with_key(text, f"SYNTHETIC_API_KEY={KEY}")  # noqa: SLF001  # the pure part

        def others(of: str) -> list[str]:
            pieces = dotenv_file._bindings(of)  # noqa: SLF001  # as above
            kept = [piece for name, _, piece in pieces if name != "SYNTHETIC_API_KEY"]
            return [piece.strip() for piece in kept if piece.strip()]

        assert others(changed) == others(text)
        assert dotenv_file._last_key(changed) == KEY  # noqa: SLF001  # as above


class TestGit:
    @pytest.fixture
    def repository(self, project: Path) -> Path:
        subprocess.run(["git", "init", "--quiet", str(project)], check=True)  # noqa: S603, S607  # git
        return project

    def test_a_file_that_would_be_committed_is_warned_about(self, repository: Path) -> None:
        result = run("--no-check", "--write-env", ".env", stdin=KEY)
        assert "may be committed. Add .env to .gitignore." in result.stderr
        assert repository.joinpath(".env").exists()

    def test_an_ignored_file_is_not(self, repository: Path) -> None:
        (repository / ".gitignore").write_text(".env\n")
        assert "Careful" not in run("--no-check", "--write-env", ".env", stdin=KEY).stderr

    def test_a_tracked_file_is_warned_about_even_if_it_is_ignored(self, repository: Path) -> None:
        (repository / ".gitignore").write_text(".env\n")
        (repository / ".env").write_text("A=1\n")
        subprocess.run(  # noqa: S603  # git
            ["git", "-C", str(repository), "add", "--force", ".env"],  # noqa: S607  # git
            check=True,
        )
        assert git_exposure(repository / ".env") == "not ignored"

    def test_without_git_a_repository_is_still_noticed(
        self, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        assert git_exposure(repository / ".env") == "unknown"

    def test_outside_of_a_repository_nothing_is_said(self, project: Path) -> None:
        assert git_exposure(project / ".env") is None


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
class TestInATerminal:
    def session(
        self,
        project: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        columns: int = 80,
    ) -> TerminalSession:
        return TerminalSession(
            ["init", *arguments], folder=project, environment=environment, columns=columns
        )

    def test_the_key_is_asked_for_hidden_checked_and_written_on_yes(
        self, upstream_without_key: SyntheticServer, project: Path
    ) -> None:
        key = upstream_without_key.api_key
        with self.session(project) as terminal:
            terminal.answer_hidden("Synthetic API key:", key)
            terminal.wait_for("The key is accepted.")
            terminal.answer("Yes or no?", "y")
            assert terminal.end() == 0
        assert key not in terminal.shown
        assert key[-8:] not in terminal.shown
        assert (project / ".env").read_text() == f"SYNTHETIC_API_KEY={key}\n"
        assert mode_of(project / ".env") == 0o600
        assert f"set -a; . {project / '.env'}; set +a" in terminal.shown

    def test_what_was_typed_ahead_answers_no_question_that_writes_a_file(
        self, project: Path
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/openai/v1"
            with self.session(project, environment={"SYNTHETIC_API_BASE": base_url}) as terminal:
                terminal.answer_hidden("Synthetic API key:", KEY)
                connection, _ = silent.accept()
                terminal.type("y\ry\ry\r")
                connection.close()
                terminal.wait_for("could not be checked")
                terminal.answer("Yes or no?", "n")
                assert terminal.end() == 1
        assert not list(project.iterdir())

    def test_nothing_is_written_unless_told_to(self, project: Path) -> None:
        with self.session(project, "--no-check") as terminal:
            terminal.answer_hidden("Synthetic API key:", KEY)
            terminal.answer("Yes or no?", "")
            assert terminal.end() == 0
        assert not list(project.iterdir())
        assert "export SYNTHETIC_API_KEY=" in terminal.shown

    def test_text_that_is_not_a_key_is_asked_for_again(self, project: Path) -> None:
        with self.session(project, "--no-check") as terminal:
            terminal.answer_hidden("Synthetic API key:", "two words")
            terminal.wait_for("That is not a key")
            terminal.answer_hidden("Synthetic API key:", KEY)
            terminal.answer("Yes or no?", "n")
            assert terminal.end() == 0

    def test_a_key_in_the_environment_may_be_turned_down(self, project: Path) -> None:
        environment = {"SYNTHETIC_API_KEY": OTHER_KEY}
        with self.session(project, "--no-check", environment=environment) as terminal:
            terminal.wait_for("Use that key?")
            terminal.answer("Yes or no?", "n")
            terminal.answer_hidden("Synthetic API key:", KEY)
            terminal.answer("Yes or no?", "y")
            assert terminal.end() == 0
        assert dotenv_values(project / ".env") == {"SYNTHETIC_API_KEY": KEY}

    def test_another_key_in_the_file_is_replaced_only_on_a_second_yes(self, project: Path) -> None:
        (project / ".env").write_text(f"SYNTHETIC_API_KEY={OTHER_KEY}\nA=1\n")
        for answer, key in (("n", OTHER_KEY), ("y", KEY)):
            with self.session(project, "--no-check") as terminal:
                terminal.answer_hidden("Synthetic API key:", KEY)
                terminal.answer("Yes or no?", "y")
                terminal.wait_for("Replace it?")
                terminal.answer("Yes or no?", answer)
                assert terminal.end() == (0 if answer == "y" else 1)
            assert dotenv_values(project / ".env") == {"SYNTHETIC_API_KEY": key, "A": "1"}

    def test_a_key_that_could_not_be_checked_is_the_persons_choice(self, project: Path) -> None:
        environment = {"SYNTHETIC_API_BASE": NOWHERE}
        for answer, code in (("y", 0), ("n", 1)):
            with self.session(project, "--write-env", ".env", environment=environment) as terminal:
                terminal.answer_hidden("Synthetic API key:", KEY)
                terminal.wait_for("could not be checked")
                terminal.answer("Yes or no?", answer)
                assert terminal.end() == code
            assert (project / ".env").exists() == (answer == "y")
            (project / ".env").unlink(missing_ok=True)

    @pytest.mark.parametrize(("keys", "code"), [(CTRL_C, 130), (CTRL_D, 1)])
    @pytest.mark.parametrize("at", ["Synthetic API key:", "Yes or no?"])
    def test_ctrl_c_and_the_end_of_input_end_it_cleanly(
        self, project: Path, keys: str, code: int, at: str
    ) -> None:
        with self.session(project, "--no-check") as terminal:
            if at != "Synthetic API key:":
                terminal.answer_hidden("Synthetic API key:", KEY)
            terminal.wait_for(at)
            if at == "Synthetic API key:":
                terminal.wait_until_hidden()
            terminal.type(keys)
            assert terminal.end() == code
        assert "othing was written" in terminal.shown
        assert "Traceback" not in terminal.shown
        assert not list(project.iterdir())

    @pytest.mark.parametrize("columns", [40, 80])
    def test_sentences_are_broken_between_words(self, project: Path, columns: int) -> None:
        with self.session(project, "--no-check", columns=columns) as terminal:
            terminal.answer_hidden("Synthetic API key:", "sk-0123456789abcdef")
            terminal.answer("Yes or no?", "n")
            assert terminal.end() == 1
        lines = [line.rstrip() for line in terminal.shown.splitlines()]
        assert any("The key looks wrong" in line for line in lines)
        assert all(len(line) <= columns for line in lines), lines

    def test_no_color_means_none(self, project: Path) -> None:
        with self.session(project, "--no-check", environment={"NO_COLOR": "1"}) as terminal:
            terminal.answer_hidden("Synthetic API key:", KEY)
            terminal.answer("Yes or no?", "n")
            assert terminal.end() == 0
        assert "\x1b[" not in terminal.shown


class TestTheFileLiteLLMReads:
    def test_is_the_one_above_its_own_code(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        code = tmp_path / "venv" / "litellm"
        code.mkdir(parents=True)
        (tmp_path / ".env").write_text("")
        monkeypatch.setattr(dotenv_file, "_litellm", lambda: code)
        monkeypatch.setattr(sys.modules["__main__"], "__file__", "a program", raising=False)
        assert dotenv_file.read_by_litellm({}) == tmp_path / ".env"
        (code.parent / ".env").write_text("")
        assert dotenv_file.read_by_litellm({}) == code.parent / ".env"
        assert dotenv_file.read_by_litellm({"LITELLM_MODE": "PRODUCTION"}) is None
        assert dotenv_file.read_by_litellm({"PYTHON_DOTENV_DISABLED": "1"}) is None

    @pytest.mark.parametrize("mode", ["DEV", "PRODUCTION"])
    def test_agrees_with_what_litellm_does(self, project: Path, mode: str) -> None:
        (project / ".env").write_text(f"SYNTHETIC_API_KEY={KEY}\n")
        script = (
            "import os, litellm\n"
            "from litellm_synthetic.cli.dotenv_file import read_by_litellm\n"
            "print(os.environ.get('SYNTHETIC_API_KEY'), read_by_litellm())"
        )
        environment: dict[str, Any] = {**os.environ, "LITELLM_MODE": mode}
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", script],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        read = f"{KEY} {project / '.env'}" if mode == "DEV" else "None None"
        assert done.stdout.splitlines()[-1] == read
