"""Product keys: names for people, families for webhooks."""

from __future__ import annotations

import pytest

from rules.products import family_of, product_name


@pytest.mark.parametrize("key", ["jira", "jira-software", "jira-core", "jira-servicedesk"])
def test_everything_in_a_sites_jira_is_one_family(key: str) -> None:
    assert family_of(key) == "jira"


def test_confluence_is_its_own_family() -> None:
    assert family_of("confluence") == "confluence"


def test_a_key_nobody_knows_reads_as_words() -> None:
    assert product_name("some-new_product") == "Some new product"
