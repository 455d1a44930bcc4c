"""A deployment whose pages are asked for with real tokens; the worker's part is done by calling its services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from models.people import Person
from sandbox.world import ACME
from services import directory_reading, orders, syncing
from services.administrators import Administrators
from services.participants import Participants
from services.toolbox import Toolbox
from tests.jobs.deployment import Deployment, deployed
from tests.services.workers import act_on
from tests.tokens import context_token, iframe_token
from tests.world import Moment
from views import limits
from views.access import ADMINISTRATORS, TOOLS
from views.panels import PARTICIPANTS
from wiring import make_toolbox

ANA, JON, UMA = (person.account_id for person in ACME.people[:3])
PEOPLE = 200


@dataclass
class House:
    """acme's Jira with Rollcall in it."""

    deployment: Deployment
    secret: str

    @property
    def key(self) -> str:
        return self.deployment.client_key

    def page(self, path: str, who: str | None = ANA) -> TestResponse:
        """A page as the product opens it in a frame."""
        token = iframe_token(self.secret, self.key, "GET", path, sub=who)
        joint = "&" if "?" in path else "?"
        return self._open("GET", f"{path}{joint}jwt={token}")

    def get(self, path: str, who: str | None = ANA) -> TestResponse:
        """A request of our own page."""
        return self._open("GET", path, headers=self._signed(who))

    def post(self, path: str, who: str | None = ANA, /, **form: Any) -> TestResponse:
        """A form; a file as (stream, name)."""
        return self._open("POST", path, headers=self._signed(who), data=form)

    def press(self, page: str, path: str, /, **form: Any) -> TestResponse:
        """A form of the page as it is now, which says which page that was."""
        return self.post(path, ANA, was=mark_in(self.get(page)), **form)

    def person(self, **wanted: Any) -> Person:
        """The first person of the directory, by account id, with these values."""
        with self.deployment.tools.begin() as session:
            found = session.scalars(select(Person).filter_by(**wanted).order_by(Person.account_id)).first()
            assert found is not None, wanted
            session.expunge(found)
            return found

    def read_directory(self) -> None:
        """What the worker does with a sync that is due."""
        tools = self.deployment.tools
        for organization_id, sync_id, attempt in syncing.due_syncs(tools):
            assert syncing.take_up(tools, organization_id, sync_id, attempt)
            while (
                directory_reading.take_pages(tools, organization_id, sync_id)
                is directory_reading.SyncStep.MORE
            ):
                pass

    def act(self, tools: Toolbox | None = None) -> None:
        """What the worker does with people who are due."""
        tools = tools or self.deployment.tools
        for organization_id, case_id, attempt in orders.lease_due_cases(tools):
            act_on(tools, organization_id, case_id, attempt)

    def _signed(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"JWT {context_token(self.secret, self.key, sub=who)}"}

    def _open(self, method: str, path: str, **arguments: Any) -> TestResponse:
        base_url = self.deployment.environment["BASE_URL"]
        client = self.deployment.app.test_client()
        return client.open(path, method=method, base_url=base_url, buffered=True, **arguments)


@contextmanager
def built(database_url: str, folder: Path) -> Iterator[House]:
    """Installed; nothing is configured yet."""
    with deployed(database_url, f"sqlite:///{folder / 'jobs.sqlite'}", folder, people=PEOPLE) as deployment:
        tenants = deployment.control("GET", "tenants")
        secret = next(
            each["shared_secret"] for each in tenants if each["client_key"] == deployment.client_key
        )
        yield House(deployment, secret)


class NewHouse:
    """Nobody has done anything in it yet: building one takes long, laying it back does not."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._moment = Moment(house.deployment.sandbox, house.deployment.app)

    def again(self) -> House:
        app, settings = self._house.deployment.app, self._house.deployment.tools.settings
        self._moment.lay_back()
        # What of the app remembers something, made anew.
        app.extensions[TOOLS] = make_toolbox(app, settings)
        app.extensions[ADMINISTRATORS] = Administrators(app.extensions[TOOLS])
        app.extensions[PARTICIPANTS] = Participants()
        limits.register(app)
        return self._house

    def close(self) -> None:
        self._moment.close()


def mark_in(page: TestResponse) -> str:
    """What a form of this page sends back as `was`."""
    found = re.search(r'"was"(?: value=|: )"([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def words_of(answer: TestResponse) -> str:
    """What a reader sees: the text without tags, blanks made single."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def address_of(answer: TestResponse) -> str:
    """The place that the host's location bar is given."""
    found = re.search(r'data-address="([^"]*)"', answer.text)
    assert found is not None
    return unescape(found[1])


def send(house: House, path: str, size: int) -> TestResponse:
    """So many bytes as a file, or as what should have been none."""
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n%s\r\n--x--\r\n'
    with BytesIO(part % (b"x" * size)) as body:
        form = {
            "data": body,
            "content_type": "multipart/form-data; boundary=x",
            "headers": house._signed(ANA),
        }
        return house._open("POST", path, **form)
