"""The units of measure and what they are worth, by name: prefixes and plurals are made, not listed."""

from __future__ import annotations

from fractions import Fraction

from perception_reward.annotations.language.word_lists import words

Dimension = tuple[tuple[str, int], ...]
"""Base names with their powers, sorted."""

_WORDS: dict[str, tuple[str, str]] = {
    "meter metre 米 公尺": ("length", "1"),
    "micron": ("length", "1/1000000"),
    "in inch inche 英寸": ("length", "254/10000"),
    "ft foot feet 英尺": ("length", "3048/10000"),
    "yd yard": ("length", "9144/10000"),
    "mi mile 英里": ("length", "1609344/1000"),
    "公里": ("length", "1000"),
    "厘": ("length", "1/100"),
    "gram gramme 克": ("mass", "1"),
    "kilo 公斤": ("mass", "1000"),
    "ton tonne 吨": ("mass", "1000000"),
    "斤": ("mass", "500"),
    "lb pound 磅": ("mass", "45359237/100000"),
    "oz ounce": ("mass", "28349523125/1000000000"),
    "sec second 秒 秒钟": ("time", "1"),
    "min minute 分钟 分鐘": ("time", "60"),
    "hr hour 小时 小時 时": ("time", "3600"),
    "day 天 日": ("time", "86400"),
    "week 周 星期": ("time", "604800"),
    "mo month 月 个月": ("month", "1"),
    "yr year 年": ("month", "12"),
    "degree deg 度": ("degree", "1"),
    "arcmin arcminute": ("degree", "1/60"),
    "arcsec arcsecond": ("degree", "1/3600"),
    "rad radian 弧度": ("radian", "1"),
    "celsius 摄氏度": ("celsius", "1"),
    "fahrenheit 华氏度": ("fahrenheit", "1"),
    "kelvin 开尔文": ("kelvin", "1"),
    "dollar usd buck $ 美元": ("dollar", "1"),
    "cent ¢ 美分": ("dollar", "1/100"),
    "euro eur € 欧元": ("euro", "1"),
    "£ gbp quid 英镑": ("sterling", "1"),
    "penny pence": ("sterling", "1/100"),
    "yuan rmb cny 元 块 块钱 人民币": ("yuan", "1"),
    "角": ("yuan", "1/10"),
    "yen jpy 日元": ("yen", "1"),
    "rupee inr ₹": ("rupee", "1"),
    "won krw ₩": ("won", "1"),
    "ruble rub ₽": ("ruble", "1"),
    "percent percentage pct % 百分点": ("%", "1/100"),
    "calorie cal": ("calorie", "1"),
    "amp ampere 安 安培": ("ampere", "1"),
    "hertz 赫兹": ("hertz", "1"),
    "mole 摩尔": ("mole", "1"),
    "tesla": ("tesla", "1"),
    "farad": ("farad", "1"),
    "weber": ("weber", "1"),
    "henry": ("henry", "1"),
    "byte": ("byte", "1"),
    "bit": ("byte", "1/8"),
    "atm": ("atmosphere", "1"),
    "bar": ("bar", "1"),
    "mmhg": ("mmhg", "1"),
    "rpm": ("rpm", "1"),
    "decibel": ("decibel", "1"),
}
_DERIVED: dict[str, tuple[tuple[int, int, int, int], str]] = {
    "newton 牛 牛顿": ((1, 1, -2, 0), "1000"),
    "joule 焦 焦耳": ((1, 2, -2, 0), "1000"),
    "watt 瓦 瓦特": ((1, 2, -3, 0), "1000"),
    "pascal 帕 帕斯卡": ((1, -1, -2, 0), "1000"),
    "volt 伏 伏特": ((1, 2, -3, -1), "1000"),
    "ohm 欧 欧姆": ((1, 2, -3, -2), "1000"),
    "coulomb 库仑": ((0, 0, 1, 1), "1"),
}
"""The powers of mass, length, time and current, and the factor: of grams, metres, seconds and amperes."""
_SYMBOLS = {
    "m": "meter", "g": "gram", "t": "ton", "s": "second", "h": "hour", "K": "kelvin", "N": "newton", "J": "joule",
    "W": "watt", "Pa": "pascal", "V": "volt", "A": "amp", "Hz": "hertz", "mol": "mole", "cal": "calorie",
    "C": "coulomb", "T": "tesla", "F": "farad", "Wb": "weber", "H": "henry", "dB": "decibel",
    "eV": "electronvolt",
}  # fmt: skip
"""Where case tells a unit from another, and from a variable."""

