"""Profiles are read from TOML, and a mistake in a file is told with its place and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.service.profiles.load import ProfileError, load_profiles
from perception_reward.service.profiles.model import Profile, Ramp


@pytest.fixture
def loaded(tmp_path: Path):
    def load(text: str) -> dict[str, Profile]:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return dict(load_profiles(path))

    return load


def test_the_packaged_profiles_are_there() -> None:
    assert set(load_profiles()) == {
        "perception-r1",
        "sum",
        "warmup",
        "vtperception-r1",
        "gated",
        "perception-r1-parity",
    }


def test_every_packaged_profile_has_its_name_and_says_what_it_is() -> None:
    for name, profile in load_profiles().items():
        assert profile.name == name
        assert profile.description


def test_a_users_profile_stands_beside_the_packaged_ones(loaded) -> None:
    profiles = loaded("[mine]\nweights = { accuracy = 1.0 }\n")
    assert profiles["mine"].formula == "1·accuracy"
    assert "perception-r1" in profiles


def test_a_base_gives_everything_that_is_not_overridden(loaded) -> None:
    mine = loaded('[mine]\nbase = "gated"\nweights = { perception = 2.0 }\ngate = { threshold = 0.5 }\n')["mine"]
    assert mine.formula == "0.1·format + 0.9·accuracy·[perception > 0.5] + 2·perception + 1·repetition"
    assert mine.perception.contradiction_cost == 1.0
    assert mine.description == ""


def test_a_base_may_stand_further_down_and_have_a_base_itself(loaded) -> None:
    profiles = loaded('[b]\nbase = "a"\nweights = { perception = { steps = 7 } }\n[a]\nbase = "warmup"\n')
    assert profiles["b"].weights["perception"] == Ramp(start=0.1, end=0.7, steps=7)


def test_a_number_may_take_the_place_of_a_ramp_and_back(loaded) -> None:
    text = '[a]\nbase = "warmup"\nweights = { perception = 1 }\n'
    text += '[b]\nbase = "sum"\nweights = { accuracy = { start = 0, end = 1, steps = 9 } }\n'
    profiles = loaded(text)
    assert profiles["a"].weights["perception"] == 1.0
    assert profiles["b"].weights["accuracy"] == Ramp(start=0.0, end=1.0, steps=9)


@pytest.mark.parametrize("name", ["perception-r1", "sum", "warmup", "gated", "seen-by-default"])
def test_a_profile_counts_seen_facts_alone_unless_it_says_otherwise(loaded, name: str) -> None:
    rule = loaded("[seen-by-default]\nweights = { perception = 1 }\nperception = { contradiction_cost = 1 }\n")[
        name
    ].perception
    assert (rule.seen, rule.derived, rule.given) == (1.0, 0.0, 0.0)


def test_the_paper_that_pays_for_what_the_question_gives_is_paid_for_it() -> None:
    rule = load_profiles()["vtperception-r1"].perception
    assert (rule.seen, rule.derived, rule.given, rule.share) == (1.0, 0.0, 1.0, "origins")


def test_files_from_before_facts_had_an_origin_keep_their_meaning(loaded) -> None:
    old = '[mine]\nbase = "vtperception-r1"\nperception = { visual = 2, textual = 0.5, share = "modalities" }\n'
    rule = loaded(old)["mine"].perception
    assert (rule.seen, rule.given, rule.share) == (2.0, 0.5, "origins")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[mine]\nweights = { acuracy = 1 }",
            "'acuracy' is no component; known: format, accuracy, perception, repetition",
        ),
        (
            "[mine]\nweights = {}\nweigths = {}",
            "weigths is not a key; known: description, weights, perception, gate, mode, tolerance, base",
        ),
        ("[mine]\nweights = {}\nperception = { cost = 1 }", "perception.cost is not a key; known: contradiction_cost"),
        (
            "[mine]\nweights = { format = { start = 0, end = 1, steps = 5, stop = 9 } }",
            "weights.format.stop is not a key; known: start, end, steps",
        ),
        ("[mine]\nweights = {}\ngate = { treshold = 0 }", "gate.treshold is not a key; known: component, threshold"),
        (
            "[mine]\nweights = {}\nperception = { textual = 1, given = 1 }",
            "perception.textual is the old name of perception.given; keep one of the two",
        ),
        ("[mine]", "weights: Field required"),
        ('[mine]\nweights = { format = "much" }', "weights.format: Input should be a valid number"),
        ("[mine]\nweights = { format = nan }", "weights.format: Input should be"),
        ("[mine]\nweights = { format = 1e9 }", "weights.format: Input should be less than or equal to 1000"),
        ("[mine]\nweights = { format = { start = 0, end = 1, steps = 0 } }", "weights.format.steps: Input should be"),
        ('[mine]\nweights = {}\nmode = "exact"', "mode: Input should be 'default' or 'parity'"),
        ('[mine]\nbase = "perception-r2"', "no base 'perception-r2'; known: gated, mine, perception-r1"),
        ("[mine]\nbase = 3", "no base 3"),
        ('[mine]\nbase = "yours"\n[yours]\nbase = "mine"', "its base leads back to 'mine'"),
        ('[mine]\nbase = "sum"\nname = "other"', "remove the key 'name'"),
        ("weights = 3", "'weights' stands outside a profile"),
        ("[mine", "not TOML"),
    ],
)
def test_a_mistake_is_told_with_the_file_and_what_is_known(loaded, text: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        loaded(text)
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_the_meaning_of_a_packaged_profile_cannot_be_changed(loaded) -> None:
    with pytest.raises(ProfileError, match=r"is a packaged profile.*give yours another name"):
        loaded('[sum]\nbase = "perception-r1"\n')


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profiles(tmp_path / "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profiles(tmp_path / "bytes.toml")
