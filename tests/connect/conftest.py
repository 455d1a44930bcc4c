from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connect.listener import Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
