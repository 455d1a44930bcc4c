"""The services of a running Rollcall, called from here: the same program, settings and database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app import create_app
from bench.world import World
from config import Settings
from connect.caller import Caller, Via
from models.db import db
from services import rule_runs, rules
from services.toolbox import Toolbox
from views.access import TOOLS


@contextmanager
def inside(running: World) -> Iterator[tuple[Toolbox, Caller]]:
    """The toolbox, and the administrator who gave the key."""
    app = create_app(Settings.from_environment({**os.environ, **running.environment}))
    tools: Toolbox = app.extensions[TOOLS]
    yield tools, Caller(running.client_key, running.account, Via.CONTEXT)
    with app.app_context():
        db.engine.dispose()


def switched_on(tools: Toolbox, caller: Caller, data: Mapping[str, Any]) -> str:
    """A live rule that somebody has looked at; its id."""
    rule_id = rules.save_rule(tools, caller, data)
    rule_runs.mark_seen(tools, caller, rule_runs.preview_rule(tools, caller, rule_id))
    rules.switch_on(tools, caller, rule_id)
    return rule_id
