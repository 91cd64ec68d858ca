r"""Multiple choice: which options a text names, by their labels (`(B)`, `选B`, `Option B is correct`) or by their text.

Labels are one capital letter, a number or a circled number. A text names several where it lists them, as `AC`, `A, C`
and `①③` do; a label with another one behind it that is no part of its text (`A, or B`) is a hedge and names none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from perception_reward.annotations.language.cues import HEDGE
from perception_reward.service.rewards.answers.statements import without_adverb, without_remark

Same = Callable[[str, str], bool]

LETTERS = "ABCDEFGHIJ"
"""Of what may be several right options; one label may be any letter."""

MOST_PARTS = 12
"""Of what stands behind a label, compared with the other options."""

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"


@dataclass(frozen=True, slots=True)
class Named:
    """labels: in upper case. tail: what the text says behind its one label. hedged: whether another is named there, or
    the label is said to be wrong."""

    labels: frozenset[str]
    tail: str = ""
    hedged: bool = False


_wrapped = re.compile(r"\\(?:boxed|fbox|text|mathrm|mathbb|operatorname)\s?\{([^{}]*)\}")
_cue = (
    r"(?:(?:final |correct |right |best )*(?:answers?|options?|choices?)|choose|select|pick|go with|"
    r"最终答案|正确答案|答案|選項|选项|选择|選擇|應選|选|選|答)"
)
_LABEL = r"(?:\(\s?[A-Za-z]\s?\)|\[\s?[A-Za-z]\s?\]|[A-Z](?![A-Za-z0-9']))"
_linked = re.compile(
    rf"(?<![A-Za-z]){_cue}\W{{0,3}}"
    r"(?:(?:is|are|must be|should be|would be|will be|was|=|letter|option|choice|as|是|为|為|項|项)[\s:]*){0,3}"
    rf"[\s:*\"'$]*(?P<label>{_LABEL})(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_lead = re.compile(rf"^(?:the |my )?{_cue}(?:\s?(?:is|are|是|为|為))?[\s:]*", re.IGNORECASE)
_at_the_end = re.compile(r"(?P<tail>.*\S)\s\((?P<label>[A-J])\)")
_confirmed = re.compile(
    rf"(?:^|[.;,!]\s?|\b(?:so|thus|therefore|hence)\s)\s*(?:option|choice|answer)?\s?(?P<label>{_LABEL})\s?"
    r"(?:[选選]?[项項]$|(?:is|seems|must be|选项|選項|项|項)?\s?(?:the |most |a )?"
    r"(?:correct|right|true|best|answer|正确|正確|是正确|对))(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_start = re.compile(
    r"(?:\(\s?(?P<a>[A-Za-z])\s?\)|\[\s?(?P<b>[A-Za-z])\s?\]|(?P<c>[A-Za-z])\s?[.:)]|(?P<d>[A-Za-z])$"
    r"|(?P<e>[A-Z])(?=\s?[(,\-=]|\s(?:because|since|as)\b)|(?P<f>[①-⑳])|(?:\(\s?(?P<g>\d{1,2})\s?\)|(?P<h>\d{1,2})\))|(?P<i>\d{1,2})$)(?P<tail>.*)",
    re.DOTALL,
)
_thought = re.compile(
    r"(?:i|we|so|it|it's|its|is|are|think|believe|guess|say|would|should|must|be|the|that|this|therefore|thus|hence|"
    r"correct|right|with|choose|go|answer|option|choice|one|point|figure|graph|group|line|shape|container|object|diagram|"
    r"picture|image|letter|label|labelled|labeled|table|chart|angle|region|area|box|row|column|path|card|cell|item)",
    re.IGNORECASE,
)
_separator = re.compile(r"\s?(?:,?\s?(?:and|和|以及|与|及)\s?|[,;、&+/\s]\s?)")
_list_end = re.compile(r"[^\w()\[\]]*$")
_sure_label = re.compile(r"\(\s?([A-Z])\s?\)|\[\s?([A-Z])\s?\]|(?<![A-Za-z\\(.])([A-Z])\s?(?=[.:)](?:\s|$)|\()")
_other = re.compile(
    r"(?:\b(?:or|and|possibly|maybe|perhaps|also|then|else|either|neither|nor|versus|vs|not)\b|或者?|[,/&|;和])\s{0,2}"
    r"(?:option |choice |选)?\(?([A-Z])\)?(?=\s*(?:$|[.,;:!?)&/|]|(?:or|and|或|和)\b))"
)
_only_letters = re.compile(r"[^A-Za-z\d]*[A-Z](?:[^A-Za-z\d]+[A-Z])*[^A-Za-z\d]*")
_doubt = re.compile(rf"\b{HEDGE}\b|可能|或")
_denied = re.compile(
    r"(?:\b(?:not|isn't|never|cannot be|can't be|rule out|except)\s*(?:option |choice )?|不选|不是|非|除了)\s?$", re.I
)
_wrong = re.compile(r"\s{0,2}(?:is|are|was|选项)?\s?(?:not|n't|wrong|incorrect|false|错|不)", re.I)
# Behind a label at the beginning; an option's own text may be no more than "false".
_refuted = re.compile(
    r"(?:is|was|are|were|seems|would be)\b[a-z ]{0,20}(?:\bnot\b|\bwrong|\bincorrect|\bfalse)"
    r"|(?:is|was|are|were)n't\b|(?:cannot|can't|could not|couldn't) be\b",
    re.IGNORECASE,
)

_run_together = re.compile(f"[{LETTERS}{CIRCLED}]{{2,8}}")
_one = rf"[(\[]?[{LETTERS}{CIRCLED}][)\]]?"
_labelled = re.compile(
    rf"(?i:option|choice|选项|选)\s?{_one}|{_one}(?:\s?(?:[,;&/]|and|和)\s?{_one}){{1,7}}"
    r"|(?:\([A-J]\)|[A-J][.:)])\s?\S.*|\\text\s?\{\(?[A-J]\)?[.)]?\s?\}.*"
)


def named_labels(text: str, *, numbers: bool = False) -> Named | None:
    r"""The labels that the text names, or None where it names none. `text` is in plain notation.

    `A`, `(A)`, `A. 5 cm`, `A (5 cm)`, `Option A`, `the answer is (B)`, `\text{(C)}`, `答案选D`, `AC`, `A and C`.
    numbers: whether labels may be numbers.
    """
    text = _wrapped.sub(r"\1", text).replace("$", " ").replace("**", "").strip().rstrip("!")
    text = without_remark(without_adverb(text))
    several = _several(_lead.sub("", text))
    if several is not None:
        return Named(several)
    if (match := _at_the_end.fullmatch(text)) is not None and _start.match(text) is None:
        doubted = _denied.search(match["tail"]) is not None or _is_hedged(match["label"], match["tail"])
        return Named(frozenset({match["label"]}), match["tail"], doubted)
    return _at_the_start(text, numbers) or _linked_label(text) or _thought_of(text)


def labels_of_reference(text: str) -> Named | None:
    """The labels that a reference is, with or without the option's text behind: `C`, `AC`, `A, C`, `B. 45`, `(B)`."""
    bare = text.strip("()[] ")
    if _run_together.fullmatch(bare):
        return Named(frozenset(bare)) if list(bare) == sorted(set(bare)) else None
    if not (len(bare) == 1 and bare.isascii() and bare.isupper()) and _labelled.fullmatch(text) is None:
        return None
    named = named_labels(text)
    return None if named is None or named.hedged else named


