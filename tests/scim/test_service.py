"""The SCIM service in the opinion of scim2-tester, over real HTTP."""

from __future__ import annotations

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

from tests.scim.provider import IdentityProvider


def checked(provider: IdentityProvider, tags: set[str] | None) -> list[CheckResult]:
    """What scim2-tester looked at; nothing of it may be wrong."""
    headers = {"Authorization": f"Bearer {provider.token}"}
    with httpx2.Client(base_url=f"{provider.world.url}/scim/v2", headers=headers) as client:
        results = check_server(SyncSCIMClient(client), include_tags=tags)
    wrong = [
        f"{each.resource_type} {each.title}: {each.reason}"
        for each in results
        if each.status not in (Status.SUCCESS, Status.SKIPPED)
    ]
    assert wrong == [], "\n".join(wrong)
    return results


def test_the_tester_finds_nothing_wrong_with_what_we_say_about_ourselves(entra: IdentityProvider) -> None:
    assert [each for each in checked(entra, {"discovery", "misc"}) if each.status is Status.SUCCESS]


@pytest.mark.slow
def test_the_tester_finds_nothing_wrong(entra: IdentityProvider) -> None:
    """Hundreds of requests: every attribute is created, read, patched, replaced and removed."""
    results = [each for each in checked(entra, None) if each.status is Status.SUCCESS]
    assert len(results) > 100
