"""SCIM filters as SQL, for the attributes that providers look people and groups up by; others are refused politely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)
from sqlalchemy import ColumnElement, Select, String, and_, false, func, not_, or_, true
from sqlalchemy.orm import InstrumentedAttribute

LONGEST_FILTER = 2000
DEEPEST = 20

Condition = ColumnElement[bool]
Field = tuple[str, str | None]
"""Attribute and sub-attribute, as scim2-models calls them."""
Compare = Callable[[CompareOperator, Any], Condition]
OfType = Callable[[str, str], Condition]
"""Compares type and value of one entry of an attribute that has several."""


def condition_of(
    found: ScimFilter[Any], fields: Mapping[Field, Compare], typed: Mapping[str, OfType]
) -> Condition:
    """The filter as a condition. `typed` is for a value selection such as emails[type eq "work" and value eq "…"].

    Raises InvalidFilterException for what Rollcall does not filter by.
    """
    if len(found) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"A filter has at most {LONGEST_FILTER} characters.")
    return _ToSql(found, fields, typed).visit(found.ast)


class _Undeclared(Exception):
    """Other kinds of resources have this attribute, this one has not: it is equal to nothing (RFC 7644, 3.4.2.1)."""


class _ToSql(FilterVisitor[Condition]):
    def __init__(
        self, found: ScimFilter[Any], fields: Mapping[Field, Compare], typed: Mapping[str, OfType]
    ) -> None:
        self.filter, self.fields, self.typed, self.depth = found, fields, typed, 0

    def visit(self, node: FilterNode) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise InvalidFilterException(detail="The filter is nested too deeply.")
        try:
            return super().visit(node)
        except _Undeclared:
            return false()
        finally:
            self.depth -= 1

    def visit_comparison(self, node: Comparison) -> Condition:
        compare, binding = self._compare(node.attr_path)
        return compare(node.op, _value(binding, node))

    def visit_present(self, node: Present) -> Condition:
        compare, _ = self._compare(node.attr_path)
        return compare(CompareOperator.ne, None)

    def visit_not(self, node: Not) -> Condition:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        join = and_ if node.op is LogicalOperator.and_ else or_
        return join(*(self.visit(term) for term in node.terms))

    def visit_value_path(self, node: ValuePath) -> Condition:
        name = node.attr_path.attr
        terms = _terms(node.val_filter)
        parts = {
            term.attr_path.attr.casefold(): term
            for term in terms
            if isinstance(term, Comparison) and term.op is CompareOperator.eq
        }
        if len(parts) != len(terms):
            raise _unsupported(f"{name}[…] with anything but eq")
        value = parts.pop("value", None)
        if value is None or not isinstance(value.value, str):
            raise _unsupported(f"{name}[…] without a value")
        if not parts:
            compare, binding = self._compare(AttrPath(name, "value", node.attr_path.uri))
            return compare(CompareOperator.eq, _value(binding, value))
        kind = parts.pop("type", None)
        typed = self.typed.get(name.casefold())
        if kind is None or parts or typed is None:
            raise _unsupported(f"{name}[…] with other attributes than type and value")
        return typed(str(kind.value), value.value)

    def _compare(self, path: AttrPath) -> tuple[Compare, AttributeBinding]:
        binding = self.filter.resolve_comparison(path, strict=False)
        if binding is None:
            raise _Undeclared
        compare = self.fields.get((binding.field_name, binding.sub_field_name))
        if compare is None:
            raise _unsupported(str(path))
        return compare, binding


def text(column: InstrumentedAttribute[str]) -> Compare:
    """Compares a text, "" standing for none: nobody's text is empty."""

    def compare(op: CompareOperator, value: Any) -> Condition:
        if not value:
            return _of_nothing(column, op, value)
        match op:
            case CompareOperator.co:
                return column.contains(value, autoescape=True)
            case CompareOperator.sw:
                return column.startswith(value, autoescape=True)
            case CompareOperator.ew:
                return column.endswith(value, autoescape=True)
            case _:
                return _ordered(column, op, value)

    return compare


def exact_text(column: InstrumentedAttribute[str]) -> Compare:
    """The same for attributes that are case-exact: SQLite's LIKE takes a for A."""

    def compare(op: CompareOperator, value: Any) -> Condition:
        if not value:
            return _of_nothing(column, op, value)
        match op:
            case CompareOperator.co:
                differs: Condition = func.replace(column, value, "", type_=String()) != column
                return differs
            case CompareOperator.sw:
                begins: Condition = func.substr(column, 1, len(value), type_=String()) == value
                return begins
            case CompareOperator.ew:
                behind = func.substr(column, func.length(column) - len(value) + 1, type_=String())
                return and_(func.length(column) >= len(value), behind == value)
            case _:
                return _ordered(column, op, value)

    return compare


def _of_nothing(column: InstrumentedAttribute[str], op: CompareOperator, value: Any) -> Condition:
    """Against null, or against a text of no length, which is not the same."""
    if op is CompareOperator.eq:
        return column == "" if value is None else false()
    if op is CompareOperator.ne and value is not None:
        return true()
    return column != ""


def yes_or_no(column: InstrumentedAttribute[bool]) -> Compare:
    def compare(op: CompareOperator, value: Any) -> Condition:
        if value is None:
            return false() if op is CompareOperator.eq else true()
        return column.is_(bool(value)) if op is CompareOperator.eq else column.is_not(bool(value))

    return compare


def moment(column: InstrumentedAttribute[datetime]) -> Compare:
    def compare(op: CompareOperator, value: Any) -> Condition:
        if value is None:
            return false() if op is CompareOperator.eq else true()
        if getattr(value, "tzinfo", None) is None:
            raise InvalidFilterException(detail="A moment needs its time zone, such as 2026-05-03T12:00:00Z.")
        return _ordered(column, op, value)

    return compare


def among(ids: Callable[[str], Select[Any]], column: InstrumentedAttribute[str]) -> Compare:
    """Whether an id is among those that `ids` finds for a value; only eq."""

    def compare(op: CompareOperator, value: Any) -> Condition:
        if op is not CompareOperator.eq or value is None:
            raise _unsupported("members with anything but eq")
        return column.in_(ids(str(value)))

    return compare


def _ordered(column: InstrumentedAttribute[Any], op: CompareOperator, value: Any) -> Condition:
    orders: dict[CompareOperator, Callable[[Any, Any], Condition]] = {
        CompareOperator.eq: eq, CompareOperator.ne: ne,
        CompareOperator.gt: gt, CompareOperator.ge: ge, CompareOperator.lt: lt, CompareOperator.le: le,
    }  # fmt: skip
    if op not in orders:
        raise _unsupported(f"“{op}” here")
    return orders[op](column, value)


def _value(binding: AttributeBinding, node: Comparison) -> Any:
    return binding.comparable(coerce_value(binding, node.value, node.op))


def _terms(node: FilterNode) -> tuple[FilterNode, ...]:
    return node.terms if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_ else (node,)


def _unsupported(what: str) -> InvalidFilterException:
    return InvalidFilterException(
        detail=f"Rollcall does not filter by {what}. It does by id, userName, externalId, displayName, active,"
        " emails.value, groups.value, members.value, meta.created and meta.lastModified."
    )
