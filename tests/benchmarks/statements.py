"""Templated statements: a fact, a made response that states, contradicts or leaves it out, and the right label.

Geometry facts come from real annotations where those are given, else from random figures; facts about scenes and
charts are always made here. The wordings are `phrasings` and `unread_phrasings`; everything is drawn with the
caller's seed.

    statements(half="tune", per_kind=30, seed=7)
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import phrasings
import unread_phrasings

from perception_reward.annotations.english import sentence
from perception_reward.annotations.language.quantities import Quantity, QuantityError, read_quantity
from perception_reward.annotations.logic_forms import LogicFormError, read_logic_form
from perception_reward.annotations.statements import Figure, Statement, circle_center, read_statement
from perception_reward.trainer_client.wire import Fact, Label

Half = Literal["tune", "held_out", "fresh", "unread"]
HALVES: tuple[Half, ...] = ("tune", "held_out", "fresh", "unread")
_WORDINGS: dict[Half, dict[str, phrasings.Wordings]] = {
    "tune": phrasings.TUNE,
    "held_out": phrasings.HELD_OUT,
    "fresh": phrasings.FRESH,
    "unread": unread_phrasings.UNREAD,
}
_UNCOMMITTED = {**phrasings.UNCOMMITTED, "unread": unread_phrasings.UNCOMMITTED}
LABELS: tuple[Label, Label, Label] = ("stated", "contradicted", "absent")
VALUED = frozenset({"length", "angle", "arc", "count", "attribute", "chart_value", "text_label", "spatial"})
GEOMETRY = (
    *(
        "length",
        "angle",
        "arc",
        "perpendicular",
        "parallel",
        "on_line",
        "on_circle",
        "equal_length",
        "equal_angle",
    ),
    *("right_angle", "diameter", "tangent", "shape"),
)
GENERIC = ("count", "attribute", "chart_value", "text_label", "spatial", "existence")

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NOUNS = (
    "dog",
    "cat",
    "horse",
    "bicycle",
    "bench",
    "lamp",
    "tree",
    "boat",
    "car",
    "cup",
    "plate",
    "chair",
    "book",
    "bird",
    "kite",
    "guitar",
)
_COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "orange")
_SERIES = ("sales", "exports", "profits", "visitor numbers", "imports")
_SIGNS = ("sign", "banner", "poster", "label", "shirt")
_TEXTS = ("STOP", "EXIT", "Main Street", "OPEN", "SALE", "Platform 4", "Bakery", "NO PARKING")
_PLACES = {
    "to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above",
    "in front of": "behind", "behind": "in front of", "under": "on top of",
}  # fmt: skip
_SHAPES = ("rhombus", "parallelogram", "rectangle", "trapezoid", "square", "kite")


@dataclass(frozen=True, slots=True)
class Written:
    """A value in the notations that a response may use."""

    plain: str
    uni: str
    tex: str
    digit: str = ""
    word: str = ""
    mid: str = ""

    def __str__(self) -> str:
        return self.plain


@dataclass(frozen=True, slots=True)
class Sample:
    """A fact, a response and what a reader would say of the two."""

    kind: str
    half: Half
    label: Label
    way: str
    fact: Fact
    response: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A fact with what fills the slots of its wordings: its own elements and value, and others'."""

    kind: str
    text: str
    own: dict[str, Any]
    other: dict[str, Any]
    value: Written | None
    wrong: Written | None
    surroundings: dict[str, str]


def statements(
    half: Half, per_kind: int, seed: int, logic_forms: Iterable[Iterable[str]] | None = None
) -> list[Sample]:
    """`per_kind` samples of every kind that the half words, a third of each label.

    logic_forms: those of each problem, the facts to word; without them, random figures take their place.
    """
    rng = random.Random(f"{seed}/{half}")
    annotated = _annotated(logic_forms or (), rng)
    found: list[Sample] = []
    for kind in (kind for kind in (*GEOMETRY, *GENERIC) if kind in _WORDINGS[half]):
        real = annotated.get(kind, [])
        for index in range(per_kind):
            subject = _SUBJECTS[kind](rng) if index >= len(real) else _geometry(real[index], rng)
            found.append(_sample(subject, half, LABELS[index % 3], rng))
    return found


# --- one sample -------------------------------------------------------------------------------------------------------


def _sample(subject: Subject, half: Half, label: Label, rng: random.Random) -> Sample:
    words = _WORDINGS[half][subject.kind]
    way, text = _worded(subject, words, half, label, rng)
    fact = Fact(id="f", text=subject.text, kind=subject.kind)
    return Sample(subject.kind, half, label, way, fact, _embedded(text, subject, rng))


