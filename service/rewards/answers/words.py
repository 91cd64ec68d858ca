"""Answers in words: `Yes.`, `the red one`, `It is a dog.`, `increases by 15`. Signs and numbers in them count."""

from __future__ import annotations

import re
from fractions import Fraction

from perception_reward.annotations.language.cues import FALSE, HEDGE, NEGATION
from perception_reward.annotations.language.numbers import CARDINALS, PARTS, read_words
from perception_reward.annotations.language.units import is_plural, read_unit, singular
from perception_reward.annotations.language.word_lists import words

_articles = frozenset({"the", "a", "an"})
_POLAR = {"yes": "yes", "no": "no", "true": "true", "false": "false"} | dict.fromkeys(
    ("是", "是的", "对", "對", "正确", "有", "yep", "yeah"), "yes"
) | dict.fromkeys(("否", "不是", "不", "不对", "错", "错误", "没有", "nope"), "no")  # fmt: skip
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
# The common answers that British and American writers spell differently.
_SPELLINGS = {"grey": "gray", "colour": "color", "centre": "center"}
_polar = re.compile(r"\s*([A-Za-z]+|[\u4e00-\u9fff]{1,2})(?![A-Za-z])")
_token = re.compile(r"[+-]?\d[\d,]{0,30}(?:\.\d{1,20})?(?:/\d{1,20})?|[^\W\d_](?:\.[^\W\d_])+\.?|[^\W\d_]+|[^\s\w]|_")
# What sets words apart and says nothing itself. A hyphen between letters is one; a minus is not.
_SILENT = frozenset(",.;:?!\"'`()[]{}$*“”~\\_")
_commands = re.compile(r"\\(?:text|mathrm|quad)(?![A-Za-z])|\\(?=[\s,;{}])")
_hyphen = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")

_copula = re.compile(
    r"(?:^|[.;!?]\s)(?P<subject>[^.;!?]{0,200}?)\s?\b(?:is|are|was|were|'s|would be|must be|should be|seems to be)\s"
    r"(?P<rest>[^.;!?]+)[.!]?\s*$",
    re.IGNORECASE,
)
_confirmed = re.compile(
    r"(?P<rest>.{1,100}?) (?:is|are) (?:the |my )?(?:correct|right|final )?\s?(?:answer|one|choice)?\s?$", re.I
)
_denial = re.compile(rf"\b(?:{NEGATION}|except|unless|if)\b|n't", re.I)
_number = re.compile(
    r"(?<![A-Za-z0-9_.,/])[+-]?\d{1,20}(?:,\d{3}){0,6}(?:\.\d{1,20})?(?:/\d{1,20})?(?![A-Za-z0-9_/]|[.,]\d)"
)
_chinese = re.compile("[\u4e00-\u9fff]")
_chinese_hedges = re.compile(
    "不|或|至少|至多|最多|最少|大于|小于|超过|以上|以下|之间|非|可能|倍|分之|负|减|加|乘|除|[百千万亿]"
)
_prose = re.compile(r"[A-Za-z ,.'’:;!%()°\"-]*")
_hedges = re.compile(
    rf"\b(?:{HEDGE}|{FALSE}|not|or|neither|nor|except|between|than|unless|else|otherwise|alternatively|if"
    r"|at (?:least|most))\b|n't"
)
_bound_before = re.compile(
    r"\b(?:half|third|quarter|percent|fraction|part|root|square|cube|log|logarithm|cosine|sine|tangent|multiple|"
    r"power) of\s*$|\b(?:twice|double|triple|thrice)\s*$"
    r"|\b(?:over|under|above|below|beyond|but|almost|nearly|up to|to|minus|plus|negative)\s*$"
)
_to_a_value = re.compile(r"\b\w+s to\s*$|\bequal to\s*$")
_changed_after = re.compile(
    rf"\s?(?:squared|cubed|factorial|times|plus|minus|over|to|less|{'|'.join(sorted(PARTS - {'second', 'seconds'}))})\b"
)

_VERBS = frozenset(["is", "are", "was", "were"])
_CONNECTIVES = _VERBS | words("""
    in on at for from of by with because since as so and which that when where while after before per here there
    now then too also each old long tall high wide deep away apart percent left remaining total altogether
    respectively
""")


def spoken(text: str) -> tuple[str, ...]:
    """The words, numbers and signs, without case, punctuation, articles and LaTeX's text commands."""
    text = _hyphen.sub(" ", _commands.sub(" ", text))
    return tuple(word for token in _token.findall(text.casefold()) if (word := _said(token)))


