r"""One way to write an answer: wrappers off, look-alikes replaced, LaTeX commands that only dress it gone.

`$\dfrac{1}{2}$`, `\(\frac12\)`, `½` and `１／２` come out alike enough for what reads them next. What has a meaning
stays: signs, the rows of a matrix, a factorial's `!`, the point of a decimal. Linear; never raises.

This is no second `annotations.language.notation`, which makes prose of LaTeX and leads back to the original: it drops
the braces, the `&` and the environments that alone tell a matrix, an interval or a case, and takes `**`, `~` and
a dollar for Markdown where answers mean a power, an approximation or money. Both know the same `characters`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from perception_reward.annotations.language.characters import in_ascii
from perception_reward.annotations.language.word_lists import words

_end_token = re.compile(r"</?s>|<\|\w{1,20}\|>|<end_of_turn>")
_html = re.compile(r"<(b|i|u|em|strong|code|span|p)>([^<>]*)</\1>", re.IGNORECASE)
_fence = re.compile(r"```[a-z]{0,10}\s|```")
_dots = re.compile(r"\.{3,9}|\\[lcv]?dots[cbmio]?(?![A-Za-z])")
# A separator of thousands that can be nothing else. `{,}` before other than three digits is a decimal comma.
_group = re.compile(r"(?<=\d)(?:,\s?\\!|\{,\}|(?<=\d)\\,|\u2009)(?=\d{3}(?!\d))")
_decimal_comma = re.compile(r"(?<=\d)\{,\}(?=\d)")

_NAMES = {
    "dfrac": r"\frac", "tfrac": r"\frac", "cfrac": r"\frac", "leq": r"\le", "leqslant": r"\le", "geq": r"\ge",
    "geqslant": r"\ge", "lt": "<", "gt": ">", "neq": r"\ne", "simeq": r"\approx", "doteq": r"\approx",
    "approxeq": r"\approx", "sim": r"\approx", "thickapprox": r"\approx", "ast": "*", "cdotp": r"\cdot",
    "bullet": r"\cdot", "div": "/", "colon": ":", "varnothing": r"\emptyset", "lbrace": r"\{", "rbrace": r"\}",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "wedge": r"\land", "vee": r"\lor", "degree": r"^\circ",
    "degrees": r"^\circ", "textdegree": r"^\circ", "textdollar": "$", "prime": "'", "varepsilon": r"\epsilon",
    "varphi": r"\phi", "vartheta": r"\theta", "dbinom": r"\binom", "tbinom": r"\binom", "textbf": r"\text",
    "mathbf": r"\text", "boldsymbol": r"\text", "bold": r"\text", "bm": r"\text", "mbox": r"\text", "hbox": r"\text",
    "textit": r"\text", "mathit": r"\text", "textrm": r"\text", "mathsf": r"\text", "textsf": r"\text",
    "texttt": r"\text", "mathtt": r"\text", "textnormal": r"\text", "emph": r"\text", "underline": r"\text",
    "uline": r"\text", "ensuremath": r"\text", "rm": r"\mathrm", "lbrack": "[", "rbrack": "]", "land": r"\land",
    "bmod": r"\text{ mod }", "pmod": r"\text{ mod }", "infin": r"\infty", "Rightarrow": r"\implies",
    "Longrightarrow": r"\implies", "therefore": r"\implies", "iff": r"\implies", "Leftrightarrow": r"\implies",
    "N": r"\mathbb{N}", "R": r"\mathbb{R}",
}  # fmt: skip
_DRESS = words("""
    left right bigl bigr Bigl Bigr biggl biggr Biggl Biggr big Big bigg Bigg middle limits nolimits displaystyle
    textstyle scriptstyle tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge bf it sf tt
    checkmark square blacksquare Box qed qquad quad enspace thinspace medspace thickspace negthinspace space
    nobreak noindent centering cr hline smallskip bigskip medskip par newline hfill hfil strut mathstrut
    allowbreak