def _worded(
    subject: Subject, words: phrasings.Wordings, half: Half, label: Label, rng: random.Random
) -> tuple[str, str]:
    values = {"v": subject.value, "w": subject.wrong}
    others = _turned({"o": subject.other["e"]}, rng)
    if label == "stated":
        return "affirmed", rng.choice(words.affirm).format(**values, **_turned(subject.own, rng), **others)
    if label == "contradicted":
        if subject.value is not None and subject.kind in VALUED and rng.random() < 0.6:
            swapped = {"v": subject.wrong, "w": subject.value}
            return "other value", rng.choice(words.affirm).format(**swapped, **_turned(subject.own, rng), **others)
        return "denied", rng.choice(words.deny).format(**values, **_turned(subject.own, rng), **others)
    if rng.random() < 0.5:
        own = {"o": subject.surroundings["p"] if subject.kind in GEOMETRY else subject.other["third"]}
        return "other elements", rng.choice(words.affirm).format(**values, **_turned(subject.other, rng), **own)
    if words.unsettled and rng.random() < 0.5:
        return "unsettled", rng.choice(words.unsettled).format(**values, **_turned(subject.own, rng), **others)
    clause = rng.choice(words.clause)
    mine = clause.format(**values, **_turned(subject.own, rng), **others)
    theirs = clause.format(v=subject.wrong, w=subject.value, **_turned(subject.other, rng), **others)
    return "uncommitted", rng.choice(_UNCOMMITTED[half]).format(c=mine, d=theirs)


_SYMMETRIC = frozenset({"perpendicular", "parallel", "equal_length", "equal_angle"})


