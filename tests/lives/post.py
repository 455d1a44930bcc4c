"""The mails that leave, and what goes wrong at the mail server."""

from __future__ import annotations

from sqlalchemy import select

from models.delivery import Delivery
from rules.topics import Channel, DeliveryState
from tests.lives.stage import Acts, Stage
from tests.services.mails import mails


def the_post_is_slow(life: Stage) -> None:
    """Or refuses somebody, or takes a mail and does not say so."""
    kind, times = life.pick("busy", "busy", "drop", "refuse"), life.pick(1, 2, 12)
    life.world.control("POST", "/mail-faults", {"kind": kind, "times": times})


def all_mails_leave(life: Stage) -> None:
    """Again."""
    life.world.control("DELETE", "/mail-faults")


def check_mails(life: Stage) -> None:
    """What is said to have left has arrived once, at whom it was meant for."""
    arrived = {
        each["headers"]["Message-ID"].strip("<>").partition("@")[0]: each for each in mails(life.world)
    }
    now = life.world.clock()
    for row in life.rows(select(Delivery).where(Delivery.channel == Channel.MAIL.value)):
        if row.state == DeliveryState.SENT:
            assert row.id in arrived, f"said to have left: {row.topic} {row.case_id}"
            name = life.cast.names.get(row.account_id or "")
            assert name is None or arrived[row.id]["to"] == life.cast.emails[name], (
                f"somebody else's: {row.topic}"
            )
        else:
            waits = row.resume_at is not None and row.resume_at > now
            assert row.state == DeliveryState.NOT_SENT or waits, f"never leaves: {row.topic} {row.reason}"


ACTS: Acts = {the_post_is_slow: 3}