""")
# The first is the row separator, so that its second backslash begins nothing.
_command = re.compile(r"\\\\|\\([A-Za-z]+)\s?|\\[,;:> ]|\\!|~")
_argument = re.compile(
    r"\\(?:textcolor|color|colorbox|tag|label|hspace|vspace|hphantom|phantom|vphantom|fontsize)\*?\s?\{[^{}]{0,40}\}"
)
_aligned = re.compile(r"\\(?:begin|end)\{(?:aligned|align|gathered|gather|split|equation|center)\*?\}")
# Bold letters of a formula, which is more than a word.
_math_type = re.compile(r"\\(?:mathbf|boldsymbol|bm|bold|mathit|textbf|ensuremath)\s?\{(?=[^{}]*\\(?!text))")
_degree = re.compile(r"\^o(?![A-Za-z])|\^?\s{0,2}\{\s{0,2}(?:\^?\\circ|o)\s{0,2}\}|\^{1,2}\s{0,2}\\circ(?![A-Za-z])\s?")
_comparison = re.compile(r"<=|=<|>=|=>|~=|==|!=")
_COMPARISONS = {"<=": r"\le ", "=<": r"\le ", ">=": r"\ge ", "=>": r"\implies ", "~=": r"\approx ", "==": "="}
_bold = re.compile(r"(?<![\w)\]}*])\*\*(?=\S)([^*]{1,400}?)(?<=\S)\*\*(?![\w(*])")
_dollars = re.compile(r"\$\$?(?=\S)([^$]{1,400}?)(?<=\S)\$\$?")
_conjunction = re.compile(r"\\(?:text|mathrm)\s?\{\s?,?\s?(and|or|if|when|for)\s?\}", re.IGNORECASE)
_no_words = re.compile(r"\\(?:text|mathrm)\s?\{[\s.,;:!]*\}")
_delimiter = re.compile(r"(?<!\\)\\[()\[\]]")
_plain_word = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{3,}(?![A-Za-z{])")

_wrapper = re.compile(
    r"\$\$(?P<a>.*)\$\$|\$(?P<b>[^$]*)\$"
    r"|\\(?:boxed|fbox)\s{1,4}(?P<c>[^\s{}\\])"
    r"|\\(?:boxed|fbox|text|mathrm|displaystyle)\s{0,4}\{(?P<e>[^{}]*)\}|\{(?P<k>[^{},;:|]*)\}"
    r"|\*\*(?P<f>[^*]*)\*\*|\*(?P<g>[^*]*)\*|`(?P<h>[^`]*)`|\"(?P<i>[^\"]*)\"|'(?P<j>[^']*)'",
    re.DOTALL,
)
_box = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{(.*)\}", re.DOTALL)
_blank = re.compile(r"\s+")
_spoken_sign = re.compile(r"^(?:minus|negative) (?=[\d.]|\\(?:frac|sqrt|pi))", re.IGNORECASE)

REMEMBERED_CHARACTERS = 200
"""Of a text whose plain notation is kept: a group's rollouts share references, options and most answers."""

UNWRAPPINGS = 8
"""Wrappers around wrappers that are taken off: `$\\boxed{\\text{(A)}}$` has three."""


def plain(text: str) -> str:
    """The answer in plain notation. Empty where nothing visible is left."""
    return _remembered(text) if len(text) <= REMEMBERED_CHARACTERS else _plain(text)


@lru_cache(maxsize=4096)
def _remembered(text: str) -> str:
    return _plain(text)


def _plain(text: str) -> str:
    if not text.isascii():
        text = in_ascii(text)
    if "<" in text:
        text = _end_token.sub(" ", text)
        text = _html.sub(r" \2 ", text) if "</" in text else text
    text = _fence.sub(" ", text) if "```" in text else text
    text = _dots.sub(lambda _: r"\ldots ", text)
    text = _decimal_comma.sub(".", _group.sub("", text))
    if "\\" in text or "~" in text:
        text = _argument.sub(" ", text)
        if "\\begin" in text and (lines := _aligned.sub(" ", text)) != text:
            text = lines if "\\begin" in lines else lines.replace("&", " ")
        text = _math_type.sub("{", text)
        text = _command.sub(_undressed, text)
        text = text.replace("\\%", "%").replace("\\$", "$").replace("\\#", "#").replace("\\&", "&")
        text = _delimiter.sub(" ", text)
        text = _no_words.sub(" ", _conjunction.sub(r" \1 ", text)).rstrip()
        while text.endswith("\\\\"):
            text = text[:-2].rstrip()
    text = _degree.sub(r"^\\circ ", text)
    text = _comparison.sub(_related, text)
    return _spoken_sign.sub("-", _unwrapped(_blank.sub(" ", _inline(text))))


def _undressed(match: re.Match[str]) -> str:
    token, name = match.group(), match[1]
    if name is None:
        return token if token == r"\\" else "" if token == r"\!" else " "
    if name in _DRESS:
        return " "
    replacement = _NAMES.get(name)
    if replacement is None:
        return token
    apart = replacement[-1].isalpha() and match.string[match.end() : match.end() + 1].isalnum()
    return f"{replacement} " if apart else replacement


def _related(match: re.Match[str]) -> str:
    token = match.group()
    if token == "!=":
        before = match.string[: match.start()].rstrip()[-1:]
        return "! =" if before.isdigit() or before == ")" else r"\ne "
    return _COMPARISONS[token]


def _inline(text: str) -> str:
    """Bold type and the dollars of TeX gone where they mark a part; a dollar before a number is money."""
    if "**" in text:
        text = _bold.sub(r"\1", text)
    if text.count("$") > 1:
        text = _dollars.sub(lambda match: match.group() if _plain_word.search(match[1]) else f" {match[1]} ", text)
    return text


def _unwrapped(text: str) -> str:
    for _ in range(UNWRAPPINGS):
        text = _trimmed(text)
        match = _wrapper.fullmatch(text) or _box.fullmatch(text)
        if match is None:
            break
        text = next((group for group in match.groups() if group is not None), "")
    return _trimmed(text)


def _trimmed(text: str) -> str:
    text = text.strip()
    bare = text.rstrip(".;,:? \t")
    return bare if bare else text


def squeezed(text: str) -> str:
    """Without the spaces that separate nothing: `1 1/2` keeps its own, `x + 1` does not."""
    return _loose.sub("", text)


_loose = re.compile(r"(?<![\w.])\s+|\s+(?![\w.])")
