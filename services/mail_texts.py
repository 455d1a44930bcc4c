"""The texts of mails: one subject and one body for each topic and language, ours or the organization's own.

The English ones are here; each other language is in translations/. An organization's own text wins, that of a rule
before that for all rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.mail import MailText
from rules.deeds import CAPABILITIES, Deed
from rules.topics import Topic
from services.languages import catalogue, msgid

_PERSON = ("person.name", "person.first_name")
_RULE = ("organization", "rule", "reason")
VARIABLES: dict[Topic, tuple[str, ...]] = {
    Topic.WARNED: (
        *_PERSON,
        "product",
        "products",
        "deed",
        "ends_on",
        "days_left",
        "keep_link",
        *_RULE,
    ),
    Topic.TOLD: (*_PERSON, "product", "products", *_RULE),
    Topic.ENDED: (*_PERSON, "product", "products", "deed", "keep_link", *_RULE),
    Topic.GIVEN_BACK: (*_PERSON, "product", "products", "organization"),
    Topic.ACCESS_ENDS: (*_PERSON, "product", "products", "ends_on", "days_left", "keep_link", "organization"),
    Topic.LEAVING: (*_PERSON, "deed", "ends_on", "message", "organization"),
    Topic.DIGEST: (*_PERSON, "organization", "since", "done", "coming", "needs", "app_link", "stop_link"),
}
"""What a text about a topic may use."""
MEANINGS: dict[str, str] = {
    "person.name": "Their name",
    "person.first_name": "The first word of their name",
    "product": "The product it is about, the first one of several",
    "products": "All of them: Jira and Confluence",
    "deed": "What happens, behind a date: your access ends",
    "ends_on": "The day on which it happens",
    "days_left": "How long until then: 3 days",
    "keep_link": "Address of their own page to answer on",
    "reason": "Why: You were last seen 93 days ago, in Jira.",
    "message": "What an operator wrote to them",
    "organization": "The name of your organization",
    "rule": "The name of the rule",
    "since": "The day of the last summary",
    "done": "What was done, as a list",
    "coming": "What happens by itself in the next seven days, as a list",
    "needs": "What needs an operator, as a list",
    "app_link": "Address of Rollcall in your site",
    "stop_link": "Address that ends the summaries for this reader",
}
NAMES: dict[Topic, str] = {
    Topic.WARNED: "Warning before something happens",
    Topic.TOLD: "Told that they are idle",
    Topic.ENDED: "Access has ended",
    Topic.GIVEN_BACK: "Access is back",
    Topic.ACCESS_ENDS: "Access with an end: before it ends",
    Topic.LEAVING: "To somebody who is leaving",
    Topic.DIGEST: "Summary for operators",
}

_SUBJECTS: dict[Topic, str] = {
    Topic.WARNED: msgid("Do you still need your access to {{ products }}?"),
    Topic.TOLD: msgid("Do you still use {{ products }}?"),
    Topic.ENDED: msgid("Your access to {{ products }} has changed"),
    Topic.GIVEN_BACK: msgid("You have your access to {{ products }} back"),
    Topic.ACCESS_ENDS: msgid("Your access to {{ products }} ends on {{ ends_on }}"),
    Topic.LEAVING: msgid("You are leaving {{ organization }}"),
    Topic.DIGEST: msgid("Rollcall in {{ organization }}: what was done, what comes next"),
}
_BODIES: dict[Topic, str] = {
    Topic.WARNED: msgid(
        "Hello {{ person.name }},\n\n"
        "**on {{ ends_on }} {{ deed }}**, unless you answer or come back before. It is about {{ products }}.\n\n"
        "[Say whether you still need it]({{ keep_link }})\n\n"
        "You need not log in to answer, and the link is for you alone. If you do nothing, it happens "
        "in {{ days_left }}.\n\n"
        "Why you get this mail: the rule “{{ rule }}” of {{ organization }} says so. {{ reason }}\n"
    ),
    Topic.TOLD: msgid(
        "Hello {{ person.name }},\n\n"
        "you have not been seen in {{ products }} for a while. Nothing else happens now.\n\n"
        "If you stay away, {{ organization }} may end your access. Working there again is all it takes to keep it.\n\n"
        "Why you get this mail: the rule “{{ rule }}” says so. {{ reason }}\n"
    ),
    Topic.ENDED: msgid(
        "Hello {{ person.name }},\n\n"
        "{{ deed }}. It is about {{ products }}.\n\n"
        "If you need it again, ask for it: you need not log in, and the link is for you alone.\n\n"
        "[Ask for my access back]({{ keep_link }})\n\n"
        "Why you get this mail: the rule “{{ rule }}” of {{ organization }} says so. {{ reason }}\n"
    ),
    Topic.GIVEN_BACK: msgid(
        "Hello {{ person.name }},\n\n"
        "you have your access to {{ products }} back. What you made there is where it was.\n\n"
        "{{ organization }}\n"
    ),
    Topic.ACCESS_ENDS: msgid(
        "Hello {{ person.name }},\n\n"
        "you have access to {{ products }} until {{ ends_on }}. Then it ends by itself, in {{ days_left }}.\n\n"
        "If you need it longer, ask for it: you need not log in, and the link is for you alone.\n\n"
        "[Ask for longer]({{ keep_link }})\n\n"
        "Why you get this mail: {{ organization }} gave you this access with an end.\n"
    ),
    Topic.LEAVING: msgid(
        "Hello {{ person.name }},\n\n"
        "you are leaving {{ organization }}: on {{ ends_on }} {{ deed }}.\n\n"
        "{{ message }}\n\n"
        "{{ organization }}\n"
    ),
    Topic.DIGEST: msgid(
        "Hello {{ person.name }},\n\n"
        "this is about {{ organization }}, since {{ since }}.\n\n"
        "## What was done\n\n{{ done }}\n\n"
        "## What happens by itself in the next seven days\n\n{{ coming }}\n\n"
        "## What needs you\n\n{{ needs }}\n\n"
        "[Open Rollcall]({{ app_link }})\n\n"
        "You get this because you are an operator of Rollcall. [No more summaries]({{ stop_link }})\n"
    ),
}
_FOR_GOOD = msgid(
    "Hello {{ person.name }},\n\n"
    "{{ deed }}. It is about {{ products }}.\n\n"
    "If you need it again, ask an administrator of {{ organization }}: somebody has to invite you anew.\n\n"
    "Why you get this mail: the rule “{{ rule }}” of {{ organization }} says so. {{ reason }}\n"
)
"""Of access that ended by a deed from which no way leads back: their page offers none either."""
TOPICS = tuple(_BODIES)
"""What is written by mail, in the order of a list."""


@dataclass(frozen=True, slots=True)
class Text:
    """`own` says that the organization wrote it, `for_rule` that it did so for one rule."""

    subject: str
    body: str
    own: bool = False
    for_rule: bool = False


def default_text(topic: Topic, language: str, deed: str = "") -> Text:
    """Ours; `deed` is what was done to the reader. English where a language lacks it."""
    words = catalogue(language)
    for_good = topic is Topic.ENDED and deed in set(Deed) and CAPABILITIES[Deed(deed)].opposite is None
    return Text(words.gettext(_SUBJECTS[topic]), words.gettext(_FOR_GOOD if for_good else _BODIES[topic]))


def text_for(
    session: Session, organization_id: str, topic: Topic, language: str, rule_id: str = "", deed: str = ""
) -> Text:
    """The text that a mail about this topic is written with; `deed` is what was done to the reader."""
    for wanted in dict.fromkeys((rule_id, "")):
        own = session.get(MailText, (organization_id, topic.value, wanted, language))
        if own is not None:
            return Text(own.subject, own.body, own=True, for_rule=bool(wanted))
    return default_text(topic, language, deed)