def _several(text: str) -> frozenset[str] | None:
    """Two or more labels and nothing else, each once: run together in their order or against it, or as a list."""
    bare = text.replace("(", "").replace(")", "").replace("[", "").replace("]", "")
    letters = bare if bare.isupper() or all(char in CIRCLED for char in bare) else ""
    if not letters or not all(char in LETTERS + CIRCLED for char in letters):
        parts = [part for part in _separator.split(bare) if part]
        if len(parts) < 2 or not all(len(part) == 1 and part in LETTERS + CIRCLED for part in parts):
            return None
        letters = "".join(parts)
    return frozenset(letters) if 1 < len(letters) == len(set(letters)) else None


def _at_the_start(text: str, numbers: bool) -> Named | None:
    match = _start.fullmatch(text)
    if match is None or (not numbers and any(match[name] for name in "ghi")):
        return None
    label = next(group for name, group in match.groupdict().items() if name != "tail" and group is not None).upper()
    tail: str = match["tail"].strip()
    hedged = _is_hedged(label, tail) or _refuted.match(tail) is not None
    tail = tail.lstrip(",-= ") if not re.match(r"-\s?[\d.\\]", tail) else tail
    tail = tail[1:-1] if tail.startswith("(") and tail.find(")") == len(tail) - 1 and len(tail) > 3 else tail
    return Named(frozenset({label}), tail, hedged)


def _is_hedged(label: str, tail: str) -> bool:
    sure = {found for groups in _sure_label.findall(tail) for found in groups if found}
    others = set(_other.findall(tail))
    if _only_letters.fullmatch(tail):
        others |= set(re.findall("[A-Z]", tail))
    if _doubt.search(tail) and (bare := re.findall(r"(?<![A-Za-z\\])[A-Z](?![A-Za-z])", tail)):
        others |= set(bare)
    return bool((sure | others) - {label})


