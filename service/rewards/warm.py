"""Imported by the process that grading workers are forked from, so that no first answer pays for the parsers.

The grammar's tables are built by use: the first expression of each kind takes up to a second, the second one
milliseconds.
"""

from __future__ import annotations

from perception_reward.service.rewards.accuracy import grade

SAMPLES = (
    (r"\frac{\sqrt{3}}{2}+1", r"1+\frac{1}{2}\sqrt{3}"),
    (r"12\pi", "12*pi"),
    ("x^2+2x+1", "(x+1)^2"),
    ("2x+3y=6", "3y+2x=6"),
    ("1<x<2", "(1,2)"),
    (r"\sin(30)", "0.5"),
    (r"\pi", "3.14"),
)

for _answer, _reference in SAMPLES:
    grade(_answer, (_reference,))
