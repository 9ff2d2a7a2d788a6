"""The cache is replaced at once, kept private, and ignored where it isn't plainly ours."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_synthetic.catalog import active
from litellm_synthetic.catalog import cache as table_cache
from litellm_synthetic.catalog.cache import (
    CACHE_FORMAT,
    MAX_BYTES,
    CachedTable,
    cache_file,
    read_cache,
    write_cache,
)
from litellm_synthetic.catalog.pricing import PRICE_FIELDS
from litellm_synthetic.catalog.table import Catalog, load_bundled
from litellm_synthetic.config.cache_folder import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE = "https://api.synthetic.new/openai/v1"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TABLE = CachedTable(BASE, NOW, load_bundled(), etag='"v1"', last_modified="Fri, 20 Nov 2026")

posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")
not_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root writes wherever it likes"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "cache"
    monkeypatch.setenv("SYNTHETIC_CACHE_DIR", str(path))
    monkeypatch.setattr(table_cache, "_warned", set())
    active.forget()
    yield path
    active.forget()


@pytest.fixture
def written() -> Path:
    assert write_cache(TABLE) is None
    return cache_file(BASE)


def test_what_is_written_is_read() -> None:
    assert write_cache(TABLE) is None
    assert read_cache(BASE, now=NOW) == TABLE


@posix
def test_only_the_user_may_read_and_write_it(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700


def test_each_base_url_has_a_file_of_its_own(written: Path) -> None:
    other = "http://127.0.0.1:8080/openai/v1"
    assert cache_file(other) != written
    assert read_cache(other) is None
    written.rename(cache_file(other))
    assert read_cache(other, now=NOW) is None


def test_a_missing_file_is_no_reason_for_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert read_cache(BASE) is None
    assert caplog.messages == []


def edited(**changes: Any) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        document = {**json.loads(path.read_bytes()), **changes}
        path.write_text(json.dumps(document), "utf-8")

    return edit


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to(path.with_name("elsewhere.json"))


def padded(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * MAX_BYTES)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_row_with(**changes: Any) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        document = json.loads(path.read_bytes())
        document["models"][0].update(changes)
        path.write_text(json.dumps(document), "utf-8")

    return edit


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged"),
    "empty": (lambda path: path.write_bytes(b""), "damaged"),
    "binary": (lambda path: path.write_bytes(b"\xff\x00" * 99), "damaged"),
    "deep": (lambda path: path.write_bytes(b"[" * 200_000), "damaged"),
    "list": (lambda path: path.write_bytes(b"[]"), "another format"),
    "too_large": (padded, "too large"),
    "another_cache_format": (edited(cache_format=CACHE_FORMAT - 1), "another format"),
    "another_table_format": (edited(format=2), "damaged"),
    "another_base_url": (edited(base_url="https://example.com/v1"), "another base URL"),
    "no_date": (edited(fetched_at=None), "damaged"),
    "odd_date": (edited(fetched_at="soon"), "damaged"),
    "future": (edited(fetched_at=(NOW + timedelta(hours=1)).isoformat()), "future"),
    "no_models": (edited(models=[]), "damaged"),
    "negative_price": (a_row_with(prices={"input_usd_per_token": "-1"}), "damaged"),
    "infinite_price": (a_row_with(prices={"input_usd_per_token": "Infinity"}), "damaged"),
    "negative_limit": (a_row_with(context_window_tokens=-1), "damaged"),
    "symlink": (linked, "symbolic link"),
    "folder": (as_folder, ""),
    "pipe": (as_pipe, "not a regular file"),
    "group_may_write": (lambda path: path.chmod(0o620), "other users"),
    "world_may_write": (lambda path: path.chmod(0o602), "other users"),
}


@posix
@pytest.mark.parametrize("name", ATTACKS)
def test_a_file_that_cannot_be_trusted_is_ignored_said_once_and_replaced(
    name: str, written: Path, caplog: pytest.LogCaptureFixture
) -> None:
    attack, reason = ATTACKS[name]
    attack(written)
    for _ in range(2):
        assert read_cache(BASE, now=NOW) is None
    (message,) = caplog.messages
    assert "is ignored" in message
    assert reason in message
    if name != "folder":
        assert write_cache(TABLE) is None
        assert not written.is_symlink()
        assert read_cache(BASE, now=NOW) == TABLE


@posix
def test_a_link_in_its_place_is_replaced_and_its_target_untouched(written: Path) -> None:
    target = written.with_name("precious")
    target.write_text("mine", "utf-8")
    written.unlink()
    written.symlink_to(target)
    assert write_cache(TABLE) is None
    assert target.read_text("utf-8") == "mine"


@posix
def test_a_file_of_another_user_is_ignored(
    written: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: written.stat().st_uid + 1)
    assert read_cache(BASE, now=NOW) is None
    assert "another user" in caplog.text


@not_root
def test_a_folder_that_cannot_be_written_is_said_and_nothing_more(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    note = write_cache(TABLE)
    assert note is not None
    assert "could not be written" in note
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "Full")])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    written: Path, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: Path, _target: Path) -> Path:
        raise error

    monkeypatch.setattr(Path, "replace", fail)
    note = write_cache(CachedTable(BASE, NOW + timedelta(hours=1), load_bundled()))
    assert note == f"the cache could not be written: {error.strerror}"
    assert list(written.parent.iterdir()) == [written]
    assert read_cache(BASE, now=NOW) == TABLE


def test_a_file_in_the_place_of_the_folder_is_said(folder: Path) -> None:
    folder.write_text("not a folder", "utf-8")
    assert write_cache(TABLE) is not None
    assert read_cache(BASE) is None


def test_without_a_home_directory_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHETIC_CACHE_DIR", "~no-such-user-here/cache")
    assert read_cache(BASE) is None
    assert write_cache(TABLE) is not None


def test_the_folder_is_the_systems_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNTHETIC_CACHE_DIR")
    assert cache_folder().is_absolute()
    assert "litellm-synthetic" in str(cache_folder())


def test_a_table_too_large_to_be_read_back_is_not_written(folder: Path) -> None:
    bundled = load_bundled()
    (model, *_) = bundled.models
    large = model.model_copy(update={"note": "x" * MAX_BYTES})
    table = CachedTable(BASE, NOW, bundled.with_models([large], observed_on=bundled.observed_on))
    assert write_cache(table) == "the table is too large to be cached"
    assert not folder.exists()


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_damage_ever_raises_or_invents_a_figure(data: st.DataObject) -> None:
    write_cache(TABLE)
    path = cache_file(BASE)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    result = read_cache(BASE, now=NOW)
    for model in result.catalog.models if result else ():
        assert model.context_window_tokens is None or model.context_window_tokens > 0
        for price in model.prices.model_dump(include=set(PRICE_FIELDS)).values():
            assert price is None or (price.is_finite() and price >= 0)


WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from litellm_synthetic.catalog.table import load_bundled
from litellm_synthetic.catalog.cache import CachedTable, read_cache, write_cache
base, offset = sys.argv[1], int(sys.argv[2])
start = datetime(2026, 11, 20, 12, tzinfo=UTC)
for turn in range(40):
    when = start + timedelta(seconds=2 * turn + offset)
    assert write_cache(CachedTable(base, when, load_bundled())) is None
    assert read_cache(base, now=when + timedelta(hours=1)) is not None
print([name for name in sys.modules if name.split(".")[0] in ("litellm", "httpx")])
"""


