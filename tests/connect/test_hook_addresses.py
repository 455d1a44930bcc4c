"""connect/hook_addresses.py: each kind's own addresses, and those that only look like one (S29)."""

from __future__ import annotations

import pytest

from connect.errors import Invalid
from connect.hook_addresses import HookAddress, check_hook_address
from rules.topics import HookKind

GOOD = [
    (HookKind.SLACK, "https://hooks.slack.com/services/T0/B0/abc"),
    (HookKind.SLACK, "https://HOOKS.slack.com:443/services/T0/B0/abc"),
    (
        HookKind.TEAMS,
        "https://prod-23.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=a_b-c",
    ),
    (
        HookKind.TEAMS,
        "https://default1.36.environment.api.powerplatform.com:443/powerautomate/1/invoke?sp=%2Frun&sig=x",
    ),
    (HookKind.JIRA_AUTOMATION, "https://api-private.atlassian.com/automation/webhooks/jira/a/1/2"),
    (HookKind.JIRA_AUTOMATION, "https://automation.atlassian.com/pro/hooks/1"),
    (HookKind.SIGNED, "https://8.8.8.8/"),
    (HookKind.SIGNED, "https://hooks.example.com:8443"),
]


@pytest.mark.parametrize(("kind", "address"), GOOD)
def test_addresses_of_their_kind_get_as_far_as_the_look_up(kind: HookKind, address: str) -> None:
    """Tests look up no host but this machine: an address that is refused would be so before."""
    try:
        assert check_hook_address(kind, address, ()).scheme == "https"
    except AssertionError as left:
        assert "stay on this machine" in str(left)  # noqa: PT017


BAD = [
    "",
    "hooks.example.com/x",
    "//hooks.example.com",
    "http://hooks.example.com/",
    "http://127.0.0.1:8400/hooks/demo",
    "http://localhost/",
    "ftp://hooks.example.com/",
    "javascript:alert(1)",
    "https://127.0.0.1/",
    "https://127.0.0.1:8401/",
    "https://10.0.0.1/",
    "https://192.168.0.1/",
    "https://172.16.9.9/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00:ec2::254]/",
    "https://localhost/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://user@hooks.example.com/",
    "https://user:pass@8.8.8.8/",
    "https://8.8.8.8@127.0.0.1/",
    "https://8.8.8.8:0/",
    "https://8.8.8.8:22/",
    "https://8.8.8.8:80/",
    "https://8.8.8.8:65536/",
    "https://8.8.8.8:/",
    "https://8.8.8.8:443:80/",
    "https://8.8.8.8\\@127.0.0.1/",
    "https://8.8.8.8/#x",
    "https://8.8.8.8/a b",
    "https://8.8.8.8/\r\nHost: evil",
    "https://8.8.8.8/\n",
    " https://8.8.8.8/",
    "https://8.8.8.8/\0",
    "https://8.8.8.8?x=1",
    "https://exämple.com/",
    "https://example。com/",
    "https://8.8.8.8/" + "x" * 2000,
]


@pytest.mark.parametrize("kind", HookKind)
@pytest.mark.parametrize("address", BAD)
def test_s29_addresses_that_no_hook_has(kind: HookKind, address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_hook_address(kind, address, {"127.0.0.1:1"})
    assert refusal.value.field == "address"
    assert refusal.value.sentence
    assert refusal.value.next_step


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (HookKind.SLACK, "https://hooks.slack.com/workflows/T0/B0"),
        (HookKind.SLACK, "https://hooks.slack.com.evil.com/services/T0"),
        (HookKind.SLACK, "https://evil.com/hooks.slack.com/services/"),
        (HookKind.SLACK, "https://hooks.slack.com:8443/services/T0"),
        (HookKind.TEAMS, "https://logic.azure.com.evil.com/"),
        (HookKind.TEAMS, "https://evillogic.azure.com/"),
        (HookKind.TEAMS, "https://acme.webhook.office.com/webhookb2/1"),
        (HookKind.JIRA_AUTOMATION, "https://api-private.atlassian.com/admin/v1/orgs"),
        (HookKind.JIRA_AUTOMATION, "https://acme.atlassian.net/rest/api/3/issue"),
    ],
)
def test_s29_each_kind_has_its_own_hosts(kind: HookKind, address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_hook_address(kind, address, ())
    assert "This is not the address of" in refusal.value.sentence


def test_s29_plain_http_is_for_listed_targets_on_this_machine_alone() -> None:
    assert check_hook_address(
        HookKind.SLACK, "http://127.0.0.1:8400/hooks/demo", {"127.0.0.1:8400"}
    ) == HookAddress("http", "127.0.0.1", 8400, "/hooks/demo", ("127.0.0.1",))
    for address in ("http://10.0.0.1:80/", "http://8.8.8.8/", "http://127.0.0.1:8401/"):
        with pytest.raises(Invalid):
            check_hook_address(HookKind.SIGNED, address, {"10.0.0.1:80", "8.8.8.8:80", "127.0.0.1:8400"})
