"""Whoever types a number into an address that is none gets the page, never a failure of ours."""

from __future__ import annotations

import pytest

from rules.numbers import LARGEST_ID
from tests.views.house import House
from views.page_numbers import LAST

ODD = ("²", "٣", "-1", "+1", "1e9", "9" * 30, "9" * 5000, str(LARGEST_ID), str(LAST), "")
LISTS = ("people", "review", "onboarding", "onboarding/ending", "sent", "leavers")


@pytest.mark.parametrize("number", ODD, ids=lambda number: number[:9])
def test_an_odd_page_is_the_first_or_the_last(house: House, number: str) -> None:
    for place in LISTS:
        assert house.get(f"/app/{place}?page={number}").status_code == 200, place


@pytest.mark.parametrize("number", ODD, ids=lambda number: number[:9])
def test_an_odd_place_in_the_audit_is_its_beginning_or_its_end(house: House, number: str) -> None:
    assert house.get(f"/app/audit?before={number}").status_code == 200


def test_the_audit_ends_where_days_end(house: House) -> None:
    assert house.get("/app/audit?until=9999-12-31").status_code == 200
    assert house.get("/app/audit/export?until=9999-12-31").status_code == 422


@pytest.mark.parametrize("number", ODD, ids=lambda number: number[:9])
def test_an_odd_number_in_the_form_of_a_rule_changes_nothing(house: House, number: str) -> None:
    for form in ({"rungs": number}, {"rungs": "1", "order": f"remove:{number}"}):
        assert house.post("/app/rules/form", **form).status_code == 200, form
