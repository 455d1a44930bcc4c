"""Texts of mails: variables are names and nothing else, values are words and nothing else. Hostile ones do no harm."""

from __future__ import annotations

import ast
import json
import re
import time
import unicodedata
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connect.errors import Invalid
from rules.because import Because, BecauseKind
from rules.deeds import Deed
from rules.topics import Topic
from services import matters
from services.coming import ComingPerson
from services.digest_words import Done, coming_list, done_list, needs_list
from services.languages import catalogue, languages
from services.mail_letter import Content, Sender, content_of, letter
from services.mail_markdown import (
    Value,
    address,
    as_typed,
    escaped,
    harmless,
    links_spelled_out,
    to_html,
    words,
)
from services.mail_templating import check, in_markdown, in_plain_words, subject_line
from services.mail_texts import MEANINGS, NAMES, TOPICS, VARIABLES, Text, default_text
from services.mail_words import because_words, days_words, ended_words, ends_words, product_words
from services.matter import Matter

LINK = "https://rollcall.example.com/keep/abc_def-ghi.jkl"
ALLOWED = VARIABLES[Topic.WARNED]


def values(**changed: str) -> dict[str, Value]:
    """Something in every variable of every topic."""
    found = {name: words(changed.get(name.replace(".", "_"), f"the {name}")) for name in MEANINGS}
    return found | {name: address(LINK) for name in MEANINGS if name.endswith("_link")}


# -- what a text may say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ config }}",
        "{{ person.__class__ }}",
        "{{ person.name.__class__ }}",
        "{{ person['name'] }}",
        "{{ person }}",
        "{{ person.name | upper }}",
        "{{ person.name() }}",
        "{{ 7 * 7 }}",
        "{{ 'a' * 1000000000 }}",
        "{{ range(1000000000) }}",
        "{{ lipsum() }}",
        "{{ person.name if product else deed }}",
        "{{- person.name -}}",
        "{% for x in range(1000000000) %}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{% raw %}{{ x }}{% endraw %}",
        "{# note #}",
        "{{ person.name",
        "person.name }}",
        "{{ {{ person.name }} }}",
        "{{}}",
        "{{ " + "(" * 3000 + "person.name" + ")" * 3000 + " }}",
        "[x]({{ person.name }})",
        "[x](https://evil.example/{{ person.name }})",
        "x" * 8001,
        " \n ",
    ],
)
def test_a_hostile_text_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        check("body", text, ALLOWED)
    assert refused.value.field == "body"
    assert refused.value.sentence.endswith(".")
    assert refused.value.next_step.endswith(".")


def test_a_wrong_variable_is_named_and_the_right_ones_are_listed() -> None:
    with pytest.raises(Invalid) as refused:
        check("subject", "Hello {{ persn.name }}", ALLOWED)
    assert refused.value.sentence == "There is no variable {{ persn.name }} here."
    assert "{{ person.name }}" in refused.value.next_step


@given(st.text(alphabet="{}%#-| .()[]'\"_abepronsm\n", max_size=60))
def test_what_passes_the_check_says_nothing_but_words(text: str) -> None:
    try:
        check("body", text, ALLOWED)
    except Invalid:
        return
    said = in_plain_words(text, values())
    assert "{{" not in said
    assert "class" not in said


@pytest.mark.parametrize(
    "text", ["[" * 4000, "*_" * 4000, "> " * 4000, "- " * 4000, "[](" * 2600, "<" * 8000]
)
def test_a_large_text_takes_no_long_time(text: str) -> None:
    before = time.perf_counter()
    check("body", text, ALLOWED)
    content_of(Text("x", text), values(), "en")
    assert time.perf_counter() - before < 3


# -- what a value may be ---------------------------------------------------------------------------------------------

