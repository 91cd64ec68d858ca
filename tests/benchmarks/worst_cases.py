"""Processor time of the readers that need no model, on responses made to take long: `make bench-worst`.

Each case is 65,536 characters and 256 facts, whose product is what a reader must not pay: prose that shares its words
with every fact, thousands of angles, lengths, tables, repeated names, corrections. Every reading is of a text that no
cache has seen. Bounded: a case that takes longer than a worker may is the benchmark's finding, not its end.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, count, islice, permutations
from string import ascii_uppercase as LETTERS

from perception_reward.service.judges.base import JudgeTask
from perception_reward.service.judges.llm.evidence import shown_of
from perception_reward.service.judges.llm.grounding import grounds
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

CHARACTERS, FACTS = 65_536, 256

Case = tuple[str, list[str]]

NOUNS = [
    *("dog", "cat", "car", "tree", "house", "boat", "chair", "table", "lamp", "cup"),
    *("plate", "book", "phone", "bird", "horse", "train", "bench", "sign", "shirt", "window"),
]
COLOURS = ["red", "blue", "green", "yellow", "black", "white", "orange", "purple", "brown", "grey"]
PLACES = ["left of", "right of", "above", "below", "behind", "in front of", "under", "inside", "next to"]


def filled(sentences: Iterator[str], size: int, between: str = " ") -> str:
    """Sentences up to `size` characters."""
    found: list[str] = []
    left = size
    for sentence in sentences:
        found.append(sentence)
        left -= len(sentence) + len(between)
        if left <= 0:
            break
    return between.join(found)[:size]


def segments() -> list[str]:
    return ["".join(pair) for pair in combinations(LETTERS, 2)]


def angles() -> list[str]:
    return ["".join(three) for three in permutations(LETTERS[:12], 3) if three[0] < three[2]]


def prose(size: int, facts: int) -> Case:
    draw = random.Random(1)
    said = (
        f"The {draw.choice(COLOURS)} {draw.choice(NOUNS)} stands {draw.choice(PLACES)} the {draw.choice(COLOURS)} "
        f"{draw.choice(NOUNS)} and has {draw.randrange(2, 99)} {draw.choice(NOUNS)}s near the {draw.choice(NOUNS)}."
        for _ in count()
    )
    asked = [
        f"The {draw.choice(COLOURS)} {draw.choice(NOUNS)} is near the {draw.choice(COLOURS)} {draw.choice(NOUNS)} "
        f"{number}."
        for number in range(facts)
    ]
    return filled(said, size), asked


def one_line(size: int, facts: int) -> Case:
    text, asked = prose(size, facts)
    return text.replace(".", ","), asked


def counts(size: int, facts: int) -> Case:
    draw = random.Random(2)
    said = (f"There are {draw.randrange(2, 99)} {draw.choice(NOUNS)}s." for _ in count())
    return filled(said, size), [f"There are {100 + n} {NOUNS[n % len(NOUNS)]}s." for n in range(facts)]


def same_prose(size: int, facts: int) -> Case:
    sentence = "There are three dogs and two cats and one bird near the red house."
    return filled((sentence for _ in count()), size), [f"There are {n} dogs near the red house." for n in range(facts)]


def relations(size: int, facts: int) -> Case:
    draw = random.Random(3)
    said = (f"The {draw.choice(NOUNS)} is {draw.choice(PLACES)} the {draw.choice(NOUNS)}." for _ in count())
    pairs = islice(permutations(NOUNS, 2), facts)
    return filled(said, size), [f"The {one} is left of the {other}." for one, other in pairs]


def amounts(size: int, facts: int) -> Case:
    draw = random.Random(4)
    said = (
        f"In {draw.randrange(1900, 2030)}, sales of {draw.choice(NOUNS)}s reached {draw.randrange(999)}."
        for _ in count()
    )
    return filled(said, size), [f"Sales of {NOUNS[n % 20]}s in {1900 + n % 130} were {n}." for n in range(facts)]


def written(size: int, facts: int) -> Case:
    said = (f'The sign says "NUMBER {number}" in {COLOURS[number % 10]} letters.' for number in count())
    return filled(said, size), [f'The sign reads "STOP {number}".' for number in range(facts)]


def table(size: int, facts: int) -> Case:
    head = "| year | " + " | ".join(NOUNS[:12]) + " |"
    rows = (f"| {1900 + n % 130} | " + " | ".join(str((n * k) % 997) for k in range(12)) + " |" for n in count())
    text = head + "\n" + filled(rows, size - len(head) - 1, "\n")
    return text, [f"The number of {NOUNS[n % 12]}s in {1900 + n % 130} is {n}." for n in range(facts)]


def wide_table(size: int, facts: int) -> Case:
    draw = random.Random(5)
    rows = ("| " + " | ".join(f"{draw.choice(NOUNS)} {draw.randrange(99)}" for _ in range(60)) + " |" for _ in count())
    return filled(rows, size, "\n"), [f"The {NOUNS[n % 20]} is {n}." for n in range(facts)]


def lengths(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % len(names)]} = {n % 89 + 2}." for n in count())
    return filled(said, size), [f"Segment {names[n % len(names)]} has length {n}." for n in range(facts)]


def one_length(size: int, facts: int) -> Case:
    return filled((f"AB = {n}." for n in count()), size), [f"Segment AB has length {n}." for n in range(facts)]


def any_side(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % len(names)]} = {n % 89 + 2}." for n in count())
    return filled(said, size), [f"One side measures {1000 + n}." for n in range(facts)]


def measured(size: int, facts: int) -> Case:
    names = angles()
    said = (f"∠{names[n % len(names)]} = {n % 170 + 5}°." for n in count())
    return filled(said, size), [f"Angle {names[n % len(names)]} measures {n % 170 + 6} degrees." for n in range(facts)]


def corners(size: int, facts: int) -> Case:
    names = angles()
    said = (f"∠{names[n % len(names)]} = {n % 170 + 5}°." for n in count())
    return filled(said, size), [f"Angle {LETTERS[n % 12]} measures {n % 170 + 6} degrees." for n in range(facts)]


def right_angles(size: int, facts: int) -> Case:
    names = angles()
    said = (
        f"∠{name} is a right angle." if n % 2 else f"{name[:2]} ⟂ {name[1:]}."
        for n, name in ((n, names[n % len(names)]) for n in count())
    )
    return filled(said, size), [f"{names[n][:2]} is perpendicular to {names[n][1:]}." for n in range(facts)]


def perpendicular(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % 300]} ⟂ {names[(n * 7 + 1) % 325]}." for n in count())
    return filled(said, size), [
        f"Triangle {a}{b}{c} is a right triangle." for a, b, c in islice(combinations(LETTERS, 3), facts)
    ]


def equal_sides(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % 325]} = {names[(n * 7 + 1) % 325]} = {n % 50}." for n in count())
    return filled(said, size), [f"{names[n]} is equal to {names[-n - 1]}." for n in range(facts)]


def repeated_equal(size: int, facts: int) -> Case:
    said = (f"AB = {n}. CD = {n + 1}." for n in count())
    return filled(said, size), [f"AB is equal to CD{'' if not n else f' in figure {n}'}." for n in range(facts)]


def shapes(size: int, facts: int) -> Case:
    said = (f"The rhombus has a side of {n} and so the square has {n + 1}." for n in count())
    quads = ["".join(four) for four in islice(combinations(LETTERS, 4), facts)]
    return filled(said, size), [f"{name} is a rhombus." for name in quads]


def circles(size: int, facts: int) -> Case:
    said = (
        f"The radius of circle {LETTERS[n % 26]} is {n % 50}, and {LETTERS[n % 26]}{LETTERS[(n + 3) % 26]} is a radius."
        for n in count()
    )
    return filled(said, size), [f"The diameter of circle {LETTERS[n % 26]} is {n}." for n in range(facts)]


def centres(size: int, facts: int) -> Case:
    names = segments()
    said = (
        f"{LETTERS[n % 26]} lies on {names[n % 325]} and {names[n % 325]} ∥ {names[(n + 9) % 325]}." for n in count()
    )
    return filled(said, size), [f"{LETTERS[n % 26]} is the center of the circle number {n}." for n in range(facts)]


def points(size: int, facts: int) -> Case:
    names = segments()
    said = (
        f"{LETTERS[n % 26]} lies on circle {LETTERS[(n + 5) % 26]} and {names[n % 325]} is a chord." for n in count()
    )
    return filled(said, size), [f"{LETTERS[n % 26]} lies on circle {LETTERS[n // 26 + 1]}." for n in range(facts)]


def corrections(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % 40]} = {n % 89 + 2}. No wait, actually, no." for n in count())
    return filled(said, size), [f"Segment {names[n % 40]} has length {n % 89 + 2}." for n in range(facts)]


def expressions(size: int, facts: int) -> Case:
    names = segments()
    said = (f"{names[n % 325]} = {n % 9 + 2}x + {n % 7} = 2(x + {n % 5})." for n in count())
    return filled(said, size), [f"Segment {names[n % 325]} has length {n % 11 + 2}x + {n % 13}." for n in range(facts)]


def polygons(size: int, facts: int) -> Case:
    quads = ["".join(four) for four in islice(permutations(LETTERS[:10], 4), 4000)]
    said = (f"{quads[n % 4000]} is a rectangle." for n in count())
    return filled(said, size), [f"{quads[n][:2]} is perpendicular to {quads[n][1:3]}." for n in range(facts)]


def denied(size: int, facts: int) -> Case:
    draw = random.Random(6)
    said = (
        f"The claim that there are {n} {draw.choice(NOUNS)}s near the {draw.choice(NOUNS)} is false, and not so."
        for n in count()
    )
    return filled(said, size), [f"There are {n} {NOUNS[n % 20]}s near the {NOUNS[n % 19]}." for n in range(facts)]


def short(size: int, facts: int) -> Case:
    said = (f"{NOUNS[n % 20]} {n % 997}." for n in count())
    return filled(said, size), [
        f"The {NOUNS[n % 20]} is number {n} of the {NOUNS[(n + 1) % 20]}s." for n in range(facts)
    ]


def one_noun(size: int, facts: int) -> Case:
    said = (f"{n % 997} dogs, a red dog," for n in count())
    return filled(said, size), [f"There are {n} {COLOURS[n % 10]} dogs." for n in range(facts)]


def long_heading(size: int, facts: int) -> Case:
    heading = f"| {'dog cat ' * 55}| {'red car ' * 55}|"
    rows = (f"|{n % 97}|{n % 89}|" for n in count())
    return heading + "\n" + filled(rows, size - len(heading) - 1, "\n"), [f"The dog is {n}." for n in range(facts)]


def one_vertex(size: int, facts: int) -> Case:
    said = (f"∠A{n % 10}B{LETTERS[n % 26]} = {n % 170}°." for n in count())
    return filled(said, size), [f"Angle B measures {n} degrees." for n in range(facts)]


def mixed(size: int, facts: int) -> Case:
    makers = (prose, counts, table, lengths, measured, right_angles, circles, shapes)
    made = [make(size // len(makers), facts // len(makers)) for make in makers]
    return "\n".join(text for text, _ in made)[:size], [fact for _, asked in made for fact in asked]


CASES: tuple[Callable[[int, int], Case], ...] = (
    *(prose, one_line, counts, same_prose, relations, amounts, written, table, wide_table, lengths, one_length),
    *(any_side, measured, corners, right_angles, perpendicular, equal_sides, repeated_equal, shapes, circles),
    *(centres, points, corrections, expressions, polygons, denied, short),
    *(one_noun, long_heading, one_vertex, mixed),
)


def tasks(make: Callable[[int, int], Case], size: int = CHARACTERS, facts: int = FACTS) -> JudgeTask:
    text, asked = make(size, facts)
    return JudgeTask(text, tuple(Fact(id=f"f{n}", text=fact) for n, fact in enumerate(asked)))


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(names: Sequence[str]) -> None:
    print("| case | rules | selection |\n|---|---|---|", flush=True)
    for make in CASES:
        if names and make.__name__ not in names:
            continue
        task = tasks(make)
        rules = seconds(lambda task=task: decide_all(task.response, task.facts))
        chosen = seconds(lambda task=task: shown_of(select, grounds, task))
        print(f"| {make.__name__.replace('_', ' ')} | {rules:.2f} s | {chosen:.2f} s |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="cases, all where none is named")
    measure(parser.parse_args().names)
