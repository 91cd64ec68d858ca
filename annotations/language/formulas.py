r"""Numbers and formulas as trees: LaTeX (`\frac{3\sqrt{2}}{2}`), sympy's way (`3*sqrt(2)/2`), plain text (`3√2/2`).

    sum      := product (('+' | '-' | '\pm' | '\mp') product)*
    product  := signed (['*' | '/'] signed)*         a missing sign is a multiplication, but never before a number
    signed   := ('+' | '-')* power
    power    := postfix ['^' exponent]
    postfix  := atom ('!' | '^\circ' | '%')*
    atom     := number | mixed number | letter | function | '\frac' … | '(' sum ')' | '|' sum '|'

A run of three or more letters that is no name of a function or constant is a word, and the text no formula: as a
product it would equal its anagrams. Reading is linear and bounded; nothing is evaluated here, and no text reaches
Python's `eval`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from perception_reward.annotations.language.characters import in_ascii
from perception_reward.annotations.language.nodes import Node
from perception_reward.annotations.language.word_lists import words

LONGEST = 600
LONGEST_EXPRESSION = 120
"""Characters of a formula, and of a number or term in a sentence or figure."""

DEEPEST = 24
"""Of nested groups."""

MOST_DIGITS = 120
"""Of one number."""


MOST_TOKENS = 250
"""The deepest tree that so many make stays within Python's own limit."""

MOST_FUNCTIONS = 40
"""Of functions, roots, powers and factorials in one formula."""


class _Unreadable(Exception):
    """The text is no formula."""


_FUNCTIONS = words("""
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln exp abs max min gcd lcm sqrt log lg floor
    ceil
""")
_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "tg": "tan", "ctg": "cot", "arctg": "arctan"}
_GREEK = words("""
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi
    omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega Pi ell hbar
""")
_CONSTANTS = {"pi": "pi", "e": "e", "i": "i", "infty": "inf", "infinity": "inf", "oo": "inf", "inf": "inf"}
_ACCENTS = frozenset(
    ["bar", "vec", "hat", "tilde", "dot", "overline", "overrightarrow", "widehat", "mathcal", "mathbb"]
)
_CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
_NO_PRODUCT = words("""
    of or to is in at no by if as an it he we my us up so do go be on and not the
""")

_thousands = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_part = re.compile(r"(?<=\d)\((?:(\d+)/(\d+)|\((\d+)\)/\((\d+)\))\)")
_root_sign = re.compile(r"(?<!\\)sqrt|√")
_token = re.compile(
    r"(?P<space>\s*)(?P<token>(?P<number>\d+(?:\.\d+)?|\.\d+)|\\[A-Za-z]+|\\[{}|]|\*\*|(?P<word>[A-Za-z]+)|[^\s\w]|\w)"
)
_text = re.compile(r"\\(?:text|mathrm|operatorname)\s?\{\s?([A-Za-z]{1,8})\s?\}")
_marks = re.compile(r"\\(?:angle|triangle)\s?([A-Z]{1,3})(?![A-Za-z])")
_over = re.compile(r"^(.{1,200}?)\\over(?![A-Za-z])(.{1,200})$")


@lru_cache(maxsize=4096)
def read_formula(text: str) -> Node | None:
    """The formula that the whole text is, or None."""
    if len(text) > LONGEST or not text:
        return None
    if not text.isascii():
        text = in_ascii(text)
    text = _marks.sub(r"\\text{\1}", text) if "\\angle" in text or "\\triangle" in text else text
    if "\\over" in text and (over := _over.match(text)) is not None and "overline" not in text:
        text = rf"\frac{{{over[1].strip()}}}{{{over[2].strip()}}}"
    try:
        reader = _Reader(text)
        node = reader.sum()
        if reader.token is not None:
            return None
    except (_Unreadable, RecursionError):
        return None
    return node


