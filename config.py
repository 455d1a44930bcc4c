"""Settings: every environment variable, its meaning, its check. All problems are listed at once and stop the start."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from connect.hosts import SiteOrigins, is_safe_address
from connect.smtp import MailServer, is_address, parse_server

APP_KEY = "io.rollcall.app"
INSTANCE = Path(__file__).parent / "instance"
"""Where Flask-SQLAlchemy looks for a database whose path is relative."""

COMMERCIAL_INSTALL_KEYS = (
    "https://asap-distribution.us-west-2.prod.atl-asap.net,https://connect-install-keys.atlassian.com"
)
COMMERCIAL_SITES = "https://*.atlassian.net,https://*.jira.com"

# Keys that are printed in tutorials and samples; each has been found in production somewhere (S40).
KNOWN_SAMPLES = frozenset(
    {"dev", "changeme", "change-me", "secret", "secret-key", "secret_key", "password", "test", "default"}
)

Value = TypeVar("Value")


class ConfigurationError(Exception):
    """The environment does not describe a safe deployment; `problems` names every variable at fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Rollcall cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class CredentialKey:
    """A 256-bit key that seals secrets at rest; `id` is stored beside each ciphertext."""

    id: str
    key: bytes

    def __repr__(self) -> str:
        return f"CredentialKey({self.id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What a deployment is made of. See `from_environment` for the variables."""

    base_url: str
    """BASE_URL: where Atlassian reaches the app; also the audience of lifecycle tokens."""
    database_url: str
    """DATABASE_URL: SQLite or PostgreSQL, as SQLAlchemy spells it."""
    jobs_database_url: str
    """JOBS_DATABASE_URL: where DBOS keeps its workflows; beside the database when not set."""
    credential_keys: tuple[CredentialKey, ...]
    """CREDENTIAL_KEYS: `id:base64`, comma separated; the first one seals, all of them open."""
    secret_key: str
    """SECRET_KEY: at least 32 characters; signs what Rollcall hands out and gets back."""
    install_keys_urls: tuple[str, ...]
    """INSTALL_KEYS_URL: hosts of Atlassian's public install keys, asked in this order."""
    atlassian_api_url: str
    """ATLASSIAN_API_URL: the organization admin API."""
    site_origins: tuple[str, ...]
    """SITE_ORIGINS: which addresses are Atlassian sites; `https://*.example.net` or an exact origin."""
    ap_script_url: str
    """AP_SCRIPT_URL: the host's bridge script, loaded by every page."""
    trusted_proxies: int
    """TRUSTED_PROXIES: how many proxies stand before the app; their headers are believed, nobody else's."""
    worker_slot: str
    """WORKER_SLOT: a stable name per worker process, unique among those that run at the same time."""
    settle_seconds: int
    """SETTLE_SECONDS: how long Atlassian may take to show a change that it has accepted."""
    private_targets: frozenset[str]
    """PRIVATE_TARGETS: `host:port` in a private network that hooks and mail servers may use nevertheless."""
    purge_after_days: int
    """PURGE_AFTER_DAYS: how long an organization's data outlives its last installation."""
    mail_server: MailServer | None
    """SMTP_URL: hands in the mails of every organization that has no mail server of its own."""
    mail_from: str
    """MAIL_FROM: the address that these mails come from; needed with SMTP_URL."""
    log_level: str
    """LOG_LEVEL: of Rollcall's own loggers; libraries stay at INFO or above."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads and checks every variable together. Raises ConfigurationError with all problems."""
        read = _Reader(environment)
        database_url = read.required("DATABASE_URL", _database_url)
        settings = {
            "base_url": read.required("BASE_URL", _own_address),
            "database_url": database_url,
            "jobs_database_url": read.optional(
                "JOBS_DATABASE_URL", _beside(database_url or ""), _database_url
            ),
            "credential_keys": read.required("CREDENTIAL_KEYS", _credential_keys),
            "secret_key": read.required("SECRET_KEY", _secret),
            "install_keys_urls": read.optional("INSTALL_KEYS_URL", COMMERCIAL_INSTALL_KEYS, _addresses),
            "atlassian_api_url": read.optional("ATLASSIAN_API_URL", "https://api.atlassian.com", _address),
            "site_origins": read.optional("SITE_ORIGINS", COMMERCIAL_SITES, _origins),
            "ap_script_url": read.optional(
                "AP_SCRIPT_URL", "https://connect-cdn.atl-paas.net/all.js", _address
            ),
            "trusted_proxies": read.optional("TRUSTED_PROXIES", "0", _whole_number(0, 10)),
            "worker_slot": read.optional("WORKER_SLOT", "worker-1", _slot),
            "settle_seconds": read.optional("SETTLE_SECONDS", "40", _whole_number(0, 600)),
            "private_targets": read.optional("PRIVATE_TARGETS", "", _targets),
            "purge_after_days": read.optional("PURGE_AFTER_DAYS", "30", _whole_number(1, 365)),
            "mail_server": read.optional("SMTP_URL", "", _mail_server),
            "mail_from": read.optional("MAIL_FROM", "", _mail_from),
            "log_level": read.optional("LOG_LEVEL", "INFO", _log_level),
        }
        if settings["mail_server"] is not None and not settings["mail_from"]:
            read.problems.append(
                "MAIL_FROM is not set, though SMTP_URL is. The address that mails come from."
            )
        if read.problems:
            raise ConfigurationError(read.problems)
        return cls(**settings)  # type: ignore[arg-type]


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def required(self, name: str, check: Callable[[str], Value]) -> Value | None:
        value = self._environment.get(name, "").strip()
        if not value:
            self.problems.append(f"{name} is not set. {check.__doc__}")
            return None
        return self._checked(name, value, check)

    def optional(self, name: str, default: str, check: Callable[[str], Value]) -> Value | None:
        return self._checked(name, self._environment.get(name, "").strip() or default, check)

    def _checked(self, name: str, value: str, check: Callable[[str], Value]) -> Value | None:
        try:
            return check(value)
        except ValueError as problem:
            # The value itself is never repeated: it may be a secret (S41).
            self.problems.append(f"{name}: {problem}")
            return None


