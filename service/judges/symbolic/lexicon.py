"""The English that the generic reader knows: function words, words that exclude one another.

Words stand here in plain spelling and are looked up by their `lemma` (`larg`, `rid`, `dog`).
"""

from __future__ import annotations

from functools import lru_cache

_VOWELS = frozenset("aeiouy")

_IRREGULAR = """
    men:man women:woman children:child people:person persons:person feet:foot teeth:tooth mice:mouse geese:goose
    wolves:wolf knives:knife leaves:leaf shelves:shelf loaves:loaf wives:wife lives:life bus:bus gas:gas glasses:glass
    is:be are:be was:be were:be been:be has:have had:have does:do did:do stood:stand sat:sit held:hold rose:rise
    risen:rise fell:fall fallen:fall grew:grow grown:grow ate:eat worn:wear wore:wear rode:ride ran:run went:go gone:go
    lay:lie lying:lie grey:gray colour:color colours:color coloured:color colored:color centre:center
    note:notice notes:notice noted:notice noting:notice
"""

# Words that count and are no numbers of their own.
COUNTING: dict[str, float] = {"single": 1.0, "couple": 2.0, "pair": 2.0}


@lru_cache(maxsize=8192)
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
    doubled = word.endswith(("sses", "shes", "ches", "xes", "zes")) or (len(word) > 5 and word.endswith("oes"))
    return word[:-2] if doubled else word[:-1]


def _bare(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


IRREGULAR = {form: _bare(stem) for form, _, stem in (pair.partition(":") for pair in _IRREGULAR.split())}
# Negations, and no forms of "non" and "noth".
IRREGULAR.update({word: word for word in ("none", "nothing")})


def _lemmas(words: str) -> frozenset[str]:
    return frozenset(lemma(word) for word in words.split())


NEGATORS = frozenset({"not", "no", "never", "without", "neither", "nor", "none", "cannot", "lack", "nobody", "nothing"})
PREPOSITIONS = _lemmas("""
    in on at of to from by with without for into onto over under below above behind beside between near inside
    outside through across around along against toward towards off up down out past beneath underneath atop after
    before during per
""")
# Prepositions that say where something is: without them a sentence says something else.
PLACES = _lemmas("""
    on onto into over under above below behind beside between near inside outside beneath underneath atop through
    across around along against
""")
# Words that carry no content of their own; negators are among them.
FUNCTION_WORDS = (
    PREPOSITIONS
    | NEGATORS
    | _lemmas("""
    a an the this that these those there here it its they them their he she his her him i we you my our your one's
    is be am being have do can could will would shall should may might must and or but so if then than as while
    which who whom whose what when where how why also just very quite clearly exactly only some any each every both
    all such see seen show shown display visible image picture photo figure chart graph diagram scene depict contain
    include appear look seem find notice observe count read located placed total number amount respectively say
    exist present get let us
""")
)
COPULAS = frozenset({":", "=", "|", "-", "⇒", "*", '"', "'"}) | _lemmas(
    "be look appear seem paint color stand reach have measure equal show get become amount"
)
CLAUSE_EDGES = frozenset({",", ";", "(", ")", "and", "but", "whil", "whereas", "—"})
# A second thing of the same sort: what is said of it does not speak against the first.
OTHERS = frozenset({"another", "other", "second", "additional"})
# A number with such a word counts all there are, whatever was said of parts.
TOTALS = frozenset({"total", "altogether", "overall"})
TEXT_VERBS = _lemmas(
    "read say label labelled labeled write written title titled name named call called print printed text word"
)
# Words for the drawn parts of a chart and for amounts as such, which name none of its contents.
CHART_WORDS = _lemmas(
    "bar column line slice point value category axis level mark percent percentage year month share rate proportion"
)

# Each class lists values that exclude one another; a value is its words.
_CLASSES: dict[str, tuple[str, ...]] = {
    "color": (
        *("red crimson scarlet", "blue navy", "green", "yellow", "orange", "purple violet", "pink magenta", "black"),
        *("brown tan beige", "white", "gray silver", "gold golden", "cyan teal turquoise"),
    ),
    "size": ("big large huge giant enormous gigantic", "small tiny little miniature", "medium-sized"),
    "length": ("long", "short"),
    "age": ("old elderly older ancient", "young younger new"),
    "material": (
        *("wooden wood", "metal metallic steel", "plastic", "glass", "stone", "brick", "leather", "paper", "concrete"),
    ),
    "fullness": ("full filled", "empty vacant"),
    "openness": ("open opened", "closed shut"),
    "wetness": ("wet", "dry"),
    "warmth": ("hot warm", "cold cool"),
    "light": ("bright sunny", "dark dim", "cloudy overcast"),
    "shape": ("round circular", "square", "triangular", "rectangular", "oval"),
    "pose": ("standing", "sitting seated", "lying", "walking", "running", "sleeping asleep"),
    "trend": (
        "increase rise grow climb growth upward",
        "decrease fall decline drop shrink reduce downward",
        "constant stable steady unchanged",
    ),
    "extreme": (
        "highest largest most biggest greatest maximum tallest majority",
        "lowest smallest least fewest minimum minority",
    ),
    "comparison": ("more greater higher exceed exceeds", "less fewer lower"),
}
# A predicate holds of the whole sentence; every other class belongs to a noun beside it.
PREDICATES = frozenset({"trend", "extreme", "comparison"})
EXCLUSIVE: dict[str, tuple[str, int]] = {
    lemma(word): (name, index)
    for name, values in _CLASSES.items()
    for index, value in enumerate(values)
    for word in value.split()
}

# Relations between two things, each with its phrases.
_RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "to the left side of", "on the left of", "on the left side of", "left of"),
    "right": ("to the right of", "to the right side of", "on the right of", "on the right side of", "right of"),
    "front": ("in front of", "ahead of"),
    "behind": ("behind", "in back of"),
    "above": ("on top of", "above", "over", "atop", "on"),
    "below": ("under", "underneath", "beneath", "below"),
    "inside": ("inside of", "inside", "within", "in"),
    "outside": ("outside of", "outside"),
    "beside": ("next to", "beside", "near", "close to", "adjacent to"),
}
RELATION_PHRASES: dict[str, str] = {phrase: name for name, phrases in _RELATIONS.items() for phrase in phrases}
_OPPOSITE = {"left": "right", "front": "behind", "above": "below"}
# The inverse says the same with the two things exchanged; what has none is its own or is never inverted.
INVERSE: dict[str, str] = {
    **_OPPOSITE,
    **{other: name for name, other in _OPPOSITE.items()},
    "inside": "around",
    "outside": "outside",
    "beside": "beside",
}
EXCLUDES: dict[str, frozenset[str]] = {
    **{name: frozenset({other}) for name, other in INVERSE.items() if name not in ("outside", "beside")},
    "inside": frozenset({"outside", "around"}),
    "outside": frozenset({"inside"}),
    "beside": frozenset[str](),
}
