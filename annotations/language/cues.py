"""The words that change what a sentence does with a statement, each with its kind and place.

    cues_of("AB is not 5, but it may be 7")    # negated at "not", an edge at each "," and "but", hedged at "may"

| kind | what it does |
|---|---|
| `hypothetical`, `hedged`, `negated`, `weak` | gives what it reaches that mood |
| `refuted`, `denial` | calls the claim that follows, or that stands before it, false |
| `reported` | ascribes what follows to somebody else |
| `edge`, `neutral` | ends the reach of others; looks like another cue and is none |
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from perception_reward.annotations.language.word_lists import words

NEGATIONS = words("not no never neither nor none nothing nobody cannot without")
NEGATION = f"(?:{'|'.join(sorted(NEGATIONS))})"
"""A pattern for one of `NEGATIONS`, as the next are for other words."""

HEDGE = "(?:maybe|perhaps|possibly|probably|might|could|either|unsure|not sure)"
FALSE = "(?:false|wrong|incorrect|untrue)"

# What is said of a claim that does not hold, and who says what the writer need not believe.
TRUE = "(?:true|correct|right|the case)"
# Of a claim: a cup cannot hold water.
_HOLD = r"hold(?: true| up| here)?(?![\w ]*\w)"
FALSITY = rf"(?:{FALSE}|(?:not|n't) {TRUE}|(?:not|n't) {_HOLD})(?! with\b)"
_OTHERS = (
    "(?:(?:user|student|pupil|reader|viewer|observer|friend|classmate|colleague|critic|opponent)s?"
    "|others|some(?:one|body))"
)

_CUE = re.compile(
    r"(?P<neutral>\bnot only\b|\bif and only if\b|\bno doubt\b"
    r"|\bnot drawn\b|\bnot to scale\b|\bwhether or not\b|\bwithout loss\b"
    r"|\bor (?:equivalently|simply|rather|just|better|that is|in other words)\b)"
    rf"|(?P<refuted>(?:\b|(?=n't))(?:(?:is|was) )?(?:(?:cannot|not|n't|never) be {TRUE}|{FALSITY}|lie|myth|mistake"
    r"|(?:not|n't|cannot|never|nobody|no one)(?: \w+){0,2} (?:say|think|believe|claim)"
    r"|(?:no truth (?:to|in)|contrary to|den(?:y|ies|ied)|reject(?:s|ed)?|dispute[sd]?|disagree[sd]?)\b(?: \w+){0,3})"
    rf" that\b|\b(?:{FALSE}|not {TRUE}):(?= ))"
    rf"|(?P<reported>\b(?:{_OTHERS}(?: of \w+)?|people|he|she|they) (?:\w+ly |may |might |also |has |have |had )?"
    r"(?:claim|think|believe|allege|insist|argue|guess|contend|assume|suspect|conclude)(?:s|d|ed)?\b"
    rf"|\b(?:{_OTHERS} (?:\w+ly |also |has |have |had )?(?:says?|said|states?|stated|thought|suggest(?:s|ed)?"
    r"|(?:tells?|told)(?: \w+){1,2}) that|user (?:says|said|states|stated))\b"
    rf"|\baccording to (?:\w+ )?{_OTHERS}\b(?! [a-z])|\b(?:tempt(?:ing|ed) to|pretend(?:s|ed)?)\b"
    r"|\b(?:claims|believes|insists|asserts|alleges|argues|contends|thinks) that\b"
    r"|\b(?:is|was|been) (?:\w+ly )?(?:claimed|said|believed|thought|alleged|argued|assumed|suggested|supposed) that\b"
    r"|(?<!\bI )(?<!\bwe )\b(?:claim|assertion|allegation|suggestion|idea|notion|belief|impression|assumption"
    r"|rumou?r) that\b"
    rf"(?!.*\b(?:(?:is|are) (?:\w+ly )?{TRUE}|holds)\b))"
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
    rf"|not (?:{TRUE}|possible|supported|what))\b|: (?:{FALSE}|not {TRUE})(?=\W*$)"
    rf"|(?:\bnot|n't) {_HOLD}|\bcannot (?:be {TRUE}\b|{_HOLD})|\bfails(?! to\b))"
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
Cue: TypeAlias = tuple[str, int, int, str]


# The words that `_CUE`'s alternatives begin with.
_FIRST_WORDS = words("""
    different differs anything other far fails fail not nothing if no whether without suppose supposing assum
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
def cues_of(text: str) -> tuple[Cue, ...]:
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
