"""What is sent to a hook: one notice in the form of each kind. Only form here; the words are notice_words'.

Names come from directories: nowhere here may one become markup, a mention of everybody, or a line of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.topics import HookKind, Topic
from services.notice_words import Words

# Control characters, and those that turn the direction of all the text behind them.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_OPEN = "Open in Rollcall"
_LONGEST_SENTENCE = 1500
_COUNTS = ("chosen", "acted", "listed", "failed", "spared")
_TEXTS = ("deed", "rule", "rule_id", "ends_at", "answer")


@dataclass(frozen=True, slots=True)
class Message:
    """A notice with everything that may be told outside. `person` is (account id, name); never an e-mail address.

    `link` is empty while the app is installed nowhere.
    """

    id: str
    topic: Topic
    created_at: datetime
    words: Words
    link: str
    facts: dict[str, Any]
    person: tuple[str, str] | None = None
    run_id: str | None = None
    case_id: str | None = None


def body_of(kind: HookKind, message: Message) -> bytes:
    """JSON in UTF-8."""
    return json.dumps(_FORMS[kind](message), ensure_ascii=False, separators=(",", ":")).encode()


def _signed(message: Message) -> dict[str, Any]:
    """docs/hook.schema.json."""
    data: dict[str, Any] = {"title": message.words.title, "sentence": _plain(message.words.sentence)}
    if message.link:
        data["link"] = message.link
    if message.person is not None:
        account_id, name = message.person
        data["person"] = {"account_id": account_id, "name": _plain(name)}
    if message.run_id is not None:
        data["run_id"] = message.run_id
    if message.case_id is not None:
        data["case_id"] = message.case_id
    data |= {key: _plain(str(message.facts[key])) for key in _TEXTS if message.facts.get(key)}
    data |= {key: int(message.facts[key]) for key in _COUNTS if message.facts.get(key) is not None}
    return {
        "type": message.topic.value,
        "timestamp": message.created_at.isoformat(timespec="seconds"),
        "id": message.id,
        "data": data,
    }


def _jira_automation(message: Message) -> dict[str, Any]:
    """The same, with the words on top as well: smart values find them as {{webhookData.sentence}}."""
    whole = _signed(message)
    return {"issues": [], "title": whole["data"]["title"], "sentence": whole["data"]["sentence"], **whole}


def _slack(message: Message) -> dict[str, Any]:
    """Text for the notification, blocks for the channel. Plain text, so that <!channel> in a name calls nobody."""
    title, sentence = message.words.title, _plain(message.words.sentence)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "text": {"type": "plain_text", "text": sentence, "emoji": False}},
    ]
    if message.link:
        link = {"type": "mrkdwn", "text": f"<{_escaped(message.link)}|{_OPEN}>", "verbatim": True}
        blocks.append({"type": "context", "elements": [link]})
    return {"text": _escaped(f"{title}: {sentence}"), "unfurl_links": False, "blocks": blocks}


def _teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card. Rich text blocks know no Markdown, so that a name is no link."""
    body = [
        _rich_text(message.words.title, weight="bolder", size="medium"),
        _rich_text(_plain(message.words.sentence)),
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": _OPEN, "url": message.link}] if message.link else [],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _rich_text(text: str, **look: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _plain(text: str) -> str:
    text = _UNSEEN.sub(" ", text)
    return text if len(text) <= _LONGEST_SENTENCE else text[: _LONGEST_SENTENCE - 1] + "…"


def _escaped(text: str) -> str:
    """Slack's three: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_FORMS: dict[HookKind, Callable[[Message], dict[str, Any]]] = {
    HookKind.SLACK: _slack,
    HookKind.TEAMS: _teams,
    HookKind.JIRA_AUTOMATION: _jira_automation,
    HookKind.SIGNED: _signed,
}
