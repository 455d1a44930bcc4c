"""YAML from outside: plain values only. What could blow up, be run or hide something is refused (S53)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class BadYaml(ValueError):
    """This is not the YAML we read; the message is a sentence for people."""


def read_yaml(text: str) -> Any:
    """The values of one document. Raises BadYaml."""
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 -- a SafeLoader, with less in it
    except yaml.YAMLError as problem:
        raise BadYaml(_words(problem)) from problem
    # A number of ten thousand digits, the 35th of May, a tag that does not suit its value.
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as problem:
        raise BadYaml("This is no valid YAML.") from problem


class _PlainLoader(yaml.SafeLoader):
    """YAML's safe loader, without aliases: a few lines of them can stand for more values than there is memory."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise _NotPlain(event.start_mark, "Write out what the “*” stands for: references are not read.")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        found: set[str] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in found:
                    raise _NotPlain(key.start_mark, f"“{key.value[:40]}” stands there twice.")
                found.add(key.value)
        return super().construct_mapping(node, deep=deep)


class _NotPlain(yaml.MarkedYAMLError):
    def __init__(self, mark: yaml.Mark, sentence: str) -> None:
        super().__init__(problem=sentence, problem_mark=mark)


def _words(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    where = f" Look at line {mark.line + 1}." if mark is not None else ""
    sentence = problem.problem if isinstance(problem, _NotPlain) else "This is no valid YAML."
    return f"{sentence}{where}"