def test_two_processes_write_at_once_and_each_always_reads_a_whole_table(folder: Path) -> None:
    writers = [
        subprocess.Popen(  # noqa: S603  # our own script
            [sys.executable, "-c", WRITER, BASE, str(offset)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for offset in (0, 1)
    ]
    for writer in writers:
        out, err = writer.communicate(timeout=60)
        assert (out.strip(), err) == ("[]", "")
    assert [each.name for each in folder.iterdir()] == [cache_file(BASE).name]


class TestTheTableInForce:
    def test_is_the_bundled_one_without_a_cache(self) -> None:
        table = active.current_table()
        assert (table.source, table.fetched_at, table.base_url) == ("bundled", None, BASE)
        assert table.catalog is load_bundled()
        assert table.age_seconds() is None
        assert table.is_stale(1e12)
        assert active.current_table() is table

    def test_is_the_cached_one_where_there_is_one(self) -> None:
        write_cache(CachedTable(BASE, datetime.now(UTC), load_bundled()))
        table = active.current_table()
        assert table.source == "cache"
        assert table.catalog == load_bundled()
        age = table.age_seconds()
        assert age is not None
        assert 0 <= age < 60
        assert not table.is_stale(60)

    def test_is_the_bundled_one_where_the_cache_is_from_before_it(self) -> None:
        write_cache(CachedTable(BASE, datetime(2026, 10, 7, tzinfo=UTC), load_bundled()))
        assert active.current_table().source == "bundled"

    def test_belongs_to_the_base_url_in_force(
        self, written: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del written
        monkeypatch.setenv("SYNTHETIC_API_BASE", "http://127.0.0.1:1/anthropic")
        table = active.current_table()
        assert (table.source, table.base_url) == ("bundled", "http://127.0.0.1:1/openai/v1")

    @pytest.mark.parametrize("base", ["", "ftp://x", "http://remote.example", "https://u:p@x"])
    def test_is_synthetics_where_the_base_url_is_refused(
        self, base: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SYNTHETIC_API_BASE", base)
        assert active.current_table().base_url == BASE

    def test_is_put_on_the_facts_of_another_version_of_the_package(self) -> None:
        bundled = load_bundled()
        older = Catalog(
            observed_on=bundled.observed_on,
            compiled_on=bundled.compiled_on - timedelta(days=9),
            sources=bundled.sources,
            models=tuple(each.model_copy(update={"note": "old"}) for each in bundled.models),
        )
        write_cache(CachedTable(BASE, datetime.now(UTC), older, etag='"v1"'))
        table = active.current_table()
        assert (table.source, table.etag) == ("cache", None)
        assert table.catalog == bundled

    def test_is_stale_from_its_time_to_live_on_or_when_the_clock_was_set_back(self) -> None:
        table = active.ModelTable(load_bundled(), "refresh", NOW, BASE)
        hour = timedelta(hours=1)
        assert table.age_seconds(NOW + hour) == 3600
        assert not table.is_stale(3601, NOW + hour)
        assert table.is_stale(3600, NOW + hour)
        assert table.is_stale(3600, NOW - hour)
        assert table.age_seconds(NOW - hour) == 0

    def test_tells_its_listeners_until_they_are_removed(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        events: list[object] = []

        def fails(_table: object) -> None:
            raise RuntimeError("a listener's own fault")

        remove_failing = active.on_change(fails)
        remove = active.on_change(events.append)
        table = active.ModelTable(load_bundled(), "refresh", NOW, BASE)
        active.set_current_table(table)
        assert (events, active.current_table()) == ([table], table)
        assert "a listener failed" in caplog.text
        for each in (remove, remove, remove_failing):
            each()
        active.set_current_table(table)
        assert events == [table]

    def test_loads_neither_litellm_nor_httpx(self) -> None:
        script = (
            "import sys; from litellm_synthetic.catalog import active, refresh;"
            "active.current_table();"
            "print([n for n in sys.modules if n in ('litellm', 'httpx', 'filelock')])"
        )
        done = subprocess.run(  # noqa: S603  # our own script
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"
