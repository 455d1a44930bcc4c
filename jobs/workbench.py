"""The worker's toolbox. DBOS calls workflows by name, so what they need must lie ready in the process."""

from __future__ import annotations

from services.toolbox import Toolbox

_on_the_bench: list[Toolbox] = []


def lay_out(tools: Toolbox) -> None:
    """Puts the toolbox where workflows find it; once, before DBOS starts."""
    _on_the_bench[:] = [tools]


def tools() -> Toolbox:
    return _on_the_bench[0]