def _linked_label(text: str) -> Named | None:
    """The label that a sentence says to be the answer: the last it says, and none where it doubts."""
    found: tuple[str, str] | None = None
    for pattern in (_confirmed, _linked):
        position = 0
        while (match := pattern.search(text, position)) is not None:
            label = match["label"].strip("()[] ")
            position = match.end("label")
            denied = _denied.search(text[: match.start("label")]) or _wrong.match(match["rest"])
            if not denied and (label.isupper() or len(match["label"]) > 1):
                found = label.upper(), match["rest"]
            elif not denied and not match["rest"].strip(" .!*"):
                found = label.upper(), ""
    if found is None:
        return None
    if (
        set(labels := re.findall(r"[A-J](?![A-Za-z])", found[1]))
        and _several(f"{found[0]}, {', '.join(labels)}")
        and _is_list(found[1])
    ):
        return Named(frozenset({found[0], *labels}))
    return Named(frozenset({found[0]}), hedged=_is_hedged(found[0], found[1]))


def _is_list(rest: str) -> bool:
    """Whether what stands behind a label only lists more of them."""
    return (
        re.fullmatch(r"(?:\s?(?:,|and|和|、|&|,\s?and)?\s?\(?[A-J]\)?)+\s?\.?", rest) is not None and " or " not in rest
    )


def _thought_of(text: str) -> Named | None:
    """`I think it is D`: one label, and else only words that lead to it."""
    words = re.findall(r"[A-Za-z']+|\d+|[^\x00-\x7f]", text)
    labels = [word for word in words if len(word) == 1 and word in LETTERS.replace("I", "")]
    if len(labels) != 1 or len(words) > 10 or text.rstrip(" .!)*").endswith(labels[0]) is False:
        return None
    others = [word for word in words if word != labels[0]]
    return Named(frozenset(labels)) if others and all(_thought.fullmatch(word) for word in others) else None


@dataclass(frozen=True, slots=True)
class Options:
    """The labels and texts, in plain notation, of a problem's options."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]

    def chosen(self, text: str, same: Same) -> frozenset[int] | None:
        """The places of the options that the text names, or None: none, or a label with another option's text.

        An option's own text comes before its label: where the options are `C`, `A`, `B`, "A" is the second.
        """
        if text in self.texts:
            return frozenset({self.texts.index(text)})
        named = named_labels(text, numbers=any(map(str.isdigit, self.labels)))
        if named is not None and len(named.labels) > 1:
            places = [self.place(label) for label in named.labels]
            if None not in places:
                return frozenset(place for place in places if place is not None)
        if named is not None and len(named.labels) == 1:
            place = self.place(next(iter(named.labels)))
            if place is not None:
                return self._with_tail(place, named, same)
        labelled = self._by_own_label(text, same)
        if labelled is not None:
            return labelled
        if named is not None and not next(iter(named.labels)).isdigit():
            return None
        return self.meant(text, same)

    def indexed(self, text: str) -> frozenset[int] | None:
        """The option at a place counted from 0, as data sets write it: of a number that is no option and no label."""
        place = int(text) if text.isdecimal() and len(text) < 3 else -1
        return frozenset({place}) if 0 <= place < len(self.texts) else None

    def meant(self, text: str, same: Same) -> frozenset[int] | None:
        """By the text alone."""
        rounded: int | None = None
        for place, option in enumerate(self.texts):
            if same(text, option):
                # `5\sqrt{5} - 10` is the option `5(\sqrt{5} - 2)` before it is `1.2`, to which it rounds.
                if same(option, text):
                    return frozenset({place})
                rounded = place if rounded is None else rounded
        return None if rounded is None else frozenset({rounded})

    def place(self, label: str) -> int | None:
        """By its label, or by the letter of its place where the labels are no letters."""
        folded = [own.casefold() for own in self.labels]
        if label.casefold() in folded:
            return folded.index(label.casefold())
        if not any(own.isalpha() for own in self.labels) and label in LETTERS[: len(self.labels)]:
            return LETTERS.index(label)
        if label in CIRCLED and str(CIRCLED.index(label) + 1) in self.labels:
            return self.labels.index(str(CIRCLED.index(label) + 1))
        return None

    def _by_own_label(self, text: str, same: Same) -> frozenset[int] | None:
        """`B 45`: a label, and its own text behind it without a mark."""
        for place, label in enumerate(self.labels):
            tail = text[len(label) :] if text.casefold().startswith(label.casefold()) else ""
            if tail[:1] == " " and (tail.strip() == self.texts[place] or same(tail.strip(), self.texts[place])):
                return frozenset({place})
        return None

    def _with_tail(self, place: int, named: Named, same: Same) -> frozenset[int] | None:
        own, tail = self.texts[place], named.tail
        if tail and (tail == own or same(tail, own)):
            return frozenset({place})
        if named.hedged:
            return None
        if not tail or (
            tail.startswith(own) and re.match(r"\.?\s|\.$", tail.removeprefix(own)) and re.search("[a-z]{3}", tail)
        ):
            return frozenset({place})
        parts = [tail, *(part.strip() for part in re.split(r"[,;/|]|\b(?:or|and)\b", tail))]
        if not re.search("[a-z]{3}", tail):
            parts += tail.split()
        for part in list(dict.fromkeys(filter(None, parts)))[:MOST_PARTS]:
            if part != own and any(part == other or same(part, other) for other in self.texts if other != own):
                return None
        return frozenset({place})
