"""One plain notation for LaTeX, Unicode and Markdown, with the way back to the original characters.

`\\overline{AB} = 2\\sqrt{3}` becomes `AB = 2sqrt(3)`, `m\\angle ABC = 50^\\circ` becomes `m∠ABC = 50°`. Words are left
as they are. The work is one left-to-right pass, linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from perception_reward.annotations.language.characters import LATEX_OF

# What lies behind this many characters is not read. A response is cut far earlier by the service; the cap
# bounds the work where nobody cut it.
MAX_CHARS = 250_000
_MAX_DEPTH = 64

_SPECIAL = re.compile(
    r"\^\s?\{?\s?(?:\\circ|\\degree|∘|°)\s?\}?"
    r"|\\(?:begin|end)\s?\{[a-zA-Z*]{1,20}\}"
    r"|\\(?:overset|stackrel)\s?\{\s?\\(?:frown|smile)\s?\}"
    r"|\\[dtc]?frac\s?\d\s?\d"
    r"|\\(?:[A-Za-z]+|.)"
    r"|</?[A-Za-z_]{1,20}>"
    r"|√\s?(?:\d+(?:\.\d+)?|[a-z](?![a-z]))"
    r"|(?<=\{)~(?=[a-z])|\|\||(?<=[A-Z}$] )//(?= [A-Z\\$])|[{}$`]|\*\*|\r\n?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[^\x00-\x7f]",
    re.DOTALL,
)

# What `_SPECIAL` can begin with: only there the long pattern is tried.
_BEGINS = re.compile(r"[~\^\\<√|/{}$`*\r\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\U0010ffff]")

_SPACE = dict.fromkeys(
    [r"\quad", r"\qquad", r"\ ", r"\;", r"\,", r"\:", r"\~", r"\(", r"\)", r"\[", r"\]", "\u00a0", "\u3000"],
    " ",
)
_COMMANDS = {
    r"\angle": "∠", r"\measuredangle": "∠", r"\sphericalangle": "∠", r"\triangle": "△", r"\Delta": "△",
    r"\parallel": "∥", r"\nparallel": " not ∥ ", r"\ncong": " ≠ ", r"||": "∥", r"//": "∥", r"\perp": "⟂",
    r"\bot": "⟂", r"\cong": "≅", r"\sim": "~", r"\simeq": "~", r"\odot": "⊙",
    r"\circ": "°", r"\degree": "°", r"\deg": "°", r"\sqrt": "sqrt", r"\pi": "π", r"\cdot": "*", r"\times": "*",
    r"\ast": "*", r"\div": "/", r"\approx": "≈", r"\neq": "≠", r"\ne": "≠", r"\pm": "±", r"\in": "∈",
    r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\lt": "<", r"\gt": ">", r"\widehat": "arc ",
    r"\overarc": "arc ", r"\wideparen": "arc ", r"\overparen": "arc ", r"\arc": "arc ", r"\therefore": " therefore ",
    r"\because": " because ", r"\implies": " ⇒ ", r"\Rightarrow": " ⇒ ", r"\rightarrow": " ⇒ ", r"\to": " ⇒ ",
    r"\sin": "sin ", r"\cos": "cos ", r"\tan": "tan ", r"\theta": "θ", r"\alpha": "α", r"\beta": "β",
    r"\gamma": "γ", r"\phi": "φ", r"\%": "%", r"\{": "(", r"\}": ")", r"\|": "|", r"\\": "\n", r"\ldots": "...",
    r"\dots": "...", r"\square": "□", r"\Box": "□", r"\prime": "'", r"\not": "≠", r"\lvert": "|", r"\rvert": "|",
    r"\log": "log ", r"\ln": "ln ", r"\rm": " ", r"\n": "\n",
}  # fmt: skip
# Where prose wants another word for a character than its LaTeX has, and characters that LaTeX has no command for.
_UNICODE = {
    "—": " — ", "√": "sqrt", "²": "^2", "³": "^3", "½": "(1/2)", "⅓": "(1/3)", "⅔": "(2/3)", "¼": "(1/4)",
    "¾": "(3/4)", "∦": " not ∥ ", "‖": "∥", "∆": "△", "▵": "△", "∡": "∠", "∢": "∠", "°": "°", "º": "°", "˚": "°",
    "∘": "°", "○": "⊙", "◯": "⊙", "⊙": "⊙", "⌢": " arc ", "⌒": " arc ", "≅": "≅", "∽": "~", "∼": "~", "≃": "~",
    "≇": "≠", "→": " ⇒ ", "⇒": "⇒", "⟹": " ⇒ ", "∴": " therefore ", "∵": " because ", "⟂": "⟂", "•": "-", "μ": "μ",
    "\u2028": "\n", "\u2029": "\n", "‾": "", "¯": "", "，": ", ", "。": ". ", "：": ": ", "、": "、",
}  # fmt: skip
_WRITTEN = {
    character: _COMMANDS.get(latex.strip(), latex)
    for character, latex in LATEX_OF.items()
    if latex.strip() in _COMMANDS or not ("\\" in latex or latex.isspace())
}
_FIXED = {**_WRITTEN, **_COMMANDS, **_UNICODE, **_SPACE, "$": "", "`": "", "~": " ", "\r": "\n", "\r\n": "\n"}
_OPENS_GROUP = re.compile(r"\s?\{")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in plain notation, and how to get back from it.

    starts, tokens: for each rewritten piece, where it begins in `text`, and (its end there, start and end in the
        original). Between the pieces the texts are alike.
    """

    text: str
    starts: list[int]
    tokens: list[tuple[int, int, int]]

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The [start, end) range of the original text behind [start, end) of the plain one."""
        first = self._original(start)[0]
        return first, max(first, self._original(max(start, end - 1))[1])

    def _original(self, position: int) -> tuple[int, int]:
        """The original range of one character."""
        index = bisect_right(self.starts, position) - 1
        if index < 0:
            return position, position + 1
        plain_end, start, end = self.tokens[index]
        if position < plain_end:
            return start, end
        return end + position - plain_end, end + position - plain_end + 1


def normalise(text: str) -> Plain:
    """Rewrite `text` (its first `MAX_CHARS` characters) in plain notation. Never raises."""
    text = text[:MAX_CHARS]
    pieces: list[str] = []
    starts: list[int] = []
    tokens: list[tuple[int, int, int]] = []
    closers: list[str] = []
    length = position = 0
    expects = ""
    for match in _specials(text):
        start, end = match.span()
        if start > position:
            between = text[position:start]
            pieces.append(between)
            length += start - position
            if expects and not between.isspace():
                expects = ""
        position = end
        token = match.group()
        plain = _FIXED.get(token)
        if plain is None:
            plain, expects = _rewrite(text, token, start, end, closers, expects)
        elif token == r"\sqrt":
            expects = "group"
        starts.append(length)
        length += len(plain)
        tokens.append((length, start, end))
        pieces.append(plain)
    pieces.append(text[position:])
    return Plain("".join(pieces), starts, tokens)


def _specials(text: str) -> Iterator[re.Match[str]]:
    """The matches of `_SPECIAL`, as `finditer` gives them."""
    at = 0
    while begin := _BEGINS.search(text, at):
        match = _SPECIAL.match(text, begin.start())
        if match:
            yield match
        at = match.end() if match else begin.end()


def _rewrite(text: str, token: str, start: int, end: int, closers: list[str], expects: str) -> tuple[str, str]:
    """What `token` becomes, and the kind of group that an opening brace right behind it would be."""
    first = token[0]
    if first == "{":
        return _open_group(text, start, closers, expects)
    if first == "}":
        return _close_group(closers)
    if first == "\\":
        return _command(text, token, end)
    if first == "^":
        return "°", ""
    if first == "<":
        return "\n", ""
    if first == "√":
        return f"sqrt({token[1:].strip()})", ""
    if token == "**":
        power = start > 0 and text[start - 1].isalnum() and text[end : end + 1].isdigit()
        return ("^" if power else ""), ""
    return _character(token), ""


def _open_group(text: str, start: int, closers: list[str], expects: str) -> tuple[str, str]:
    if not expects and text[start - 1 : start] == "^":
        expects = "group"
    if not expects and text.endswith("sqrt", max(0, start - 4), start):
        expects = "group"
    kind = expects if len(closers) < _MAX_DEPTH else ""
    closers.append(kind)
    return {"": "", "group": "(", "numerator": "((", "denominator": "("}[kind], ""


def _close_group(closers: list[str]) -> tuple[str, str]:
    kind = closers.pop() if closers else ""
    if kind == "numerator":
        return ")/", "denominator"
    return {"": "", "group": ")", "denominator": "))"}[kind], ""


def _command(text: str, token: str, end: int) -> tuple[str, str]:
    if "frac" in token:
        digits = token[-2:].replace(" ", "")
        if token[-1].isdigit():
            return f"({token.rstrip()[-1] if len(digits) < 2 else digits[0]}/{token[-1]})", ""
        return "", ("numerator" if _OPENS_GROUP.match(text, end) else "")
    if "frown" in token or "smile" in token:
        return "arc ", ""
    if token.startswith((r"\begin", r"\end")):
        return " ", ""
    return "", ""


@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    """One control or non-ASCII character: dropped when invisible, else in its compatibility form."""
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"):
        return ""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) <= 8 else character
