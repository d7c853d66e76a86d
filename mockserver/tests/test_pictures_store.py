"""The content store: items are returned whole or not at all, and its bounds hold."""

import gc
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import pytest
from bodydouble_mockserver.pictures.store import ContentStore
from hypothesis import given, settings
from hypothesis import strategies as st

MEMORY, DISK, LARGE = 300, 500, 60


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the store create its temporary folders below this one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 12), st.sampled_from([0, 1, 30, 60, 61, 100, 250, 251])),
        max_size=40,
    )
)
def test_any_sequence_of_puts_and_gets_stays_in_bounds_and_returns_whole_items(
    steps: list[tuple[bool, int, int]],
) -> None:
    store = ContentStore(memory_bytes=100, disk_bytes=250, large_bytes=60)
    known: dict[str, bytes] = {}
    for is_put, letter, size in steps:
        data = bytes([letter]) * size
        key = hashlib.sha256(data).hexdigest()
        if is_put:
            assert store.put(data) == key
            known[key] = data
        assert store.get(key) in (known.get(key), None)
        assert (key in store) == (store.get(key) is not None)
        assert store.memory_bytes <= 100
        assert store.disk_bytes <= 250
    held = [len(data) for data in map(store.get, known) if data is not None]
    assert sum(held) == store.memory_bytes + store.disk_bytes
    store.close()


@pytest.mark.parametrize("size", [LARGE, LARGE + 1])
def test_the_last_thing_put_is_there_when_it_fits(size: int) -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    keys = [store.put(bytes([number]) * size) for number in range(20)]
    assert store.get(keys[-1]) == bytes([19]) * size
    store.close()


@pytest.mark.parametrize(("size", "room"), [(LARGE, MEMORY), (LARGE + 1, DISK)])
def test_the_least_recently_used_goes_first(size: int, room: int) -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    keys = [store.put(bytes([number]) * size) for number in range(room // size)]
    store.get(keys[0])
    store.put(b"x" * size)
    assert [key in store for key in keys] == [True, False, *[True] * (len(keys) - 2)]
    store.close()


def test_large_items_are_on_disk_and_evicted_ones_leave_it(folder: Path) -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    for number in range(20):
        store.put(bytes([number]) * 100)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) == store.disk_bytes == DISK
    assert store.memory_bytes == 0
    store.close()


def test_closing_removes_the_folder_and_forgets_everything(folder: Path) -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    keys = [store.put(b"a"), store.put(b"b" * 100)]
    store.close()
    assert list(folder.iterdir()) == []
    assert [store.get(key) for key in keys] == [None, None]


def test_a_closed_store_can_be_used_again() -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    store.put(b"b" * 100)
    store.close()
    assert store.get(store.put(b"b" * 100)) == b"b" * 100
    store.close()


def test_a_collected_store_removes_its_folder_without_a_warning(folder: Path) -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    store.put(b"b" * 100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del store
        gc.collect()
    assert (caught, list(folder.iterdir())) == ([], [])


def test_threads_read_while_others_evict() -> None:
    store = ContentStore(MEMORY, DISK, LARGE)
    wrong: list[object] = []

    def use(size: int) -> None:
        try:
            for number in range(600):
                data = bytes([number % 251]) * size
                found = store.get(store.put(data))
                if found not in (data, None):
                    wrong.append(found)
        except Exception as error:  # noqa: BLE001 - an exception in a thread would go unnoticed
            wrong.append(error)

    threads = [threading.Thread(target=use, args=(size,)) for size in (50, 60, 90, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    store.close()


def test_without_a_temporary_folder_large_items_are_kept_in_memory(folder: Path) -> None:
    folder.rmdir()
    store = ContentStore(memory_bytes=100, disk_bytes=1000, large_bytes=10)
    keys = [store.put(bytes([number]) * 60) for number in range(2)]
    assert [store.get(key) for key in keys] == [None, b"\1" * 60]
    assert (store.memory_bytes, store.disk_bytes) == (60, 0)


def test_a_folder_that_was_removed_is_made_again(folder: Path) -> None:
    store = ContentStore(memory_bytes=100, disk_bytes=1000, large_bytes=10)
    lost = store.put(b"a" * 60)
    shutil.rmtree(next(folder.iterdir()))
    assert store.get(lost) is None
    kept = [store.put(letter * 60) for letter in (b"b", b"c")]
    assert [store.get(key) for key in kept] == [b"b" * 60, b"c" * 60]
    assert store.disk_bytes == 60, "the first one found no folder and is in memory, the second one made a new folder"
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_does_not_fit_on_the_disk_is_kept_in_memory(folder: Path) -> None:
    script = """\
import resource, tempfile
from bodydouble_mockserver.pictures import ContentStore
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
store = ContentStore(memory_bytes=100, disk_bytes=1000, large_bytes=10)
keys = [store.put(b"a" * 60), store.put(b"b" * 40)]
print([len(store.get(key)) for key in keys], store.memory_bytes, store.disk_bytes)
"""
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "[60, 40] 60 40\n", done.stderr
    assert list(folder.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_live_one_is_not(folder: Path) -> None:
    script = """\
import os, sys
from bodydouble_mockserver.pictures import ContentStore
store = ContentStore(large_bytes=1)
store.put(b"an input")
print(flush=True)
sys.stdin.read()
"""
    environment = {**os.environ, "TMPDIR": str(folder)}
    killed, live = (
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    )
    with killed, live:
        for process in (killed, live):
            assert process.stdout is not None
            process.stdout.readline()
        killed.kill()
        killed.wait()
        made = list(folder.iterdir())
        assert len(made) == 2
        for path in made:
            os.utime(path, (0, 0))  # older than what may be about to be locked
        store = ContentStore(large_bytes=1)
        store.put(b"another input")
        assert len(set(made) & set(folder.iterdir())) == 1
        live.kill()
    store.close()
