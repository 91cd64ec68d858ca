"""The perception share runs over the stored facts, with their weights and the profile's costs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perception_reward.service.judges.base import Missing, Outcome, Verdict
from perception_reward.service.rewards.perception import PerceptionRule, perception_share
from perception_reward.trainer_client.wire import Fact, Label, Origin, Polarity

PLAIN = PerceptionRule()


def fact(weight: float = 1.0, polarity: Polarity = "present", origin: Origin = "seen") -> Fact:
    return Fact(id="f", text="AB = 5.", weight=weight, polarity=polarity, origin=origin)


STATED = Verdict("stated", 0.8)
CONTRADICTED = Verdict("contradicted", 0.1)
ABSENT = Verdict("absent", 0.3)
DISTRACTOR = fact(polarity="distractor")
GIVEN, DERIVED = fact(origin="given"), fact(origin="derived")


def test_the_share_is_the_weight_of_the_stated_facts_in_the_weight_of_all() -> None:
    assert perception_share([fact(1), fact(3)], [ABSENT, STATED], PLAIN) == 0.75
    assert perception_share([fact(), fact()], [STATED, STATED], PLAIN) == 1.0
    assert perception_share([fact(), fact()], [ABSENT, CONTRADICTED], PLAIN) == 0.0


def test_without_a_present_fact_that_has_weight_there_is_no_share() -> None:
    assert perception_share([], [], PLAIN) is None
    assert perception_share([fact(0)], [STATED], PLAIN) is None
    assert perception_share([DISTRACTOR], [STATED], PerceptionRule(distractor_cost=1)) is None


def test_only_seen_facts_count() -> None:
    assert perception_share([fact(), GIVEN, DERIVED], [ABSENT, STATED, STATED], PLAIN) == 0.0
    assert perception_share([fact(), GIVEN, DERIVED], [STATED, ABSENT, ABSENT], PLAIN) == 1.0
    assert perception_share([GIVEN, DERIVED], [STATED, STATED], PLAIN) is None


def test_what_is_said_of_facts_that_do_not_count_costs_nothing() -> None:
    rule = PerceptionRule(contradiction_cost=1, distractor_cost=1)
    false_of_given = fact(polarity="distractor", origin="given")
    assert perception_share([fact(), GIVEN, false_of_given], [ABSENT, CONTRADICTED, STATED], rule) == 0.0


def test_a_contradicted_fact_costs_what_the_rule_says() -> None:
    facts, outcomes = [fact(), fact()], [STATED, CONTRADICTED]
    assert perception_share(facts, outcomes, PLAIN) == 0.5
    assert perception_share(facts, outcomes, PerceptionRule(contradiction_cost=0.5)) == 0.25
    assert perception_share(facts, outcomes, PerceptionRule(contradiction_cost=1)) == 0.0


def test_a_stated_distractor_takes_back_a_stated_fact_of_its_weight() -> None:
    rule = PerceptionRule(distractor_cost=1)
    assert perception_share([fact(), fact(), DISTRACTOR], [STATED, STATED, STATED], rule) == 0.5
    assert perception_share([fact(), DISTRACTOR, DISTRACTOR], [STATED, ABSENT, CONTRADICTED], rule) == 1.0
    assert perception_share([fact(), fact(), DISTRACTOR], [STATED, STATED, STATED], PLAIN) == 1.0


def test_naming_every_value_earns_nothing_once_distractors_cost() -> None:
    facts = [fact(), DISTRACTOR, DISTRACTOR, DISTRACTOR]
    assert perception_share(facts, [STATED] * 4, PerceptionRule(distractor_cost=1, floor=0)) == 0.0


def test_the_share_stays_above_the_floor() -> None:
    facts, outcomes = [fact(), *[DISTRACTOR] * 9], [CONTRADICTED, *[STATED] * 9]
    assert perception_share(facts, outcomes, PerceptionRule(distractor_cost=1)) == -1.0
    assert perception_share(facts, outcomes, PerceptionRule(distractor_cost=1, floor=-0.25)) == -0.25


def test_probabilities_may_stand_in_for_labels() -> None:
    assert perception_share([fact(), fact()], [STATED, ABSENT], PerceptionRule(probabilities=True)) == 0.55


def test_origins_have_their_weights() -> None:
    rule = PerceptionRule(seen=5, derived=2, given=1)
    assert perception_share([fact(), DERIVED, GIVEN], [STATED, ABSENT, ABSENT], rule) == 0.625
    assert perception_share([fact(), DERIVED, GIVEN], [ABSENT, STATED, ABSENT], rule) == 0.25
    assert perception_share([fact(), DERIVED, GIVEN], [ABSENT, ABSENT, STATED], rule) == 0.125


def test_origins_may_be_rewarded_apart() -> None:
    rule = PerceptionRule(share="origins", given=1)
    facts = [fact(), fact(), fact(), GIVEN]
    assert perception_share(facts, [STATED, STATED, STATED, ABSENT], rule) == 0.5
    assert perception_share(facts, [ABSENT, ABSENT, ABSENT, STATED], rule) == 0.5
    assert perception_share([fact(), fact()], [STATED, ABSENT], rule) == 0.5
    assert perception_share([GIVEN], [STATED], rule) == 1.0


def test_levels_round_a_share_to_nothing_half_or_full() -> None:
    rule = PerceptionRule(levels=(0.5, 0.8))
    facts = [fact() for _ in range(10)]
    shares = {
        stated: perception_share(facts, [STATED] * stated + [ABSENT] * (10 - stated), rule)
        for stated in (0, 4, 5, 7, 8, 10)
    }
    assert shares == {0: 0.0, 4: 0.0, 5: 0.5, 7: 0.5, 8: 1.0, 10: 1.0}


def test_levels_that_fall_are_refused() -> None:
    with pytest.raises(ValidationError, match="above"):
        PerceptionRule(levels=(0.8, 0.5))


def test_a_missing_outcome_makes_the_share_missing_with_its_reason() -> None:
    missing = Missing("judge_timeout")
    assert perception_share([fact(), fact()], [STATED, missing], PLAIN) == missing
    assert perception_share([fact(), GIVEN], [STATED, missing], PerceptionRule(share="origins", given=1)) == missing


def test_a_missing_outcome_that_does_not_count_is_no_harm() -> None:
    missing = Missing("judge_timeout")
    assert perception_share([fact(), fact(0)], [STATED, missing], PLAIN) == 1.0
    assert perception_share([fact(), DISTRACTOR], [STATED, missing], PLAIN) == 1.0
    assert perception_share([fact(), DISTRACTOR], [STATED, missing], PerceptionRule(distractor_cost=1)) == missing
    assert perception_share([fact(), GIVEN], [STATED, missing], PLAIN) == 1.0


def test_every_fact_needs_an_outcome() -> None:
    with pytest.raises(ValueError, match="argument"):
        perception_share([fact(), fact()], [STATED], PLAIN)


LABELS: tuple[Label, ...] = ("stated", "contradicted", "absent")
FACTS = st.builds(
    fact,
    st.floats(0, 1000),
    st.sampled_from(["present", "present", "distractor"]),
    st.sampled_from(["seen", "derived", "given"]),
)
VERDICTS = st.builds(Verdict, st.sampled_from(LABELS), st.floats(0, 1))
PAIRS = st.lists(st.tuples(FACTS, VERDICTS | st.just(Missing("overloaded"))), max_size=12)
RULES = st.builds(
    PerceptionRule,
    contradiction_cost=st.floats(0, 3),
    distractor_cost=st.floats(0, 3),
    seen=st.floats(0, 5),
    derived=st.floats(0, 5),
    given=st.floats(0, 5),
    share=st.sampled_from(["facts", "origins"]),
    probabilities=st.booleans(),
    levels=st.sampled_from([None, (0.5, 0.8)]),
    floor=st.floats(-1, 0),
)


def split(pairs: Sequence[tuple[Fact, Outcome]]) -> tuple[list[Fact], list[Outcome]]:
    return [fact for fact, _ in pairs], [outcome for _, outcome in pairs]


@given(PAIRS, RULES)
def test_a_share_is_a_number_in_its_range_or_missing_or_none(
    pairs: list[tuple[Fact, Outcome]], rule: PerceptionRule
) -> None:
    share = perception_share(*split(pairs), rule)
    assert share is None or isinstance(share, Missing) or rule.floor <= share <= 1.0


@given(st.lists(st.tuples(FACTS, VERDICTS), min_size=1, max_size=12), RULES, st.data())
def test_stating_a_present_fact_never_lowers_the_share(
    pairs: list[tuple[Fact, Outcome]], rule: PerceptionRule, data: st.DataObject
) -> None:
    facts, outcomes = split(pairs)
    place = data.draw(st.integers(0, len(facts) - 1))
    facts[place] = facts[place].model_copy(update={"polarity": "present"})
    better = [*outcomes[:place], Verdict("stated", 1.0), *outcomes[place + 1 :]]
    before, after = perception_share(facts, outcomes, rule), perception_share(facts, better, rule)
    if before is None or after is None:
        assert before is after
    else:
        assert not isinstance(before, Missing)
        assert not isinstance(after, Missing)
        assert after >= before - 1e-9


@given(st.lists(st.tuples(FACTS, VERDICTS), max_size=8), RULES)
def test_the_order_of_the_facts_does_not_matter(pairs: list[tuple[Fact, Outcome]], rule: PerceptionRule) -> None:
    if rule.levels is None:
        forward, backward = perception_share(*split(pairs), rule), perception_share(*split(pairs[::-1]), rule)
        assert forward == backward or forward == pytest.approx(backward, abs=1e-9)
