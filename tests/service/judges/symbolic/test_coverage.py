"""Facts that are not geometry, judged by how much of them is said and what stands in their values' places."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.coverage import (
    MOST_COMPARED,
    Features,
    decide,
    look,
    packaged,
    probabilities,
    wanted,
)
from perception_reward.service.judges.symbolic.passages import MOST_PASSAGES, Passages
from perception_reward.trainer_client.wire import Fact


def judge(fact: str, response: str) -> Verdict:
    return decide(Fact(id="f", text=fact), Passages(read(response)))


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("There are three dogs.", "I count 3 dogs."),
        ("There are 3 dogs.", "Three brown dogs are visible."),
        ("There are three dogs.", "- dogs: 3"),
        ("There are three dogs.", "The number of dogs is 3."),
        ("There is exactly 1 bus.", "There is a single bus."),
        ("The car is red.", "A red car stands in the street."),
        ("The car is red.", "Note that the car is red."),
        ("The car is red.", "The colour of the car is red."),
        ("The gray cat sleeps.", "A grey cat is sleeping."),
        ("Sales in 2019 were 40.", "In 2019, sales reached 40."),
        ("Sales in 2019 were 40.", "| Year | Sales |\n|---|---|\n| 2018 | 30 |\n| 2019 | 40 |"),
        ("Sales in 2019 were 40.", "| Year | Costs | Sales |\n|---|---|---|\n| 2019 | 12 | 40 |"),
        ("The population was 2,000.", "The population was 2 thousand."),
        ("The sign reads STOP.", 'There is a sign that says "STOP".'),
        ("The label reads EXIT.", "The label says EXIT."),
        ("The cup is left of the plate.", "To the left of the plate is the cup."),
        ("There is no dog.", "I see no dog here."),
        ("There is a dog.", "In the corner I can see a dog."),
        ("Sales rose in 2019.", "In 2019 the sales increased."),
        ("A man rides a wave on a surfboard.", "A man is riding a wave on a surfboard."),
        ("There are ten points altogether.", "There are 10 points in total."),
        ("The value for Norway is 56%.", "The data for Norway is 56% and for Italy is 22.90%."),
        ("Stone A is labelled 5 kg.", "The sum of the weights of stones A and E is 5 kg + 33 kg = 38 kg."),
    ],
)
def test_a_fact_said_in_other_words_is_stated(fact: str, response: str) -> None:
    assert judge(fact, response).label == "stated"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("There are three dogs.", "I see 2 dogs."),
        ("There are three dogs.", "There are no dogs."),
        ("There are three dogs.", "There aren't three dogs."),
        ("There are three dogs.", "It is false that there are three dogs."),
        ("The car is red.", "The claim that the car is red is wrong."),
        ("The car is red.", "There is a blue car."),
        ("The car is red.", "The car isn't red."),
        ("The large box is closed.", "The large box is open."),
        ("Sales in 2019 were 40.", "In 2019, sales reached 45."),
        ("Sales in 2019 were 40.", "| Year | Sales |\n|---|---|\n| 2018 | 40 |\n| 2019 | 45 |"),
        ("The sign reads NO PARKING.", "The sign doesn't say NO PARKING."),
        ("The sign reads STOP.", "The sign does not say STOP."),
        ("The cup is left of the plate.", "The cup is to the right of the plate."),
        ("There is no dog.", "There is a dog."),
        ("There is a dog.", "There is no dog."),
        ("Sales rose in 2019.", "Sales fell in 2019."),
        ("Prices are highest in June.", "Prices are lowest in June."),
        ("There are four chairs.", "The image shows five chairs and four plates."),
        ("There are six guitars.", "There are no guitars in the image."),
    ],
)
def test_another_value_or_a_negation_contradicts(fact: str, response: str) -> None:
    assert judge(fact, response).label == "contradicted"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("There are three dogs.", "There are three cats."),
        ("Sales in 2019 were 40.", "Sales in 2018 reached 40."),
        ("Sales in 2019 were 40.", "Costs in 2019 reached 40."),
        ("The sign reads STOP.", 'The banner says "STOP".'),
        ("The cup is left of the plate.", "There is a cup, and there is a plate."),
        ("The cup is left of the plate.", "The fork is left of the plate."),
        ("There are four big chairs.", "There are four big cats."),
        ("There is a dog.", "There is a cat."),
        ("The display shows 0.", "The answer is 0."),
        ("There is a dog.", ""),
        ("A man rides a wave on a surfboard.", "A man carries a surfboard along the beach."),
    ],
)
def test_what_is_said_of_other_things_leaves_the_fact_absent(fact: str, response: str) -> None:
    assert judge(fact, response).label == "absent"


@pytest.mark.parametrize(
    "response",
    [
        "Maybe there are three dogs.",
        "If there are three dogs, the answer is 3.",
        "Are there three dogs?",
        "Suppose there are three dogs.",
        "(A) There are three dogs\n(B) There are two dogs\n(C) There are four dogs",
    ],
)
def test_a_sentence_that_does_not_commit_states_nothing(response: str) -> None:
    verdict = judge("There are three dogs.", response)
    assert verdict.label == "absent"
    assert verdict.probability < 0.5


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("There are three dogs.", "There are three dogs. There are four dogs."),
        ("The car is red.", "The car is red. The car is not red."),
        ("There is a dog.", "There is a dog. There is no dog."),
    ],
)
def test_a_fact_and_its_contradiction_together_do_not_state(fact: str, response: str) -> None:
    verdict = judge(fact, response)
    assert verdict.label == "contradicted"
    assert verdict.probability < 0.5


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("There are three dogs.", "There is 1 dog, 2 dogs, 3 dogs, 4 dogs."),
        ("There are three dogs.", " ".join(f"There are {number} dogs." for number in range(20))),
        ("The car is red.", "There is a red blue green yellow car."),
        ("The car is red.", "The car is red. The car is blue. The car is green."),
        ("Sales in 2019 were 40.", "In 2019 sales were 10 20 30 40 50 60."),
        ("The display shows 7.", "I see that the display shows 3. I also see that the display shows 7."),
        ("The highest share is in 2006.", "The highest share is in 2016. I also see the highest share is in 2006."),
        ("A and D are 7 apart.", "Then a and D are 7 apart. Then a and D are 9 apart."),
        ("Twelve tables are needed.", "Twelve tables are needed, and yet five tables are needed."),
    ],
)
def test_listing_every_value_states_none(fact: str, response: str) -> None:
    assert judge(fact, response).label != "stated"


@pytest.mark.parametrize("bound", ["more than", "fewer than", "over", "at least", "at most", "almost"])
def test_a_bound_is_not_the_number(bound: str) -> None:
    assert judge("There are 30 dogs.", f"There are {bound} 30 dogs.").label != "stated"
    assert judge(f"There are {bound} 30 dogs.", f"There are {bound} thirty dogs.").label == "stated"
    assert judge(f"There are {bound} 30 dogs.", "There are 30 dogs.").label != "stated"


def test_bare_numbers_beside_a_fact_of_nothing_but_its_number_take_nothing_back() -> None:
    assert judge("The number 23 appears.", "The sequence is:\n\n2\n\n7\n\n23\n\n10").label == "stated"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Boat A has one circle.", "Boat A has 1 circle. Boat B has 2 circles. Boat C has 3 circles."),
        ("Nine squares are white.", "There are 9 white squares. There are 4 grey squares in total."),
        ("The puzzle has 5 pieces.", "The image shows a puzzle with 5 pieces. Two pieces are missing from the puzzle."),
        (
            "In the third graph Sue has four friends.",
            "In the first graph, Sue has 4 friends. In the third, Sue has 4 friends.",
        ),
        ("Option A contains five circles.", "Option (A) has 5 circles. Option (B) has 4 circles."),
        ("Subject 1 has 70 beats.", "- Subject 1: 70 beats\n- Subject 2: 72 beats\n- Subject 3: 74 beats"),
    ],
)
def test_what_is_said_of_a_neighbour_takes_nothing_back(fact: str, response: str) -> None:
    assert judge(fact, response).label == "stated"


def test_a_fact_that_denies_is_stated_by_whoever_refutes_its_opposite() -> None:
    fact = "South Dakota is not the state with the highest value."
    assert judge(fact, "The claim that South Dakota has the highest value of all states is false.").label == "stated"
    assert judge(fact, "South Dakota is the state with the highest value.").label == "contradicted"


def test_another_thing_of_the_same_sort_contradicts_nothing() -> None:
    assert judge("The car is red.", "The car is red. Behind it stands another car, which is blue.").label == "stated"


def test_the_span_holds_the_words_that_carry_the_fact() -> None:
    response = "Let me look. There are **three** dogs on the lawn. It rains."
    span = judge("There are three dogs.", response).span
    assert span is not None
    assert response[slice(*span)] == "three** dogs"


def test_the_span_of_a_table_is_the_row() -> None:
    response = "| Year | Sales |\n|---|---|\n| 2018 | 30 |\n| 2019 | 40 |"
    span = judge("Sales in 2019 were 40.", response).span
    assert span is not None
    assert "2019" in response[slice(*span)]
    assert "2018" not in response[slice(*span)]


def test_more_of_the_fact_ranks_higher() -> None:
    fact = "A brown horse jumps over a white fence."
    responses = (
        "A boat lies in the harbour.",
        "A horse stands there.",
        "A horse jumps over a fence.",
        "A brown horse jumps over a fence.",
        "A brown horse jumps over a white fence.",
    )
    ranked = [judge(fact, response).probability for response in responses]
    assert ranked == sorted(ranked)


@given(st.text(min_size=1).filter(str.strip), st.text())
def test_any_text_gets_a_verdict_within_its_bounds(fact: str, response: str) -> None:
    if not 1 <= len(fact) <= 2000:
        return
    try:
        asked = Fact(id="f", text=fact)
    except ValueError:
        return
    verdict = decide(asked, Passages(read(response)))
    assert 0.0 <= verdict.probability <= 1.0
    assert 0.0 <= verdict.certainty <= 1.0
    assert verdict.span is None or 0 <= verdict.span[0] <= verdict.span[1] <= len(response)


@pytest.mark.parametrize(
    "unit",
    ["(", "a ", "not ", "three dogs ", "| dog | 3 |\n", "dogs 3, ", "9", "\ud800", "\u202e", "- dogs: 3\n", "🐕"],
)
def test_a_megabyte_of_anything_is_read_in_bounded_time(unit: str) -> None:
    response = unit * (1_000_000 // len(unit))
    began = time.process_time()
    judge("There are three big dogs left of the red car.", response)
    assert time.process_time() - began < 5.0


def test_where_all_that_is_alike_is_compared_nothing_is_cut() -> None:
    other = "I see a car. " * 2 * MOST_COMPARED
    assert judge("The dog has two balls.", f"{other} The dog has two balls.").truncated is False


def test_a_verdict_on_a_table_that_is_not_read_to_its_end_is_truncated() -> None:
    row = "|a" + "|1" * 300 + "|\n"
    assert judge("The dog is 3.", row * (MOST_PASSAGES // 290) + "\nThe dog is 3.").truncated


def test_a_long_fact_is_read_in_bounded_time() -> None:
    began = time.process_time()
    judge("The sign says " + "dog " * 450, "The sign says " + "dog " * 20_000)
    assert time.process_time() - began < 5.0


def test_captions_rank_above_their_foils(shared_data: Path) -> None:
    with (shared_data / "captions" / "foils.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["type"].startswith(("valse/existence", "valse/counting"))][::8]
    wins = sum(
        judge(row["caption"], row["caption"]).probability > judge(row["caption"], row["foil"]).probability
        for row in rows
    )
    assert wins / len(rows) > 0.95


def test_labelled_real_responses_outside_geometry_are_told_apart(shared_data: Path) -> None:
    with (shared_data / "labelled" / "general.jsonl").open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if not row["doubtful"]]
    said = [(judge(row["fact"], row["response"]).label, row["label"]) for row in rows]
    stated = [right for label, right in said if label == "stated"]
    assert sum(label == right for label, right in said) / len(said) >= 0.6
    assert stated.count("stated") / len(stated) >= 0.87
    assert stated.count("stated") / sum(right == "stated" for _, right in said) >= 0.43


BARS = "| day | books |\n|---|---|\n| Monday | 40 |\n| Thursday | 60 |"


@pytest.mark.parametrize(
    ("fact", "response", "right"),
    [
        ("The bar for Thursday shows 60 books.", BARS, "stated"),
        ("The bar for Thursday shows 45 books.", BARS, "contradicted"),
        ("The bar for Friday shows 60 books.", BARS, "absent"),
        ("The bar for Monday shows 40 books.", "The axis has the days from Monday to Friday, up to 70.", "absent"),
        ("Plums cost 4.20 per kilogram.", "Plums cost 3.10 per kilogram.", "contradicted"),
    ],
)
def test_an_amount_belongs_to_the_element_that_the_sentence_names(fact: str, response: str, right: str) -> None:
    assert judge(fact, response).label == right


@pytest.mark.parametrize(
    ("fact", "response", "label"),
    [
        ("The radius of each circle is 3.5.", "The radius of each circle is $7 / 2=3.5$.", "stated"),
        ("The radius of each circle is 3.", "The radius of each circle is $7 / 2=3.5$.", "contradicted"),
        ("The area of the dove is 192 cm².", r"The area of the dove is $192 \mathrm{~cm}^{2}$.", "stated"),
        ("The area of the dove is 190 cm².", r"The area of the dove is $192 \mathrm{~cm}^{2}$.", "contradicted"),
    ],
)
def test_what_is_calculated_with_is_nobodys_amount(fact: str, response: str, label: str) -> None:
    assert judge(fact, response).label == label


def test_a_measure_is_no_thing_to_count() -> None:
    response = "The area of the dove is 192 cm^2. The flag measures 24 cm x 16 cm."
    assert judge("The area of the dove is 192 cm².", response).label == "stated"
    assert judge("The area of the dove is 24 cm².", response).label == "contradicted"


def test_how_many_there_are_is_not_where_one_of_them_is() -> None:
    assert judge("One dog lies under the bench.", "There are two dogs.").label == "absent"
    assert judge("One dog lies under the bench.", "Two dogs lie under the bench.").label == "contradicted"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("The red car is parked.", "The red bus moves, the blue car is parked."),
    ],
)
def test_a_value_that_stands_nearer_takes_the_facts_place(fact: str, response: str) -> None:
    assert judge(fact, response).label == "contradicted"


def test_the_packaged_weights_are_of_all_features() -> None:
    assert packaged().keys() == {*Features._fields, "bias"}
    chances = probabilities(Features(*[0.0] * len(Features._fields)), packaged())
    assert sum(chances.values()) == pytest.approx(1.0)


def test_what_lacks_a_number_is_nothing_of_the_fact() -> None:
    sought = wanted("The tower is 40 metres high.")
    whole, without = (look(sought, Passages(read(f"The tower is {said} metres high."))) for said in ("40", "some"))
    assert (whole.features.near, without.features.near) == (1.0, 0.0)
    assert without.features.anywhere == pytest.approx(0.75)
    assert without.best == 0


def test_what_only_a_hedge_says_is_settled_against_the_fact() -> None:
    found = judge("A brown horse jumps over a fence.", "Perhaps a brown horse jumps over a fence.")
    assert (found.label, found.settled) == ("absent", True)
