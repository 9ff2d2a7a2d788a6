"""A file is written whole or not at all, and never over another one without being told to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.cli.new_file import NotWrittenError, write_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def is_alone(path: Path) -> bool:
    return os.listdir(path.parent) == [path.name]  # noqa: PTH208  # hidden ones too


def test_a_new_file_has_the_mode_that_the_umask_leaves(path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(path, "a: é\n", force=False)
    finally:
        os.umask(before)
    assert path.read_bytes() == "a: é\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert is_alone(path)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_an_existing_file_is_kept_unless_forced(path: Path, mode: int) -> None:
    path.write_text("mine")
    path.chmod(mode)
    with pytest.raises(NotWrittenError, match=r"config\.yaml exists already; --force replaces"):
        write_file(path, "theirs", force=False)
    assert path.read_text() == "mine"
    write_file(path, "theirs", force=True)
    assert path.read_text() == "theirs"
    assert path.stat().st_mode & 0o777 == mode
    assert is_alone(path)


def test_force_writes_a_new_file_too(path: Path) -> None:
    write_file(path, "x", force=True)
    assert path.read_text() == "x"


@pytest.mark.parametrize("force", [False, True])
def test_only_a_regular_file_is_ever_replaced(tmp_path: Path, *, force: bool) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "link": "symbolic link",
        "dangling": "symbolic link",
        "folder": "is a folder",
        "pipe": "not a regular file",
        "missing/config.yaml": "No such file or directory",
        "target/config.yaml": "Not a directory",
        "n" * 300: "File name too long",
        "null\0byte": "null",
    }.items():
        with pytest.raises(NotWrittenError, match=reason):
            write_file(tmp_path / name, "theirs", force=force)
    assert target.read_text() == "mine"
    assert (tmp_path / "link").is_symlink()
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    link = os.link

    def late(source: Any, target: Any) -> None:
        path.write_text("mine")
        if not has_links:
            raise PermissionError("no hard links here")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(NotWrittenError, match="already"):
        write_file(path, "theirs", force=False)
    assert path.read_text() == "mine"
    assert is_alone(path)


def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text("mine")

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotWrittenError, match="No space left on device"):
        write_file(path, "theirs", force=True)
    assert path.read_text() == "mine"
    assert is_alone(path)


def test_a_file_system_without_hard_links_will_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: Any, _target: Any) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    write_file(path, "x", force=False)
    assert is_alone(path)
