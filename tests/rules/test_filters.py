"""The filter as words in an address: read, written, read again."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.filters import IDLE_WORDS, MOST_IDLE_DAYS, SORTS, STATUSES, BadFilter, PeopleFilter

typed = st.text(max_size=300) | st.text(st.sampled_from("aÄİΣß \t\0%_\\'"), max_size=120)
words = st.fixed_dictionaries(
    {},
    optional={
        "text": typed,
        "product": typed,
        "idle": st.sampled_from(["", *IDLE_WORDS, "1", "007", f" {MOST_IDLE_DAYS} "])
        | st.integers(1, 3650).map(str),
        "status": st.sampled_from(["", *STATUSES]),
        "claim": st.sampled_from(["", "managed", "unmanaged"]),
        "group": typed,
        "domain": typed,
        "synced": st.sampled_from(["", "yes", "no", "perhaps"]),
        "sort": st.sampled_from(["", *SORTS]),
        "down": st.sampled_from(["", "yes", "no"]),
        "page": typed,
    },
)


@example({"text": "a" * 99 + " b"})
@given(words)
def test_what_is_written_reads_back_as_the_same(typed_words: dict[str, str]) -> None:
    filter = PeopleFilter.from_words(typed_words)
    written = filter.to_words()
    assert PeopleFilter.from_words(written) == filter
    assert all(written.values())
    assert not any("\0" in value for value in written.values()), "PostgreSQL takes no NUL"


def test_nobody_has_to_say_anything() -> None:
    assert PeopleFilter.from_words({}) == PeopleFilter()
    assert PeopleFilter().to_words() == {}


def test_words() -> None:
    typed_words = {
        "text": " Ana ",
        "idle": "90",
        "status": "active",
        "domain": "ACME.example",
        "synced": "no",
    }
    filter = PeopleFilter.from_words(typed_words | {"sort": "seen", "down": "yes"})
    assert filter == PeopleFilter(
        text="Ana",
        idle=90,
        status="active",
        domain="acme.example",
        synced=False,
        sort="seen",
        descending=True,
    )
    assert filter.to_words() == {
        "text": "Ana",
        "idle": "90",
        "status": "active",
        "domain": "acme.example",
        "synced": "no",
        "sort": "seen",
        "down": "yes",
    }


@pytest.mark.parametrize("idle", ["0", "-1", "3651", "ninety", "1.5", "٣", "1" * 5000, "1e3"])
def test_idle_days_that_make_no_sense(idle: str) -> None:
    with pytest.raises(BadFilter) as refused:
        PeopleFilter.from_words({"idle": idle})
    assert refused.value.field == "idle"


@pytest.mark.parametrize("field", ["status", "claim", "sort"])
def test_words_that_are_no_choice(field: str) -> None:
    with pytest.raises(BadFilter) as refused:
        PeopleFilter.from_words({field: "elsewhere"})
    assert refused.value.field == field


def test_an_order_narrows_nothing() -> None:
    assert not PeopleFilter(sort="seen", descending=True).narrows
    assert PeopleFilter(text="a").narrows
    assert PeopleFilter(synced=False).narrows
    assert PeopleFilter(idle="unknown").narrows
