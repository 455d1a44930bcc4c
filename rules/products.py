"""Atlassian's product keys in people's words, and which of them are one product of a site."""

from __future__ import annotations

PRODUCT_NAMES = {
    "jira": "Jira",
    "jira-software": "Jira",
    "jira-core": "Jira Work Management",
    "jira-servicedesk": "Jira Service Management",
    "jira-service-desk": "Jira Service Management",
    "jira-product-discovery": "Jira Product Discovery",
    "confluence": "Confluence",
    "bitbucket": "Bitbucket",
    "trello": "Trello",
}


def product_name(key: str) -> str:
    """The name that people know; a key that nobody has told us about reads as words."""
    return PRODUCT_NAMES.get(key, key.replace("-", " ").replace("_", " ").capitalize())


def family_of(key: str) -> str:
    """What a webhook can tell apart: everything that runs in a site's Jira is "jira"."""
    return "jira" if key.partition("-")[0] == "jira" else key
