"""Rows of one organization that are handed to the worker together: queued, found and ended as one workflow."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from dbos import DBOS

from services.batches import batches

Bundle = Sequence[tuple[str, int]]
"""(row id, attempt) of a few rows of one organization."""

_NAMESPACE = uuid.UUID("6b7cf9f5-6a0f-4f0e-9a53-1c7a0e2f9d34")


def bundled(leased: Sequence[tuple[str, str, int]], size: int) -> list[tuple[str, Bundle]]:
    """(organization id, bundle): the same rows, at most `size` of one organization together."""
    return [
        (organization_id, [(row_id, attempt) for _organization_id, row_id, attempt in batch])
        for organization_id, mine in groupby(leased, key=itemgetter(0))
        for batch in batches(list(mine), size)
    ]


def name_of(bundle: Bundle) -> str:
    """The same for the same rows at the same attempts, and for nothing else."""
    return str(uuid.uuid5(_NAMESPACE, " ".join(f"{row_id}:{attempt}" for row_id, attempt in bundle)))


def waiting_in(queue: str) -> Counter[str]:
    """Organization id → how many bundles wait for a worker."""
    waiting = DBOS.list_workflows(queue_name=queue, status="ENQUEUED", load_input=False, load_output=False)
    return Counter(str(each.queue_partition_key) for each in waiting)
