"""A file is written whole or not at all, and never over another one without being told to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from litellm_synthetic.cli.new_file import NotWrittenError, write_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "config.yaml", "a: é\n", force=False)
    finally:
        os.umask(before)
    assert (tmp_path / "config.yaml").read_bytes() == "a: é\n".encode()
    assert (tmp_path / "config.yaml").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["config.yaml"]  # noqa: PTH208  # hidden ones too


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mine")
    path.chmod(0o600)
    with pytest.raises(NotWrittenError, match=r"config\.yaml is there already; --force replaces"):
        write_file(path, "theirs", force=False)
    assert path.read_text() == "mine"
    write_file(path, "theirs", force=True)
    assert path.read_text() == "theirs"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["config.yaml"]  # noqa: PTH208  # hidden ones too


def test_force_writes_a_new_file_too(tmp_path: Path) -> None:
    write_file(tmp_path / "new", "x", force=True)
    assert (tmp_path / "new").read_text() == "x"


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, *, force: bool) -> None:
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
        "pipe": "no regular file",
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
def test_a_file_that_comes_into_being_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    path = tmp_path / "config.yaml"
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
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mine")

    def fails(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(NotWrittenError, match="No space left on device"):
        write_file(path, "theirs", force=True)
    assert path.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_source: Any, _target: Any) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refused)
    write_file(tmp_path / "config.yaml", "x", force=False)
    assert [one.name for one in tmp_path.iterdir()] == ["config.yaml"]
