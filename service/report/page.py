"""The report as one HTML page that needs nothing else: no network, no font, no picture from elsewhere.

    Path("report.html").write_text(render(runs, profile, Rule()), encoding="utf-8")

What runs hold was written by a policy in training. The page's own policy (Content-Security-Policy) runs its one script,
by its hash, and loads nothing; texts are put in as text, and the data stands in script elements whose `<` is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from statistics import fmean
from typing import Any

from perception_reward.service.profiles.model import Profile
from perception_reward.service.report import formulas
from perception_reward.service.report.compare import Comparison, Rule
from perception_reward.service.report.groups import Sensitivity, advantage_parts, attribution, sensitivity
from perception_reward.service.report.pictures import Picture, histogram, intervals, lines, stacks
from perception_reward.service.report.rows import measures_of, reasons
from perception_reward.service.report.runs import Rollout, Run, Texts
from perception_reward.service.report.seeing import QUADRANTS, perception_errors, quadrant
from perception_reward.service.report.signals import by_step, signals
from perception_reward.service.rewards.registry import registered
from perception_reward.service.statistics.shares import Z

# Rollouts in the table, and characters of each: what a browser opens within a few seconds.
MOST_ROLLOUTS = 10_000
MOST_CHARACTERS = 6_000
# Texts that are read together when one of them is looked at.
CHUNK = 200
# Groups side by side, and examples of a quadrant.
MOST_GROUPS, EXAMPLES = 6, 6


def render(
    runs: Sequence[Run],
    profile: Profile,
    rule: Rule,
    *,
    by: str | None = None,
    comparison: Comparison | str | None = None,
    most: int = MOST_ROLLOUTS,
) -> str:
    """The page. by: the field that tells benchmarks or models apart. comparison: of the two runs, or why there is none.
    most: rollouts that are listed; figures are over all."""
    # Loaded here: the template engine is of no use to other commands.
    from jinja2 import Environment, StrictUndefined

    found = {run.label: signals(run) for run in runs}
    measures = measures_of(one.row for run in runs for one in run.rollouts)
    pairs = [pair for run in runs for pair in _pairs(run)[: max(1, MOST_GROUPS // len(runs))]]
    listed = _listed(runs, pairs, rule, most)
    texts = _texts(runs, listed)
    places = {id(one): place for place, (_, one) in enumerate(listed)}
    script, style = (asset(name) for name in ("report.js", "report.css"))
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(asset("report.html")).render(
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'",
        profile=profile,
        rule=rule.said(),
        runs=[_overview(run, measures) for run in runs],
        measures=measures,
        total=sum(len(run.rollouts) for run in runs),
        listed=len(listed),
        distributions=_distributions(runs, measures),
        trends=_trends(runs, measures),
        quadrants=[_quadrants(run, rule, places) for run in runs],
        quadrant_names=QUADRANTS,
        errors=_errors(runs, rule, by),
        attribution=_attribution(runs),
        lambdas=[one for run in runs if (one := _lambdas(run, profile)) is not None],
        signals=found,
        pairs=[
            (places[id(best)], places[id(worst)]) for best, worst in pairs if id(best) in places and id(worst) in places
        ],
        comparison=comparison if isinstance(comparison, Comparison) else None,
        not_compared=comparison if isinstance(comparison, str) else None,
        keys=_keys(listed),
        lines={(run.label, one.row.file, one.row.place): place for place, (run, one) in enumerate(listed)},
        data=as_json(_table(listed, rule, measures[:-1])),
        math=as_json(formulas.rendered(_prose(texts))),
        chunks=[
            as_json([_detail(*one, said) for one, said in zip(listed[at:end], texts[at:end], strict=True)])
            for at, end in ((at, at + CHUNK) for at in range(0, len(listed), CHUNK))
        ],
    )


def asset(name: str) -> str:
    return (files("perception_reward.service.report") / "templates" / name).read_text(encoding="utf-8")


def as_json(value: object) -> Any:
    """JSON that no HTML parser ends early: `</script>` and `<!--` cannot stand in it."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.encode("utf-8", "replace").decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _overview(run: Run, measures: Sequence[str]) -> dict[str, Any]:
    return {
        "label": run.label,
        "rollouts": len(run.rollouts),
        "missing": reasons(one.row for one in run.rollouts),
        "groups": len(run.groups),
        "foreign": run.foreign,
        "means": {name: _mean(_values(run, name)) for name in measures},
    }


def _mean(values: Sequence[float]) -> tuple[float, float, int] | None:
    """Mean, half the width of its normal 95 % interval, and of how many."""
    if not values:
        return None
    mean = fmean(values)
    spread = (sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)) ** 0.5
    return mean, Z * spread / len(values) ** 0.5, len(values)