def read_expression(text: str) -> Node | None:
    """A number or term as sentences and figures have it, or None: thousands with commas, roots behind letters, and the
    5(3/4) that our plain notation makes of a mixed number."""
    if len(text) > LONGEST_EXPRESSION:
        return None
    text = _thousands.sub(lambda match: match[0].replace(",", ""), text) if "," in text else text
    if ")" in text:
        text = _part.sub(lambda match: f"\\frac{{{match[1] or match[3]}}}{{{match[2] or match[4]}}}", text)
    return read_formula(_root_sign.sub(r"\\sqrt ", text.replace(r"\dfrac", r"\frac")).strip())


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_token.finditer(text))
        if len(self._tokens) > MOST_TOKENS or not text.isascii():
            raise _Unreadable
        self._at = 0
        self._depth = 0
        self._in_bars = False
        if sum(match["token"][0] in "\\^!" or len(match["word"] or "") > 2 for match in self._tokens) > MOST_FUNCTIONS:
            raise _Unreadable

    @property
    def token(self) -> str | None:
        return self._tokens[self._at]["token"] if self._at < len(self._tokens) else None

    def _take(self) -> str:
        token = self.token
        if token is None:
            raise _Unreadable
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise _Unreadable

    def _is_number(self, ahead: int = 0) -> bool:
        at = self._at + ahead
        return at < len(self._tokens) and self._tokens[at]["number"] is not None

    def sum(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Unreadable
        if self.token in (r"\pm", r"\mp"):
            node = Node(self._take(), (Node("number"), self._product()))
        else:
            node = self._product()
        while (token := self.token) in ("+", "-", r"\pm", r"\mp"):
            self._at += 1
            right = self._product()
            node = Node("-", (node, right)) if token == "-" else Node(token or "+", (node, right))
        self._depth -= 1
        return node

    def _product(self) -> Node:
        node = self._signed()
        while (token := self.token) is not None:
            if token in ("*", r"\cdot", r"\times"):
                self._at += 1
                node = Node("*", (node, self._signed()))
            elif token == "/":
                self._at += 1
                node = Node("/", (node, self._signed()))
            elif self._begins_factor(token):
                node = Node("*", (node, self._power()))
            else:
                break
        return node

    def _begins_factor(self, token: str) -> bool:
        if self._is_number():
            # `2 3` and `x 2` are no products that anybody writes; `(2)3` and `\sqrt{2} 3` are.
            return self._tokens[self._at - 1]["token"] in (")", "}", "]")
        if token == "|":
            return not self._in_bars
        return token[0].isalpha() or token in _CLOSING or (token[0] == "\\" and token[1:] in _STARTS)

    def _signed(self) -> Node:
        negative = False
        while self.token in ("+", "-"):
            negative ^= self._take() == "-"
        node = self._power()
        return Node("neg", (node,)) if negative else node

    def _power(self) -> Node:
        node = self._postfix(self._atom())
        if self.token in ("^", "**"):
            self._at += 1
            node = self._postfix(Node("^", (node, self._exponent())))
        return node

    def _postfix(self, node: Node) -> Node:
        last = None
        while (token := self.token) in ("!", "%", "^", "'"):
            if token == "^" and not self._is_next(r"\circ"):
                break
            self._at += 2 if token == "^" else 1
            if token == "!":
                if last == "!":  # a double factorial is none of a factorial
                    raise _Unreadable
                node = Node("!", (node,))
            elif token == "'":
                if node.op != "symbol":
                    raise _Unreadable
                node = Node("symbol", name=node.name + "'")
            else:
                node = Node("%" if token == "%" else "degree", (node,))
            last = token
        return node

    def _is_next(self, token: str) -> bool:
        return self._at + 1 < len(self._tokens) and self._tokens[self._at + 1]["token"] == token

    def _exponent(self) -> Node:
        token = self.token
        if token in ("+", "-"):
            self._at += 1
            node = self._exponent()
            return Node("neg", (node,)) if token == "-" else node
        if token in ("{", "("):
            node = self._group()
        elif token is not None and token[0].isalpha():
            # LaTeX raises one letter only.
            node = self._first_letter()
        else:
            node = self._atom()
        if self.token in ("^", "**"):
            self._at += 1
            return Node("^", (node, self._exponent()))
        return self._postfix(node) if self.token == "!" else node

    def _first_letter(self) -> Node:
        token = self._take()
        if token in _CONSTANTS or len(token) == 1:
            return self._letters(token)
        node = self._letters(token[0])
        for letter in token[1:]:
            node = Node("*", (node, self._letters(letter)))
        return node

    def _group(self) -> Node:
        closing = _CLOSING[self._take()]
        bars, self._in_bars = self._in_bars, False
        node = self.sum()
        self._in_bars = bars
        self._expect(closing)
        return node

    def _script(self) -> Node:
        r"""What a command takes: a group, one digit of `\frac12`, one letter, or one command."""
        token = self.token
        if token in ("{", "("):
            return self._group()
        if self._is_number() and token is not None and token.isdigit():
            self._at += 1
            if len(token) > 1:
                self._give_back(token[1:])
            return Node("number", value=Fraction(token[0]), written=token[0])
        if token is not None and token[0].isalpha():
            self._at += 1
            if len(token) > 1:
                self._give_back(token[1:])
            return self._letters(token[0])
        return self._atom()

    def _give_back(self, rest: str) -> None:
        self._tokens[self._at : self._at] = list(_token.finditer(rest))

    def _atom(self) -> Node:
        if self._is_number():
            return self._number()
        token = self.token
        if token is None:
            raise _Unreadable
        if token == "|":
            return self._bars()
        if token in (r"\lfloor", r"\lceil"):
            return Node("floor" if token == r"\lfloor" else "ceil", (self._group(),))
        if token in ("(", "[", "{"):
            return self._group()
        if token[0] == "\\":
            return self._command()
        if token.isalpha():
            return self._word()
        raise _Unreadable

    def _bars(self) -> Node:
        if self._in_bars:
            raise _Unreadable
        self._at += 1
        self._in_bars = True
        node = self.sum()
        self._in_bars = False
        self._expect("|")
        return Node("abs", (node,))

    def _number(self) -> Node:
        token = self._take()
        if len(token) > MOST_DIGITS:
            raise _Unreadable
        whole = Node("number", value=Fraction(token), written=f"0{token}" if token[0] == "." else token)
        if not token.isdigit():
            return whole
        if self.token == r"\frac" and (part := self._plain_fraction()) is not None:
            return _mixed(token, str(part.parts[0].value), str(part.parts[1].value))
        if self._is_mixed():
            top, _, bottom = self._take(), self._take(), self._take()
            if not int(bottom):
                raise _Unreadable
            return _mixed(token, top, bottom)
        if self.token == "_":
            raise _Unreadable
        return whole

    def _is_mixed(self) -> bool:
        tokens = self._tokens[self._at : self._at + 3]
        if len(tokens) < 3 or not tokens[0]["space"] or tokens[1]["token"] != "/":
            return False
        return all(part["token"].isdigit() for part in (tokens[0], tokens[2]))

    def _plain_fraction(self) -> Node | None:
        r"""The `\frac{1}{2}` of `2\frac{1}{2}`, which adds; `2\frac{x}{3}` and `2\frac{\pi}{3}` multiply."""
        start, tokens = self._at, list(self._tokens)
        self._at += 1
        node = Node("/", (self._script(), self._script()))
        if all(part.op == "number" and part.value.denominator == 1 for part in node.parts) and node.parts[1].value:
            return node
        self._at, self._tokens = start, tokens
        return None

    def _word(self) -> Node:
        token = self._take()
        name = _ALIASES.get(token, token)
        if name in _FUNCTIONS:
            return self._function(name)
        if token in _CONSTANTS or token in _GREEK or len(token) == 1:
            return self._letters(token)
        for function in ("sin", "cos", "tan", "ln", "log"):
            if token.startswith(function) and len(token) == len(function) + 1:
                self._give_back(token[len(function) :])
                return self._function(function)
        if token.endswith("pi") and len(token) == 3:
            return Node("*", (self._letters(token[0]), self._letters("pi")))
        if len(token) > 3 or (len(token) > 2 and not self._is_attached()) or token.casefold() in _NO_PRODUCT:
            raise _Unreadable
        if token == self._text.strip():
            raise _Unreadable
        node = self._letters(token[0])
        for letter in token[1:-1]:
            node = Node("*", (node, self._letters(letter)))
        # A power or a subscript belongs to the last letter.
        self._give_back(token[-1])
        return Node("*", (node, self._power()))

    def _is_attached(self) -> bool:
        """Whether the word just taken touches a number or an operator: `2abc`, `abc+1`."""
        match = self._tokens[self._at - 1]
        before = self._tokens[self._at - 2]["token"] if self._at > 1 and not match["space"] else ""
        after = self.token if self._at < len(self._tokens) and not self._tokens[self._at]["space"] else ""
        return before[:1].isdigit() or (after or " ")[0] in "+-*/^_=" or before in ("+", "-", "*", "/")

    def _letters(self, name: str) -> Node:
        subscript = ""
        if self.token == "_" and name not in _CONSTANTS:
            self._at += 1
            subscript = "_" + self._raw_script()
        if not subscript and name in _CONSTANTS:
            return Node(_CONSTANTS[name])
        return Node("symbol", name=name + subscript)

    def _raw_script(self) -> str:
        """A subscript's characters: it is a name, whatever it says."""
        token = self._take()
        if token in (r"\text", r"\mathrm"):
            token = self._take()
        if token != "{":
            return token
        parts: list[str] = []
        depth = 1
        while depth:
            token = self._take()
            depth += (token == "{") - (token == "}")
            if token not in ("{", "}", r"\text", r"\mathrm"):
                parts.append(token)
        return "".join(parts)

    def _command(self) -> Node:
        name = self._take()[1:]
        if name == "frac":
            return Node("/", (self._script(), self._script()))
        if name == "binom":
            return Node("binom", (self._script(), self._script()))
        if name in _FUNCTIONS or name in _ALIASES:
            return self._function(_ALIASES.get(name, name))
        if name in _CONSTANTS or name in _GREEK:
            return self._letters(name)
        if name in ("text", "mathrm", "operatorname"):
            return self._spelled()
        if name in _ACCENTS:
            return Node("symbol", name=f"{name}:{self._raw_script()}")
        raise _Unreadable

    def _spelled(self) -> Node:
        r"""`\mathrm{e}`, `\text{AB}`, `\operatorname{arctan} x`; another text is no part of a formula."""
        match = _text.match(self._text, self._tokens[self._at - 1].start("token"))
        if match is None or self.token != "{":
            raise _Unreadable
        while self._take() != "}":
            pass
        word = match[1]
        if word in _FUNCTIONS or word in _ALIASES:
            return self._function(_ALIASES.get(word, word))
        if word in _CONSTANTS or len(word) == 1:
            return self._letters(word)
        if word.isupper() and len(word) <= 3:
            return Node("symbol", name=word)
        raise _Unreadable

    def _function(self, name: str) -> Node:
        if name == "sqrt":
            return self._root()
        base: Node | None = None
        if name in ("log", "lg") and self.token == "_":
            self._at += 1
            base = self._script()
        power = None
        if self.token == "^":
            self._at += 1
            power = self._exponent()
        if name in ("max", "min", "gcd", "lcm"):
            node = Node(name, self._arguments())
        else:
            argument = self._argument()
            node = Node(name, (argument,)) if base is None else Node("log", (argument, base))
        if power is None:
            return node
        if power == Node("neg", (Node("number", value=Fraction(1)),)) and name in ("sin", "cos", "tan"):
            return Node(f"arc{name}", node.parts)
        return Node("^", (node, power))

    def _root(self) -> Node:
        if self.token != "[":
            return Node("sqrt", (self._script() if self.token in ("{", "(") else self._postfix(self._root_of()),))
        self._at += 1
        index = self.sum()
        self._expect("]")
        return Node("root", (self._script(), index))

    def _root_of(self) -> Node:
        r"""`\sqrt2` as LaTeX reads it, and `sqrt 12` as people do."""
        return self._number() if self._is_number() else self._script()

    def _argument(self) -> Node:
        if self.token in ("(", "{", "[", r"\{"):
            return self._group()
        if self.token == "|":
            return self._bars()
        node = self._signed()
        while (token := self.token) is not None and self._begins_factor(token) and not self._is_function(token):
            node = Node("*", (node, self._power()))
        return node

    def _is_function(self, token: str) -> bool:
        name = token.removeprefix("\\")
        return name in _FUNCTIONS or name in _ALIASES

    def _arguments(self) -> tuple[Node, ...]:
        closing = _CLOSING.get(self._take())
        if closing is None:
            raise _Unreadable
        found = [self.sum()]
        while self.token == ",":
            self._at += 1
            found.append(self.sum())
        self._expect(closing)
        return tuple(found)


def _mixed(whole: str, over: str, under: str) -> Node:
    return Node("number", value=int(whole) + Fraction(int(over), int(under)), written=f"{whole} {over}/{under}")


_STARTS = frozenset(
    {"frac", "binom", "text", "mathrm", "operatorname", *_FUNCTIONS, *_ALIASES, *_CONSTANTS, *_GREEK, *_ACCENTS}
)
