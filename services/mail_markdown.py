"""Markdown as mails use it: values become harmless words, a text becomes HTML and plain text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST_VALUE = 500
_LINK_STYLE = (
    "display:inline-block;padding:9px 16px;border-radius:4px;background:#0c66e4;color:#ffffff;"
    "font-weight:600;text-decoration:none"
)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]{1,20}:/+|\bwww\.|\bmailto:")
_DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_]{2,})")
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\(\s*([^()\s]{1,2000}|\{\{\s*[a-z_]{1,40}\s*\}\})\s*\)")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
# No pictures (they would track), no code, no links that are defined elsewhere.
_LEFT_OUT = ("image", "reference", "code", "fence", "backticks")


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in a variable's place: as plain words, and as Markdown that says just these words."""

    plain: str
    markdown: str


def words(text: str) -> Value:
    """Somebody's name, a rule's name, a reason: data, whatever it looks like."""
    plain = harmless(text)
    return Value(plain, escaped(plain))


def as_typed(text: str) -> Value:
    """What an operator writes to somebody: its lines and addresses stay. They write whole texts, too."""
    lines = [_isolated(_shown(line)) for line in text.splitlines()]
    return Value("\n".join(lines), "\n".join(escaped(line) for line in lines))


def address(url: str) -> Value:
    """An address of our own making, for links."""
    return Value(url, url)


def harmless(text: str) -> str:
    """One line without control characters and without anything that a mail program would make a link of.

    Right-to-left words are kept from turning around what stands beside them.
    """
    # A blank takes its place: what stood before and behind would make a new one.
    shown = " ".join(_SCHEME.sub(" ", _shown(text)).split())
    if len(shown) > LONGEST_VALUE:
        shown = shown[: LONGEST_VALUE - 1].rstrip() + "…"
    return _isolated(_DOMAIN_DOT.sub("\u2060.", shown))


def escaped(text: str) -> str:
    """Markdown that shows exactly this line."""
    return _PUNCTUATION.sub(r"\\\1", text)


def links_spelled_out(markdown: str) -> str:
    """The readable form of a Markdown text: a link is its words and behind them the address."""
    return _LINK.sub(r"\1: \2", markdown)


def to_html(markdown: str) -> str:
    """Harmless HTML: no tags of the text's own, no pictures; links lead to the web alone and open a new window."""
    tokens = _parser().parse(markdown)
    for index, token in enumerate(tokens):
        if token.type == "inline":
            _open_links_elsewhere(token)
            if tokens[index - 1].type == "paragraph_open":
                _make_a_button_of_a_lonely_link(token)
    rendered: str = _parser().renderer.render(tokens, _parser().options, {})
    return rendered


def _shown(text: str) -> str:
    # Control characters (line ends would add headers), and the invisible ones that change the direction.
    shown = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    shown = "".join(one for one in shown if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(shown.split())


def _isolated(shown: str) -> str:
    if any(unicodedata.bidirectional(one) in _RIGHT_TO_LEFT for one in shown):
        return f"\u2068{shown}\u2069"
    return shown


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(list(_LEFT_OUT))


def _open_links_elsewhere(inline: Token) -> None:
    for token in inline.children or []:
        if token.type == "link_open":
            token.attrSet("target", "_blank")
            token.attrSet("rel", "noopener noreferrer")


def _make_a_button_of_a_lonely_link(inline: Token) -> None:
    children = [child for child in inline.children or [] if child.type != "text" or child.content]
    if len(children) == 3 and children[0].type == "link_open" and children[0].markup != "autolink":
        children[0].attrSet("style", _LINK_STYLE)