def _values(run: Run, name: str) -> list[float]:
    return [value for one in run.rollouts if (value := one.row.value(name)) is not None]


def _distributions(runs: Sequence[Run], measures: Sequence[str]) -> list[Picture]:
    pictures: list[Picture] = []
    for name in measures:
        series = {run.label: values for run in runs if (values := _values(run, name))}
        every = [value for values in series.values() for value in values]
        if every and min(every) < max(every):
            low, high = registered()[name].bounds if name in registered() else (min(every), max(every))
            low = 0.0 if name == "perception" and min(every) >= 0 else low
            pictures.append(histogram(name, series, low=low, high=max(high, low + 1e-6)))
    return pictures


def _trends(runs: Sequence[Run], measures: Sequence[str]) -> list[Picture]:
    pictures: list[Picture] = []
    for name in (*measures, "length"):

        def value(one: Rollout, name: str = name) -> float | None:
            if name == "length":
                return None if one.length is None else float(one.length)
            return one.row.value(name)

        series = {
            run.label: [(float(step), fmean(values)) for step, values in by_step(run.rollouts, value).items()]
            for run in runs
        }
        series = {label: points for label, points in series.items() if len(points) > 1}
        if len({mean for points in series.values() for _, mean in points}) > 1:
            pictures.append(lines("characters" if name == "length" else name, series, x="step"))
    return pictures


def _quadrants(run: Run, rule: Rule, places: Mapping[int, int]) -> dict[str, Any]:
    found = _by_quadrant(run, rule)
    known = sum(map(len, found.values()))
    examples = _examples(found)
    return {
        "label": run.label,
        "known": known,
        "unknown": len(run.rollouts) - known,
        "counts": {name: len(members) for name, members in found.items()},
        "examples": {name: [places[id(one)] for one in shown if id(one) in places] for name, shown in examples.items()},
    }


def _by_quadrant(run: Run, rule: Rule) -> dict[str, list[Rollout]]:
    found: dict[str, list[Rollout]] = {name: [] for name in QUADRANTS}
    for one in run.rollouts:
        if (where := quadrant(one, rule)) is not None:
            found[where].append(one)
    return found


def _examples(found: Mapping[str, Sequence[Rollout]]) -> dict[str, list[Rollout]]:
    """Some of each quadrant, of as many problems as there are."""
    shown: dict[str, list[Rollout]] = {}
    for name, members in found.items():
        first: dict[object, Rollout] = {}
        for one in members:
            first.setdefault(one.group[1] if one.group is not None else one.place, one)
        own = {one.place for one in first.values()}
        shown[name] = [*first.values(), *(one for one in members if one.place not in own)][:EXAMPLES]
    return shown


def _errors(runs: Sequence[Run], rule: Rule, by: str | None) -> Picture | None:
    found = [one for run in runs for one in perception_errors(run, rule, by)]
    if not found:
        return None
    only = f"{runs[0].label}, " if len(runs) == 1 else ""
    rows = [
        (f"{one.name.removeprefix(only)} ({one.misseen}/{one.wrong})", one.share, one.low, one.high)
        for one in found[:60]
    ]
    return intervals("Wrong answers that saw wrong", rows, ["", "share", "95 % interval"])


def _attribution(runs: Sequence[Run]) -> Picture | None:
    found = {
        f"{run.label}: {one.groups - one.flat} of {one.groups} groups with spread": one.share
        for run in runs
        if (one := attribution(run)) is not None and any(one.share.values())
    }
    return stacks("What the advantages are made of", found) if found else None


def _lambdas(run: Run, profile: Profile) -> Picture | None:
    current = profile.weight("perception", None)
    found = sensitivity(run, current)
    if not found:
        return None
    told: dict[str, Callable[[Sensitivity], float | None]] = {
        "pairs in another order": lambda one: one.reordered,
        "groups with another best": lambda one: one.other_best,
        "advantage from perception": lambda one: one.perception,
        "wrong answer above a right one": lambda one: one.wrong_first,
        "groups without spread": lambda one: one.flat,
    }
    series = {name: _points(found, read) for name, read in told.items()}
    series = {name: points for name, points in series.items() if points}
    title = f"{run.label}: by the weight of perception (now {current:g})"
    return lines(title, series, x="λ", percent=True, mark=current)


def _points(found: Sequence[Sensitivity], read: Callable[[Sensitivity], float | None]) -> list[tuple[float, float]]:
    return [(one.weight, value) for one in found if (value := read(one)) is not None]


