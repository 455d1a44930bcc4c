"""A flag of the host tells an operator of a grave matter once, not at each page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from connect.caller import Caller
from models.matter import ToldMatter
from services.doors import require_organization
from services.matter import Matter
from services.toolbox import Toolbox

REMEMBERED = timedelta(days=90)


def new_flag(tools: Toolbox, caller: Caller, found: Sequence[Matter]) -> Matter | None:
    """The gravest of these matters that this operator was not told of yet; from now on they were."""
    grave = {matter.key: matter for matter in found if matter.is_grave}
    if not grave or caller.account_id is None:
        return None
    organization_id, now = require_organization(tools, caller), tools.clock()
    mine = (ToldMatter.organization_id == organization_id, ToldMatter.account_id == caller.account_id)
    told = select(ToldMatter.key).where(*mine, ToldMatter.key.in_(grave))
    try:
        with tools.begin() as session:
            known = set(session.scalars(told))
            new = next((matter for key, matter in grave.items() if key not in known), None)
            if new is not None:
                session.execute(delete(ToldMatter).where(*mine, ToldMatter.told_at < now - REMEMBERED))
                session.add(
                    ToldMatter(
                        organization_id=organization_id,
                        account_id=caller.account_id,
                        key=new.key,
                        told_at=now,
                    )
                )
            return new
    except IntegrityError:
        # Two pages at once: the other one tells it.
        return None
