"""Where a statement is known from: the image, a step of reasoning, or the question. What a model said of it is only
believed as far as the words allow.

    origin_of("The angles of a triangle add up to 180 degrees.", "", "Find x.", "seen")     # "derived"
    origin_of("AB is 5.", "Since AB = 5, …", "AB = 5. Find x.", "seen")                    # "given"
"""

from __future__ import annotations

import re

from perception_reward.annotations.pipeline.wording import content_words, numbers_of, wording
from perception_reward.trainer_client.wire import Origin

# Of a statement's content words, those that the question has too, from which on it says the statement.
SAID = 0.85
# Marks of a step of reasoning, in the statement itself.
_REASONED = re.compile(
    r"\b(?:therefore|thus|hence|consequently|implies|implying|theorem|formula|by definition|propert(?:y|ies)|postulate"
    r"|add(?:s|ed|ing)? up|sums? (?:of|to)|the (?:total|difference|product|average|mean|ratio) (?:of|between)|must be"
    r"|supplementary|complementary|calculat\w+|comput\w+|solv\w+|substitut\w+|simplif\w+"
    r"|we (?:get|find|obtain|conclude)"
    r"|can be (?:found|calculated|determined|computed)|should be|would be|it follows)\b",
    re.IGNORECASE,
)
# The same in the words that it rests on, where they draw a conclusion.
_CONCLUDED = re.compile(
    r"^\W*(?:so|therefore|thus|hence|then|consequently|it follows|this means|this gives|substituting|solving"
    r"|simplifying|dividing|multiplying|subtracting|adding|using|by the|applying|combining"
    r"|we (?:get|have|find|obtain|can)|now we|plugging|calculating)\b",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(r"\d\s*(?:[-+*/×÷·^]|\\(?:times|cdot|div|frac))\s*\(?\d[^=]*=|=[^=]*\d\s*[-+*/×÷]\s*\d")
# "A rhombus has four equal sides" is true of every figure.
_GENERAL = re.compile(
    r"^\W*(?i:an?|all|any|every|each|opposite|adjacent|interior|vertical|base|alternate|corresponding) [a-z]+"
    r"(?: [a-z]+)* (?:is|are|has|have|always|equals?|measures?)\b(?!.*[A-Z]{2})",
)
_GENERAL_KINDS = re.compile(
    r"\b(?:triangle|rhombus|square|rectangle|parallelogram|trapezoid|trapezium|circle|polygon|kite|quadrilateral|pentagon"
    r"|hexagon|angles?|sides?|diagonals?|tangents?|radius|radii|lines?|arcs?)\b",
    re.IGNORECASE,
)


def origin_of(statement: str, quote: str, question: str, model: Origin) -> Origin:
    """Where `statement` is known from; `model` is what a model says. Given comes before derived, and derived before
    seen."""
    if model == "given" or says(question, statement):
        return "given"
    if model == "derived" or is_derived(statement, quote):
        return "derived"
    return "seen"


def is_derived(statement: str, quote: str = "") -> bool:
    """Whether the words show a step of reasoning, or general knowledge."""
    if _REASONED.search(statement) or _ARITHMETIC.search(statement) or is_general(statement):
        return True
    return bool(_CONCLUDED.search(quote) or _ARITHMETIC.search(quote))


def is_general(statement: str) -> bool:
    """Whether it is said of every figure of a kind: it names nothing, and has an indefinite subject."""
    return bool(_GENERAL.search(statement) and _GENERAL_KINDS.search(statement))


def says(question: str, statement: str) -> bool:
    """Whether `question` already says `statement`: the same claim about the figure, or nearly all its words and
    numbers."""
    said = wording(statement)
    if said.key[0] == "claims":
        # Reading a clause takes a millisecond, and one that shares no name says nothing of the same figure.
        letters = set(filter(str.isupper, statement[1:])) or set(statement)
        if any(wording(one).key == said.key for one in _clauses(question) if not letters.isdisjoint(one)):
            return True
    if not said.words or not set(said.numbers) <= numbers_of(question) or len(said.words) + len(said.numbers) < 2:
        return False
    asked = content_words(question) | {colour for colour in said.colours if colour in question.lower()}
    shared = said.words & asked
    return set(said.colours) <= asked and len(shared) >= SAID * len(said.words)


def _clauses(question: str) -> list[str]:
    return [clause for clause in re.split(r"[,;:?]|\.(?!\d)|\band\b|\bif\b|\bwhere\b", question) if clause.strip()]
