"""How right a judge model is on real responses, step by step: prompt, evidence, phrasings, calibration, rules.

    python tests/benchmarks/judge_quality.py --url http://127.0.0.1:8000 --model NAME --tokenizer FOLDER [--most 60]
    python tests/benchmarks/judge_quality.py --model NAME [--markdown service/judges/models.md]

With `--url` it asks what it has not asked yet (`build/judge-quality/`) and goes on where it was interrupted; without,
it makes the tables from what was answered. `--most` asks only about so many pairs of the expensive variants, whole
problems in a fixed random order. Prompts are `tests/benchmarks/prompts`:

- `plain`: the instruction behind the response; no examples
- `examples`: the instruction in front, and nine worked examples that every question shares; a short question

Sets: `labelled` is where prompts, evidence and the weights below were chosen; `further` (see `labelled.py`) was only
reported on, apart from the rules, which were mended for some of its failures after its first reading. What is fitted
(calibration, the cascade's weight) is fitted on other problems than it is reported on: 5 folds by problem for
`labelled`, all of `labelled` for `further`. Intervals: 1,000 bootstrap samples of whole problems.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from asking import NOTHING, Asker, Probabilities, answers, collect, evidence
from fitting import Example, cross_fitted, fitted
from judging import judge_all
from labelled import Pair, further_pairs, labelled_pairs, rows
from measures import LABELS, Judged, accuracy, confusion, interval, stated_auc, table
from neighbours import neighbour
from pages import write_between
from places import REPOSITORY, arguments
from statements import GEOMETRY, Half, problems, statements
from symbolic import SEED

from perception_reward.service.judges.base import JudgeTask, Verdict
from perception_reward.service.judges.cascade.checks import decides, packaged
from perception_reward.service.judges.cascade.pooling import pooled
from perception_reward.service.judges.symbolic.kinds import kind_of
from perception_reward.trainer_client.wire import Fact, Label

KEPT = REPOSITORY / "build" / "judge-quality"
# Chosen on `labelled`: of a neighbour's log-odds, how much is taken off the fact's.
CONTRAST = 0.25
_LEAST = 1e-3

Key = tuple[str, str]
Reading = dict[Key, Probabilities]
SETS: dict[str, Callable[[Path], list[Pair]]] = {"labelled": labelled_pairs, "further": further_pairs}
# Sets of templated statements, with the lot of wordings of each.
WORDED: dict[str, Half] = {"templated": "fresh", "unread": "unread"}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--model", required=True, help="the served model's name; its answers are kept under it")
    parser.add_argument("--url", help="vLLM server to ask, without /v1")
    parser.add_argument("--tokenizer", help="the model's tokenizer folder; the model's name if not given")
    parser.add_argument("--most", type=int, default=10**6, help="pairs asked about in the expensive variants")
    parser.add_argument("--per-kind", type=int, default=2, help="templated statements a kind and label")
    parser.add_argument("--markdown", type=Path, help="write the tables between this file's markers")
    chosen = parser.parse_args()
    folder = KEPT / chosen.model.replace("/", "_")
    if chosen.url:
        ask_all(Asker(chosen.url, chosen.model, chosen.tokenizer or chosen.model), chosen, folder)
    text = "\n\n".join(report(chosen.data, folder))
    print(text)
    if chosen.markdown:
        write_between(chosen.markdown, f"{chosen.model} figures", text)


def ask_all(asker: Asker, chosen: argparse.Namespace, folder: Path) -> None:
    """Ask what the tables need, the cheap and telling variants first."""
    sure = {name: shuffled([pair for pair in read(chosen.data) if not pair.doubtful]) for name, read in SETS.items()}
    few = sure["labelled"][: chosen.most]
    collect(asker, "examples", "selected", sure["labelled"], folder / "labelled.examples.selected.jsonl")
    collect(asker, "examples", "selected", sure["further"], folder / "further.examples.selected.jsonl")
    collect(asker, "examples", "whole", templated(chosen.data, chosen.per_kind), folder / "templated.jsonl")
    collect(asker, "plain", "selected", few, folder / "labelled.plain.selected.jsonl")
    collect(asker, "plain", "whole", few, folder / "labelled.plain.whole.jsonl")
    beside = [Pair(p.key, p.problem, other, p.label, False, p.response) for p in few if (other := _other(p))]
    collect(asker, "examples", "selected", beside, folder / "labelled.neighbours.jsonl")


def _other(pair: Pair) -> str | None:
    return neighbour(pair.fact, evidence(pair))


def shuffled(pairs: Sequence[Pair]) -> list[Pair]:
    """Whole problems in a fixed random order, so that the first so many are a fair sample."""
    names = sorted({pair.problem for pair in pairs})
    random.Random(SEED).shuffle(names)
    return sorted(pairs, key=lambda pair: names.index(pair.problem))


def templated(data: Path, per_kind: int, name: str = "templated") -> list[Pair]:
    """Geometry3K statements in the wordings of `WORDED[name]`, so many of each kind and label."""
    forms = list(problems(rows(data / "geometry3k" / "annotations.jsonl"), 500, SEED))
    count: Counter[tuple[str, Label]] = Counter()
    found: list[Pair] = []
    for number, sample in enumerate(statements(WORDED[name], 300, SEED, forms)):
        count[sample.kind, sample.label] += 1
        if sample.kind in GEOMETRY and count[sample.kind, sample.label] <= per_kind:
            key = f"{name}/{sample.kind}/{number}"
            found.append(Pair(key, key, sample.fact.text, sample.label, False, sample.response))
    return found


def report(data: Path, folder: Path) -> Iterator[str]:
    """A table for each set, of what was answered so far."""
    known = labelled_pairs(data)
    for name, read in SETS.items():
        pairs = [pair for pair in read(data) if not pair.doubtful]
        steps = list(_steps(name, pairs, [pair for pair in known if not pair.doubtful], folder))
        yield f"Set `{name}`:\n\n" + table(_HEADER, [_row(step, pairs) for step in steps])
    pairs = templated(data, 10**6)
    said = answers(folder / "templated.jsonl")
    if said:
        lines = [_row(("examples, whole", said), pairs), _row(("rules alone", _by_rules(_known(pairs, said))), pairs)]
        yield "Templated Geometry3K statements, wordings not tuned to:\n\n" + table(_HEADER, lines)


Step = tuple[str, Reading]
_HEADER = ["step", "pairs", "problems", "AUC stated", "95 % interval", "three-way accuracy", "right labels by row"]


def _steps(name: str, pairs: Sequence[Pair], known: Sequence[Pair], folder: Path) -> Iterator[Step]:
    def kept(variant: str) -> Reading:
        return answers(folder / f"{name}.{variant}.jsonl")

    model = kept("examples.selected")
    plain = kept("plain.selected")
    for title, said in (("plain prompt, whole response", kept("plain.whole")), ("plain prompt, evidence", plain)):
        if said:
            yield title, said
            yield "… and with examples, on the same pairs", {key: model[key] for key in said if key in model}
    if model:
        yield "examples in the prompt, evidence (shipped)", model
    if plain:
        yield "both phrasings averaged", {key: _mean(plain[key], model[key]) for key in plain if key in model}
    beside = kept("neighbours")
    if beside:
        yield "contrast with a neighbour", dict(_contrasted(pairs, model, beside))
    if model:
        ours, theirs = _known(pairs, model), _known(known, answers(folder / "labelled.examples.selected.jsonl"))
        calibrated = _fitted(ours, model, theirs, folder, _of_model)
        yield "calibrated", calibrated
        weighed = _fitted(ours, model, theirs, folder, _of_both)
        yield "rules and model weighed (not shipped)", weighed
        yield "rules alone, same pairs", _by_rules(ours)
        yield "cascade, the model's word for what is left", dict(_cascade(pairs, model, lambda _, said, __: said))
        yield "cascade, model calibrated", dict(_cascade(pairs, calibrated, lambda _, said, __: said))
        yield "cascade, weighed by a fit (not shipped)", dict(_cascade(pairs, weighed, lambda _, said, __: said))
        yield "cascade, both pooled (shipped)", dict(_cascade(pairs, model, _pooled))
    yield "rules alone, all pairs", _by_rules(pairs)


def _row(step: Step, pairs: Sequence[Pair]) -> list[str]:
    title, said = step
    judged = [
        Judged(pair.problem, pair.group, pair.label, max(LABELS, key=lambda label: odds[label]), odds["stated"])
        for pair in pairs
        if (odds := said.get((pair.key, pair.fact))) is not None
    ]
    low, high = interval(judged)
    size = [str(len(judged)), str(len({pair.cluster for pair in judged}))]
    counts = "; ".join(f"{label}: {' / '.join(rest)}" for label, *rest in confusion(judged))
    return [title, *size, f"{stated_auc(judged):.3f}", f"{low:.3f} to {high:.3f}", f"{accuracy(judged):.3f}", counts]


def _known(pairs: Sequence[Pair], said: Reading) -> list[Pair]:
    return [pair for pair in pairs if (pair.key, pair.fact) in said]


def _mean(one: Probabilities, other: Probabilities) -> Probabilities:
    """The geometric mean, normalised."""
    weights = {label: math.sqrt(max(one[label], _LEAST) * max(other[label], _LEAST)) for label in LABELS}
    total = math.fsum(weights.values())
    return {label: weight / total for label, weight in weights.items()}


def _contrasted(pairs: Sequence[Pair], model: Reading, beside: Reading) -> Iterator[tuple[Key, Probabilities]]:
    """The fact's odds less a part of its neighbour's, as far as the neighbour was asked about."""
    for pair in pairs:
        key = pair.key, pair.fact
        other = _other(pair)
        if key not in model or (other is not None and (pair.key, other) not in beside):
            continue
        odds = dict(model[key])
        if other is not None:
            odds["stated"] *= math.exp(-CONTRAST * _log_odds(beside[pair.key, other]["stated"]))
        total = math.fsum(odds.values())
        yield key, {label: value / total for label, value in odds.items()}


def _log_odds(probability: float) -> float:
    return math.log(max(probability, _LEAST) / max(1 - probability, _LEAST))


def _rules(pairs: Sequence[Pair]) -> list[Verdict]:
    return [said for (said,) in judge_all([JudgeTask(p.response, (Fact(id="f", text=p.fact),)) for p in pairs])]


def _of_rules(verdict: Verdict) -> Probabilities:
    """The rules name one label; of what is not `stated`, they give all to that, or to `absent`."""
    rest = 1 - verdict.probability
    denied = verdict.label == "contradicted"
    return {"stated": verdict.probability, "contradicted": rest * denied, "absent": rest * (not denied)}


def _by_rules(pairs: Sequence[Pair]) -> Reading:
    said = zip(pairs, _rules(pairs), strict=True)
    return {(pair.key, pair.fact): _of_rules(verdict) for pair, verdict in said}


def _cascade(
    pairs: Sequence[Pair], model: Reading, combined: Callable[[Verdict, Probabilities, str], Probabilities]
) -> Iterator[tuple[Key, Probabilities]]:
    """The rules where the shipped thresholds let them decide; of the others those that the model was asked about."""
    for pair, verdict in zip(pairs, _rules(pairs), strict=True):
        key = pair.key, pair.fact
        if decides(packaged(), kind_of(pair.fact), verdict):
            yield key, _of_rules(verdict)
        elif key in model:
            yield key, combined(verdict, model[key], kind_of(pair.fact))


def _pooled(rules: Verdict, said: Probabilities, kind: str) -> Probabilities:
    label = max(LABELS, key=lambda name: said[name])
    found = pooled(
        rules,
        Verdict(
            label, said["stated"], contradiction=said["contradicted"], stage="evidence" if said == NOTHING else "model"
        ),
        kind,
    )
    contradicted = found.contradiction or 0.0
    rest = max(0.0, 1 - found.probability - contradicted)
    return {"stated": found.probability, "contradicted": contradicted, "absent": rest}


Features = Callable[[Probabilities, Verdict], tuple[float, ...]]


def _of_model(said: Probabilities, _: Verdict) -> tuple[float, ...]:
    return tuple(math.log(max(said[label], _LEAST)) for label in LABELS)


def _of_both(said: Probabilities, verdict: Verdict) -> tuple[float, ...]:
    rules = (verdict.certainty * (verdict.label == label) for label in LABELS)
    return (*_of_model(said, verdict), _log_odds(verdict.probability), *rules)


def _fitted(pairs: Sequence[Pair], model: Reading, known: Sequence[Pair], folder: Path, features: Features) -> Reading:
    """Across folds where the pairs are the known ones, else by a fit on all of these."""
    asked = _examples(pairs, model, features)
    if {pair.key for pair in pairs} <= {pair.key for pair in known}:
        found = cross_fitted(asked, SEED)
    else:
        found = fitted(_examples(known, answers(folder / "labelled.examples.selected.jsonl"), features), asked)
    return {
        (pair.key, pair.fact): dict(zip(LABELS, map(float, odds), strict=True))
        for pair, odds in zip(pairs, found, strict=True)
    }


def _examples(pairs: Sequence[Pair], model: Reading, features: Features) -> list[Example]:
    return [
        Example(pair.problem, features(model[pair.key, pair.fact], verdict), pair.label)
        for pair, verdict in zip(pairs, _rules(pairs), strict=True)
    ]


if __name__ == "__main__":
    main()
