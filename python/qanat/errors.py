"""The one exception that Qanat raises on purpose: a code, a sentence, and lines that help."""

from __future__ import annotations

from collections.abc import Iterable


class QanatError(Exception):
    """Something went wrong that a person can do something about.

    Parameters
    ----------
    code
        ``QN-nnnn``; ``qanat explain CODE`` prints the page about it.
    text
        One sentence in the user's words.
    lines
        Where, found and expected, what was done about it, one thing to do next. Shown below the sentence.
    kind
        How a program may react: ``invalid`` (the pipeline or the command is wrong), ``retryable`` (it may
        work later), ``conflict``, ``unknown``, ``not_found`` or ``failed``.

    Examples
    --------
    >>> print(QanatError("QN-1202", "Dataset 'clean' is declared twice.", ["at a.py:3", "at a.py:9"]))
    QN-1202  Dataset 'clean' is declared twice.
      at a.py:3
      at a.py:9
    """

    def __init__(self, code: str, text: str, lines: Iterable[str] = (), *, kind: str = "invalid") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.lines: list[str] = list(lines)
        self.kind = kind

    def __str__(self) -> str:
        return "\n  ".join([f"{self.code}  {self.text}", *self.lines])


def nearest(wrong: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near enough to be a slip of the hand.

    Examples
    --------
    >>> nearest("amout", ["amount", "currency"])
    'amount'
    >>> nearest("amout", ["ts"]) is None
    True
    """
    import difflib

    by_folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wrong.casefold(), by_folded, n=1, cutoff=0.72)
    return by_folded[near[0]] if near else None


def did_you_mean(wrong: str, names: Iterable[str]) -> list[str]:
    """``["Did you mean 'amount'?"]``, or nothing when no name is near; for a message's lines."""
    name = nearest(wrong, names)
    return [f"Did you mean '{name}'?"] if name else []
