r"""Characters of print and what LaTeX writes for them: `½ × 3²` is ` 1/2 \times 3^{2}`."""

from __future__ import annotations

import re
import unicodedata

LATEX_OF = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "➖": "-",
    "×": r"\times ", "✕": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "∗": "*",
    "÷": "/", "⁄": "/", "∕": "/",
    "π": r"\pi ", "𝜋": r"\pi ", "Π": r"\Pi ", "∞": r"\infty ", "ℝ": r"\mathbb{R}",
    "≈": r"\approx ", "≃": r"\approx ", "≅": r"\approx ", "≒": r"\approx ", "∼": r"\approx ",
    "≤": r"\le ", "⩽": r"\le ", "≦": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≧": r"\ge ", "≠": r"\ne ",
    "±": r"\pm ", "∓": r"\mp ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "∧": r"\land ",
    "⇒": r"\implies ", "∴": r"\implies ",
    "∨": r"\lor ", "∣": "|", "∶": ":", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ", "〉": r"\rangle ",
    "°": r"^\circ", "º": r"^\circ", "˚": r"^\circ", "℃": r"^\circ C", "℉": r"^\circ F", "㎝": "cm", "㎏": "kg",
    "㎡": "m^2", "㎥": "m^3", "㎜": "mm", "㎞": "km", "Ω": r"\Omega ", "\u2126": r"\Omega ", "μ": "µ",
    "∠": r"\angle ", "△": r"\triangle ", "⊥": r"\perp ", "∥": r"\parallel ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "Δ": r"\Delta ", "ε": r"\epsilon ",
    "θ": r"\theta ", "λ": r"\lambda ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ",
    "ϕ": r"\phi ", "ω": r"\omega ", "η": r"\eta ",
    "、": ",", "。": ".", "｡": ".", "´": "'", "`": "`", "’": "'", "‘": "'", "′": "'", "″": "''",
    "“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"', "【": "[", "】": "]", "〔": "(", "〕": ")",
    "\u3000": " ", "…": r"\ldots ", "⋯": r"\ldots ", "√": "√", "∛": r"\sqrt[3]", "✓": " ", "✔": " ", "✅": " ",
    "\u00a0": " ", "\u2009": "\u2009", "\u202f": "\u2009",
}  # fmt: skip
"""How a character that looks like LaTeX's is written there."""

_LOOK_ALIKES = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans(LATEX_OF)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_superscript = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}|ⁿ")
_subscript = re.compile(r"[₀₁₂₃₄₅₆₇₈₉]{1,9}")
_root = re.compile(r"√\s{0,4}(?:\(([^()]{1,40})\)|(\d{1,20}(?:\.\d{1,20})?|[A-Za-z])|(?=\{))")
_vulgar = re.compile("[¼-¾⅐-⅞]")


def in_ascii(text: str) -> str:
    """The text with LaTeX for its characters, as far as there is any, and without what cannot be seen. Linear; never
    raises."""
    text = "".join(char for char in text if char.isascii() or _visible(char))
    text = _vulgar.sub(_spelled_out, text)
    text = _superscript.sub(lambda match: "^{" + match.group().translate(_SUPERSCRIPTS) + "}", text)
    text = _subscript.sub(lambda match: "_{" + match.group().translate(_SUBSCRIPTS) + "}", text)
    text = _root.sub(lambda match: "\\sqrt" + (f"{{{match[1] or match[2]}}}" if match[1] or match[2] else ""), text)
    return text.translate(_LOOK_ALIKES)


def _visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _spelled_out(match: re.Match[str]) -> str:
    return " " + unicodedata.normalize("NFKC", match.group()).replace("⁄", "/")
