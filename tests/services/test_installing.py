"""Installing over an installed tenant, on both databases; the attacks on it are in tests/security (S3-S18, S57)."""

from __future__ import annotations

from models.tenant import LifecycleToken, Tenant
from services.installing import shared_secret_of
from tests.world import World


def test_installing_again_replaces_the_secret_in_one_go(world: World) -> None:
    ana = world.caller("ana")
    before = world.stored(Tenant, ana.tenant)
    world.later(minutes=1)
    world.install("acme", "jira")
    after = world.stored(Tenant, ana.tenant)
    assert after.shared_secret_sealed != before.shared_secret_sealed
    assert shared_secret_of(world.tools, ana.tenant) is not None
    assert (after.installed_at, after.uninstalled_at) == (before.installed_at, None)
    assert after.last_lifecycle_at >= before.last_lifecycle_at
    (entry,) = world.audit("tenant:reinstalled")
    assert (entry.client_key, entry.details) == (
        ana.tenant,
        {"product": "jira", "site": after.base_url.partition("//")[2]},
    )
    with world.tools.begin() as session:
        assert session.query(LifecycleToken).filter_by(client_key=ana.tenant).count() == 2
