r"""What a sentence says: "The answer is 5", "so x = 5", "The area is 25 square metres", "答案是5".

And what a data set's reference answer says, where it holds more than the answer:

    read_reference("<answer> 9 </answer>")                   # ("9",)
    read_reference("9 + 33 = 42 eggs.\n#### 42")             # ("42",)
    read_reference("… so the area is \boxed{25}.")           # ("25",)
    read_reference("4|four")                                 # ("4|four", "4", "four")
"""

from __future__ import annotations

import re

from perception_reward.annotations.language.cues import NEGATION
from perception_reward.service.rewards.blocks import boxes

_says = re.compile(
    r"^.*(?:\b(?:answer|result)s?(?: is| are|:|\s?=)+|(?:答案|结果|所以|因此|答)\s?(?:应该|應該)?(?:是|为|為|:)+|答案"
    r"|\\implies)[\s:]*(?P<rest>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_SURELY = r"(?:so|thus|hence|then|therefore|indeed|definitely|certainly|clearly|obviously|simply)"
_surely = re.compile(rf"^{_SURELY},?\s", re.IGNORECASE)
_about = re.compile(
    rf"(?:{_SURELY},?\s|所以|因此|故|解得|about|approximately|approx\.?|roughly|around|exactly|only|"
    r"just|\\approx|=|大约|约|約|it is|it's)\s?(?=\S)",
    re.IGNORECASE,
)
_quoted = re.compile(
    r'"(?:(?P<inside>[^"]{1,200})[.!]"|(?P<before>[^"]{1,200})"[.!])'
    r"(?:\s(?!(?:or|but|however|wait|maybe|perhaps|possibly|alternatively|no|not|also|either)\b)(?P<remark>.*))?",
    re.IGNORECASE | re.DOTALL,
)
_labelled = re.compile(r"^(?:\\text\s?\{)?[A-Za-z][A-Za-z ]{0,30}\}?\s?:\s?(?=\S)")
_subject = re.compile(
    r"^(?P<subject>[^.;!?]{1,200}?)\s(?:is|are|equals|was|were|measures|=)\s"
    r"(?:equal to |about |approximately |exactly )?(?P<rest>[^;!?]+)$"
)
_chinese_subject = re.compile(r"^[^\d,;=]{0,60}?(?:是|为|為|等于)\s?(?P<rest>[^,;]+)$")
_denial = re.compile(rf"\b(?:{NEGATION}|except|unless|if|or|between|than)\b|n't|不|非")
_member = re.compile(r"\\?[A-Za-z]{1,10}\s?\\in(?![A-Za-z])\s?(?=\\?\{)")
_point = re.compile(r"^[A-Z]\s?(?=\([^()]*[,;][^()]*\)$)|^(?:[Pp]oint|[Vv]ector)\s(?=[(\\])")


def last_statement(text: str) -> str:
    """Of a long text the sentence that says what the answer is, or else its last sentence."""
    match = _says.match(text)
    return match["rest"].strip(" .") if match is not None else text.rstrip(" .").rpartition(". ")[2]


def without_lead(text: str) -> str:
    match = _says.match(text)
    if match is not None and not _denial.search(match["rest"][:12]):
        return match["rest"].strip(" .")
    match = _about.match(text) or _member.match(text) or _point.match(text)
    return text[match.end() :].strip() if match is not None else text


def without_adverb(text: str) -> str:
    """`definitely (B)` without what only says how sure it is."""
    return _surely.sub("", text, count=1)


def without_remark(text: str) -> str:
    """Of `"soup." It has few carbs.` what is quoted. A text whose remark offers another answer is left as it is."""
    match = _quoted.fullmatch(text)
    if match is None:
        return text
    said, remark = match["inside"] or match["before"], match["remark"] or ""
    return text if re.search(r"\d", said) and re.search(r"\d", remark) else said


def without_label(text: str) -> str:
    """`Total: 10` without its label."""
    return _labelled.sub("", text)


def predicate(text: str) -> str | None:
    """What a sentence says that its subject is; None where it denies, doubts, or is no such sentence."""
    match = _subject.match(text) or _chinese_subject.match(text)
    return None if match is None or _denial.search(text) else match["rest"].strip(" .")


def without_point(text: str) -> str:
    """`P(1,2)` without its name."""
    return _point.sub("", text)


LONGEST = 2000
"""Characters of a reference, and of an option. Of a longer one the beginning counts."""

_tagged = re.compile(r"<answer>(.*)</answer>", re.DOTALL | re.IGNORECASE)
_marked = re.compile(r"####\s*(\S[^\n]*)")
_bar = re.compile(r"\s?\|\s?")
_closed = {"(": ")", "[": "]", "{": "}"}


def read_reference(text: str) -> tuple[str, ...]:
    """The alternatives that the reference holds, of which any is right; itself where it is the answer alone."""
    if (match := _tagged.search(text)) is not None:
        text = match[1]
    if (match := _marked.search(text)) is not None:
        return (match[1].strip(),)
    if "box" in text and (found := [box for box in boxes(text) if box]):
        return (found[-1],)
    text = text.strip()[:LONGEST]
    return (text, *_alternatives(text))


def _alternatives(text: str) -> tuple[str, ...]:
    """The parts of `4|four`; none for absolute values and conditions."""
    parts = _bar.split(text)
    if not 2 <= len(parts) <= 8 or not all(parts) or "\\" in text or any(map(_is_open, parts)):
        return ()
    return tuple(parts)


def _is_open(part: str) -> bool:
    return (
        any(part.count(opening) != part.count(closing) for opening, closing in _closed.items())
        or part[-1] in "+-*/=^<>,("
    )
