"""Rollcall, put together. Reads like a table of contents; everything else is behind the names it calls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO
from urllib.parse import urlsplit

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

import models
from config import ConfigurationError, Settings
from connect.errors import AppError
from models.db import is_away, why_away
from models.revision import BEHIND, UPGRADE, met_one_behind
from rules.rule_file import BadRule
from services.key_rotation import rotate_keys
from services.rule_exchange import MOST_BYTES
from services.rule_terminal import plan_file, printable
from services.vault import CredentialUnreadable
from views import (
    access,
    access_rules,
    audit,
    calendar,
    choices,
    configure,
    deliveries,
    descriptor,
    endings,
    errors,
    headers,
    home,
    hooks,
    identity_providers,
    keep,
    keep_page,
    leavers,
    lifecycle,
    limits,
    mail,
    mail_stop,
    mail_text,
    notices,
    onboarding,
    operators,
    overview,
    pages,
    panels,
    people,
    people_file,
    person,
    profiles,
    protected,
    provider_people,
    review,
    rule_editing,
    rule_files,
    rules,
    runs,
    scim,
    show,
    sync,
    ticket_rules,
    tickets,
    webhooks,
)
from views.no_sessions import NoSessions
from wiring import make_toolbox, open_database, set_up_logging

PAGES = (
    descriptor,
    lifecycle,
    webhooks,
    home,
    pages,
    keep,
    keep_page,
    overview,
    configure,
    operators,
    people,
    leavers,
    person,
    rules,
    rule_editing,
    rule_files,
    review,
    protected,
    choices,
    calendar,
    runs,
    onboarding,
    people_file,
    profiles,
    access_rules,
    endings,
    notices,
    hooks,
    deliveries,
    panels,
    sync,
    mail,
    mail_text,
    mail_stop,
    audit,
    ticket_rules,
    tickets,
    identity_providers,
    provider_people,
    scim,
)


def create_app(settings: Settings | None = None) -> Flask:
    """The program. Without `settings` they come from the environment; raises ClickException when these are wrong."""
    settings = settings or settings_or_the_end()
    set_up_logging(settings)
    app = Flask(__name__)
    stand_behind_proxies(app, settings)
    open_database(app, settings)
    Migrate(app, models.db, directory=os.path.join(app.root_path, "migrations"))
    app.config["SECRET_KEY"] = settings.secret_key
    app.session_interface = NoSessions()
    app.extensions[access.TOOLS] = make_toolbox(app, settings)
    register_views(app, settings)
    register_commands(app)
    return app


def settings_or_the_end() -> Settings:
    """For whoever types `flask`, a sentence; gunicorn has looked before (gunicorn.conf.py)."""
    try:
        return Settings.from_environment(os.environ)
    except ConfigurationError as problems:
        raise click.ClickException(str(problems)) from None


def stand_behind_proxies(app: Flask, settings: Settings) -> None:
    """Believes exactly as many proxies as there are, and no host but our own (S33)."""
    app.config["TRUSTED_HOSTS"] = [urlsplit(settings.base_url).hostname]
    count = settings.trusted_proxies
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]


def register_views(app: Flask, settings: Settings) -> None:
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    show.register(app)
    limits.register(app)
    errors.handle_errors(app)
    headers.add_headers(app, site_origins=settings.site_origins, ap_script_url=settings.ap_script_url)
    access.protect(app)


def register_commands(app: Flask) -> None:
    rules = AppGroup("rules", help="Rules as files.")
    app.cli.add_command(rules)

    @rules.command("plan")
    @click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"))
    @click.option("--organization", help="Its id; needed where there are several.")
    def plan(file: TextIO, organization: str | None) -> None:
        """Print the preview of the rules in FILE: who would be chosen, and why not the others."""
        try:
            with ending_in_words():
                for line in plan_file(app.extensions[access.TOOLS], file.read(MOST_BYTES + 1), organization):
                    click.echo(line)
        except BadRule as bad:
            words = [printable(f"{one.field or 'file'}: {one.sentence}") for one in bad.problems]
            raise click.ClickException("\n".join(words)) from bad

    @app.cli.command("rotate-keys")
    def rotate() -> None:
        """Seal all secrets anew with the first of CREDENTIAL_KEYS."""
        try:
            with ending_in_words():
                click.echo(f"{rotate_keys(app.extensions[access.TOOLS])} secrets sealed anew.")
        except CredentialUnreadable as lost:
            raise click.ClickException(
                f"A stored secret does not open ({lost}): nothing was sealed anew. "
                "Put the key that sealed it back into CREDENTIAL_KEYS under its old id, behind the first one "
                "(which needs another id), and run this again."
            ) from lost


@contextmanager
def ending_in_words() -> Iterator[None]:
    """What keeps a command from its end is told to whoever typed it; they may run it again."""
    try:
        yield
    except AppError as problem:
        raise click.ClickException(f"{problem.sentence} {problem.next_step}") from problem
    except Exception as trouble:
        if is_away(trouble):
            raise click.ClickException(f"{why_away(trouble)} Run this again later.") from trouble
        if met_one_behind(trouble, lambda: models.db.engine):
            raise click.ClickException(f"{BEHIND} {UPGRADE}") from trouble
        raise
