"""What a database complains about is logged: it must name nobody (S41)."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from connect.scrub import Scrubber
from models.people import Person
from tests.world import ACME, World


def test_s41_an_error_of_the_database_names_nobody(world: World) -> None:
    world.synced()
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(Scrubber())
    logger = logging.getLogger("rollcall.database")
    logger.addHandler(handler)
    try:
        with pytest.raises(IntegrityError) as found, world.tools.begin() as session:
            session.execute(
                insert(Person).values(organization_id=ACME, account_id="uma", name="Uma Lindqvist")
            )
        logger.error("failed", exc_info=found.value)
    finally:
        logger.removeHandler(handler)
    assert "INSERT INTO person" in out.getvalue()
    assert "Lindqvist" not in out.getvalue()
