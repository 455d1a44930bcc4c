"""What happens to somebody and why, said to themselves, in their language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from babel.lists import format_list

from rules.deeds import Deed
from rules.products import product_name
from services.languages import ENGLISH, Catalogue, msgid

ENDINGS: dict[Deed, str] = {
    Deed.REMOVE_ACCESS: msgid("your access to some products ends"),
    Deed.CHANGE_GROUPS: msgid("your groups change"),
    Deed.SUSPEND: msgid("your access ends"),
    Deed.DEACTIVATE: msgid("your account is deactivated"),
    Deed.REMOVE: msgid("you are removed from the organization"),
    Deed.DELETE: msgid("your account is deleted"),
}
"""What is said behind a date, before it happens."""
_ENDS_ELSE = msgid("your access changes")
_ENDED: dict[Deed, str] = {
    Deed.REMOVE_ACCESS: msgid("Your access to some products has ended"),
    Deed.CHANGE_GROUPS: msgid("Your groups have changed"),
    Deed.SUSPEND: msgid("Your access has ended"),
    Deed.DEACTIVATE: msgid("Your account has been deactivated"),
    Deed.REMOVE: msgid("You have been removed from the organization"),
    Deed.DELETE: msgid("Your account is being deleted"),
}
_ENDED_ELSE = msgid("Your access has changed")

_AGO = r"(?:(?P<today>today)|(?P<yesterday>yesterday)|(?P<days>[\d,]+) days? ago)"
_SEEN = (
    re.compile(rf"Last seen {_AGO}, in (?P<product>.+)\."),
    re.compile(rf"Last seen in (?P<product>.+) {_AGO}\."),
)
_NEVER = re.compile(rf"Never came(?: to (?P<product>.+))?; added {_AGO}\.")
_INVITED = re.compile(rf"Invited {_AGO}, not answered\.")
_STATUS = re.compile(r"(?P<status>Suspended|Deactivated) for (?P<days>[\d,]+) days? or longer\.")
_LAST_DAY = re.compile(r"Their last day was (?P<day>\d{1,2} [A-Z][a-z]+ \d{4})\.")


def ends_words(words: Catalogue, deed: str) -> str:
    """Behind a date: your access ends."""
    return words.gettext(ENDINGS.get(Deed(deed), _ENDS_ELSE) if deed in set(Deed) else _ENDS_ELSE)


def ended_words(words: Catalogue, deed: str) -> str:
    """Your access has ended."""
    return words.gettext(_ENDED.get(Deed(deed), _ENDED_ELSE) if deed in set(Deed) else _ENDED_ELSE)


def product_words(words: Catalogue, keys: Sequence[str]) -> str:
    """Jira and Confluence."""
    names = list(dict.fromkeys(product_name(key) for key in keys))
    if not names:
        return "Atlassian"
    return str(format_list(names, locale=words.language))


def days_words(words: Catalogue, days: int) -> str:
    """Behind "in": 3 days."""
    if days <= 0:
        return words.gettext("less than a day")
    return words.ngettext("%(count)s day", "%(count)s days", days)


def because_words(words: Catalogue, because: str) -> str:
    """The sentence of a rule (rules/idle.py), which is about them, said to them."""
    for pattern in _SEEN:
        found = pattern.fullmatch(because)
        if found is not None:
            return words.ngettext(
                "You were last seen in %(product)s %(count)s day ago.",
                "You were last seen in %(product)s %(count)s days ago.",
                _days(found),
                product=found["product"],
            )
    if found := _NEVER.fullmatch(because):
        if found["product"]:
            return words.gettext("You have never come to %(product)s.", product=found["product"])
        return words.gettext("You have never come.")
    if found := _INVITED.fullmatch(because):
        return words.ngettext(
            "You were invited %(count)s day ago and have not come yet.",
            "You were invited %(count)s days ago and have not come yet.",
            _days(found),
        )
    if found := _STATUS.fullmatch(because):
        if found["status"] == "Suspended":
            return words.ngettext(
                "Your access has been suspended for %(count)s day.",
                "Your access has been suspended for %(count)s days.",
                _days(found),
            )
        return words.ngettext(
            "Your account has been deactivated for %(count)s day.",
            "Your account has been deactivated for %(count)s days.",
            _days(found),
        )
    if found := _LAST_DAY.fullmatch(because):
        day = datetime.strptime(f"{found['day']} +0000", "%d %B %Y %z").date()
        return words.gettext("Your last day was %(day)s.", day=words.date(day))
    # Something new: better in English than not at all to those who read it.
    return because if words.language == ENGLISH else ""


def _days(found: re.Match[str]) -> int:
    parts = found.groupdict()
    if parts.get("today"):
        return 0
    return 1 if parts.get("yesterday") else int(found["days"].replace(",", ""))