HOSTILE = [
    "{{ ''.__class__ }}",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[x](http://evil.example)",
    "![x](https://evil.example/x.gif)",
    "<https://evil.example>",
    "[x]: https://evil.example",
    "# Title",
    "- list\n- list",
    "1. one",
    "`code`",
    "    code",
    "***",
    "&lt;b&gt;",
    "Evil\r\nBcc: everybody@evil.example",
    "a\u202ecod.exe",
    "\u2066hidden\u2069",
    "שלום (admin)",
    "x" * 5000,
    "\0",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_stays_words(name: str) -> None:
    content = content_of(
        Text("Hi {{ person.name }}!", "Hello {{ person.name }}, bye"), {**values(person_name=name)}, "en"
    )
    html = str(content.html)
    assert re.findall(r"<(?!/?p>)", html) == [], html
    assert "\n" not in content.subject
    assert "\r" not in content.subject
    assert len(content.subject) <= 250
    assert content.text.count("\n") == 1
    for shown in (content.subject, content.text, html):
        assert "://" not in shown
        assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\0\r") & set(shown)
    as_bytes = written(content)
    assert "Bcc" not in as_bytes
    assert len(as_bytes.get_all("To")) == 1


@given(st.text(max_size=40))
def test_any_value_is_shown_as_it_is(name: str) -> None:
    plain = harmless(name)
    html = to_html(f"a {escaped(plain)} b")
    shown = re.sub(r"<[^>]+>", "", html).replace("&lt;", "<").replace("&gt;", ">")
    shown = shown.replace("&quot;", '"').replace("&amp;", "&")
    assert shown.split() == f"a {plain} b".split()
    assert all(unicodedata.category(one) not in ("Cc", "Zl", "Zp") for one in plain)


PIECES = ["http:", "www.", "WWW", "mailto:", "x" * 21, ":/", "/", "//", ".", "198.51.100.7"]


@pytest.mark.parametrize(
    "name", ["http:www.//198.51.100.7/login", "http:wwwabcdefghijklmnopqrstu:/.//198.51.100.7/login"]
)
def test_what_is_taken_out_of_a_name_leaves_no_link(name: str) -> None:
    is_words(name)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_name_becomes_a_link_however_often_it_passes(name: str) -> None:
    is_words(name)


def is_words(name: str) -> None:
    for shown in (harmless(name), harmless(harmless(name))):
        assert not re.search(r"(?i)[a-z][a-z0-9+.-]+:/|\bwww\.|\bmailto:", shown), shown


@pytest.mark.parametrize("message", HOSTILE)
def test_what_an_operator_typed_stays_its_lines(message: str) -> None:
    content = content_of(Text("{{ message }}", "{{ message }}"), {"message": as_typed(message)}, "en")
    assert re.findall(r"<(?!/?p>|br />)", str(content.html)) == []
    assert len(content.text.split("\n")) <= len(message.splitlines()) + 2
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\0\r") & set(content.text + str(content.html))
    assert "Bcc" not in written(content)


def test_words_from_right_to_left_do_not_turn_their_neighbours_around() -> None:
    assert harmless("שלום") == "\u2068שלום\u2069"
    assert harmless("Uma") == "Uma"


def test_a_text_has_no_tags_and_no_pictures_of_its_own() -> None:
    html = to_html(
        "<b>b</b> ![p](https://track.example/x.gif) [j](javascript:alert(1)) [d](data:text/html,x) "
        "[ok](https://example.com)\n\n<div onclick=x>\n\n    code\n\n```\ncode\n```\n"
    )
    assert set(re.findall(r"<([a-z]+)", html)) == {"p", "a", "br"}
    assert re.findall(r'href="([^"]*)"', html) == ["https://track.example/x.gif", "https://example.com"]
    assert 'target="_blank" rel="noopener noreferrer"' in html


def test_the_same_text_as_html_and_as_words() -> None:
    body = "Go [here]({{ keep_link }}) or {{ keep_link }}\n\n[Button]({{ keep_link }})"
    content = content_of(Text("s", body), values(), "en")
    assert content.text == f"Go here: {LINK} or {LINK}\n\nButton: {LINK}\n"
    assert str(content.html).count(f'href="{LINK}"') == 3
    assert str(content.html).count("display:inline-block") == 1, "a link alone is a button"
    assert links_spelled_out("[a](b) [c] (d)") == "a: b [c] (d)"


# -- ours ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("topic", TOPICS, ids=str)
def test_our_own_texts_are_complete(topic: Topic, language: str) -> None:
    text = default_text(topic, language)
    check("subject", text.subject, VARIABLES[topic])
    check("body", text.body, VARIABLES[topic])
    content = content_of(text, values(), language)
    assert content.subject
    assert "{{" not in content.text + str(content.html)
    assert set(VARIABLES[topic]) <= set(MEANINGS)
    assert NAMES[topic]
    written(content)


def test_german_is_not_english() -> None:
    for topic in TOPICS:
        assert default_text(topic, "de") != default_text(topic, "en")
    assert default_text(Topic.ENDED, "de", "remove").body != default_text(Topic.ENDED, "en", "remove").body


@pytest.mark.parametrize("language", languages())
def test_access_back_is_offered_where_a_way_leads_back(language: str) -> None:
    offered = {deed for deed in Deed if "keep_link" in default_text(Topic.ENDED, language, deed.value).body}
    assert {Deed.SUSPEND, Deed.DEACTIVATE, Deed.REMOVE_ACCESS, Deed.DELETE} <= offered
    assert Deed.REMOVE not in offered
    text = default_text(Topic.ENDED, language, Deed.REMOVE.value)
    check("body", text.body, VARIABLES[Topic.ENDED])
    assert "{{" not in content_of(text, values(), language).text


def test_a_language_that_we_do_not_speak_is_english() -> None:
    assert default_text(Topic.WARNED, "tlh") == default_text(Topic.WARNED, "en")


@pytest.mark.parametrize(
    ("because", "sentence", "english", "german"),
    [
        (
            Because(BecauseKind.SEEN, 93, "jira-software"),
            "Last seen 93 days ago, in Jira.",
            "You were last seen in Jira 93 days ago.",
            "Sie wurden zuletzt vor 93 Tagen in Jira gesehen.",
        ),
        (
            Because(BecauseKind.SEEN, 1, "confluence", of_one=True),
            "Last seen in Confluence yesterday.",
            "You were last seen in Confluence 1 day ago.",
            "Sie wurden zuletzt vor 1 Tag in Confluence gesehen.",
        ),
        (
            Because(BecauseKind.NEVER, 120),
            "Never came; added 120 days ago.",
            "You have never come.",
            "Sie waren noch nie da.",
        ),
        (
            Because(BecauseKind.NEVER, 1200, "jira-software", of_one=True),
            "Never came to Jira; added 1,200 days ago.",
            "You have never come to Jira.",
            "Sie waren noch nie in Jira.",
        ),
        (
            Because(BecauseKind.INVITED, 31),
            "Invited 31 days ago, not answered.",
            "You were invited 31 days ago and have not come yet.",
            "Sie wurden vor 31 Tagen eingeladen und sind noch nicht gekommen.",
        ),
        (
            Because(BecauseKind.SUSPENDED, 61),
            "Suspended for 61 days or longer.",
            "Your access has been suspended for 61 days.",
            "Ihr Zugang ist seit 61 Tagen gesperrt.",
        ),
        (
            Because(BecauseKind.DEACTIVATED, 61),
            "Deactivated for 61 days or longer.",
            "Your account has been deactivated for 61 days.",
            "Ihr Konto ist seit 61 Tagen deaktiviert.",
        ),
        (
            Because(BecauseKind.LAST_DAY, day=date(2027, 5, 1)),
            "Their last day was 1 May 2027.",
            "Your last day was 1 May 2027.",
            "Ihr letzter Tag war der 1. Mai 2027.",
        ),
    ],
)
def test_why_a_rule_chose_somebody_is_said_to_operators_and_to_themselves(
    because: Because, sentence: str, english: str, german: str
) -> None:
    assert because.sentence == sentence
    assert because_words(catalogue("en"), because) == english
    assert because_words(catalogue("de"), because) == german
    assert Because.from_words(json.loads(json.dumps(because.to_words()))) == because


def test_small_words() -> None:
    en, de = catalogue("en"), catalogue("de")
    assert product_words(en, ["jira-software", "confluence"]) == "Jira and Confluence"
    assert product_words(de, ["jira-software", "confluence", "jira"]) == "Jira und Confluence"
    assert product_words(en, []) == "Atlassian"
    assert (days_words(en, 1), days_words(de, 3), days_words(en, 0)) == (
        "1 day",
        "3 Tagen",
        "less than a day",
    )
    assert (ends_words(en, "delete"), ended_words(de, "suspend")) == (
        "your account is deleted",
        "Ihr Zugang ist beendet",
    )
    assert ends_words(en, "nonsense") == "your access changes"


def test_the_lists_of_a_digest() -> None:
    en, de = catalogue("en"), catalogue("de")
    assert done_list(en, []).plain == "Nothing."
    assert [coming_list(words, [], 0).plain for words in (en, de)] == ["Nothing.", "Nichts."]
    assert (
        done_list(de, [Done(Deed.SUSPEND, "Idle [x](y)", 2)]).plain == "- Gesperrt: 2 Personen (Idle [x](y))"
    )
    day = datetime(2027, 5, 12, tzinfo=UTC).date()
    coming = coming_list(en, [ComingPerson(day, Deed.REMOVE_ACCESS, "Uma\n- <b>", "")], 3)
    assert coming.plain == "- 12 May 2027: Uma - <b>: Access removed\n- and 3 more people"
    assert "<b>" not in to_html(coming.markdown)
    assert to_html(coming.markdown).count("<li>") == 2
    matter = Matter(Topic.SYNC_FAILED, "k", "error", "The last sync failed. Why.", "", "")
    assert needs_list(en, [matter]).plain == "- The last sync failed. Why."
    assert needs_list(de, [matter, matter]).plain == "- Das Verzeichnis konnte nicht gelesen werden."


def topics_of_matters() -> set[Topic]:
    """Every topic that some `Matter(Topic.…, …)` of the services has."""
    trees = (ast.parse(file.read_text()) for file in Path(matters.__file__).parent.glob("*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        Topic[call.args[0].attr]
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "Matter"
        and isinstance(call.args[0], ast.Attribute)
    }


def test_every_matter_is_said_in_german_too() -> None:
    """A rule's matters, an identity provider's, a leaver's: none is left out of a German digest."""
    found = topics_of_matters()
    assert found >= {Topic.KEY_DEAD, Topic.RUN_BRAKED, Topic.LEAVER_WAITS}
    said = {
        topic: needs_list(catalogue("de"), [Matter(topic, "k", "info", "!", "", "")]).plain for topic in found
    }
    assert len(set(said.values())) == len(found)
    assert said[Topic.RUN_BRAKED] == "- Ein Lauf wurde von seiner Bremse angehalten."
    assert said[Topic.LEAVER_WAITS] == "- Jemand, der geht, wartet auf Sie."


# -- the letter ------------------------------------------------------------------------------------------------------


def written(content: Content, **changed: str) -> Any:
    message = letter(
        content,
        sender=Sender("it@acme.example", changed.get("name", "IT")),
        recipient=changed.get("recipient", "uma@acme.example"),
        message_id="<1@rollcall.example.com>",
        at=datetime(2027, 5, 12, 7, tzinfo=UTC),
        stop_link=changed.get("stop_link", ""),
    )
    assert message is not None
    return message_from_bytes(message, policy=default)


def test_a_letter_says_what_it_is() -> None:
    content = content_of(Text("Grüße {{ person.name }}", "Hallo"), values(person_name="Uma"), "de")
    message = written(content, name='Evil"\r\nBcc: x@evil.example', stop_link=LINK)
    assert message["From"].addresses[0].addr_spec == "it@acme.example"
    assert "Bcc" not in message
    assert message["Subject"] == "Grüße Uma"
    assert message["Date"] == "Wed, 12 May 2027 07:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == f"<{LINK}>"


def test_the_link_that_ends_summaries_is_one_address_however_long_it_is() -> None:
    """RFC 2369: mail programs look for it between < and >, and decode nothing."""
    link = f"https://rollcall.example.com/mail/stop/{'WyJvcmciLCJhbmEiXQ' * 8}"
    content = content_of(Text("s", "b"), values(), "de")
    message = letter(
        content,
        sender=Sender("it@acme.example", "IT"),
        recipient="uma@acme.example",
        message_id="<1@x>",
        at=datetime(2027, 5, 12, 7, tzinfo=UTC),
        stop_link=link,
    )
    assert message is not None
    lines = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"List-Unsubscribe: <{link}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert b"Content-Language: de" in lines


def test_what_is_encoded_in_a_header_is_in_words_that_every_mail_program_reads() -> None:
    """RFC 2047: an encoded word has at most 75 characters."""
    name = "Geschäftsführung der Müller Verwaltungsgesellschaft für Prüfwesen mbH"
    subject = "Ihr Zugang zu Jira für Grüße & Söhne endet am 14. Dezember – bitte lesen"
    message = letter(
        content_of(Text(subject, "b"), values(), "de"),
        sender=Sender("it@acme.example", name),
        recipient="uma@acme.example",
        message_id="<1@x>",
        at=datetime(2027, 5, 12, 7, tzinfo=UTC),
        stop_link=f"https://rollcall.example.com/mail/stop/{'WyJvcmciLCJhbmEiXQ' * 8}",
    )
    assert message is not None
    words = [word for word in message.partition(b"\r\n\r\n")[0].split() if word.startswith(b"=?")]
    assert 0 < max(len(word) for word in words) <= 75


@pytest.mark.parametrize(
    "recipient",
    ["", "uma", "a@b@c", "a b@c.example", "uma@acme.example\r\nBcc: x@y.example", "<a@b.example>"],
)
def test_what_is_no_address_gets_no_letter(recipient: str) -> None:
    content = content_of(Text("s", "b"), values(), "en")
    at = datetime(2027, 5, 12, 7, tzinfo=UTC)
    assert (
        letter(content, sender=Sender("it@acme.example", ""), recipient=recipient, message_id="<1@x>", at=at)
        is None
    )


@pytest.mark.parametrize(
    "recipient", ["o'brien+jira/x=y@acme.example", "zoë@acme.example", "zoë@müller.example"]
)
def test_an_unusual_address_gets_its_letter(recipient: str) -> None:
    content = content_of(Text("s", "b"), values(), "en")
    assert written(content, recipient=recipient)["To"] == recipient


def test_markdown_of_a_value_is_only_that_value() -> None:
    assert in_markdown("{{ person.name }}", values(person_name="*a*")) == r"\*a\*"
    assert subject_line("{{ person.name }}\n{{ rule }}", values(person_name="a", rule="b")) == "a b"
    assert MarkdownIt().render(escaped("a_b")) == "<p>a_b</p>\n"
