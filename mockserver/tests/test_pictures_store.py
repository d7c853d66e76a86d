"""The content store: items are returned whole or not at all, and its bounds hold."""

import gc
import hashlib
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
