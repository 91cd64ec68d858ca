"""The English that the generic reader knows: number words, function words, and words that exclude one another.

Words stand here in plain spelling and are looked up by their `lemma` (`larg`, `rid`, `dog`).
"""

from __future__ import annotations

_VOWELS = frozenset("aeiouy")

IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "persons": "person", "feet": "foot",
    "teeth": "tooth", "mice": "mouse", "geese": "goose", "sheep": "sheep", "fish": "fish", "wolves": "wolf",
    "knives": "knife", "leaves": "leaf", "shelves": "shelf", "loaves": "loaf", "wives": "wife", "lives": "life",
    "bus": "bus", "gas": "gas", "glasses": "glass", "is": "be", "are": "be", "was": "be", "were": "be", "been": "be",
    "has": "have", "had": "have", "does": "do", "did": "do", "stood": "stand", "sat": "sit", "held": "hold",
    "rose": "ris", "risen": "ris", "fell": "fall", "fallen": "fall", "grew": "grow", "grown": "grow", "ate": "eat",
    "worn": "wear", "wore": "wear", "rode": "rid", "ran": "run", "went": "go", "gone": "go", "lay": "lie", "lying": "lie",
    "grey": "gray", "colour": "color", "colours": "color", "coloured": "color", "colored": "color", "centre": "center",
}  # fmt: skip

NUMBER_WORDS = {
    "zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0,
    "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0,
    "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0, "single": 1.0,
    "dozen": 12.0, "hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "pair": 2.0, "couple": 2.0,
}  # fmt: skip
MULTIPLIERS = frozenset({"hundred", "thousand", "million", "billion", "dozen"})


def lemma(word: str) -> str:
    """A crude stem, the same for the forms of a word: dogs, dog; riding, rides, ride; boxes, box."""
    word = word.lower()
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 30:
        return word
    word = word.removesuffix("'s")
    for suffix in ("ing", "ed"):
        stem = word.removesuffix(suffix)
        if stem != word and len(stem) >= 3 and not _VOWELS.isdisjoint(stem):
            return _bare(stem[:-1] if stem[-1] == stem[-2] and stem[-1] not in "lsz" else stem)
    return _bare(_singular(word))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes", "zes", "oes")) else word[:-1]


def _bare(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _lemmas(words: str) -> frozenset[str]:
    return frozenset(lemma(word) for word in words.split())


NEGATORS = frozenset(
    {"not", "no", "never", "without", "neither", "nor", "none", "cannot", "lack", "nobody", "nothing"}
)

PREPOSITIONS = _lemmas(
    "in on at of to from by with without for into onto over under below above behind beside between near inside outside"
    " through across around along against toward towards off up down out past beneath underneath atop after before during"
)
# Words that carry no content of their own; negators are among them.
FUNCTION_WORDS = (
    _lemmas(
        "a an the this that these those there here it its they them their he she his her him i we you my our your one's is be"
        " am being have do can could will would shall should may might must and or but so if then than as while which"
        " who whom whose what when where how why also just very quite clearly exactly only some any each every both all such"
        " see seen show shown display visible image picture photo figure chart graph diagram scene depict contain include"
        " appear look seem find notice observe count read located placed total number amount respectively say exist present there"
        " not no never neither nor none cannot get let us"
    )
    | PREPOSITIONS
    | NEGATORS
)
COPULAS = _lemmas("be look appear seem paint color stand reach have measure equal show get become amount") | {
    ":", "=", "|", "-", "⇒", "*", '"', "'",
}  # fmt: skip
CLAUSE_EDGES = frozenset({",", ";", "(", ")", "and", "but", "whil", "whereas", "—"})
# A second thing of the same sort: what is said of it does not speak against the first.
OTHERS = frozenset({"another", "other", "second", "additional"})
TEXT_VERBS = _lemmas(
    "read say label labelled labeled write written title titled name named call called print printed text word"
)

# Each class lists values that exclude one another; a value is its words.
_CLASSES: dict[str, tuple[str, ...]] = {
    "color": (
        "red crimson scarlet", "blue navy", "green", "yellow", "orange", "purple violet", "pink magenta", "brown tan beige",
        "black", "white", "gray silver", "gold golden", "cyan teal turquoise",
    ),
    "size": ("big large huge giant enormous gigantic", "small tiny little miniature", "medium-sized"),
    "length": ("long", "short"),
    "height": ("tall", "low-lying"),
    "age": ("old elderly older ancient", "young younger new"),
    "material": ("wooden wood", "metal metallic steel", "plastic", "glass", "stone", "brick", "leather", "paper", "concrete"),
    "fullness": ("full filled", "empty vacant"),
    "openness": ("open opened", "closed shut"),
    "wetness": ("wet", "dry"),
    "warmth": ("hot warm", "cold cool"),
    "light": ("bright sunny", "dark dim", "cloudy overcast"),
    "shape": ("round circular", "square", "triangular", "rectangular", "oval"),
    "pose": ("standing stand", "sitting seated sit", "lying lie", "walking walk", "running run", "sleeping asleep"),
    "trend": (
        "increase rise grow climb growth upward", "decrease fall decline drop shrink reduce downward",
        "constant stable steady unchanged",
    ),
    "extreme": (
        "highest largest most biggest greatest maximum tallest majority", "lowest smallest least fewest minimum minority",
    ),
    "comparison": ("more greater higher exceed exceeds", "less fewer lower"),
}  # fmt: skip
# A predicate holds of the whole sentence; every other class belongs to a noun beside it.
PREDICATES = frozenset({"trend", "extreme", "comparison"})
EXCLUSIVE: dict[str, tuple[str, int]] = {
    lemma(word): (name, index)
    for name, values in _CLASSES.items()
    for index, value in enumerate(values)
    for word in value.split()
}

# Relations between two things; the inverse says the same with the things exchanged.
INVERSE = {
    "left": "right", "right": "left", "above": "below", "below": "above", "front": "behind", "behind": "front",
    "inside": "around", "around": "inside", "outside": "holds out", "holds out": "outside", "beside": "beside",
}  # fmt: skip
EXCLUDES = {
    "left": {"right"}, "right": {"left"}, "above": {"below"}, "below": {"above"}, "front": {"behind"},
    "behind": {"front"}, "inside": {"outside", "around"}, "outside": {"inside"}, "around": {"inside"}, "holds out": set[str](),
    "beside": set[str](),
}  # fmt: skip
RELATION_PHRASES: dict[str, str] = {
    "to the left of": "left", "to the left side of": "left", "on the left of": "left", "on the left side of": "left",
    "left of": "left", "to the right of": "right", "to the right side of": "right", "on the right of": "right",
    "on the right side of": "right", "right of": "right", "in front of": "front", "ahead of": "front", "behind": "behind",
    "in back of": "behind", "on top of": "above", "above": "above", "over": "above", "atop": "above", "on": "above",
    "under": "below", "underneath": "below", "beneath": "below", "below": "below", "inside": "inside",
    "inside of": "inside", "within": "inside", "in": "inside", "outside": "outside", "outside of": "outside",
    "next to": "beside", "beside": "beside", "near": "beside", "close to": "beside", "adjacent to": "beside",
}  # fmt: skip
