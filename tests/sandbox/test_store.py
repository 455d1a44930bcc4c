"""The pretend Cloud's memory, at its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sandbox.store import Store


def test_a_thread_that_ends_after_the_store_has_nothing_left_to_close() -> None:
    store = Store(":memory:")
    with ThreadPoolExecutor(1) as another:
        another.submit(store.get, "anything").result()
        store.close()
        another.submit(store.close_thread).result()
