"""What the web program and the worker are both put together from: logs, the database, the toolbox."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from flask import Flask
from sqlalchemy.orm import sessionmaker

import models
from config import APP_KEY, Settings
from connect.hosts import SiteOrigins
from connect.install_keys import InstallKeys
from connect.scrub import scrub_all_logs
from models.db import for_single_questions, told_to_the_driver
from services.atlassian import Atlassian
from services.install_key_shelf import InstallKeyShelf
from services.toolbox import Toolbox
from services.vault import Vault


def set_up_logging(settings: Settings) -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("rollcall").setLevel(settings.log_level)
    # One that finds no handler brings its own, later than the scrubbing; so its lines go to the root's like ours.
    logging.getLogger("dbos").addHandler(logging.NullHandler())
    scrub_all_logs()


def open_database(app: Flask, settings: Settings) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "connect_args": told_to_the_driver(settings.database_url),
        # Whoever asks first after PostgreSQL was restarted, or a firewall has cut what was idle, is answered, too.
        "pool_pre_ping": not settings.database_url.startswith("sqlite"),
        # As many as a process has threads that ask: one more would be opened for a single question, and closed then.
        "pool_size": 16,
        # Errors are logged, and parameters are names of people.
        "hide_parameters": True,
    }
    models.db.init_app(app)


def make_toolbox(app: Flask, settings: Settings) -> Toolbox:
    """The one toolbox of this process. The database must be open."""
    origins = SiteOrigins(settings.site_origins)
    with app.app_context():
        engine = models.db.engine
    looks, sessions = for_single_questions(engine), sessionmaker(engine)
    return Toolbox(
        settings=settings,
        engine=engine,
        looks=looks,
        sessions=sessions,
        vault=Vault(settings.credential_keys),
        clock=utc_now,
        atlassian=Atlassian(settings.atlassian_api_url, APP_KEY, origins, utc_now),
        install_keys=InstallKeys(
            settings.install_keys_urls, clock=utc_now, shelf=InstallKeyShelf(looks, sessions)
        ),
        origins=origins,
    )


def toolbox_without_pages(settings: Settings) -> Toolbox:
    """The toolbox of a program that answers no requests."""
    app = Flask(__name__)
    open_database(app, settings)
    return make_toolbox(app, settings)


def utc_now() -> datetime:
    """The only clock of the program."""
    return datetime.now(UTC)