def _pairs(run: Run) -> list[tuple[Rollout, Rollout]]:
    """Best and worst of the groups that perception tells apart most, and first where the worst contradicts a fact, else
    the score; those with texts alone."""

    def spread(pair: tuple[Rollout, Rollout]) -> tuple[float, int, float]:
        best, worst = pair
        seen = (best.row.value("perception") or 0.0) - (worst.row.value("perception") or 0.0)
        return seen, worst.row.contradicted, (best.score or 0.0) - (worst.score or 0.0)

    pairs: list[tuple[Rollout, Rollout]] = []
    for members in run.groups.values():
        ranked = sorted((one for one in members if one.length), key=lambda one: one.score or 0.0)
        if len(ranked) > 1 and (ranked[-1].score or 0.0) > (ranked[0].score or 0.0):
            pairs.append((ranked[-1], ranked[0]))
    return sorted(pairs, key=spread, reverse=True)


def _listed(
    runs: Sequence[Run], pairs: Iterable[tuple[Rollout, Rollout]], rule: Rule, most: int
) -> list[tuple[Run, Rollout]]:
    """What the page shows first, then the others, of which evenly many are left out where there are too many."""
    first = {id(one) for pair in pairs for one in pair}
    for run in runs:
        first |= {id(one) for shown in _examples(_by_quadrant(run, rule)).values() for one in shown}
    every = [(run, one) for run in runs for one in run.rollouts]
    shown = [pair for pair in every if id(pair[1]) in first][:most]
    others = [pair for pair in every if id(pair[1]) not in first]
    room_left = most - len(shown)
    if len(others) > room_left:
        others = [others[place * len(others) // room_left] for place in range(room_left)]
    return shown + others


def _keys(listed: Sequence[tuple[Run, Rollout]]) -> list[str]:
    """How a link names each rollout: its run and id, and its line where that is not enough."""
    names = [f"{run.label}/{one.row.id if one.row.id is not None else one.row.place}" for run, one in listed]
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [
        name if seen[name] == 1 else f"{name}:{one.place + 1}" for name, (_, one) in zip(names, listed, strict=True)
    ]


def _table(listed: Sequence[tuple[Run, Rollout]], rule: Rule, components: Sequence[str]) -> dict[str, Any]:
    rows: list[list[Any]] = []
    for (run, one), key in zip(listed, _keys(listed), strict=True):
        rows.append(
            [
                key,
                run.label,
                one.group[1] if one.group is not None else "",
                one.row.step,
                _short(one.score),
                _short(one.advantage),
                one.length,
                quadrant(one, rule) or "",
                " ".join(one.flags),
                one.row.reason or "",
                *(_short(one.row.value(name)) for name in components),
            ]
        )
    return {"rows": rows, "chunk": CHUNK, "components": components}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _texts(runs: Sequence[Run], listed: Sequence[tuple[Run, Rollout]]) -> list[Texts]:
    """Those of the listed rollouts, read again from the runs' files."""
    found = {
        id(one): said
        for run in runs
        if (own := [one for its, one in listed if its is run])
        for one, said in zip(own, run.texts(own), strict=True)
    }
    return [found[id(one)] for _, one in listed]


def _prose(texts: Sequence[Texts]) -> Iterable[str]:
    for said in texts:
        yield said.question or ""
        yield (said.response or "")[:MOST_CHARACTERS]


def _detail(run: Run, one: Rollout, said: Texts) -> list[Any]:
    """[response, characters left out, question, answer, facts, parts of the score, parts of the advantage, place]."""
    response = said.response or ""
    shown = response[:MOST_CHARACTERS]
    facts = [
        [
            fact.text or fact.id,
            fact.verdict,
            _short(fact.probability),
            *_units(shown, fact.span),
            "false of the image" if fact.id in said.false else "not paid for" if fact.id in said.idle else "",
        ]
        for fact in said.facts
    ]
    parts = {name: _short(value) for name, value in run.parts(one).items()}
    shares = {name: _short(value) for name, value in (advantage_parts(run, one) or {}).items()}
    left_out = len(response) - len(shown)
    place = f"{one.row.file}:{one.row.place}"
    return [None if said.response is None else shown, left_out, said.question, said.answer, facts, parts, shares, place]


def _units(text: str, span: tuple[int, int] | None) -> tuple[int, int] | tuple[None, None]:
    """A span in the units that browsers count in, two of which some characters take; None where it is not shown."""
    if span is None or not 0 <= span[0] < span[1] <= len(text):
        return None, None
    start = len(text[: span[0]].encode("utf-16-le", "surrogatepass")) // 2
    return start, start + len(text[span[0] : span[1]].encode("utf-16-le", "surrogatepass")) // 2
