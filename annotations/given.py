"""What a problem's question already says about its diagram, so that repeating it is no evidence of seeing.

The question is cut into clauses at commas, full stops and "and"; each clause is matched with a few fixed
shapes, in symbols (`AB=4*y-10`, `∠ABC=50°`, `AB⊥CD`) and in words ("AB is parallel to CD", "the radius of
circle O is 5"). Values are compared as quantities (`3+x` is `x + 3`), figures in any order of their points.
What a sentence merely implies ("ABCD is a rectangle", "AB is a diameter") does not count as said: see `implied`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from perception_reward.annotations.language.names import run_of, written_points
from perception_reward.annotations.language.notation import normalise
from perception_reward.annotations.language.quantities import QuantityError, read_quantity
from perception_reward.annotations.language.units import LENGTH
from perception_reward.annotations.statements import Figure, Statement

MAX_QUESTION_CHARACTERS = 20_000
MAX_CLAUSE_CHARACTERS = 200
MAX_SIDES = 4

_CLAUSE_END = re.compile(r"[,;:?]|\.(?!\d)|\b(?:and|[Ii]f|where|[Gg]iven|[Ff]ind)\b")
_SPELLINGS = (
    (re.compile(r"\bm\s*(?=∠)|\b[Ss]egment |\b[Ll]ine |\bthe length of "), ""),
    (re.compile(r"∠ |\b[Aa]ngle "), "∠"),
    (re.compile(r"\b[Tt]he measure of (?=∠)"), ""),
    (re.compile(r"⊙|\b[Cc]ircle "), "⊙"),
    (re.compile(r"⌒|(?:\B |\b)[Aa]rc "), "⌒"),
    (re.compile(r" is perpendicular to "), "⟂"),
    (re.compile(r" is parallel to "), "∥"),
    (re.compile(r" is equal to | equals | measures | has (?:a |the )?(?:length|measure)(?: of)? "), "="),
    (re.compile(r" degrees?\b"), "°"),
    (re.compile(rf"(?<=[\d)}}]) (?:{LENGTH})\b"), ""),
)
_SEGMENT = re.compile(run_of("2"))
_ANGLE = re.compile("∠" + run_of("3"))
_ARC = re.compile("(?:the )?(?:measure of )?⌒" + run_of("2,3"))
_RELATION = re.compile(run_of("2") + "([⟂∥])" + run_of("2"))
_SIZE = re.compile(
    "(?:the )?(radius|diameter|circumference|area|height|perimeter) of (?:the )?(?:[a-z]+ |[△▱])?(⊙?)" + run_of("1,8")
)
_TANGENT = re.compile(
    run_of("2")
    + " is (?:the |a )?tangent to ⊙"
    + run_of("1")
    + "|the tangent to ⊙"
    + run_of("1")
    + " is "
    + run_of("2")
)


def statements_given(question: str | None) -> list[Statement]:
    """What `question` says in so many words; of an ambiguous name, each reading."""
    return [statement for clause in clauses(question) for statement in _said(clause)]


def clauses(question: str | None) -> list[str]:
    """The clauses of `question` in its plain spelling; those too long to say one thing are left out."""
    found = (clause.strip() for clause in _CLAUSE_END.split(plain(question)))
    return [clause for clause in found if 0 < len(clause) <= MAX_CLAUSE_CHARACTERS]


def plain(question: str | None) -> str:
    """`question`, up to a limit, with one spelling for what has several: `∠`, `⊙`, `⌒`, `⟂`, `∥`, `=`, `°`."""
    question = normalise((question or "")[:MAX_QUESTION_CHARACTERS]).text
    for pattern, replacement in _SPELLINGS:
        question = pattern.sub(replacement, question)
    return question


def _said(clause: str) -> Iterator[Statement]:
    if relation := _RELATION.fullmatch(clause.replace(" ", "")):
        kind = "perpendicular" if relation[2] == "⟂" else "parallel"
        yield Statement(kind, (_figure("segment", relation[1]), _figure("segment", relation[3])))
    elif tangent := _TANGENT.fullmatch(clause):
        line, circle = tangent[1] or tangent[4], tangent[2] or tangent[3]
        yield Statement("tangent", (_figure("segment", line), _figure("circle", circle)))
    else:
        sides = [side.strip() for side in re.split(r"=| is ", clause, maxsplit=MAX_SIDES)]
        for one, other in combinations(sides[:MAX_SIDES], 2):
            yield from _equal(one, other)


def _equal(one: str, other: str) -> Iterator[Statement]:
    left, right = measures(one), measures(other)
    for measure in left if left else right:
        if left and right:
            for twin in right:
                yield Statement(f"equal_{measure.kind}", (measure.figures[0], twin.figures[0]))
            continue
        try:
            yield Statement(measure.kind, measure.figures, read_quantity(other if left else one))
        except QuantityError:
            continue


def measures(side: str) -> list[Statement]:
    """The measure that `side` names, without its quantity; an arc of three letters has more than one reading.

    In the arc OAB, O may be the center: then it is arc AB, and says as much as the central angle AOB.
    """
    if segment := _SEGMENT.fullmatch(side):
        return [Statement("length", (_figure("segment", segment[1]),))]
    if angle := _ANGLE.fullmatch(side):
        return [Statement("angle", (_figure("angle", angle[1]),))]
    if arc := _ARC.fullmatch(side):
        points = written_points(arc[1])
        arcs = [Statement("arc", (Figure("arc", points[cut:]),)) for cut in range(len(points) - 1)]
        if len(points) == 3:
            arcs.append(Statement("angle", (Figure("angle", (points[1], points[0], points[2])),)))
        return arcs
    if size := _SIZE.fullmatch(side):
        return [Statement(size[1], (_figure("circle" if size[2] else "polygon", size[3]),))]
    return []


def _figure(sort: str, name: str) -> Figure:
    return Figure(sort, written_points(name))