def _said(token: str) -> str:
    if token in _articles or token in _SILENT:
        return ""
    if token[0].isalpha():
        if token in CARDINALS and (value := read_words(token)) is not None:
            return str(value)
        word = singular(token.replace(".", ""))
        return _SPELLINGS.get(word, word)
    digits = token.replace(",", "")
    try:
        return str(Fraction(digits)) if digits[-1].isdigit() else token
    except (ValueError, ZeroDivisionError):
        return token


def same_words(answer: str, reference: str) -> bool:
    """The same words in the same order, or a sentence that says so of something. Signs and numbers are words."""
    theirs = spoken(reference)
    if not theirs:
        return False
    mine = spoken(answer)
    if mine == theirs or ("".join(mine) == "".join(theirs) and all(map(str.isalpha, (*mine, *theirs)))):
        return True
    said = _predicate(answer)
    return said is not None and spoken(said) == theirs


def _predicate(text: str) -> str | None:
    """What a sentence says something is: `a dog` of "The animal is a dog.". None where it says what it is not."""
    for pattern in (_confirmed, _copula):
        match = pattern.search(text)
        if match is not None and not _denial.search(text):
            return match["rest"]
    return None


def read_polar(text: str) -> str | None:
    """`yes`, `no`, `true` or `false`, where the text is it or begins with it and does not say the opposite too."""
    match = _polar.match(text)
    word = _POLAR.get(match[1].casefold()) if match is not None else None
    if match is None or word is None:
        return None
    rest = text[match.end() :]
    if not rest.strip(" .,!"):
        return word
    # `No one`, `no solution`: the word is not an answer of its own.
    if not match[1].isascii() or (
        not re.match(r"\s*[,.;:!-]", rest)
        and not re.match(r"\s+(?:it|there|they|he|she|this|that|the|because)\b", rest, re.I)
    ):
        return None
    return None if _OPPOSITES[word] in spoken(rest) else word


def affirms(polar: str) -> bool:
    """Whether one of `read_polar`'s words says yes: `true` is what some write for it."""
    return polar in ("yes", "true")


def only_number(text: str) -> tuple[str, str] | None:
    """(the number, what follows) where a sentence holds just one number and does not hedge. None otherwise."""
    found = list(_number.finditer(text))
    if len(found) != 1:
        return None
    [match] = found
    if not text.isascii() and _chinese.search(text) is not None:
        return _counted_in_chinese(text, match)
    before, after = text[: match.start()], text[match.end() :]
    around = f"{before} {after}".casefold()
    if not (_prose.fullmatch(before) and _prose.fullmatch(after)) or not re.search("[a-z]", around):
        return None
    if _hedges.search(around) or CARDINALS & set(re.findall("[a-z]+", around)) - {"one"}:
        return None
    before, after = before.casefold(), after.casefold()
    if _changed_after.match(after) or (_bound_before.search(before) and not _to_a_value.search(before)):
        return None
    if not _counts_something(after, before, match.group()):
        return None
    return match.group(), text[match.end() :].strip()


def _counted_in_chinese(text: str, match: re.Match[str]) -> tuple[str, str] | None:
    """`共有12人`: words before the number, and at most what was counted behind it."""
    before, after = text[: match.start()].strip(), text[match.end() :].strip(" .")
    if _chinese_hedges.search(text) or not all("\u4e00" <= char <= "\u9fff" or char in " ,:" for char in before):
        return None
    unit = next((after[:length] for length in (4, 3, 2, 1) if len(after) >= length and read_unit(after[:length])), "")
    rest = after[len(unit) :]
    if (after and not unit) or not all("\u4e00" <= char <= "\u9fff" for char in rest) or len(rest) > 6:
        return None
    return match.group(), unit


def _counts_something(after: str, before: str, number: str) -> bool:
    """Whether the words behind a number leave it what it is: a unit, things in the plural, or the sentence's next part.

    An unknown word may be a part of the number: `5 lakh`, `5 sqrt`.
    """
    words = re.findall(r"[^\s.,;:()]+", after)[:5]
    if not words or (not after[:1].isspace() and after[:1] in ".,;:)"):
        return bool(before.strip(" (")) or not words
    for count, word in enumerate(words, 1):
        if word in _CONNECTIVES or read_unit(" ".join(words[:count])) is not None or is_plural(word):
            return bool(before.strip(" (")) or word not in _CONNECTIVES or word in _VERBS or count > 1
        if count == 1 and number.lstrip("+-") == "1" and not word.endswith("ly"):
            return True
    return False
