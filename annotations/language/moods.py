"""What a sentence does with a statement: asserts it, or negates, hedges, supposes, asks or offers it as an option.

A mood belongs to a place in the sentence. "If AB is 5, BC is 7" asserts nothing, "AB is not 5 but 7" negates one value
and asserts the other, "Since AB = 5, what is BC?" asserts AB = 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from perception_reward.annotations.language.word_lists import words

Mood: TypeAlias = Literal["asserted", "weak", "negated", "hedged", "hypothetical", "question", "option"]

NEGATIONS = words("not no never neither nor none nothing nobody cannot without")
NEGATION = f"(?:{'|'.join(sorted(NEGATIONS))})"
"""A pattern for one of `NEGATIONS`, as the next are for other words."""

HEDGE = "(?:maybe|perhaps|possibly|probably|might|could|either|unsure|not sure)"
FALSE = "(?:false|wrong|incorrect|untrue)"

# What is said of a claim that does not hold, and who says what the writer need not believe.
_TRUE = "(?:true|correct|right|the case)"
# Of a claim: a cup cannot hold water.
_HOLD = r"hold(?: true| up| here)?(?![\w ]*\w)"
_FALSITY = rf"(?:{FALSE}|(?:not|n't) {_TRUE}|(?:not|n't) {_HOLD})(?! with\b)"
_OTHERS = (
    "(?:(?:user|student|pupil|reader|viewer|observer|friend|classmate|colleague|critic|opponent)s?"
    "|others|some(?:one|body))"
)

_CUE = re.compile(
    r"(?P<neutral>\bnot only\b|\bif and only if\b|\bno doubt\b"
    r"|\bnot drawn\b|\bnot to scale\b|\bwhether or not\b|\bwithout loss\b"
    r"|\bor (?:equivalently|simply|rather|just|better|that is|in other words)\b)"
    rf"|(?P<refuted>(?:\b|(?=n't))(?:(?:is|was) )?(?:(?:cannot|not|n't|never) be {_TRUE}|{_FALSITY}|lie|myth|mistake"
    r"|(?:not|n't|cannot|never|nobody|no one)(?: \w+){0,2} (?:say|think|believe|claim)"
    r"|(?:no truth (?:to|in)|contrary to|den(?:y|ies|ied)|reject(?:s|ed)?|dispute[sd]?|disagree[sd]?)\b(?: \w+){0,3})"
    rf" that\b|\b(?:{FALSE}|not {_TRUE}):(?= ))"
    rf"|(?P<reported>\b(?:{_OTHERS}(?: of \w+)?|people|he|she|they) (?:\w+ly |may |might |also |has |have |had )?"
    r"(?:claim|think|believe|allege|insist|argue|guess|contend|assume|suspect|conclude)(?:s|d|ed)?\b"
    rf"|\b(?:{_OTHERS} (?:\w+ly |also |has |have |had )?(?:says?|said|states?|stated|thought|suggest(?:s|ed)?"
    r"|(?:tells?|told)(?: \w+){1,2}) that|user (?:says|said|states|stated))\b"
    rf"|\baccording to (?:\w+ )?{_OTHERS}\b(?! [a-z])|\b(?:tempt(?:ing|ed) to|pretend(?:s|ed)?)\b"
    r"|\b(?:claims|believes|insists|asserts|alleges|argues|contends|thinks) that\b"
    r"|\b(?:is|was|been) (?:\w+ly )?(?:claimed|said|believed|thought|alleged|argued|assumed|suggested|supposed) that\b"
    r"|(?<!\bI )(?<!\bwe )\b(?:claim|assertion|allegation|suggestion|idea|notion|belief|impression|assumption"
    r"|rumou?r) that\b"
    rf"(?!.*\b(?:(?:is|are) (?:\w+ly )?{_TRUE}|holds)\b))"
    r"|(?P<hypothetical>\b(?:if|suppos(?:e|ing)|assum(?:e|es|ing)|imagine|unless|whether|hypothetically"
    r"|(?<!I )would|would(?! say)|were it"
    r"|had it been|let's say|let us say|in case|for example|for instance|e\.g\.)(?![\w'])"
    r"|(?:^|(?<=[,;:] ))(?:were|had)\b"
    r"|\bin (?:a different|another|a similar|some other) (?:figure|diagram|picture|image|drawing|problem|example)\b)"
    r"|(?P<hedged>\b(?:might|(?-i:may)|could"
    r"|can be(?! (?:\w+ly )?(?:seen|read|found|observed|counted|made out|noted)\b)"
    r"|possibly|perhaps|maybe|probably|likely|presumably|potentially|conceivably"
    r"|either|unsure|not sure|unclear|uncertain|not certain|not necessarily|guess|apparently|doubt"
    r"|supposedly|allegedly|reportedly|purportedly"
    r"|not clear|hard to (?:say|tell|read)|(?:not|cannot|can't) (?:tell|know|known|told|given that)"
    r"|no (?:clear )?(?:sign|indication|evidence|hint|proof|guarantee|reason|way to (?:tell|know))"
    r"|nothing (?:\w+ ){0,3}(?:suggests?|indicates?|shows?|says?|proves?|implies))\b"
    r"|n't (?:tell|know|told|sure|clear|certain)\b|\bpossible that\b|[,(] ?or\b|\bor\b)"
    rf"|(?P<denial>(?:, which |\b)(?:is|are|was|were|be|being) (?:\w+ly )?(?:{FALSE}|impossible|mistaken(?! for)"
    r"|misleading|unfounded|rejected|contradicted|refuted|disproved"
    rf"|an? (?:\w+ )?(?:mistake|error|lie|myth|misconception|misreading)|an? {FALSE} \w+"
    rf"|not (?:{_TRUE}|possible|supported|what))\b|: (?:{FALSE}|not {_TRUE})(?=\W*$)"
    rf"|(?:\bnot|n't) {_HOLD}|\bcannot (?:be {_TRUE}\b|{_HOLD})|\bfails(?! to\b))"
    r"|(?P<negated>\b(?:not|never|cannot|neither|nor|no longer|no"
    r"|rather than|instead of|false to say|mistaken?|impossible|nobody|reject(?:s|ed)?|dispute[sd]?"
    r"|different from|differs from|anything but|other than|far from|fails? to|deny|denies|nowhere near|hardly|scarcely"
    r"|contrary|lacks?)\b|n't\b|≠)"
    r"|(?P<weak>\b(?:seem(?:s|ed)?|appear(?:s|ed)?|look(?:s|ed)?(?: like)?|first (?:glance|sight)|face of it"
    r"|seemingly|I would say|I'd say|I think|I believe|should be|roughly)\b)"
    r"|(?P<edge>[,:(]|\b(?:which means|actually|in fact)\b)",
    re.IGNORECASE,
)
# Edges that begin nothing else, tried first: they are most of what begins a cue.
_EDGE = re.compile(
    r"[;)⇒—]|[,:(](?! ?or\b| (?:which|false|wrong|incorrect|untrue|not)\b)|(?:but|so|therefore|thus|hence|because|since"
    r"|although|though|however|while|whereas|and|then)\b",
    re.IGNORECASE,
)
FACTUAL_EDGES = frozenset({"but", "since", "because", "however", "actually", "in fact", "although", "though"})
_ASKS = re.compile(
    r"[\s,;:]*(?:and |so |then |but |now )?(?:what|which|how|why|where|who|when|is|are|does|do"
    r"|did|can|could|would|should|will|has|have)\b",
    re.IGNORECASE,
)

# What a statement about a figure is never without, but for one in words alone.
_SAID = re.compile(r"[=≅∥⟂∈°\d]|\b(?:is|are|lies|has|have)\b")
# What the sentence calls false in its next clause: "AB = 5, but this turned out to be wrong".
_DISOWNED = re.compile(
    rf"(?:[,;—]|\bbut|\band) (?:\w+ )?(?:this|that|it|which) (?:\w+ ){{1,5}}?(?:{FALSE}|not {_TRUE}|mistaken)(?=\W*$)",
    re.IGNORECASE,
)
# What only seemed so: "AB looks parallel to CD, but they meet".
_TAKEN_BACK = re.compile(
    r"\b(?:but|however|yet|though|although)\b,? (?:in fact|actually|really|in reality|not"
    r"|(?:they|it|this|that|these|those)(?! (?:is|are|was|were|has|have|also)\b(?! (?:not|actually|really|in fact)\b))"
    r"|(?:is|are|was|were|do|does|did|has|have|had|can)(?: not|n't))\b",
    re.IGNORECASE,
)
_OR = frozenset({"or", ", or", ",or", "(or", "( or"})

Cue: TypeAlias = tuple[str, int, int, str]


# The words that `_CUE`'s alternatives begin with.
_FIRST_WORDS = words("""
    different differs anything far fails fail not nothing if no whether without suppose supposing assum
    assume assumes assuming imagine unless hypothetically would were had let in for e might may could can
    possible possibly perhaps maybe probably likely presumably potentially conceivably either unsure unclear
    uncertain guess unknown apparently doubt supposedly allegedly reportedly purportedly hard or never cannot
    neither nor false untrue wrong incorrect rather instead mistake mistaken impossible nobody deny denies denied
    contrary nowhere hardly scarcely reject rejects rejected dispute disputes disputed disagree disagreed lie myth
    lack lacks is are was be been being seem seems seemed appear appears appeared look looks looked i should roughly
    first face seemingly fails
    user users student students pupil pupils reader readers viewer viewers observer observers friend friends
    classmate classmates colleague colleagues critic critics opponent opponents others someone somebody people
    he she they according tempting tempted pretend pretends pretended claim assertion allegation suggestion idea notion
    belief impression assumption rumour rumor claims believes insists asserts alleges argues contends thinks
    but so therefore thus
    hence because since although though however while whereas and then which actually , ; : ( ) ⇒ — ≠
