"""The pretend Cloud's memory: its connections, and its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sandbox.store import Store


def test_a_thread_that_ends_after_the_store_leaves_nothing() -> None:
    store = Store(":memory:")
    with ThreadPoolExecutor(1) as another:
        another.submit(store.get, "anything").result()
        store.close()
        another.submit(store.leave_thread).result()


def test_a_thread_goes_on_with_the_connection_that_another_one_left() -> None:
    store = Store(":memory:")
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        left = one.submit(lambda: store.connection).result()
        assert another.submit(lambda: store.connection).result() is not left
        one.submit(store.leave_thread).result()
        assert one.submit(lambda: store.connection).result() is left
    store.close()


def test_who_comes_back_reads_what_was_written_meanwhile() -> None:
    store = Store(":memory:")
    with ThreadPoolExecutor(1) as another:
        assert another.submit(store.get, "colour").result() is None
        another.submit(store.leave_thread).result()
        store.put("colour", "blue")
        assert another.submit(store.get, "colour").result() == "blue"
    store.close()
