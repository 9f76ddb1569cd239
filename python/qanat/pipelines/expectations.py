"""``expect`` and its family: rules on the rows of a dataset, above or below the decorator that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from qanat import sql_text
from qanat.arguments import known_arguments
from qanat.errors import QanatError
from qanat.pipelines.registry import Expectation, Notes, current
from qanat.where import Where, here

QueryFunction = TypeVar("QueryFunction", bound=Callable[..., Any])

_ATTRIBUTE = "__qanat_notes__"


@known_arguments
def expect(name: str, condition: str) -> Callable[[QueryFunction], QueryFunction]:
    """Counts rows that break a rule; they stay in the table.

    A row keeps the rule when the condition is true; NULL is a violation. Conditions see the columns of the
    dataset's result.

    Parameters
    ----------
    name
        Name of the rule, used in counts and dead letters.
    condition
        An SQL condition.

    Raises
    ------
    QanatError
        QN-1127 when the rule is empty or its name is taken.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect("known_country", "country IN ('DE', 'FR')")
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding({name: condition}, "keep", here())


@known_arguments
def expect_or_drop(name: str, condition: str) -> Callable[[QueryFunction], QueryFunction]:
    """Leaves out rows that break a rule, and counts them. See `expect`.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_or_drop("fair_price", "price >= 0")
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding({name: condition}, "drop", here())


@known_arguments
def expect_or_fail(name: str, condition: str) -> Callable[[QueryFunction], QueryFunction]:
    """Stops the run at the first row that breaks a rule, before its step is committed. See `expect`.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_or_fail("has_id", "event_id IS NOT NULL")
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding({name: condition}, "fail", here())


@known_arguments
def expect_or_quarantine(name: str, condition: str) -> Callable[[QueryFunction], QueryFunction]:
    """Sends rows that break a rule to the dataset's dead-letter table, raw bytes and all. See `expect`.

    The table is called ``<dataset>__dead_letters``; ``qanat dlq show`` reads it.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_or_quarantine("has_user", "user_id IS NOT NULL")
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding({name: condition}, "quarantine", here())


@known_arguments
def expect_all(expectations: Mapping[str, str]) -> Callable[[QueryFunction], QueryFunction]:
    """Several `expect` rules at once, by name.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_all({"has_url": "url <> ''", "fair_price": "price >= 0"})
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding(expectations, "keep", here())


@known_arguments
def expect_all_or_drop(expectations: Mapping[str, str]) -> Callable[[QueryFunction], QueryFunction]:
    """Several `expect_or_drop` rules at once, by name.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_all_or_drop({"has_url": "url <> ''", "fair_price": "price >= 0"})
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding(expectations, "drop", here())


@known_arguments
def expect_all_or_fail(expectations: Mapping[str, str]) -> Callable[[QueryFunction], QueryFunction]:
    """Several `expect_or_fail` rules at once, by name.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_all_or_fail({"has_id": "event_id IS NOT NULL"})
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding(expectations, "fail", here())


@known_arguments
def expect_all_or_quarantine(expectations: Mapping[str, str]) -> Callable[[QueryFunction], QueryFunction]:
    """Several `expect_or_quarantine` rules at once, by name.

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.expect_all_or_quarantine({"has_user": "user_id IS NOT NULL"})
    ... @qn.table
    ... def clean():
    ...     return "SELECT * FROM clicks"
    """
    return _adding(expectations, "quarantine", here())


def notes_of(function: Any, place: Where) -> Notes:
    """The notes on a function, made when it has none; decorators above and below share them."""
    notes = getattr(function, _ATTRIBUTE, None)
    if isinstance(notes, Notes):
        return notes
    notes = Notes(getattr(function, "__name__", "").replace("<lambda>", ""), place)
    setattr(function, _ATTRIBUTE, notes)
    current().notes.append(notes)
    return notes


def expectations_of(rules: Mapping[str, str], action: str, place: Where) -> list[Expectation]:
    """The rules as expectations, each checked; QN-1127 otherwise."""
    if not isinstance(rules, Mapping):
        raise _refused("Rules are given by name.", place, 'For example:  {"fair_price": "price >= 0"}')
    return [
        Expectation(*_checked(name, condition, place), action, place) for name, condition in rules.items()
    ]


def _adding(rules: Mapping[str, str], action: str, place: Where) -> Callable[[QueryFunction], QueryFunction]:
    found = expectations_of(rules, action, place)

    def decorate(function: QueryFunction) -> QueryFunction:
        notes = notes_of(function, place)
        notes.expectations[:0] = found  # decorators apply from the bottom up; people read from the top
        return function

    return decorate


def _checked(name: object, condition: object, place: Where) -> tuple[str, str]:
    if not isinstance(name, str) or not name.strip() or "," in name:
        raise _refused(f"{name!r} cannot be the name of a rule.", place, "A name is text without a comma.")
    if not isinstance(condition, str) or not (text := sql_text.trimmed(condition)):
        raise _refused(
            f"Rule '{name}' has no condition.", place, f'For example:  @qn.expect("{name}", "price >= 0")'
        )
    return name, text


def _refused(text: str, place: Where, hint: str) -> QanatError:
    return QanatError("QN-1127", text, [f"at {place}", hint, "Nothing was started."])
