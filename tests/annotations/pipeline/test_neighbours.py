"""False neighbours are near, of every kind, and not true by what else is known."""

from __future__ import annotations

import random

import pytest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.asks import Answer
from perception_reward.annotations.pipeline.neighbours import (
    ENTAILED,
    Distracted,
    Distracting,
    Entailment,
    NeighbourReport,
    false_neighbours,
)
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.wording import wording
from perception_reward.annotations.pipeline.work import without_asking
from perception_reward.trainer_client.wire import Fact


def neighbours(text: str, *others: str) -> list[tuple[str, str]]:
    return list(false_neighbours(text, [text, *others], random.Random(1)))


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("The bar for 2019 is 45.", ["The bar for 2020 is 70."], ("The bar for 2019 is 70.", "cell")),
        ("The large ball is red.", ["The small ball is blue."], ("The large ball is blue.", "colour")),
        ('The sign reads "STOP".', ['The wall says "EXIT".'], ('The sign reads "EXIT".', "text")),
        ("The cup is left of the plate.", [], ("The plate is left of the cup.", "element")),
        ("The cup is left of the plate.", [], ("The cup is right of the plate.", "order")),
        ("The line increases.", [], ("The line decreases.", "relation")),
        ("AB = 5.", ["The length of CD is 8 cm."], ("AB = 8.", "cell")),
        ("The side AB has a length of 12 cm.", ["CD = 9."], ("The side AB has a length of 9 cm.", "cell")),
        ("In the image, segment AB is 3 long.", [], ("In the image, segment AB is 4 long.", "value")),
        ("The measure of angle ABC is 30°.", ["∠DEF = 50°"], ("The measure of angle ABC is 50°.", "cell")),
    ],
)
def test_there_is_one_of_every_kind(text: str, others: list[str], expected: tuple[str, str]) -> None:
    assert expected in neighbours(text, *others)


def test_counts_stay_words_where_they_were_words() -> None:
    found = neighbours("There are three red balls.")
    assert {kind for _, kind in found} == {"count"}
    assert all(text.startswith("There are ") for text, _ in found)
    assert any(text in ("There are two red balls.", "There are four red balls.") for text, _ in found)


@pytest.mark.parametrize(
    ("text", "others", "never"),
    [
        # What another fact says is no distractor, nor what is nearly the same, nor another word of the same colour.
        ("The ball is red.", ["The ball is blue."], "The ball is blue."),
        ("The bar is 100.", [], "The bar is 101."),
        ("The wall is grey.", [], "The wall is white."),
        ("There are at least 3 cats.", [], "There are at least 4 cats."),
        ("Triangle ABC is a right triangle.", [], "Triangle ABC is a left triangle."),
        ("The cat is not above the dog.", [], "The cat is not below the dog."),
        # What is said of one of many may be true of another, and what says which thing is meant stays.
        ("One of the dice shows five.", [], "One of the dice shows four."),
        ("A cat is black.", ["The dog is white."], "A cat is white."),
        ('The list has an item named "Title".', ['The button says "Save".'], 'The list has an item named "Save".'),
        ("The upper plot is blue and wide.", [], "The lower plot is blue and wide."),
        ("The last row has four cells.", [], "The first row has four cells."),
        ("57 tiles are left.", [], "57 tiles are right."),
        ("There are pots on the top shelf.", [], "There are pots on the bottom shelf."),
        ("Trucks are parked outside of a market.", [], "Trucks are parked inside of a market."),
        ("Several people are standing outside a boat.", [], "Several people are standing inside a boat."),
        ("There is one cyan object.", ["There is one blue cube."], "There is one blue object."),
        ("There are 6 chairs around the larger table.", [], "There are 6 chairs around the smaller table."),
        ("The green blocks are made of metal.", ["The ball is white."], "The white blocks are made of metal."),
        ("The cook sold 45 pizzas of the 12-inch size.", [], "The cook sold 45 pizzas of the 10-inch size."),
        ("Sandpipers eat the organism marked 2.", [], "Sandpipers eat the organism marked 3."),
        ("A grey horse is behind a fence.", [], "A fence is behind a grey horse."),
        ("Portugal's line is above 35 hours.", [], "35 hours is above Portugal's line."),
        ("Two horses stand outside.", [], "Two horses stand inside."),
        ("Ohio falls in the range 42-62.", [], "Ohio rises in the range 42-62."),
        ("The clapping is from 2:10 on.", [], "The clapping is from 2:11 on."),
        ("Exactly one cat stands there.", [], "Exactly four cat stands there."),
        ("The lesson is 60% complete.", ["The number is 1489."], "The lesson is 1489% complete."),
        ("The tallest bar is next to the shortest one.", [], "The tallest bar is next to the longest one."),
        ("AB = 2x + 3.", ["CD = 8."], "AB = 2x + 8."),
        ("AB = 5.", ["The length of BA is 6."], "AB = 6."),
        ("AB = 5.", ["The measure of angle C is 30°."], "AB = 30."),
        ("The measure of angle 3 is x.", [], "The measure of angle 4 is x."),
        ("∠ABC = 170°", [], "∠ABC = 190°"),
    ],
)
def test_what_may_be_true_is_never_drawn(text: str, others: list[str], never: str) -> None:
    assert never not in [found for found, _ in neighbours(text, *others)]


def test_a_corner_is_upper_and_not_higher() -> None:
    found = [text for text, _ in neighbours("The button is in the lower right corner of the screen.")]
    assert "The button is in the upper right corner of the screen." in found
    assert not any("higher" in text for text in found)


def annotation(*texts: str) -> Annotation:
    return Annotation(id="a", facts=[Fact(id=f"f{at}", text=text) for at, text in enumerate(texts, 1)])


def test_an_annotation_gets_some_of_each_fact_and_the_same_seed_the_same_ones() -> None:
    one = annotation("The large ball is red.", "There are 3 cats.", "Segment AB has length 5.", "A dog sleeps.")
    found = without_asking(Distracting(most=4).step(one))
    again = without_asking(Distracting(most=4).step(one))
    assert found.annotation == again.annotation
    added = [fact for fact in found.annotation.facts if fact.polarity == "distractor"]
    assert len(added) == 4
    assert not {wording(fact.text).key for fact in added} & {wording(fact.text).key for fact in one.facts}
    assert without_asking(Distracting(most=4).step(found.annotation)).annotation == found.annotation
    assert without_asking(Distracting(seed=1).step(one)).annotation != found.annotation


def test_what_a_judge_takes_for_said_by_the_facts_is_not_drawn() -> None:
    one = annotation("The cup is left of the plate.")
    alone = {fact.text for fact in without_asking(Distracting().step(one)).annotation.facts}
    assert "The plate is left of the cup." in alone

    def heard(text: str, statement: str) -> bool:
        return statement.startswith("The plate") and "cup" in text

    kept = {fact.text for fact in without_asking(Distracting(heard=heard).step(one)).annotation.facts}
    assert kept == alone - {"The plate is left of the cup."}


def test_what_a_model_finds_implied_is_dropped() -> None:
    steps = Distracting(most=2, entailed=Prompt.read("entailed")).step(annotation("The large ball is red."))
    asks = next(steps)
    assert all("The large ball is red." in ask.text for ask in asks)
    with pytest.raises(StopIteration) as end:
        steps.send([Answer(value=Entailment(verdict="true")), Answer(value=Entailment(verdict="open"))])
    found: Distracted = end.value.value
    assert [why for _, why in found.dropped] == [ENTAILED]
    report = NeighbourReport()
    report.add(found)
    assert report.lines()[0] == "1 annotations, 1 distractors; 0 annotations without any"
