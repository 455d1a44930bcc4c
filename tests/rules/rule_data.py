"""Rules as plain data for property tests: mostly good, and the same with something broken in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rules.deeds import FOR_RULES
from rules.schedule import WEEKDAYS

texts = st.text(st.sampled_from("aZ é9-_:/.@ß"), min_size=1, max_size=12).filter(str.strip)
lists = st.lists(texts, min_size=1, max_size=3)
domains = st.lists(st.sampled_from(["acme.com", "@Globex.EXAMPLE", " a.b.co "]), min_size=1, max_size=3)
others = lists.map(lambda names: [f"other {name}" for name in names])
few_days = st.integers(1, 3650)


def _part(
    optional: dict[str, st.SearchStrategy[Any]], **required: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(required, optional=optional)


whos = _part(
    {
        "products": lists,
        "groups": lists,
        "not_groups": lists,
        "domains": domains,
        "account": st.sampled_from(["managed", "external"]),
        "source": st.sampled_from(["invited", "synced"]),
        "people": lists,
    }
)
whens = _part(
    {
        "never": few_days,
        "invited": few_days,
        "suspended": few_days,
        "deactivated": few_days,
        "past_end": st.integers(0, 3650),
        "how": st.sampled_from(["all", "any"]),
        "products": lists,
    },
    not_seen=few_days,
) | _part({"suspended": few_days}, past_end=st.integers(0, 3650))
thens = st.one_of(
    st.builds(lambda deed: {"deed": deed.value}, st.sampled_from([*FOR_RULES[:2], *FOR_RULES[4:]])),
    _part({}, deed=st.just("remove_access"), products=lists),
    _part({"join": others}, deed=st.just("change_groups"), leave=lists),
)


bare_steps = _part(
    {
        "grace": st.integers(0, 365),
        "unreachable": st.sampled_from(["review", "go_on"]),
        "by_mail": st.booleans(),
        "answer": st.sampled_from(["keep", "review"]),
        "kept_for": few_days,
    },
    when=whens,
    then=thens,
)


@st.composite
def _steps(draw: st.DrawFn) -> dict[str, Any]:
    step = draw(bare_steps)
    grace = step.get("grace", 14)
    if grace and draw(st.booleans()):
        step["warn"] = draw(st.lists(st.integers(1, grace), min_size=1, max_size=5, unique=True))
    elif not grace and draw(st.booleans()):
        step["warn"] = []
    if step["then"]["deed"] == "suspend" and draw(st.booleans()):
        step["pause"] = draw(few_days)
        step["comes_back"] = draw(st.booleans())
    return step


times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
schedules = st.one_of(
    st.just({}),
    _part({}, every=st.just("manual")),
    _part({"at": times}, every=st.just("day")),
    _part({"at": times, "weekday": st.sampled_from(WEEKDAYS)}, every=st.just("week")),
    _part({"at": times, "day": st.integers(1, 31)}, every=st.just("month")),
    _part({"at": times, "days_before": st.integers(0, 28)}, every=st.just("billing")),
    _part({}, every=st.just("cron"), cron=st.sampled_from(["0 6 * * 1", " 0  6 1,15 * MON-FRI "])),
)
limits = st.integers(0, 100) | st.just("none")
rules = _part(
    {
        "mode": st.sampled_from(["audit", "review", "live"]),
        "who": whos,
        "brake": _part({"number": limits, "share": limits}),
        "fresh_hours": st.integers(1, 720),
        "schedule": schedules,
    },
    name=texts,
    steps=st.lists(_steps(), min_size=1, max_size=3),
)

NONSENSE: list[Any] = [
    None, True, False, 0, -1, 1.5, 90.0, 10**30, float("nan"), "", " ", "none", "a\0b", "\ud800", "x" * 300, [], [None],
    ["\n"], [1, 1], {}, {"a": 1}, {1: 2}, ["a"] * 501, "06:00", "24:00", 960, "delete", "monday",
]  # fmt: skip


KEYS: list[Any] = ["graze", "Name", "when", "then", "pause", "cron", "at", "join", "\0", 7, None, True]


@st.composite
def broken_rules(draw: st.DrawFn) -> Any:
    """A rule in which one field, anywhere, is missing, strange, or not known."""
    data = draw(rules)
    part: Any = data
    while inner := [each for each in _values(part) if isinstance(each, dict | list) and each]:
        if draw(st.booleans()):
            break
        part = draw(st.sampled_from(inner))
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    match draw(st.sampled_from(["missing", "strange", "strange", "unknown"])):
        case "unknown" if isinstance(part, dict):
            part[draw(st.sampled_from(KEYS))] = draw(st.sampled_from(NONSENSE))
        case "missing":
            del part[draw(st.sampled_from(keys))]
        case _:
            part[draw(st.sampled_from(keys))] = draw(st.sampled_from(NONSENSE))
    return data


def _values(part: Any) -> list[Any]:
    return list(part.values()) if isinstance(part, dict) else list(part)