_PREFIXES = {
    "k": "1000", "M": "1000000", "G": "1000000000", "T": "1000000000000", "c": "1/100", "d": "1/10", "m": "1/1000",
    "µ": "1/1000000", "n": "1/1000000000", "p": "1/1000000000000",
}  # fmt: skip
_LONG_PREFIXES = {
    "kilo": "1000", "mega": "1000000", "giga": "1000000000", "tera": "1000000000000", "centi": "1/100",
    "deci": "1/10", "milli": "1/1000", "micro": "1/1000000", "nano": "1/1000000000", "千": "1000", "厘": "1/100",
    "分": "1/10", "毫": "1/1000", "微": "1/1000000", "纳": "1/1000000000",
}  # fmt: skip
_PREFIXED = frozenset(["m", "g", "s", "N", "J", "W", "Pa", "V", "A", "Hz", "mol", "cal", "eV", "C", "F", "H", "T"])
_LONG_PREFIXED = "meter metre gram second newton joule watt pascal volt amp ampere hertz byte calorie liter litre ohm"
Atom = tuple[Dimension, Fraction]
# What is only counted.
_COUNTERS = words("""
    unit pc pcs 个 個 只 隻 条 條 本 张 張 名 人 位 次 种 種 件 棵 颗 辆 台 朵 头 匹 枚 支
    单位 岁 歳 盒 袋 杯 瓶 组 对 页 题 分
""")


def _table() -> dict[str, Atom]:
    atoms: dict[str, Atom] = {
        name: (((base, 1),), Fraction(factor)) for names, (base, factor) in _WORDS.items() for name in names.split()
    }
    for names, (powers, factor) in _DERIVED.items():
        pairs = zip(("mass", "length", "time", "ampere"), powers, strict=True)
        dimension = tuple(sorted((base, power) for base, power in pairs if power))
        atoms |= dict.fromkeys(names.split(), (dimension, Fraction(factor)))
    atoms["electronvolt"] = ((("electronvolt", 1),), Fraction(1))
    litre = (("length", 3),), Fraction(1, 1000)
    atoms |= dict.fromkeys(("l", "L", "liter", "litre", "升"), litre)
    speed = ("length", 1), ("time", -1)
    atoms |= {"kmh": (speed, Fraction(1000, 3600)), "kph": (speed, Fraction(1000, 3600))}
    atoms |= {"mph": (speed, Fraction(1609344, 3600000)), "mps": (speed, Fraction(1))}
    atoms |= dict.fromkeys(_COUNTERS, ((), Fraction(1)))
    atoms |= {symbol: atoms[name] for symbol, name in _SYMBOLS.items()}
    atoms |= {prefix + "B": _times(atoms["byte"], factor) for prefix, factor in _PREFIXES.items() if prefix in "kMGT"}
    atoms |= {"cc": _times(litre, "1/1000")}
    atoms |= {r"\Omega": atoms["ohm"], "平方": ((), Fraction(1)), "立方": ((), Fraction(1))}
    for prefix, factor in _PREFIXES.items():
        for symbol in _PREFIXED:
            atoms.setdefault(prefix + symbol, _times(atoms[symbol], factor))
        atoms[prefix + r"\Omega"] = _times(atoms["ohm"], factor)
        for symbol in ("L", "l"):
            atoms.setdefault(prefix + symbol, _times(litre, factor))
        atoms.setdefault(f"{prefix}Wh", _times(atoms["joule"], str(3600 * Fraction(factor))))
    for prefix, factor in _LONG_PREFIXES.items():
        names = _LONG_PREFIXED.split() if prefix.isascii() else ["米", "克", "升", "秒"]
        for name in names:
            atoms[prefix + name] = _times(atoms[name], factor)
    # Where the case of a short symbol makes no difference, people do not mind it.
    for symbol in words("cm mm km dm kg mg ml hz khz mhz ghz kw kj kpa kwh mol"):
        known = next(atom for name, atom in atoms.items() if name.casefold() == symbol)
        atoms.setdefault(symbol, known)
    return atoms


def _times(atom: Atom, factor: str) -> Atom:
    return atom[0], atom[1] * Fraction(factor)


ATOMS = _table()
