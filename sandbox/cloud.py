"""One running pretend Cloud: its store, faults, log and addresses, shared by all its web programs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox import holdings, seed, world
from sandbox.faults import Faults
from sandbox.hook_sink import HookSink
from sandbox.journal import Journal
from sandbox.people import Directory
from sandbox.post_office import MailFaults
from sandbox.rate import Rate
from sandbox.store import Store


@dataclass(slots=True)
class Cloud:
    """Everything a request may need. Addresses have no trailing slash."""

    store: Store
    app_base_url: str
    people: int
    seed: str
    small: int = 60
    announces: bool = False
    """The apps of a site are told by webhooks who came, changed or went."""
    hub: str = ""
    post_office: str = ""
    """host:port of the mail server."""
    sites: dict[str, str] = field(default_factory=dict)
    max_page: int | None = None
    """Pages no longer than this, whatever was asked; None = as asked."""
    full_links: bool = False
    """users/search gives whole addresses as links.next (as some of Atlassian's calls do)."""
    seats: dict[str, int] = field(default_factory=dict)
    """Resource -> no more paid places than this; as many as it takes where nothing is said."""
    unpaid: set[str] = field(default_factory=set)
    """Organizations (by key) without a paid subscription: they can't invite."""
    rate: Rate = field(default_factory=Rate)
    stopping: threading.Event = field(default_factory=threading.Event)
    journal: Journal = field(default_factory=Journal)
    mail_faults: MailFaults = field(default_factory=MailFaults)
    hook_sink: HookSink = field(default_factory=HookSink)
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Faults(self.stopping)

    def directory(self, key: str) -> Directory:
        """The people of organization `key` ("acme", "globex"); KeyError for another."""
        holdings.settle(self.store)
        return Directory(self.store, world.ORGANIZATIONS[key])

    def base_url(self, site: str, product: str) -> str:
        """Where a product of a site lives: Confluence under /wiki."""
        return self.sites[site] + ("/wiki" if product == "confluence" else "")

    def fill_once(self) -> None:
        """Generate the organizations unless the state file already holds these."""
        wanted = f"{self.seed}:{self.people}:{self.small}"
        if self.store.get("population") == wanted:
            return
        self.store.clear()
        with self.store.write():
            seed.fill(self.store, people=self.people, small=self.small, seed=self.seed, now=datetime.now(UTC))
            self.store.put("population", wanted)

    def reset(self) -> None:
        """Back to the first day: people, credentials, installs, mails, hooks, faults, log. The install key stays."""
        keys = self.store.get("install_key")
        self.store.clear()
        if keys:
            self.store.put("install_key", keys)
        self.max_page, self.full_links = None, False
        self.seats.clear()
        self.unpaid.clear()
        self.rate.limit(None)
        self.faults.clear()
        self.mail_faults.clear()
        self.hook_sink.clear()
        self.journal.clear()
        self.fill_once()
