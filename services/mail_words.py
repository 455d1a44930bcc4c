"""What happens to somebody and why, said to themselves, in their language."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list

from rules.because import Because, BecauseKind
from rules.deeds import Deed
from rules.products import product_name
from services.languages import Catalogue, msgid

ENDINGS: dict[Deed, str] = {
    Deed.REMOVE_ACCESS: msgid("your access to some products ends"),
    Deed.CHANGE_GROUPS: msgid("your groups change"),
    Deed.SUSPEND: msgid("your access ends"),
    Deed.DEACTIVATE: msgid("your account is deactivated"),
    Deed.REMOVE: msgid("you are removed from the organization"),
    Deed.DELETE: msgid("your account is deleted"),
    Deed.TAKE_BACK: msgid("your access to some products ends"),
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
    Deed.TAKE_BACK: msgid("Your access to some products has ended"),
}
_ENDED_ELSE = msgid("Your access has changed")

WITH_AN_END = msgid("Access with an end")
"""Stands where the name of a rule does."""


def ends_words(words: Catalogue, deed: str) -> str:
    """Behind a date: your access ends."""
    return words.gettext(ENDINGS.get(Deed(deed), _ENDS_ELSE) if deed in set(Deed) else _ENDS_ELSE)


def leaver_ends_words(words: Catalogue, deed: str) -> str:
    """Behind a date, to somebody who is leaving: of access to products nothing stays with them."""
    return ends_words(words, Deed.SUSPEND if deed == Deed.REMOVE_ACCESS else deed)


def ended_words(words: Catalogue, deed: str) -> str:
    """Your access has ended."""
    return words.gettext(_ENDED.get(Deed(deed), _ENDED_ELSE) if deed in set(Deed) else _ENDED_ELSE)


def product_words(words: Catalogue, keys: Sequence[str]) -> str:
    """Jira and Confluence."""
    return list_words(words, [product_name(key) for key in keys])


def list_words(words: Catalogue, names: Sequence[str]) -> str:
    """The same of names: Jira and designers."""
    if not names:
        return "Atlassian"
    return str(format_list(list(dict.fromkeys(names)), locale=words.language))


def days_words(words: Catalogue, days: int) -> str:
    """Behind "in": 3 days."""
    if days <= 0:
        return words.gettext("less than a day")
    return words.ngettext("%(count)s day", "%(count)s days", days)


def because_words(words: Catalogue, because: Because) -> str:
    """Why a rule chose somebody, said to themselves."""
    product = product_name(because.product) if because.product else ""
    match because.kind:
        case BecauseKind.SEEN:
            return words.ngettext(
                "You were last seen in %(product)s %(count)s day ago.",
                "You were last seen in %(product)s %(count)s days ago.",
                because.days,
                product=product,
            )
        case BecauseKind.NEVER if product:
            return words.gettext("You have never come to %(product)s.", product=product)
        case BecauseKind.NEVER:
            return words.gettext("You have never come.")
        case BecauseKind.INVITED:
            return words.ngettext(
                "You were invited %(count)s day ago and have not come yet.",
                "You were invited %(count)s days ago and have not come yet.",
                because.days,
            )
        case BecauseKind.SUSPENDED:
            return words.ngettext(
                "Your access has been suspended for %(count)s day.",
                "Your access has been suspended for %(count)s days.",
                because.days,
            )
        case BecauseKind.DEACTIVATED:
            return words.ngettext(
                "Your account has been deactivated for %(count)s day.",
                "Your account has been deactivated for %(count)s days.",
                because.days,
            )
        case BecauseKind.LAST_DAY:
            assert because.day is not None
            return words.gettext("Your last day was %(day)s.", day=words.date(because.day))
