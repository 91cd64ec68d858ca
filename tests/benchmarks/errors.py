"""Why the cascade is wrong where it is: its errors on real responses that were looked into, by cause.

    python tests/benchmarks/errors.py --model NAME [--data ../shared/data] [--write] [--list FILE]

What `methods.py` has kept of a model, and what the service makes of it, on the sure pairs of the sets in `SEEN`. It is
computed whether the model's own word was right, and grounding, the rules or the pool turned it, and whether nothing was
shown of what says or denies the fact. For the rest the pair and the sentences that were shown have been read, and
`data/errors_read.jsonl` has a word for each: `evidence` where the sentences shown do not tell, and the response does;
`model` where they tell, and the model took them wrong; `label` where a second reader could well label otherwise.
`--list` writes those that nobody has read yet, with the sentences shown. `--write` puts the tables into `results/`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from judging import judge_all
from labelled import SEEN, Pair, rows
from labelled import SETS as LABELLED
from measures import LABELS, table
from methods import FITTED, Telling, calibration_of, cascaded, grounded, grouped, kept, task_of, tellings
from places import REPOSITORY, arguments
from real import world

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.calibration import Calibration
from perception_reward.service.judges.cascade.checks import decides, packaged
from perception_reward.service.judges.llm.evidence import shown_of
from perception_reward.service.judges.llm.grounding import grounds
from perception_reward.service.judges.llm.selection import select
from perception_reward.service.judges.symbolic.kinds import kind_of

READ = Path(__file__).parent / "data" / "errors_read.jsonl"
PAGE = REPOSITORY / "tests" / "benchmarks" / "results" / "errors.md"

# By cause, what it means. The first that holds is an error's.
CAUSES = {
    "rules": "the rules decided alone, wrongly",
    "nothing shown": "no sentence was selected, or none with the fact's names, though the response says or denies it",
    "grounding": "the model was right, and the fact's numbers were not found in the sentences shown",
    "pooling": "the model, grounded, was right, and the rules' word turned it",
    "evidence": "read: the sentences shown do not tell, and the response does",
    "model": "read: the sentences shown tell, and the model took them wrong",
    "label": "read: the label is debatable",
    "unread": "the model was wrong, and nobody has read why",
}
# Those that a person found.
READ_CAUSES = ("evidence", "model", "label")

TRIED = """## Asked more often, or otherwise

Further ways to ask `qwen1.5b` were tried on the 531 pairs outside geometry that models wrote and the cascade asks it
about, each pooled with what is shipped and compared with it on problems held out: the two sentences that share most
with the fact (68 more tokens a fact), short responses whole (59), the fact denied (114), the fact before the text
(110), its near neighbours, generated and with the text's own numbers (139), a prompt with 26 examples of all domains
(108), and three of these together (318). None pays there: three-way accuracy changes by -0.011 to +0.004, and each
95 % interval reaches down to 0 or below. With the packaged pairs, 1,068 in all, the two sentences asked about besides
gain 0.019 (0.005 to 0.033) for three quarters more tokens, and the longer prompt 0.003 (-0.013 to 0.020); neither is
shipped. This is a record of 2026-11-27, on a 2-core VM with AMX: the ways that did not pay went, and no command asks
so again."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An error of the cascade, or of the model alone, grounded. shown: what the model read."""

    source: str
    pair: Pair
    said: Verdict
    model: Verdict
    shown: str
    cause: str


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--model", default="qwen1.5b", help="whose verdicts `methods.py` has kept")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    parser.add_argument("--list", type=Path, help="write the errors that nobody has read to this file")
    chosen = parser.parse_args()
    told = {name: told_of(chosen.data, chosen.model, name) for name in SEEN}
    calibration = calibration_of(chosen.model)
    wrong = [one for name, each in told.items() for one in errors(name, each, calibration=calibration)]
    alone = [one for name, each in told.items() for one in errors(name, each, alone=True)]
    text = "\n\n".join(report(chosen.model, sum(map(len, told.values())), wrong, alone))
    print(text)
    if chosen.list:
        unread = [one for one in alone if one.cause == "unread"]
        chosen.list.write_text("".join(map(as_line, unread)), encoding="utf-8")
    if chosen.write:
        PAGE.write_text(f"{text}\n", encoding="utf-8")


def told_of(data: Path, model: str, name: str) -> list[Telling]:
    pairs = [pair for pair in LABELLED[name](data) if not pair.doubtful]
    return [one for one in tellings(grouped(pairs), kept(model, FITTED, name)) if one.verdict is not None]


def errors(
    name: str, told: Sequence[Telling], *, alone: bool = False, calibration: Calibration | None = None
) -> Iterator[Wrong]:
    held = [grounded(one) for one in told]
    rules = [said for (said,) in judge_all([task_of([one.pair]) for one in told])]
    read = {(row["key"], row["fact"]): row["cause"] for row in rows(READ)} if READ.is_file() else {}
    for raw, ground, both, by_rules in zip(told, held, cascaded(held, calibration), rules, strict=True):
        said = ground if alone else both
        if said.verdict is None or raw.verdict is None or right(said):
            continue
        (shown,) = shown_of(select, grounds, task_of([raw.pair]))
        if not alone and decides(packaged(), kind_of(raw.pair.fact), by_rules):
            cause = "rules"
        elif right(ground):
            cause = "pooling"
        elif not shown.text:
            cause = "nothing shown"
        elif right(raw):
            cause = "grounding"
        else:
            cause = read.get((raw.pair.key, raw.pair.fact), "unread")
        yield Wrong(name, raw.pair, said.verdict, raw.verdict, shown.text, cause)


def right(telling: Telling) -> bool:
    return telling.verdict is not None and telling.verdict.label == telling.pair.label


def report(model: str, asked: int, wrong: Sequence[Wrong], alone: Sequence[Wrong]) -> Iterator[str]:
    yield (
        "# Why the cascade is wrong where it is\n\n"
        f"`make bench-errors`: {len(wrong)} errors of the cascade with `{model}` on {asked} facts of responses\n"
        f"that were looked into (`tests/benchmarks/labelled.py`), and {len(alone)} of the model alone, by cause.\n"
        f"{sum(one.cause in READ_CAUSES for one in alone)} of them were read, one by one, with the sentences shown."
    )
    for who, found in (("the cascade", wrong), ("the model alone, grounded", alone)):
        for facts in ("geometry", "other"):
            if part := [one for one in found if world(one.pair.fact) == facts]:
                yield f"Errors of {who}, facts of {facts}, {len(part)}:\n\n" + table(
                    ["cause", "errors", "share", *directions()],
                    [line(cause, part) for cause in CAUSES if line(cause, part)],
                )
    yield "\n".join(f"- *{cause}*: {meaning}" for cause, meaning in CAUSES.items())
    yield TRIED


def directions() -> list[str]:
    return [f"{right} taken for {said}" for right in LABELS for said in LABELS if said != right]


def line(cause: str, part: Sequence[Wrong]) -> list[str]:
    found = [one for one in part if one.cause == cause]
    count = Counter(f"{one.pair.label} taken for {one.said.label}" for one in found)
    if not found:
        return []
    return [cause, str(len(found)), f"{len(found) / len(part):.2f}", *(str(count[way]) for way in directions())]


def as_line(wrong: Wrong) -> str:
    return (
        json.dumps(
            {
                "key": wrong.pair.key,
                "fact": wrong.pair.fact,
                "right": wrong.pair.label,
                "said": wrong.said.label,
                "model": [wrong.model.label, round(wrong.model.probability, 2)],
                "shown": wrong.shown,
            },
            ensure_ascii=False,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
