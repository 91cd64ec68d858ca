r"""One way to write an answer: wrappers off, look-alikes replaced, spacing commands gone.

`$\dfrac{1}{2}$`, `\(\frac12\)` and `½` come out alike enough for what reads them next. Linear; never raises.
"""

from __future__ import annotations

import re
import unicodedata

_LOOK_ALIKES = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "﹣": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "∙": r"\cdot ",
        "÷": "/",
        "⁄": "/",
        "∕": "/",
        "π": r"\pi ",
        "𝜋": r"\pi ",
        "∞": r"\infty ",
        "≈": r"\approx ",
        "≃": r"\approx ",
        "≤": r"\le ",
        "⩽": r"\le ",
        "≥": r"\ge ",
        "⩾": r"\ge ",
        "≠": r"\ne ",
        "±": r"\pm ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∈": r"\in ",
        "°": r"^\circ",
        "º": r"^\circ",
        "˚": r"^\circ",
        "℃": r"^\circ C",
        "℉": r"^\circ F",
        "∠": r"\angle ",
        "△": r"\triangle ",
        "θ": r"\theta ",
        "α": r"\alpha ",
        "β": r"\beta ",
        "γ": r"\gamma ",
        "Δ": r"\Delta ",
        "（": "(",
        "）": ")",
        "，": ",",
        "：": ":",
        "％": "%",
        "。": ".",
        "´": "'",
        "’": "'",
        "′": "'",
        "“": '"',
        "”": '"',
    }
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")

_superscript = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}")
_root = re.compile(r"√\s{0,4}(?:\(([^()]{1,40})\)|(\d{1,20}(?:\.\d{1,20})?|[A-Za-z])|(?=\{))")
_vulgar = re.compile("[¼-¾⅐-⅞]")
_space = re.compile(r"\\[,;:!> ]|\\(?:quad|qquad|hspace\{[^{}]{0,20}\}|displaystyle|left|right|limits)(?![A-Za-z])|~")
_fraction = re.compile(r"\\[dtc]frac(?![A-Za-z])")
_degree = re.compile(
    r"\^?\s{0,2}\{\s{0,2}(?:\\circ|\\degree|o)\s{0,2}\}|\^\s{0,2}\\circ(?![A-Za-z])|\\degrees?(?![A-Za-z])"
)
_wrapper = re.compile(
    r"\$\$(?P<a>.*)\$\$|\$(?P<b>[^$]*)\$|\\\((?P<c>.*)\\\)|\\\[(?P<d>.*)\\\]"
    r"|\\(?:boxed|fbox|mathbf|textbf|boldsymbol|bold|mathit|textit|displaystyle|mbox|text|mathrm)\s{0,4}\{(?P<e>[^{}]*)\}"
    r"|\*\*(?P<f>[^*]*)\*\*|\*(?P<g>[^*]*)\*|`(?P<h>[^`]*)`|\"(?P<i>[^\"]*)\"|'(?P<j>[^']*)'",
    re.DOTALL,
)
_box = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{(.*)\}", re.DOTALL)
_end_token = re.compile(r"</s>|<\|\w{1,20}\|>")
_blank = re.compile(r"\s+")
_bold = re.compile(r"\\(?:textbf|mathbf|boldsymbol|bold|mbox|textit|mathit)(?=\s{0,4}\{)")

UNWRAPPINGS = 8
"""Wrappers around wrappers that are taken off: `$\\boxed{\\text{(A)}}$` has three."""


def plain(text: str) -> str:
    """The answer in plain notation. Empty where nothing visible is left."""
    text = "".join(char for char in text if _visible(char))
    text = _end_token.sub(" ", text)
    text = _vulgar.sub(_spelled_out, text)
    text = _superscript.sub(lambda match: "^{" + match.group().translate(_SUPERSCRIPTS) + "}", text)
    text = _root.sub(lambda match: "\\sqrt" + (f"{{{match[1] or match[2]}}}" if match[1] or match[2] else ""), text)
    text = _degree.sub(r"^\\circ ", text.translate(_LOOK_ALIKES))
    text = _fraction.sub(r"\\frac", _bold.sub(r"\\text", text))
    text = text.replace("\\%", "%").replace("\\$", "$").replace("\\textdollar", "$").replace("\\textdegree", "^\\circ")
    return _unwrapped(_blank.sub(" ", _space.sub(" ", text)))


def _visible(char: str) -> bool:
    return char in "\t\n\r" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _spelled_out(match: re.Match[str]) -> str:
    return " " + unicodedata.normalize("NFKC", match.group()).replace("⁄", "/")


def _unwrapped(text: str) -> str:
    for _ in range(UNWRAPPINGS):
        text = _trimmed(text)
        match = _wrapper.fullmatch(text) or _box.fullmatch(text)
        if match is None:
            break
        text = next((group for group in match.groups() if group is not None), "")
    return _trimmed(text)


def _trimmed(text: str) -> str:
    text = text.strip().rstrip(".;,:!?。 \t") if len(text.strip()) > 1 else text.strip()
    return text.strip()
