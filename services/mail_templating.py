"""Texts with variables in double braces: nothing but names of a closed list, whatever Jinja could do besides."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connect.errors import Invalid
from services.mail_markdown import Value, links_spelled_out

LONGEST_SUBJECT = 200
LONGEST_BODY = 8_000
LINKS = frozenset({"keep_link", "app_link", "stop_link"})
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[a-z_]{1,30}(?:\.[a-z_]{1,30})?", re.ASCII)
_LINK_TARGET = re.compile(r"\]\(([^)]*)\)")
_BARE_LINK = re.compile(r"(?<!\]\()(?<!<)\{\{\s*(keep_link|app_link|stop_link)\s*\}\}")


def check(field: str, text: str, allowed: Collection[str]) -> None:
    """Raises Invalid(field) with a sentence for whatever is no plain text and no variable of the list."""
    longest = LONGEST_SUBJECT if field == "subject" else LONGEST_BODY
    if len(text) > longest:
        raise Invalid(field, f"At most {longest:,} characters fit here.", "Shorten the text.")
    if not text.strip():
        raise Invalid(field, "There is no text.", "Write one, or go back to the default.")
    if "{%" in text or "{#" in text:
        raise Invalid(
            field,
            "Blocks in {% … %} and {# … #} are not possible here.",
            "Write plain text and variables in double braces.",
        )
    for found in _BRACES.finditer(text):
        _check_name(field, found[1].strip(), allowed)
    if "{{" in _BRACES.sub("", text) or "}}" in _BRACES.sub("", text):
        raise Invalid(
            field,
            "Somewhere double braces are opened or closed alone.",
            "Write a variable as {{ person.name }}.",
        )
    for target in _LINK_TARGET.finditer(text):
        if any(found[1].strip() not in LINKS for found in _BRACES.finditer(target[1])):
            raise Invalid(
                field,
                "The address of a link cannot be made of this variable.",
                "Use an address, or a variable that ends with _link.",
            )
    _check_again(field, text, allowed)


def in_plain_words(text: str, values: Mapping[str, Value]) -> str:
    """The text as people read it without HTML. Raises Invalid for a text that was not checked."""
    return _filled(links_spelled_out(text), {name: value.plain for name, value in values.items()})


def in_markdown(text: str, values: Mapping[str, Value]) -> str:
    """The text as Markdown in which every value is just words."""
    # An address by itself is a link, too.
    text = _BARE_LINK.sub(r"<{{ \1 }}>", text)
    return _filled(text, {name: value.markdown for name, value in values.items()})


def subject_line(text: str, values: Mapping[str, Value]) -> str:
    """One line: what a header takes, whatever the values are."""
    return " ".join(in_plain_words(text, values).split())[:250]


def _check_name(field: str, name: str, allowed: Collection[str]) -> None:
    if name in allowed:
        return
    choice = ", ".join(f"{{{{ {one} }}}}" for one in allowed)
    if _NAME.fullmatch(name):
        raise Invalid(field, f"There is no variable {{{{ {name} }}}} here.", f"You may use {choice}.")
    raise Invalid(
        field, "Between double braces stands something that is no variable.", f"You may use {choice}."
    )


def _check_again(field: str, text: str, allowed: Collection[str]) -> None:
    """The same question to Jinja's own reading of the text: what it would evaluate are names of the list."""
    try:
        tree = _environment().parse(text)
    except (TemplateError, RecursionError) as problem:
        raise Invalid(
            field, "This text cannot be read.", "Write a variable as {{ person.name }}."
        ) from problem
    for output in tree.body:
        parts = output.nodes if isinstance(output, nodes.Output) else [output]
        for part in parts:
            if not isinstance(part, nodes.TemplateData) and _dotted(part) not in allowed:
                raise Invalid(
                    field, "This text cannot be used.", "Write plain text and variables in double braces."
                )


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return str(node.name)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""


def _filled(text: str, values: Mapping[str, str]) -> str:
    _check_again("body", text, values.keys())
    context: dict[str, Any] = {}
    for name, value in values.items():
        owner, dot, attribute = name.partition(".")
        if dot:
            context.setdefault(owner, {})[attribute] = value
        else:
            context[name] = value
    return _environment().from_string(text).render(context)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # What comes out is Markdown or plain text; markdown-it escapes it when it becomes HTML.
    return ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined)
