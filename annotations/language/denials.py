"""What a sentence says is not so, where it says that of a whole statement and not with a "not" inside it.

    denied("The following is false: AB = 5.")       # (24, 31), where the statement stands
    denied("The claim that AB = 5 does not hold.")  # (15, 21)
    heads("None of these holds")                    # what stands behind its colon, or in the list below
    announces("What follows is false.")             # the next sentence
    takes_back("No, that is false.")                # the sentence before

"That is wrong: AB = 5" takes back what is above its colon and states what is behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from perception_reward.annotations.language.moods import FALSE

Range = tuple[int, int]
NOTHING: Range = (0, 0)

# What is said of a statement that is not so. "Not right" is said of an angle as well, so only where one is claimed.
_FALSE = rf"(?:{FALSE}|mistaken|invalid)"
_NOT = r"(?:not|never|hardly|scarcely|far from|anything but|n't)(?: \w+ly| all)?"
# "Not so clear" is said of no statement, and a "wrong-answer analysis" of no other.
_NOT_SO = rf"(?:{_FALSE}(?!-)|{_NOT} (?:true|correct|the case|so(?= that| *\W?$)|valid))"
_LIE = r"(?:lies?|myths?|falsehoods?|fallac(?:y|ies)|misconceptions?)"
_FAILS = r"(?:(?:do|does|did)(?: not|n't)(?: \w+)? (?:hold|apply)|fails?)(?! (?:to|for|the|an?|any)\b)"
_OPPOSED = r"(?:contradicted|refuted|disproved|ruled out|the (?:opposite|contrary|reverse|negation) of)"
_STATEMENT = r"(?:sentence|statement|claim|fact|assertion|proposition|assumption|conclusion|idea|suggestion|belief)"
_IS_NOT = (
    rf"(?:(?:is|are|was|were)(?:n't)?(?: \w+ly| all| just)? (?:{_NOT_SO}|{_OPPOSED}|(?:an? )?(?:{_LIE}|{_FALSE} \w+))"
    rf"|(?:is not|isn't) right|(?:isn't|aren't) (?:true|correct|so|the case)|{_FAILS})(?!\w)"
)
_BELOW = rf"(?:following|below|what follows|next (?:{_STATEMENT}|line|point)s?)"
# "In the following figure …" speaks of no statement.
_SHOWN = r"(?! (?:figures?|diagrams?|images?|pictures?|graphs?|charts?|tables?|problems?|questions?|steps?|way)\b)"

# The heading, without its colon, of a statement on the same line; "the claim is false: AB = 5" is none.
_HEADING = re.compile(
    rf"\b(?:none|neither) of (?:what follows|the (?:following|below)|(?:the {_STATEMENT}s|those) below"
    rf"|these(?: {_STATEMENT}s)?(?= (?:is|are|holds?|appl(?:y|ies))\b))"
    rf"|\b(?:these|those|{_BELOW})\b{_SHOWN}[^.!?,]{{0,60}}"
    rf"\b(?:{_NOT_SO}|{_OPPOSED}|are(?: all)? {_LIE}|{_FAILS})(?!\w)(?:\W+\w+){{0,3}}\W*$"
    rf"|^(?!\W*(?:that|this|it)\b).*\b{_FALSE} {_STATEMENT}s?(?: \w+){{0,4}}$"
    rf"|\b(?:what|(?:things?|{_STATEMENT}s?) (?:that|which)) (?:{_IS_NOT}|(?:is|are) not (?:shown|stated|given)\b)"
    r"|\b(?:opposite|negation|contrary|reverse) of (?:this|these|the following|what follows)\b"
    r"|\b(?:reject|deny|denies|dispute|disagree with|contradicts?|rules? out|refutes?|(?:not|n't) (?:believe|accept))"
    rf" (?:this|these|(?:all |any )?(?:of )?(?:the )?{_BELOW})(?: \w+)?$"
    r"|^\W*(?:not (?:true|so|correct|the case|shown|stated|given)|untrue)(?: (?:in|by|of) the \w+)?$",
    re.IGNORECASE,
)
# Above a list, fewer words leave no doubt.
_LIST_HEADING = re.compile(
    rf"\b(?:none|neither) of (?:these|those|them|the {_STATEMENT}s?|the values?)\b"
    rf"|\b{_FALSE} (?:values|readings|answers)\b|\b{_NOT_SO} that$"
    rf"|^\W*(?:{_FALSE}|{_LIE}|mistakes)(?: (?:in|by|of) the \w+)?\W*$"
    rf"|\b(?:{_STATEMENT}|thing|value)s? (?:\w+ )?(?:reject|deny|dispute|disagree with)$|^\W*(?:reject|deny)$",
    re.IGNORECASE,
)
_ANNOUNCING = re.compile(
    rf"\W*(?:(?:all|each|both|any|none|neither) of )?(?:the |these |this )?(?:{_BELOW}{_SHOWN}|everything below"
    rf"|{_STATEMENT}s? below)[^.!?,:]{{0,40}}\b(?:{_IS_NOT}|{_FALSE} {_STATEMENT}s?)\W*"
    rf"|\W*(?:none|neither) of (?:the following|what follows|the {_STATEMENT}s below)\b[^.!?,:]{{0,40}}\W*",
    re.IGNORECASE,
)
# Such a heading speaks of what was said before it, or only asks for the false statement.
_OF_OTHERS = re.compile(
    r"\b(?:above|earlier|previous|find|identify|determine|choose|select|check|whether|which of|asks?)\b", re.IGNORECASE
)
_COLON = re.compile(r":\s+(?=\S)")

_SAY = r"(?:say|claim|think|state|assert|believe|conclude|suppose|assume)"
_THAT = re.compile(
    rf"\b(?:{_NOT_SO}|not right)(?: to {_SAY})?,? that\b|\b{_FALSE} to {_SAY}\b"
    rf"|\b(?:{_LIE}|mistake)(?: to {_SAY})? that\b"
    rf"|\b(?:deny|denies|reject|rejects|dispute|disagree|refuse to {_SAY})(?: the {_STATEMENT})? that\b"
    rf"|\bcontrary to the {_STATEMENT} that\b",
    re.IGNORECASE,
)
# What a denial ahead of a statement does not reach.
_ENDS = re.compile(
    r"[;⇒]|\b(?:but|however|since|because|while|whereas|although|though|so|therefore|thus|hence|actually|in fact)\b",
    re.IGNORECASE,
)
_CLAUSE = r"(?:(?![;⇒]|\b(?:but|because|while|whereas|although|though|so)\b).)"
_NAMED = re.compile(
    rf"\b(?:the|this|any|a) {_STATEMENT} that (?P<claimed>{_CLAUSE}{{2,160}}?),? {_IS_NOT}"
    rf"|\b(?:the|this|any|a) {_STATEMENT}:? (?P<said>[A-Z∠△⊙\d][^,;:⇒]{{1,80}}?) {_IS_NOT}"
    rf"|(?<!\w)[\"'](?P<quoted>[^\"]{{3,160}}?)[.,]?[\"'],? {_IS_NOT}"
    rf"|\b(?:negation|opposite|contrary|reverse) of (?:the {_STATEMENT} )?(?:that )?(?P<opposed>{_CLAUSE}{{2,160}}?)"
    r" (?:is true|is right|is the case|holds)\b",
    re.IGNORECASE,
)
# At the end, of all that is said before it, or of the last words alone.
_BEHIND = re.compile(
    rf"(?:,? which {_IS_NOT}| \((?:(?:which |this |that ){_IS_NOT}|{_NOT_SO})\))\W*$"
    rf"|(?P<last>(?<!\bis)(?<!\bare)(?<!\bclaim)(?<!\bstatement)(?<!\banswer)(?: [-–—]|:) "
    rf"(?:(?:this |that ){_IS_NOT}|{_NOT_SO})|(?<=[\w)°]) does(?: not|n't) hold)\W*$",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"[;⇒]|\b(?:but|while|whereas|although|though|because|since|so)\b", re.IGNORECASE)
_BEGINS_LAST = re.compile(rf"{_BEGINS.pattern}|,|\band\b", re.IGNORECASE)

_TAKES_BACK = re.compile(
    r"\W*(?:(?:no|but|wait|hmm|oh|well|however|of course|actually|sorry|yet|and)\b\W*){0,3}"
    rf"(?:that|this|it|all that|all this)(?: last)?(?: {_STATEMENT})?,?(?:'s {_NOT_SO}| {_IS_NOT})"
    r"(?: (?:though|however|at all|of course|either|here))?\W*",
    re.IGNORECASE,
)
# Each phrase above holds one of these.
_HINTS = (
    *("false", "wrong", "incorrect", "untrue", "mistake", "invalid", "not ", "n't ", "none of", "neither of"),
    *("never", "hardly", "scarcely", "far from", "anything but", "fail", "lies", "lie ", "myth", "fallac"),
    *("misconception", "contra", "refute", "disprove", "rule", "opposite", "reverse", "negation"),
    *("reject", "deny", "denies", "dispute", "disagree", "refuse"),
)


def denying(text: str, ranges: Sequence[Range]) -> frozenset[int]:
    """Indices of the sentences, [start, end) of `text` each, that may say of a whole statement that it is not so."""
    if not _hints(text):
        return frozenset()
    return frozenset(index for index, (start, end) in enumerate(ranges) if _hints(text[start:end]))


def _hints(text: str) -> bool:
    """Whether a text holds a word that a denial of a whole statement would not be without."""
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)


def heads(heading: str) -> bool:
    """Whether what stands behind this and a colon is said not to be so."""
    return _HEADING.search(heading) is not None and not _OF_OTHERS.search(heading)


def heads_list(heading: str) -> bool:
    """The same of the list below it."""
    return heads(heading) or (_LIST_HEADING.search(heading) is not None and not _OF_OTHERS.search(heading))


def announces(sentence: str) -> bool:
    """Whether a sentence without a colon says of the one behind it, or of the list below it, that it is not so."""
    return _ANNOUNCING.fullmatch(sentence) is not None and not _OF_OTHERS.search(sentence)


def takes_back(sentence: str) -> bool:
    """Whether all that a sentence says is that the one before it is not so."""
    return len(sentence) < 120 and _TAKES_BACK.fullmatch(sentence) is not None


def denied(sentence: str) -> Range:
    """The [start, end) of a sentence that the rest of it says is not so; `NOTHING` where there is no such part."""
    begin = 0
    for colon in _COLON.finditer(sentence):
        if heads(sentence[begin : colon.start()]):
            return _reached(sentence, colon.end())
        begin = colon.end()
    if named := _NAMED.search(sentence):
        return named.span(named.lastgroup or 0)
    if ahead := _THAT.search(sentence):
        return _reached(sentence, ahead.end())
    if behind := _BEHIND.search(sentence):
        edges = _BEGINS_LAST if behind["last"] else _BEGINS
        return max((edge.end() for edge in edges.finditer(sentence, 0, behind.start())), default=0), behind.start()
    return NOTHING


def _reached(sentence: str, start: int) -> Range:
    end = _ENDS.search(sentence, start)
    return start, end.start() if end else len(sentence)
