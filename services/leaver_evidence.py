"""Evidence: what was decided about a leaver and done, by whom and when, with a fingerprint of every audit entry.

The audit is only ever added to. The fingerprint of an entry covers the entry and the fingerprint before it: whoever
keeps a printed page can tell later whether one was changed, left out or put in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from connect.caller import Caller
from models.audit import AuditEntry
from models.leaver import Belonging, Leaver, Look, LookState, belongings_of, looks_of
from models.organization import Organization
from models.tenant import doors_of
from rules.handover import WORDS, Kind
from services.doors import require_organization
from services.exports import csv_lines, record_export
from services.leavers import require_leaver
from services.names import names_of
from services.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Proven:
    """An audit entry with its fingerprint."""

    entry: AuditEntry
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """`fingerprint` is the last one: it stands for all of them."""

    leaver: Leaver
    organization: str
    entries: list[Proven]
    belongings: list[Belonging]
    unseen: list[Look]
    unlisted: list[Look]
    names: dict[str, str]
    sites: dict[str, str]
    fingerprint: str
    made_at: datetime


def evidence_of(tools: Toolbox, caller: Caller, leaver_id: str) -> Evidence:
    """Raises NotFound for another organization's leaver."""
    organization_id = require_organization(tools, caller)
    with tools.begin() as session:
        leaver = require_leaver(session, organization_id, leaver_id)
        found = list(chained(_entries(session, leaver)))
        rows = belongings_of(session, organization_id, leaver_id)
        looks = looks_of(session, organization_id, leaver_id)
        unseen = [look for look in looks if look.state == LookState.UNSEEN.value]
        unlisted = [look for look in looks if look.unlisted]
        accounts = {who for one in found for who in (one.entry.actor, one.entry.subject)}
        accounts |= {who for row in rows for who in (row.successor, *row.had_by, *(row.after or ()))}
        names = names_of(session, organization_id, accounts)
        sites = {
            door.client_key: f"{urlsplit(door.display_url).netloc} ({door.product.capitalize()})"
            for door in doors_of(session, organization_id)
        }
        organization = session.get_one(Organization, organization_id).name
        session.expunge_all()
    fingerprint = found[-1].fingerprint if found else ""
    return Evidence(
        leaver, organization, found, rows, unseen, unlisted, names, sites, fingerprint, tools.clock()
    )


def evidence_csv(tools: Toolbox, caller: Caller, leaver_id: str) -> Iterator[str]:
    """What was done, thing by thing, then the audit with its fingerprints. Audited before its first row."""
    evidence = evidence_of(tools, caller, leaver_id)
    with tools.begin() as session:
        record_export(session, tools, caller, evidence.leaver.organization_id, "leaver")
    header = ("part", "time", "what", "name", "site", "by or before", "to or after", "result", "fingerprint")
    return csv_lines(header, _rows(evidence))


def _rows(evidence: Evidence) -> Iterator[tuple[object, ...]]:
    names = evidence.names
    for row in evidence.belongings:
        yield (
            "belonging",
            row.changed_at,
            WORDS[Kind(row.kind)].many,
            f"{row.key} {row.name}".strip(),
            evidence.sites.get(row.client_key, ""),
            ", ".join(names.get(who, who) for who in row.had_by),
            ", ".join(names.get(who, who) for who in row.after or ()),
            f"{row.state}: {row.reason}" if row.reason else row.state,
            "",
        )
    for look in evidence.unseen:
        yield ("not seen", "", look.kind, "", urlsplit(look.site).netloc, "", "", look.reason, "")
    for look in evidence.unlisted:
        listed = f"{look.unlisted} of {look.found} were found and not listed: they stay as they were."
        yield ("not listed", "", look.kind, "", urlsplit(look.site).netloc, "", "", listed, "")
    for one in evidence.entries:
        details = one.entry.details or {}
        yield (
            "audit",
            one.entry.at,
            one.entry.event,
            " ".join(str(details[each]) for each in ("kind", "reference") if each in details),
            "",
            names.get(one.entry.actor, one.entry.actor),
            names.get(details.get("successor", ""), details.get("successor", "")),
            one.entry.result,
            one.fingerprint,
        )


def chained(entries: list[AuditEntry]) -> Iterator[Proven]:
    """Each entry with the fingerprint of itself and all before it."""
    before = ""
    for entry in entries:
        before = sha256(f"{before}\n{_canonical(entry)}".encode()).hexdigest()
        yield Proven(entry, before)


def _canonical(entry: AuditEntry) -> str:
    words = {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "event": entry.event,
        "actor": entry.actor,
        "subject": entry.subject,
        "run": entry.run_id,
        "result": entry.result,
        "details": entry.details,
    }
    return json.dumps(words, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _entries(session: Session, leaver: Leaver) -> list[AuditEntry]:
    """Those that name this leaver, and those of the runs that were to end their access; oldest first."""
    ours = (
        AuditEntry.organization_id == leaver.organization_id,
        AuditEntry.at >= leaver.created_at,
    )
    query = select(AuditEntry).where(*ours, AuditEntry.subject == leaver.account_id)
    of_person = session.scalars(query).all()
    named = {entry.id for entry in of_person if (entry.details or {}).get("leaver") == leaver.id}
    runs = {entry.run_id for entry in of_person if entry.id in named and entry.run_id}
    runs |= {leaver.run_id or ""}
    # Such a run is about them alone. By its id, a database would read everything that was ever done to anybody.
    of_nobody = select(AuditEntry).where(*ours, AuditEntry.subject.is_(None), AuditEntry.run_id.in_(runs))
    of_runs = [entry for entry in of_person if entry.id in named or entry.run_id in runs]
    return sorted([*of_runs, *session.scalars(of_nobody)], key=lambda entry: entry.id)
