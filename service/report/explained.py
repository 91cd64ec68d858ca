"""A scored rollout for people: the response with the words that decided, and where each number comes from.

screen().print(explained(item, annotation, result, profile))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from perception_reward.annotations.model import Annotation
from perception_reward.service.profiles.model import Profile
from perception_reward.service.rewards.perception import PerceptionRule
from perception_reward.service.rewards.registry import registered
from perception_reward.service.scoring.combine import shut_component
from perception_reward.service.scoring.responses import response_text
from perception_reward.trainer_client.reference import texts_of
from perception_reward.trainer_client.wire import Fact, FactResult, ItemResult, ScoreItem

Verdicts: TypeAlias = Sequence[tuple[Fact, FactResult]]

TRUE, FALSE, NOTHING = "green", "red", "dim"
SUPERSCRIPTS = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹˒")


def explained(
    item: ScoreItem, annotation: Annotation | None, result: ItemResult, profile: Profile, step: int | None = None
) -> RenderableType:
    """The question, the response with its marks, the facts with their verdicts, and what makes the score."""
    known = item.facts if item.facts is not None else annotation.facts if annotation is not None else ()
    verdicts = list(zip(known, result.facts or (), strict=False))
    heading = Text(item.id or "rollout", "bold").append(f"  {_asked(item, annotation)}", "not bold")
    parts: list[RenderableType] = [heading, _indented(marked(response_text(item.response), verdicts))]
    if verdicts:
        parts.append(_indented(_facts(verdicts, profile.perception)))
    parts.append(_indented(_numbers(result, verdicts, profile, step)))
    return Group(*parts)


def _asked(item: ScoreItem, annotation: Annotation | None) -> str:
    answer = item.answer if item.answer is not None else annotation.answer if annotation is not None else None
    parts = [annotation.question] if annotation is not None and annotation.question else []
    if answer is not None:
        parts.append(f"(right: {' or '.join(texts_of(answer))})")
    return " ".join(parts)


def marked(response: str, verdicts: Verdicts) -> Text:
    """The response without blank lines; the words that decided about the n-th fact stand in ‹…›ⁿ."""
    numbers: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (_, verdict) in enumerate(verdicts, start=1):
        if verdict.span is not None:
            numbers[verdict.span].append(number)
    marks: list[tuple[int, int, str]] = []
    text = Text(response)
    for (start, end), found in numbers.items():
        style = FALSE if any(_is_false(*verdicts[number - 1]) for number in found) else TRUE
        text.stylize(style, start, end)
        # What ends at a place ends before anything begins there.
        marks += [(start, 1, "‹"), (end, 0, f"›{','.join(map(str, found))}".translate(SUPERSCRIPTS))]
    whole = Text()
    at = 0
    for place, _, mark in sorted(marks):
        whole.append_text(text[at:place]) if place > at else None
        whole.append(mark, "bold")
        at = place
    whole.append_text(text[at:]) if at < len(text) else None
    return Text("\n").join(line for line in whole.split("\n") if line.plain.strip())


def _facts(verdicts: Verdicts, rule: PerceptionRule) -> Table:
    table = _table("", "verdict", "p", "fact")
    table.columns[3].overflow = "fold"
    for number, (fact, verdict) in enumerate(verdicts, start=1):
        style = FALSE if _is_false(fact, verdict) else TRUE if verdict.verdict == "stated" else NOTHING
        said = Text(fact.claim)
        if note := _note(fact, rule):
            said.append(f"  ({note})", "dim")
        if verdict.trace is not None:
            said.append(f"\n{verdict.trace.reason}", "dim")
        table.add_row(str(number), Text(verdict.verdict, style), f"{verdict.probability:.2f}", said)
    return table


def _note(fact: Fact, rule: PerceptionRule) -> str:
    if fact.polarity == "distractor":
        return "false of the image"
    if rule.weight(fact) > 0:
        return f"weight {fact.weight:g}" if fact.weight != 1.0 else ""
    why = {"given": "the question gives it", "derived": "it is derived"}.get(fact.origin, "it has no weight")
    return f"does not count: {why}"


def _is_false(fact: Fact, verdict: FactResult) -> bool:
    """Whether the response says what is not so of the image."""
    return verdict.verdict == ("stated" if fact.polarity == "distractor" else "contradicted")


def _numbers(result: ItemResult, verdicts: Verdicts, profile: Profile, step: int | None) -> Table:
    table = _table("component", "value", "weight", "because", header=False)
    reasons = {
        "format": _format(result.components.get("format")),
        "accuracy": _accuracy(result.components.get("accuracy")),
        "perception": _perception(result, verdicts, profile.perception),
        "repetition": _repetition(result.components.get("repetition")),
    }
    shut = shut_component(profile, result.components)
    for name, value in result.components.items():
        weight = profile.weight(name, step)
        if weight or value is not None:
            gate = "; the profile's gate lets it count for nothing" if name == shut else ""
            table.add_row(name, _number(value), f"× {weight:g}", reasons.get(name, _described(name)) + gate)
    sum_ = "" if result.score is not None else f"missing: {result.reason}"
    table.add_row(Text("score", "bold"), Text(_number(result.score), "bold"), "", sum_ or f"profile {profile.name}")
    return table


def _format(value: float | None) -> str:
    if value is None:
        return ""
    return "a thought, then an answer in a \\boxed{}" if value else "not a thought and then an answer in a \\boxed{}"


def _accuracy(value: float | None) -> str:
    if value is None:
        return "no reference answer"
    return "the answer is right" if value else "the answer is not right"


def _repetition(value: float | None) -> str:
    return "words are repeated at length" if value else "nothing is repeated at length"


def _perception(result: ItemResult, verdicts: Verdicts, rule: PerceptionRule) -> str:
    if result.components.get("perception") is None:
        return "no facts that count" if result.reason is None else ""
    counted = [(fact, verdict) for fact, verdict in verdicts if rule.weight(fact) > 0]
    return "".join(_shares(counted, rule))


def _shares(counted: Verdicts, rule: PerceptionRule) -> Iterator[str]:
    present = [verdict for fact, verdict in counted if fact.polarity == "present"]
    stated = sum(verdict.verdict == "stated" for verdict in present)
    yield f"{stated} of {len(present)} facts stated"
    false = sum(verdict.verdict == "stated" for fact, verdict in counted if fact.polarity == "distractor")
    if false and rule.distractor_cost:
        yield f", less {false * rule.distractor_cost:g} for {'a false one' if false == 1 else f'{false} false ones'}"
    denied = sum(verdict.verdict == "contradicted" for verdict in present)
    if denied and rule.contradiction_cost:
        yield f", less {denied * rule.contradiction_cost:g} for {denied} contradicted"


def _described(name: str) -> str:
    known = registered().get(name)
    return known.description.rstrip(".") if known is not None else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(*columns: str, header: bool = True) -> Table:
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), show_header=header, header_style="dim")
    for place, column in enumerate(columns):
        if column in ("p", "value", "weight"):
            table.columns[place].justify = "right"
        table.columns[place].no_wrap = column not in ("fact", "because")
    return table


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (1, 0, 0, 2))
