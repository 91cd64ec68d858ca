"""Answers in words: `Yes.`, `the red one`, `There are 12 apples.`"""

from __future__ import annotations

import re

_articles = frozenset({"the", "a", "an"})
_polar = re.compile(r"\s*(yes|no|true|false)\b", re.IGNORECASE)
_opposites = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
_number = re.compile(r"(?<![\w.,/])[+-]?\d{1,20}(?:,\d{3}){0,6}(?:\.\d{1,20})?(?:/\d{1,20})?(?![\w/]|[.,]\d)")
_prose = re.compile(r"[A-Za-z ,.'’:;!%()°-]*")
_hedges = re.compile(r"\b(?:not|or|neither|either|nor|except|between|maybe|perhaps|than|least|most)\b|n't")


def spoken(text: str) -> tuple[str, ...]:
    """The words, without case, punctuation, articles and LaTeX's text commands."""
    text = re.sub(r"\\(?:text|mathrm|textbf|mathbf)(?![A-Za-z])", " ", text)
    return tuple(word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in _articles)


def same_words(answer: str, reference: str) -> bool:
    """The same words in the same order. A reference of yes or no is also met by a sentence that begins with it.

    No sentence with both words counts: it hedges.
    """
    mine, theirs = spoken(answer), spoken(reference)
    if not theirs:
        return False
    if len(theirs) == 1 and theirs[0] in _opposites and (match := _polar.match(answer)) is not None:
        return match[1].casefold() == theirs[0] and _opposites[theirs[0]] not in mine
    return mine == theirs


def only_number(text: str) -> tuple[str, str] | None:
    """(the number, what follows) where a sentence holds just one number and does not hedge. None otherwise."""
    found = list(_number.finditer(text))
    if len(found) != 1:
        return None
    [match] = found
    before, after = text[: match.start()], text[match.end() :]
    around = f"{before} {after}"
    if not (_prose.fullmatch(before) and _prose.fullmatch(after)) or not re.search("[A-Za-z]", around):
        return None
    if _hedges.search(around.casefold()):
        return None
    return match.group(), after.strip()