""")
_STARTS = re.compile(r"[a-z]+(?:'t\b)?|[,;:()⇒—≠]", re.IGNORECASE)


@lru_cache(maxsize=512)
def _cues(text: str) -> tuple[Cue, ...]:
    """The cues of a sentence. Only at a word that can begin one is the long pattern tried."""
    found: list[Cue] = []
    position = 0
    for start in _STARTS.finditer(text):
        if len(start.group()) == 2 and start.group().isupper():
            continue  # NO, OR and IF are as good as names of segments
        if start.start() < position or (start.group().lower() not in _FIRST_WORDS and start.group()[-2:] != "'t"):
            continue
        at = start.end() - 3 if start.group().endswith("'t") else start.start()
        match = _EDGE.match(text, at) or _CUE.match(text, at)
        if match:
            found.append((match.lastgroup or "edge", match.start(), match.end(), match.group().lower()))
            position = match.end()
    return tuple(found)


def mood_of(text: str, start: int, end: int) -> Mood:
    """The mood of what stands at [start, end) of a sentence."""
    cues = _cues(text)
    if asks(text) and end > _question_start(text, cues):
        return "question"
    found: set[str] = {kind for kind, at, stop, _ in cues if start <= at and stop <= end and kind != "denial"}
    found |= _before(text, cues, start) | _after(cues, end)
    if end <= _disowned_to(text):
        found.add("refuted")
    if "hypothetical" in found:
        return "hypothetical"
    if "hedged" in found or ("reported" in found and "refuted" not in found):
        return "hedged"
    if ("negated" in found) != ("refuted" in found):  # that something false is denied says it
        return "negated"
    if "weak" in found:
        return "hedged" if _TAKEN_BACK.search(text, end) else "weak"
    return "asserted"


def asks(text: str) -> bool:
    """Whether a sentence ends as a question."""
    return text.rstrip(" \"')*").endswith("?")


def stretches(text: str) -> Iterator[tuple[str, Mood]]:
    """The parts of a sentence in their order, cut before and behind each cue, with the mood that reaches them; cues
    themselves are asserted."""
    last = 0
    for _, at, stop, _ in (*_cues(text), ("", len(text), len(text), "")):
        yield text[last:at], mood_of(text, last, at)
        yield text[at:stop], "asserted"
        last = stop


def qualifies(text: str, start: int, end: int) -> bool:
    """Whether a hedge or supposition begins at [start, end), so that the words cannot be left out."""
    return any(kind in ("hedged", "hypothetical") for kind, at, _, _ in _cues(text) if start <= at < end)


def _before(text: str, cues: tuple[Cue, ...], start: int) -> set[str]:
    """Cues ahead of a place that reach it: suppositions over the whole sentence, others inside their clause.

    An "or" hedges what follows it where something is said before it: "AB = 5 or AB = 7".
    """
    found: set[str] = set()
    same_clause, coordinated = True, False
    for kind, at, _, word in reversed(cues):
        if at >= start:
            continue
        coordinated |= word == "nor"
        if kind == "edge":
            same_clause = False
            if word in FACTUAL_EDGES:
                break
        elif kind == "refuted":
            found.add("negated" if coordinated else kind)
        elif kind in ("hypothetical", "reported") or (same_clause and (word not in _OR or at >= _said_from(text))):
            found.add("refuted" if kind == "denial" else kind)
    return found


@lru_cache(maxsize=64)
def _said_from(text: str) -> int:
    """Where the first thing is said, as far as `_SAID` knows; behind the end where nothing is."""
    said = _SAID.search(text)
    return said.end() if said else len(text) + 1


@lru_cache(maxsize=64)
def _disowned_to(text: str) -> int:
    """Up to where the sentence takes back what it says, as `_DISOWNED` knows."""
    disowned = _DISOWNED.search(text)
    return disowned.start() if disowned else -1


def _after(cues: tuple[Cue, ...], end: int) -> set[str]:
    """Cues behind a place that reach back: "… if …", "… is false"."""
    found: set[str] = set()
    for kind, at, _, word in cues:
        if at < end:
            continue
        if kind == "edge":
            break
        if kind == "hypothetical" and word in ("if", "unless", "assuming"):
            found.add(kind)
        elif kind == "denial":
            found.add("refuted")
        elif word in _OR or word in ("maybe", "perhaps", "possibly", "probably"):
            found.add("hedged")
    return found


def _question_start(text: str, cues: tuple[Cue, ...]) -> int:
    """Where the asking part begins: after the last edge that a question word follows, else at the start."""
    for kind, _, stop, _ in reversed(cues):
        if kind == "edge" and _ASKS.match(text, stop):
            return stop
    return 0


# --- what is only quoted, to be checked -------------------------------------------------------------------------------

# Each phrase of `_TASK` holds one of these, so that most texts are told by a few searches.
_HINTS = (
    *("to check", "to be ", "to verify", "to judge", "check each", "check whether", "check all", "grader ", "judge "),
    *("about the figure:", "does the response", "if the response", "candidate statement"),
    *("which of th", "none of th", "neither of th", "one of th", "following", "what follows"),
    *("false", "wrong", "incorrect", "untrue", "not true", "not correct", "not right", "the case"),
)
_TASK = re.compile(
    r"\b(?:facts?|statements?|claims?|items?|information) to (?:check|verify|judge)\b"
    r"|\bto be (?:checked|verified|judged|decided|confirmed|assessed|graded)\b"
    r"|^\W*statement about the figure:|\b(?:does|if) the response (?:say|state|mention|contain)"
    r"|\b(?:grader|judge) (?:will )?(?:looks?|checks?|asks?|decides?|searche?s?)\b"
    r"|\bcheck (?:each|whether|all) of the following\b|\bcandidate statements?\b"
    r"|\b(?:which|none|neither) of the(?:se|m| following)\b"
    r"|\bone of the(?:se| following) (?:holds?|is true|applies|is right)\b"
    rf"|(?P<next>\b(?:the following(?: \w+)?|what follows) (?:is|was) (?:\w+ly )?{_FALSITY}\W*$)"
    rf"|\bthe following\b[^.:;]{{0,60}}\b{_FALSITY}\b"
    rf"|\b(?:{FALSE}|not|den(?:y|ies)|reject(?:s|ed)?|never)\b[^.:;]{{0,40}}\bthe following\b",
    re.IGNORECASE,
)
# A task that goes on in a list, whatever its sentence ends with.
_LISTS = re.compile("following|candidate|(?:which|none|neither) of", re.IGNORECASE)
# What calls the sentence before it false.
_DISOWNS = re.compile(
    rf"\W*(?:(?:but |however, )?(?:this|that|it)(?: \w+)? (?:is|was|turn(?:s|ed) out to be) (?:\w+ly )?{_FALSITY}"
    rf"|(?:verdict|judg(?:e)?ment|status): (?:{FALSE}|not {_TRUE}))\W*",
    re.IGNORECASE,
)
_OPEN = (":", ";")
_ENTRY = re.compile(r"\s*(?:[-*+•>]\s|\(?\w{1,3}[.)]|<\w{1,20}>|info\d|[\"'‘“])")
_ENTRY_NUMBER = re.compile(r"\s*\(?\w{1,3}[.)]\s*")


def examined_of(text: str, ranges: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Indices of the sentences, [start, end) of `text` each, that only say what is to be checked, "Facts to check: …",
    "None of these holds: …", of the entries of a list so headed, and of what the next sentence calls false.

    A response that copies a judge's task with the facts in it has said nothing about a figure.
    """
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return frozenset()
    found: set[int] = set()
    heading, before = False, ""
    for index, (start, end) in enumerate(ranges):
        sentence = text[start:end]
        if index and _DISOWNS.fullmatch(sentence):
            found.add(index - 1)
        if task := _TASK.search(sentence):
            found.add(index)
            heading = sentence.rstrip().endswith(_OPEN) or bool(_LISTS.search(task[0]))
            found |= {index + 1} if task["next"] and index + 1 < len(ranges) else set()
        elif heading and (before.rstrip().endswith(_OPEN) or _ENTRY.match(sentence) or _ENTRY_NUMBER.fullmatch(before)):
            found.add(index)
        else:
            heading = False
        before = sentence
    return frozenset(found)