def _turned(elements: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The elements' names in either order, and a symmetric relation's two sides exchanged half of the time."""
    turned = {slot: value.name(rng) if isinstance(value, Name) else value for slot, value in elements.items()}
    if elements.get("symmetric") and rng.random() < 0.5:
        turned["e"], turned["f"] = turned["f"], turned["e"]
    turned.pop("third", None)
    turned.pop("symmetric", None)
    return turned


def _embedded(text: str, subject: Subject, rng: random.Random) -> str:
    scene = "geometry" if subject.kind in GEOMETRY else "chart" if subject.kind == "chart_value" else "scene"
    around = [line.format(**subject.surroundings) for line in rng.sample(phrasings.SURROUNDINGS[scene], 4)]
    if subject.kind in GENERIC and text[0].isalpha():
        text = text[0].upper() + text[1:]
    own_line = "\n" in text or text[0] in "-*|"
    at = rng.randrange(5)
    before, behind = " ".join(around[:at]), " ".join(around[at:])
    response = ("\n" if own_line else " ").join(part for part in (before, text, behind) if part)
    return f"<think>\n{response}\n</think>\n<answer>\\boxed{{7}}</answer>" if rng.random() < 0.5 else response


# --- values and names -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """Points in a row that name the same thing read backwards."""

    points: tuple[str, ...]

    def name(self, rng: random.Random) -> str:
        return "".join(self.points if rng.random() < 0.5 else self.points[::-1])


def written(quantity: Quantity, grouped: bool) -> Written:
    """A quantity as it is typed, in Unicode and in LaTeX; `grouped` puts parentheses around several terms."""
    text = str(quantity)
    plain = re.sub(r"√(\w+)", r"sqrt(\1)", text).replace("√", "sqrt")
    plain = re.sub(r"(\d)sqrt", r"\1*sqrt", plain)
    tex = re.sub(r"√\(([^()]*)\)|√(\w+)", lambda match: rf"\sqrt{{{match[1] or match[2]}}}", text)
    tex = re.sub(r"(?<![\w.])(\w+)/(\w+)", r"\\frac{\1}{\2}", tex)
    tex = tex.replace("²", "^2").replace("³", "^3").replace("π", r"\pi ").replace("·", r" \cdot ")
    forms = [plain.replace("²", "^2").replace("π", "pi"), text.replace("-", "−"), tex.strip()]
    if grouped and quantity.is_compound:
        forms = [f"({form})" for form in forms]
    return Written(*forms)


def another(quantity: Quantity, rng: random.Random) -> Quantity:
    """A near neighbour of a quantity that is not equal to it."""
    text = str(quantity)
    numbers = list(re.finditer(r"\d+", text))
    for _ in range(20):
        if numbers:
            match = rng.choice(numbers)
            changed = f"{text[: match.start()]}{int(match[0]) + rng.randint(1, 6)}{text[match.end() :]}"
        else:
            changed = rng.choice((f"{text} + {rng.randint(2, 9)}", f"{rng.randint(2, 9)}{text}"))
        try:
            candidate = read_quantity(changed)
        except QuantityError:
            continue
        if candidate.key != quantity.key:
            return candidate
    return read_quantity("12345")


def _random_quantity(rng: random.Random) -> Quantity:
    k, m = rng.randint(2, 30), rng.randint(2, 9)
    texts = (
        str(k),
        str(k),
        f"{k}.{m}",
        f"{m}x + {k}",
        f"{m}y - {k}",
        f"{m}√{rng.choice((2, 3, 5, 7))}",
        "x",
        f"{k}/7",
    )
    return read_quantity(rng.choice(texts))


# --- geometry ---------------------------------------------------------------------------------------------------------


def read_statements(forms: Iterable[str]) -> dict[tuple[object, ...], Statement]:
    """The distinct statements of one problem's logic forms, by key; forms without a meaning are left out."""
    terms = [term for form in forms if (term := _term(form)) is not None]
    centers = {center for term in terms if (center := circle_center(term))}
    found: dict[tuple[object, ...], Statement] = {}
    for term in terms:
        try:
            statement = read_statement(term, centers)
        except LogicFormError:
            continue
        found.setdefault(statement.key, statement)
    return found


def read_facts(forms: Iterable[str]) -> dict[tuple[object, ...], str]:
    """The English sentences of one problem's logic forms, by key."""
    return {key: sentence(statement) for key, statement in read_statements(forms).items()}


def _annotated(problems: Iterable[Iterable[str]], rng: random.Random) -> dict[str, list[Statement]]:
    """The statements of the problems' logic forms, by kind, in random order."""
    found: dict[str, list[Statement]] = {}
    for forms in problems:
        for statement in read_statements(forms).values():
            if statement.kind in _REAL and all(len(point) == 1 for f in statement.figures for point in f.points):
                found.setdefault(statement.kind, []).append(statement)
    for group in found.values():
        rng.shuffle(group)
    return found


_REAL = frozenset(GEOMETRY) - {"right_angle", "diameter", "tangent", "shape"}


def _term(form: str) -> Any:
    try:
        return read_logic_form(form)
    except LogicFormError:
        return None


def _geometry(statement: Statement, rng: random.Random) -> Subject:
    """The fact of an annotated or random statement, as its English sentence."""
    return _figures(statement.kind, sentence(statement), statement.figures, statement.quantity, rng)


def _figures(
    kind: str, text: str, figures: tuple[Figure, ...], quantity: Quantity | None, rng: random.Random
) -> Subject:
    used = {point for figure in figures for point in figure.points}
    spare = [letter for letter in "ABCDEFGHJKLMNPQRSTUVWXYZ" if letter not in used]
    rng.shuffle(spare)
    own = dict(zip("ef", (_name(figure) for figure in figures), strict=False))
    other = dict(zip("ef", (_name(_moved(figure, spare)) for figure in figures), strict=False))
    if kind == "shape":
        own["f"] = other["f"] = text.split()[-1].rstrip(".")
    own["symmetric"] = other["symmetric"] = kind in _SYMMETRIC
    grouped = kind in ("angle", "arc")
    value = quantity or read_quantity("7")
    wrong = another(value, rng)
    filler = another(wrong, rng)
    around = {
        "o": "".join(spare[-2:]), "p": "".join(spare[-4:-2]), "w": str(filler)
    }  # fmt: skip
    elements = {**other, "third": other["e"]}
    return Subject(kind, text, own, elements, written(value, grouped), written(wrong, grouped), around)


def _name(figure: Figure) -> str | Name:
    return Name(figure.points) if figure.sort in ("segment", "angle", "arc") else "".join(figure.points)


def _moved(figure: Figure, spare: list[str]) -> Figure:
    """The same sort of figure elsewhere: one point kept where there are several, the others taken from `spare`."""
    kept = figure.points[:1] if len(figure.points) > 1 else ()
    return Figure(figure.sort, (*kept, *(spare.pop() for _ in figure.points[len(kept) :])))


def _random_figures(kind: str) -> Callable[[random.Random], Subject]:
    sorts = {
        "length": ("segment",), "angle": ("angle",), "arc": ("arc",), "perpendicular": ("segment", "segment"),
        "parallel": ("segment", "segment"), "on_line": ("point", "segment"), "on_circle": ("point", "circle"),
        "equal_length": ("segment", "segment"), "equal_angle": ("angle", "angle"), "right_angle": ("angle",),
        "diameter": ("segment",), "tangent": ("segment",), "shape": ("quadrilateral",),
    }[kind]  # fmt: skip
    sizes = {"segment": 2, "arc": 2, "angle": 3, "point": 1, "circle": 1, "quadrilateral": 4}

    def make(rng: random.Random) -> Subject:
        letters = rng.sample("ABCDEFGHJKLMNPQRSTUVWXYZ", 8)
        figures: list[Figure] = []
        for sort in sorts:
            figures.append(Figure(sort, tuple(letters.pop() for _ in range(sizes[sort]))))
        name = "".join(figures[0].points)
        texts = {
            "right_angle": f"Angle {name} is a right angle.",
            "diameter": f"{name} is a diameter of the circle.",
            "tangent": f"{name} is tangent to the circle.",
            "shape": f"Quadrilateral {name} is a {rng.choice(_SHAPES)}.",
        }
        quantity = _random_quantity(rng) if kind in ("length", "angle", "arc") else None
        text = texts.get(kind) or sentence(Statement(kind, tuple(figures), quantity))
        return _figures(kind, text, tuple(figures), quantity, rng)

    return make


# --- scenes and charts ------------------------------------------------------------------------------------------------


def _scene(
    kind: str, text: str, names: list[str], value: Written | None, wrong: Written | None, **more: str
) -> Subject:
    """`names`: the fact's element, then others'."""
    own = {"e": names[0], **more}
    other = {"e": names[1], **more, "third": names[2]}
    return Subject(kind, text, own, other, value, wrong, {"o": names[3], "p": names[4], "w": "17"})


def _value(text: str) -> Written:
    return Written(text, text, text, mid=text)


def _number(number: int) -> Written:
    return Written(str(number), str(number), str(number), digit=str(number), word=_NUMBERS[number])


def _count(rng: random.Random) -> Subject:
    nouns = [_plural(noun) for noun in rng.sample(_NOUNS, 3)]
    singular = rng.sample([noun for noun in _NOUNS if _plural(noun) not in nouns], 2)
    number, wrong = rng.sample(range(2, 13), 2)
    shown = rng.choice((str(number), _NUMBERS[number]))
    return _scene("count", f"There are {shown} {nouns[0]}.", nouns + singular, _number(number), _number(wrong))


def _plural(noun: str) -> str:
    return noun + ("es" if noun.endswith("ch") else "s")


def _attribute(rng: random.Random) -> Subject:
    nouns, (colour, wrong) = rng.sample(_NOUNS, 5), rng.sample(_COLOURS, 2)
    return _scene("attribute", f"The {nouns[0]} is {colour}.", nouns, _value(colour), _value(wrong))


def _chart(rng: random.Random) -> Subject:
    years = [str(year) for year in rng.sample(range(1990, 2025), 5)]
    number, wrong = rng.sample(range(20, 100), 2)
    series, point = rng.choice(_SERIES), rng.choice(("", ".5", "%"))
    text = f"{series.capitalize()} in {years[0]} were {number}{point}."
    subject = _scene("chart_value", text, years, _value(f"{number}{point}"), _value(f"{wrong}{point}"), m=series)
    subject.surroundings["w"] = f"{rng.randint(100, 900)}"
    return subject


def _label(rng: random.Random) -> Subject:
    nouns, (text, wrong) = rng.sample(_SIGNS, 5), rng.sample(_TEXTS, 2)
    fact = rng.choice(("The {} reads {}.", 'The {} says "{}".')).format(nouns[0], text)
    return _scene("text_label", fact, nouns, _value(text), _value(wrong))


def _spatial(rng: random.Random) -> Subject:
    nouns, place = rng.sample(_NOUNS, 6), rng.choice(list(_PLACES))
    text = f"The {nouns[0]} is {place} the {nouns[5]}."
    return _scene("spatial", text, nouns, _value(place), _value(_PLACES[place]), f=nouns[5])


def _existence(rng: random.Random) -> Subject:
    nouns = rng.sample(_NOUNS, 5)
    return _scene("existence", f"There is a {nouns[0]}.", nouns, None, None)


_SUBJECTS: dict[str, Callable[[random.Random], Subject]] = {
    **{kind: _random_figures(kind) for kind in GEOMETRY},
    "count": _count,
    "attribute": _attribute,
    "chart_value": _chart,
    "text_label": _label,
    "spatial": _spatial,
    "existence": _existence,
}


def problems(rows: Iterable[dict[str, Any]], number: int, seed: int) -> Iterator[list[str]]:
    """The logic forms of `number` annotated problems, drawn with `seed`."""
    chosen = [row["logic_forms"] for row in rows if row["logic_forms"]]
    yield from random.Random(seed).sample(chosen, min(number, len(chosen)))
