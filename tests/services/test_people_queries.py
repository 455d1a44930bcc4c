"""The filter asked of both databases gives what plain Python says about the same people (S45, S19)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, insert
from sqlalchemy.orm import Session, sessionmaker

from models.organization import Organization
from models.people import Group, Membership, Person, Seat, groups_of
from models.people_search import count_people, find_people
from rules.activity import UNKNOWN
from rules.filters import IDLE_WORDS, SORTS, STATUSES, PeopleFilter
from services.directory import person_row, store_people
from tests.databases import PostgresDatabases, SqliteDatabases, sqlalchemy_url
from tests.rules.people import person

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS, THEIRS = "organization-1", "organization-2"
KEYS = ["jira-software", "confluence"]
GROUPS = ["group-a", "group-b"]
TEXTS = ["ana", "Ana", "MARIĆ", "İ", "ß", "100%", "a_b", "back\\slash", "o'brien", "陽翔", "", "  "]

Row = dict[str, Any]

seen = st.none() | st.sampled_from([0, 1, 29, 30, 31, 89, 90, 91, 400]).map(
    lambda days: NOW - timedelta(days=days)
)
seats = st.dictionaries(st.sampled_from(KEYS), st.tuples(st.sampled_from(["seen", "never", "unknown"]), seen))
rows = st.fixed_dictionaries(
    {
        "name": st.sampled_from(
            ["Ana Marić", "ana", "Straße", "100% Bot", "a_b", "axb", "back\\slash", "O'Brien", "陽翔", "İpek"]
        ),
        "nickname": st.sampled_from(["", "Ana", "陽"]),
        "email": st.none() | st.sampled_from(["ana@acme.example", "X@Globex.Example", "no-address"]),
        "status": st.sampled_from([*STATUSES[:-1], ""]),
        "claim_status": st.sampled_from(["", "managed", "unmanaged"]),
        "management_source": st.sampled_from(["", "synced", "invited"]),
        "left": st.booleans(),
        "added_at": st.none() | st.just(NOW - timedelta(days=500)),
        "seats": seats,
        "groups": st.sets(st.sampled_from(GROUPS)),
        "activity": st.sampled_from(["seen", "never", "unknown"]),
        "seen_at": seen,
    }
)
filters = st.builds(
    PeopleFilter,
    text=st.sampled_from(["", *TEXTS]).map(str.strip),
    product=st.sampled_from(["", "", *KEYS, "bitbucket"]),
    idle=st.none() | st.sampled_from([1, 30, 90, 3650]) | st.sampled_from(IDLE_WORDS),
    status=st.sampled_from(["", "", *STATUSES]),
    claim=st.sampled_from(["", "managed", "unmanaged"]),
    group=st.sampled_from(["", "", *GROUPS]),
    domain=st.sampled_from(["", "", "acme.example", "globex.example"]),
    synced=st.sampled_from([None, None, True, False]),
    sort=st.sampled_from(SORTS),
    descending=st.booleans(),
)


def shows(filter: PeopleFilter, row: Row) -> bool:
    """The filter in plain words."""
    email = row["email"] or ""
    domain = email.split("@")[1].lower() if "@" in email else ""
    return (
        row["left"] == (filter.status == "left")
        and filter.status in {"", "left", row["status"]}
        and filter.text.casefold() in f"{row['name']} {row['nickname']} {email}".casefold()
        and filter.claim in {"", row["claim_status"]}
        and filter.domain in {"", domain}
        and filter.synced in {None, row["management_source"] == "synced"}
        and filter.group in {"", *row["groups"]}
        and _idle_enough(filter, row)
    )


def _idle_enough(filter: PeopleFilter, row: Row) -> bool:
    activity, seen_at = row["activity"], row["seen_at"]
    if filter.product:
        if filter.product not in row["seats"]:
            return False
        activity, seen_at = row["seats"][filter.product]
    if filter.idle is None:
        return True
    if isinstance(filter.idle, str):
        return bool(activity == filter.idle)
    return activity == "seen" and seen_at <= NOW - timedelta(days=filter.idle)


def honest(row: Row) -> Row:
    """A date exists exactly when somebody was seen, as everything that writes these rows has it."""
    row = row | {"seats": {key: _honest(*seat) for key, seat in row["seats"].items()}}
    row["activity"], row["seen_at"] = _honest(row["activity"], row["seen_at"])
    return row


def _honest(activity: str, seen_at: datetime | None) -> tuple[str, datetime | None]:
    if activity != "seen":
        return activity, None
    return ("seen", seen_at) if seen_at is not None else ("unknown", None)


@pytest.fixture(scope="module")
def databases(
    sqlite_databases: SqliteDatabases,
    postgres_databases: PostgresDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, sessionmaker[Session]]]:
    folder: Path = tmp_path_factory.mktemp("queries")
    with ExitStack() as stack:
        found = {}
        for name, made in (
            ("sqlite", sqlite_databases.fresh(folder)),
            ("postgresql", postgres_databases.fresh()),
        ):
            engine = create_engine(sqlalchemy_url(stack.enter_context(made)))
            stack.callback(engine.dispose)
            found[name] = sessionmaker(engine)
            with found[name].begin() as session:
                session.add_all(
                    Organization(id=organization_id, name="x", created_at=NOW)
                    for organization_id in (OURS, THEIRS)
                )
        yield found


def fill(session: Session, organization_id: str, people: list[Row]) -> None:
    session.execute(delete(Person).where(Person.organization_id == organization_id))
    persons, seats, memberships = [], [], []
    for number, row in enumerate(people):
        account_id = f"account-{number}"
        owner = {"organization_id": organization_id, "account_id": account_id}
        columns = ("name", "nickname", "email", "status", "claim_status", "management_source", "added_at")
        facts = person(account_id, **{name: row[name] for name in columns})
        kept = {"activity": row["activity"], "seen_at": row["seen_at"], "seat_count": len(row["seats"])}
        sync = {"sync_id": "sync", "synced_at": NOW, "left_at": NOW if row["left"] else None}
        persons.append(person_row(organization_id, "directory", facts, UNKNOWN) | kept | sync)
        seats += [
            owner
            | {"resource_id": f"ari:{key}", "product_key": key, "activity": activity, "seen_at": seen_at}
            for key, (activity, seen_at) in row["seats"].items()
        ]
        memberships += [owner | {"group_id": group} for group in row["groups"]]
    for model, found in ((Person, persons), (Seat, seats), (Membership, memberships)):
        if found:
            session.execute(insert(model), found)


@pytest.mark.slow
@settings(max_examples=settings.default.max_examples // 3)
@given(people=st.lists(rows.map(honest), max_size=6), asked=st.lists(filters, min_size=1, max_size=8))
def test_s45_both_databases_show_whom_plain_words_show(
    databases: dict[str, sessionmaker[Session]], people: list[Row], asked: list[PeopleFilter]
) -> None:
    answers = {}
    for name, sessions in databases.items():
        with sessions.begin() as session:
            fill(session, OURS, people)
            fill(session, THEIRS, people[:2])
            answers[name] = [found(session, filter, len(people)) for filter in asked]
    expected = [
        {f"account-{number}" for number, row in enumerate(people) if shows(filter, row)} for filter in asked
    ]
    for name, got in answers.items():
        assert [set(account_ids) for account_ids in got] == expected, name
    for filter, one, other in zip(asked, answers["sqlite"], answers["postgresql"], strict=True):
        if filter.sort in {"seen", "added", "status"}:
            assert one == other, "the same order, empty values included"


def found(session: Session, filter: PeopleFilter, most: int) -> list[str]:
    """The whole list, read in pages of two; as many as the count says."""
    pages: list[str] = []
    for offset in range(0, most + 2, 2):
        page = find_people(session, OURS, filter, NOW, offset=offset, limit=2)
        assert {row.organization_id for row in page} <= {OURS}
        pages += [row.account_id for row in page]
    assert len(pages) == len(set(pages)) == count_people(session, OURS, filter, NOW)
    return pages


def ordinary(**columns: Any) -> Row:
    """Somebody without anything that a filter asks for."""
    words = dict.fromkeys(("nickname", "status", "claim_status", "management_source"), "")
    empty = {"email": None, "left": False, "added_at": None, "seats": {}, "groups": set(), "seen_at": None}
    return {"name": "Ana", "activity": "never", **words, **empty, **columns}


@pytest.mark.parametrize("product", ["", "confluence"])
@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_s45_idle_for_30_days_is_30_days_or_more_and_never_somebody_without_a_date(
    databases: dict[str, sessionmaker[Session]], name: str, product: str
) -> None:
    month = timedelta(days=30)
    lives = [
        ("seen", NOW - month + timedelta(seconds=1)),
        ("seen", NOW - month),
        ("seen", NOW - month - timedelta(seconds=1)),
        ("seen", NOW + month),
        ("never", None),
        ("unknown", None),
    ]
    people = [
        ordinary(activity=activity, seen_at=seen_at, seats={"confluence": (activity, seen_at)})
        for activity, seen_at in lives
    ]
    with databases[name].begin() as session:
        fill(session, OURS, people)
        for idle, expected in ((30, [1, 2]), ("never", [4]), ("unknown", [5]), (None, range(6))):
            shown = find_people(session, OURS, PeopleFilter(idle=idle, product=product), NOW)
            assert {row.account_id for row in shown} == {f"account-{number}" for number in expected}


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_the_longest_names_there_can_be(databases: dict[str, sessionmaker[Session]], name: str) -> None:
    """Whoever chooses a name of 255 odd letters must not keep the directory from being read."""
    odd = "".join(chr(0x20000 + 7 * number % 40_000) for number in range(400))
    facts = [
        person(f"odd-{place}", name=odd[place:], nickname=odd[place:][::-1], email=odd + "@" + odd)
        for place in (0, 9)
    ]
    with databases[name].begin() as session:
        session.execute(delete(Person))
        store_people(session, OURS, "directory", "sync", facts, NOW)
        shown = find_people(session, OURS, PeopleFilter(text=odd[20:40]), NOW)
        assert [row.account_id for row in shown] == ["odd-0", "odd-9"]
        assert odd.startswith(shown[0].name)
        assert len(shown[0].name) == 200, "800 bytes, and no half letter"


def test_a_name_of_blanks_is_none() -> None:
    names = [("  ", "Nick"), ("\u2003", " "), (" Ann ", "")]
    facts = [
        person("odd", name=name, nickname=nickname, email="ann@acme.example") for name, nickname in names
    ]
    shown = [person_row(OURS, "directory", each, UNKNOWN)["name"] for each in facts]
    assert shown == ["Nick", "ann@acme.example", "Ann"]


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_seats_and_groups_come_along(databases: dict[str, sessionmaker[Session]], name: str) -> None:
    row = ordinary(groups=set(GROUPS), seats=dict.fromkeys(KEYS, ("never", None)))
    with databases[name].begin() as session:
        session.execute(delete(Group))
        fill(session, OURS, [row])
        fill(session, THEIRS, [row])
        session.add_all(
            Group(organization_id=organization_id, group_id=group, name=f"{group} of {organization_id}")
            for organization_id in (OURS, THEIRS)
            for group in reversed(GROUPS)
        )
        session.flush()
        (ana,) = find_people(session, OURS, PeopleFilter(), NOW)
        assert [seat.product_key for seat in ana.seats] == sorted(KEYS)
        names = [group.name for group in groups_of(session, OURS, ana.account_id)]
        assert names == [f"{group} of {OURS}" for group in GROUPS]
