"""Who is compared with whom, in facts and in responses."""

from __future__ import annotations

import time

import pytest

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.symbolic.coverage import decide
from perception_reward.service.judges.symbolic.passages import Passages
from perception_reward.service.judges.symbolic.roles import from_its_side, roles_of
from perception_reward.service.judges.symbolic.terms import terms
from perception_reward.trainer_client.wire import Fact, Label


def label(fact: str, response: str) -> Label:
    return decide(Fact(id="f", text=fact), Passages(read(response))).label


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Bar B is taller than bar A.", "Bar A is taller than bar B."),
        ("The dog is to the left of the cat.", "The cat is to the left of the dog."),
        ("The lamp is above the table.", "The table is above the lamp."),
        ("Alabama's rate is higher than Florida's.", "Florida's rate is higher than Alabama's."),
        ("The car is behind the truck.", "We can see that the truck is behind the car."),
        ("There are more dogs than cats.", "There are more cats than dogs."),
        ("The bird is over the house.", "The house is over the bird."),
        ("Tokyo is more crowded than Osaka.", "Osaka is more crowded than Tokyo."),
        ("Exports exceeded imports in 2010.", "Imports exceeded exports in 2010."),
        ("The boy stands in front of the girl.", "The girl stands in front of the boy."),
        ("The tree is behind the fence.", "Behind the tree is the fence."),
        ("The cup is inside the box.", "The box is inside the cup."),
    ],
)
def test_a_relation_the_other_way_round_contradicts(fact: str, response: str) -> None:
    assert label(fact, response) == "contradicted"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("The dog is to the left of the cat.", "The cat is to the right of the dog."),
        ("The lamp is above the table.", "The table is below the lamp."),
        ("The olive slice is smaller than the coral slice.", "The coral slice is larger than the olive slice."),
        ("The boy stands in front of the girl.", "Behind the boy stands the girl."),
    ],
)
def test_the_opposite_the_other_way_round_says_the_same(fact: str, response: str) -> None:
    assert label(fact, response) == "stated"


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("Bar B is taller than bar A.", "Bar B is taller than bar A."),
        ("The cup is left of the plate.", "To the left of the plate is the cup."),
        ("The chair is under the desk.", "Under the desk is the chair."),
        ("The lamp is above the table.", "A table is in the room, and the lamp is above the table."),
    ],
)
def test_the_same_way_round_states(fact: str, response: str) -> None:
    assert label(fact, response) == "stated"


def test_a_denial_of_the_other_way_round_says_nothing() -> None:
    assert label("The pear is smaller than the melon.", "The melon isn't smaller than the pear.") == "absent"


@pytest.mark.parametrize(
    "text",
    ["The lamp is red.", "It is above the table.", "A is above B and C is above D.", "There are more than ten dogs."],
)
def test_a_text_without_one_relation_between_two_things_has_no_roles(text: str) -> None:
    assert roles_of(text, terms(text)) is None


def test_passages_that_are_not_turned_are_the_same_object() -> None:
    text = "The lamp is above the table."
    roles, units = roles_of(text, terms(text)), Passages(read(text))
    assert roles is not None
    assert from_its_side(roles, units) is units


def test_a_turned_relation_is_found_by_its_new_key_alone_and_the_given_passages_stay() -> None:
    fact, response = "The lamp is above the table.", "The table is below the lamp. A bird is below."
    roles, units = roles_of(fact, terms(fact)), Passages(read(response))
    assert roles is not None
    above, below = roles.relation, roles.opposite
    assert below is not None
    turned = from_its_side(roles, units)
    assert [list(turned.places.get(key, {})) for key in (above, below)] == [[0], [1]]
    assert [list(units.places.get(key, {})) for key in (above, below)] == [[], [0, 1]]
    assert [above in {term.key for term in passage.terms} for passage in turned.all] == [True, False]


@pytest.mark.parametrize("unit", ["dog above cat ", "The dog is above the cat. ", "taller ", "above the "])
def test_a_megabyte_of_relations_is_read_in_bounded_time(unit: str) -> None:
    began = time.process_time()
    label("The cat is above the dog.", unit * (1_000_000 // len(unit)))
    assert time.process_time() - began < 10.0