def _own_address(value: str) -> str:
    """An https address without a path; plain http only on this machine's loopback."""
    address = _address(value)
    # Pages ask for what belongs to them from the top: below a path, none of it would be found.
    if urlsplit(address).path:
        raise ValueError("must have no path: give Rollcall a host name of its own")
    return address


def _address(value: str) -> str:
    """An https address; plain http only on this machine's loopback."""
    try:
        parts = urlsplit(value)
        is_full = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_full = False
    if not is_full or not value.isprintable() or " " in value:
        raise ValueError("must be a full address such as https://rollcall.example.com")
    if not is_safe_address(value):
        raise ValueError("must be https (plain http is for loopback addresses only)")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have no user, query or fragment")
    return value.rstrip("/")


def _addresses(value: str) -> tuple[str, ...]:
    """A comma separated list of https addresses."""
    addresses = tuple(_address(part.strip()) for part in value.split(",") if part.strip())
    if not addresses:
        raise ValueError("must name at least one address")
    return addresses


def _origins(value: str) -> tuple[str, ...]:
    """A comma separated list of origins, such as https://*.atlassian.net."""
    origins = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    SiteOrigins(origins)
    return origins


def _targets(value: str) -> frozenset[str]:
    """A comma separated list of hosts with ports, such as hooks.internal:8443."""
    targets = frozenset(part.strip().lower() for part in value.split(",") if part.strip())
    for target in targets:
        host, _, port = target.rpartition(":")
        if not host or any(letter in host for letter in "/@*? ") or not port.isdigit() or int(port) > 65535:
            raise ValueError("must be hosts with ports, as in hooks.internal:8443, separated by commas")
    return targets


def _database_url(value: str) -> str:
    """sqlite:///path/to/file or postgresql://…"""
    # Platforms that hand out a database write `postgres://`, which SQLAlchemy does not know.
    scheme, _, rest = value.partition("://")
    if scheme in {"postgresql", "postgres"}:
        value = f"postgresql+psycopg://{rest}"
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    # SQLite takes these for a database in memory: each program would have one of its own, and lose it.
    if value in {"sqlite:///", "sqlite:///:memory:"}:
        raise ValueError("must name a file, as in sqlite:////var/lib/rollcall/rollcall.sqlite")
    if not value.startswith("sqlite") and not _is_one_server(rest):
        raise ValueError(
            "must be postgresql://user:password@host:5432/database; an @ in a password is written %40"
        )
    return value


def _is_one_server(rest: str) -> bool:
    place = rest.partition("@")[2] if "@" in rest else rest
    host = place.partition("/")[0].partition("?")[0]
    try:
        return "@" not in host and urlsplit(f"//{host}").port != 0
    except ValueError:
        return False


def _beside(database_url: str) -> str:
    # On SQLite, DBOS writes often: a file of its own keeps the two from waiting for each other.
    if database_url.startswith("sqlite:///"):
        path = INSTANCE / database_url.removeprefix("sqlite:///").removesuffix(".sqlite")
        return f"sqlite:///{path}-jobs.sqlite"
    return database_url or "sqlite:///unset"


def _credential_keys(value: str) -> tuple[CredentialKey, ...]:
    """`id:base64` of 32 random bytes; several keys are separated by commas, the first one seals."""
    keys = []
    for part in value.split(","):
        key_id, colon, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("a key is not base64") from None
        # The id stands before what it seals, in ASCII: another one would open nothing.
        if not colon or not (key_id.isascii() and key_id.isalnum()) or len(key_id) > 16:
            raise ValueError("each key needs a short id of letters and digits, a to z and 0 to 9, as in k1:…")
        if len(key) != 32 or len(set(key)) < 8:
            raise ValueError("each key must be 32 random bytes")
        keys.append(CredentialKey(key_id, key))
    if len({key.id for key in keys}) != len(keys):
        raise ValueError("two keys have the same id")
    return tuple(keys)


def _secret(value: str) -> str:
    """At least 32 random characters."""
    if value.lower() in KNOWN_SAMPLES or len(value) < 32 or len(set(value)) < 8:
        raise ValueError("must be at least 32 random characters")
    return value


def _slot(value: str) -> str:
    """A short name of letters, digits and dashes."""
    if not value.replace("-", "").isalnum() or len(value) > 40:
        raise ValueError("must be letters, digits and dashes")
    return value


def _mail_server(value: str) -> MailServer | None:
    """smtps://user:password@host:465 or smtp+starttls://user:password@host:587"""
    return parse_server(value) if value else None


def _mail_from(value: str) -> str:
    """An e-mail address."""
    if value and not (is_address(value) and value.isascii()):
        raise ValueError("must be an e-mail address such as rollcall@example.com")
    return value


def _log_level(value: str) -> str:
    """DEBUG, INFO, WARNING or ERROR."""
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def check(value: str) -> int:
        if not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return check
