"""Somebody invited: the account behind an address, a person of the directory, the mail, and the day they accept."""

from __future__ import annotations

import email.policy
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any
from uuid import uuid4

from sandbox import mailbox, world
from sandbox.people import Directory
from sandbox.seed import iso
from sandbox.store import Store

NEVER_CAME = "invited-never-came"


@dataclass(frozen=True, slots=True)
class Guest:
    """An address and its account. `person` is their row in this directory, None while they are not in it."""

    address: str
    account_id: str
    name: str
    nickname: str
    person: sqlite3.Row | None


def guests(store: Store, org: str, addresses: Sequence[str]) -> list[Guest]:
    """One for each address. An account is its address' everywhere and for good, also after a removal."""
    lower = [address.lower() for address in addresses]
    marks = ",".join("?" * len(lower))
    accounts: dict[str, sqlite3.Row] = {}
    people: dict[str, sqlite3.Row] = {}
    for sql in (
        f"SELECT * FROM former_account WHERE email IN ({marks})",
        f"SELECT * FROM person WHERE lower(email) IN ({marks}) ORDER BY seq DESC",
    ):
        for row in store.all(sql, lower):
            accounts[row["email"].lower()] = row
            if "org" in row.keys() and row["org"] == org:  # noqa: SIM118
                people[row["email"].lower()] = row
    return [_guest(store, org, one, people.get(one), people.get(one) or accounts.get(one)) for one in lower]


def _guest(
    store: Store, org: str, address: str, person: sqlite3.Row | None, account: sqlite3.Row | None
) -> Guest:
    mine = address.partition("@")[0]
    if account is not None:
        guest = Guest(address, account["account_id"], account["name"], account["nickname"], person)
    else:
        guest = Guest(address, f"712020:{world.stable_id('account', address)}", mine, mine, person)
    sql = "SELECT 1 FROM person WHERE org = ? AND account_id = ?"
    if person is None and store.one(sql, (org, guest.account_id)):
        # Whoever had this address has another one now, and is here.
        return Guest(address, f"712020:{uuid4()}", mine, mine, None)
    return guest


def take_in(store: Store, organization: world.Organization, guest: Guest, delay: float) -> int:
    """A new person of the directory, who has not accepted; for `delay` seconds readers see no membership. Their seq."""
    domain = guest.address.partition("@")[2]
    values: dict[str, Any] = {
        "org": organization.key,
        "account_id": guest.account_id,
        "name": guest.name,
        "nickname": guest.nickname,
        "email": guest.address,
        "domain": domain,
        "email_verified": 0,
        "account_status": "active",
        "membership": "active",
        "former_membership": "no_membership",
        "former_until": datetime.now(UTC).timestamp() + delay if delay else 0,
        "claim": "managed" if domain in organization.domains else "unmanaged",
        "source": "invited",
        "added_at": iso(datetime.now(UTC)),
        "kind": NEVER_CAME,
    }
    with store.write() as connection:
        sql = f"INSERT INTO person ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})"
        return int(connection.execute(sql, values).lastrowid or 0)


def accept(directory: Directory, account_id: str) -> bool:
    """They confirm their address and look into each of their products today; False for nobody who is invited."""
    person = directory.find(account_id)
    if person is None or person["kind"] != NEVER_CAME:
        return False
    columns = {
        "email_verified": 1,
        "membership": "active",
        "kind": "employee" if person["claim"] == "managed" else "external",
    }
    resources = [resource for resource, _ in directory.access([person["seq"]]).get(person["seq"], [])]
    now = iso(datetime.now(UTC))
    return directory.change(account_id, columns, {world.product_of(one): now for one in resources})


def send(store: Store, organization: world.Organization, inviter: str, address: str, text: str) -> None:
    """The mail Atlassian would send, straight into the mailbox."""
    message = EmailMessage(policy=email.policy.SMTPUTF8)
    message["Subject"] = f"{inviter} invited you to {organization.name}"
    message["From"] = sender = "noreply@am.atlassian.example"
    message["To"] = address
    message["Message-ID"] = make_msgid(domain="am.atlassian.example")
    message.set_content(f"{text}\n\nAccept the invitation to join {organization.name}.\n".lstrip())
    mailbox.keep(store, sender, address, message.as_bytes())
