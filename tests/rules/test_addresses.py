"""Pasted lists of people, in whatever shape they come."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.addresses import is_address, read_list


@pytest.mark.parametrize(
    ("text", "people", "odd"),
    [
        ("nora@x.yz", [("nora@x.yz", "")], []),
        ("Nora Newman <nora@x.yz>", [("nora@x.yz", "Nora Newman")], []),
        ('"Newman, Nora" <nora@x.yz>', [("nora@x.yz", "Nora Newman")], []),
        ("Newman, Nora (nora@x.yz)", [("nora@x.yz", "Nora Newman")], []),
        ("nora@x.yz\tNora Newman", [("nora@x.yz", "Nora Newman")], []),
        ("1. Nora Newman: nora@x.yz", [("nora@x.yz", "Nora Newman")], []),
        ("mailto:nora@x.yz", [("nora@x.yz", "")], []),
        ("ü.nöra@exämple.de.", [("ü.nöra@exämple.de", "")], []),
        (
            "a@b.cc, c@d.ee;f@g.hh\ti@j.kk",
            [("a@b.cc", ""), ("c@d.ee", ""), ("f@g.hh", ""), ("i@j.kk", "")],
            [],
        ),
        ("a@b.cc c@d.ee", [("a@b.cc", ""), ("c@d.ee", "")], []),
        ("Ann <a@b.cc>, Carl <c@d.ee>; x@y.zz", [("a@b.cc", "Ann"), ("c@d.ee", "Carl"), ("x@y.zz", "")], []),
        ('"B, Ann" <a@b.cc>; "D, Carl" <c@d.ee>', [("a@b.cc", "Ann B"), ("c@d.ee", "Carl D")], []),
        ("bob, Ann <a@b.cc>, c@d.ee", [("a@b.cc", "Ann"), ("c@d.ee", "")], [(1, "bob")]),
        ("a@b.cc\r\n\r\nbob\n• c@d.ee", [("a@b.cc", ""), ("c@d.ee", "")], [(3, "bob")]),
        ("A@B.cc\na@b.cc", [("A@B.cc", "")], []),
        ("nora@x\n@\n,;", [], [(1, "nora@x"), (2, "@")]),
        # A part of an address is somebody else's, and one that lacks its end is nobody's name.
        ("n" * 65 + "@x.yz", [], [(1, "n" * 65 + "@x.yz")]),
        ("nora@a.b.c.d.e.f.g.h.i.jj.kk", [], [(1, "nora@a.b.c.d.e.f.g.h.i.jj.kk")]),
        ("nora@x.yz@other.example", [], [(1, "nora@x.yz@other.example")]),
        ("nora@x.yz, emil@home", [("nora@x.yz", "")], [(1, "emil@home")]),
        ("nora@x.yz emil@home", [("nora@x.yz", "")], [(1, "emil@home")]),
        ("a@b.cc emil@home c@d.ee", [("a@b.cc", ""), ("c@d.ee", "")], [(1, "emil@home")]),
        ("a@b.cc; " + "n" * 65 + "@x.yz; bob", [("a@b.cc", "")], [(1, "n" * 65 + "@x.yz"), (1, "bob")]),
        ("", [], []),
    ],
)
def test_shapes(text: str, people: list[tuple[str, str]], odd: list[tuple[int, str]]) -> None:
    found, not_understood = read_list(text)
    assert [(one.email, one.name) for one in found] == people
    assert [(one.line, one.text) for one in not_understood] == odd


@given(st.text(max_size=400) | st.text(alphabet="ab@.,;<>()[]\"'\\\t\n |", max_size=200))
@example("(" * 3000 + "a@b.cc,c@d.ee")
@example('"' * 3000 + "a@b.cc,c@d.ee")
@example("a." * 6000 + "@")
def test_nothing_that_is_pasted_is_too_odd(text: str) -> None:
    found, _odd = read_list(text)
    assert all(is_address(one.email) and one.name.isprintable() for one in found)
    assert len({one.email.lower() for one in found}) == len(found)
