"""The fixed points of the pretend Cloud: organizations, sites, products, known people and their credentials."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

JIRA, CONFLUENCE, SERVICE_DESK = "jira-software", "confluence", "jira-servicedesk"
PRODUCT_NAMES = {JIRA: "Jira", CONFLUENCE: "Confluence", SERVICE_DESK: "Jira Service Management"}
# What users/search calls a product, by its example ("e.g. `jira`, `confluence`").
ACCESS_KEYS = {JIRA: "jira", CONFLUENCE: "confluence", SERVICE_DESK: "jira-servicedesk"}
# What last-active-dates and managed accounts call it (their enum).
LAST_ACTIVE_KEYS = {JIRA: "jira-software", CONFLUENCE: "confluence", SERVICE_DESK: "jira-service-desk"}


def stable_id(*parts: str) -> str:
    """A UUID that is the same on every machine."""
    return str(uuid5(NAMESPACE_URL, "sandbox:" + ":".join(parts)))


def token_id(*parts: str) -> str:
    """The id of an API token: that of the system user behind it, which looks like an account's."""
    return f"557058:{stable_id(*parts)}"


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody the host page can log in as. `power`: admin (site and organization), product-admin, user."""

    account_id: str
    name: str
    email: str
    power: str
    says: str


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization, owner of one site of the same name."""

    key: str
    id: str
    name: str
    directory_id: str
    cloud_id: str
    domains: tuple[str, ...]
    products: tuple[str, ...]
    people: tuple[KnownPerson, ...]

    def resource(self, product: str) -> str:
        """The ARI of one product of the site."""
        return f"ari:cloud:{product}::site/{self.cloud_id}"

    @property
    def admin(self) -> KnownPerson:
        return self.people[0]


def product_of(resource: str) -> str:
    """ari:cloud:<product>::site/<id> -> <product>."""
    return resource.split(":")[2]


def product_named(name: str) -> str:
    """`jira` -> jira-software, as in the ARIs."""
    return {key: product for product, key in ACCESS_KEYS.items()}.get(name, name)


def _account(number: int) -> str:
    return f"712020:0a0a0a0a-0000-4000-8000-{number:012d}"


ACME = Organization(
    "acme",
    stable_id("org", "acme"),
    "Acme Industries",
    stable_id("directory", "acme"),
    stable_id("cloud", "acme"),
    ("acme.example", "acme-labs.example"),
    (JIRA, CONFLUENCE, SERVICE_DESK),
    (
        KnownPerson(
            _account(1), "Ana Marić", "ana@acme.example", "admin", "Site admin and organization admin"
        ),
        KnownPerson(
            _account(2), "Jon Okafor", "jon@acme.example", "product-admin", "Jira and Confluence admin only"
        ),
        KnownPerson(_account(3), "Uma Lindqvist", "uma@acme.example", "user", "Plain user"),
        KnownPerson(_account(4), "Priya Raman", "priya@acme.example", "admin", "Second organization admin"),
    ),
)
GLOBEX = Organization(
    "globex",
    stable_id("org", "globex"),
    "Globex Research",
    stable_id("directory", "globex"),
    stable_id("cloud", "globex"),
    ("globex.example",),
    (JIRA, CONFLUENCE),
    (
        KnownPerson(
            _account(101), "Gina Rossi", "gina@globex.example", "admin", "Site admin and organization admin"
        ),
        KnownPerson(
            _account(102),
            "Gus Petrov",
            "gus@globex.example",
            "product-admin",
            "Jira and Confluence admin only",
        ),
        KnownPerson(_account(103), "Gwen Adeyemi", "gwen@globex.example", "user", "Plain user"),
    ),
)
ORGANIZATIONS = {ACME.key: ACME, GLOBEX.key: GLOBEX}
BY_ID = {organization.id: organization for organization in ORGANIZATIONS.values()}


@dataclass(frozen=True, slots=True)
class AdminKey:
    """An organization API key of the sandbox. `scoped`: may read the organization, not its people."""

    key: str
    org: str
    label: str
    scoped: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An account's API token of the sandbox; a scoped one is refused on the site's own host."""

    token: str
    org: str
    email: str
    label: str
    scoped: bool = False
    expired: bool = False


ADMIN_KEYS = (
    AdminKey("ATCTT3-sandbox-acme-admin-key-7f3Kq9Zt2LxV", "acme", "Acme, without scopes"),
    AdminKey("ATCTT3-sandbox-acme-expired-key-5mWc8RnY4HsB", "acme", "Acme, expired", expired=True),
    AdminKey("ATCTT3-sandbox-acme-scoped-key-2dPj6GvU9TeA", "acme", "Acme, scoped too small", scoped=True),
    AdminKey("ATCTT3-sandbox-globex-admin-key-8hXb4NqM1CrF", "globex", "Globex, without scopes"),
)
API_TOKENS = (
    ApiToken("ATATT3-sandbox-ana-api-token-4kVz7QmD1RwS", "acme", "ana@acme.example", "Ana, site admin"),
    ApiToken("ATATT3-sandbox-jon-api-token-9fLc3XtB6NyG", "acme", "jon@acme.example", "Jon, product admin"),
    ApiToken("ATATT3-sandbox-uma-api-token-6gHp2WsJ8KxE", "acme", "uma@acme.example", "Uma, not an admin"),
    ApiToken(
        "ATATT3-sandbox-ana-expired-token-1bTr5YvM3ZqC",
        "acme",
        "ana@acme.example",
        "Ana, expired",
        expired=True,
    ),
    ApiToken(
        "ATATT3-sandbox-ana-scoped-token-3nDk8FwP7LhU",
        "acme",
        "ana@acme.example",
        "Ana, with scopes",
        scoped=True,
    ),
    ApiToken(
        "ATATT3-sandbox-gina-api-token-5jRx9CbT2VmQ", "globex", "gina@globex.example", "Gina, site admin"
    ),
)
