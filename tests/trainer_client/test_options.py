from __future__ import annotations

import pickle

import pytest

from perception_reward.trainer_client import OptionError, Options, RewardClient
from perception_reward.trainer_client.options import DEFAULT_URL, resolve_options


def test_without_anything_the_service_is_on_this_machine() -> None:
    assert resolve_options(environment={}) == Options(urls=(DEFAULT_URL,))


def test_an_argument_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {
        "PERCEPTION_REWARD_URL": "http://a:1, http://b:2/",
        "PERCEPTION_REWARD_API_KEY": "secret",
        "PERCEPTION_REWARD_PROFILE": "sum",
        "PERCEPTION_REWARD_RUN": "night",
        "PERCEPTION_REWARD_ON_MISSING": "zero",
        "PERCEPTION_REWARD_TIMEOUT": "7.5",
        "PERCEPTION_REWARD_BATCH_SIZE": "9",
        "PERCEPTION_REWARD_VERIFY": "no",
        "PERCEPTION_REWARD_MISSING_LIMIT": "",
    }
    found = resolve_options(run="day", on_missing="raise", environment=environment)
    assert found == Options(
        urls=("http://a:1", "http://b:2"),
        api_key="secret",
        profile="sum",
        run="day",
        on_missing="raise",
        timeout=7.5,
        batch_size=9,
        verify=False,
    )


def test_every_option_can_be_set_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "batch_wait": 0.5,
        "request_items": 3,
        "requests_at_once": 4,
        "connections": 5,
        "compress_above": 0,
        "ca_file": "/ca.pem",
        "missing_limit": 1.0,
        "missing_window": 6,
        "prefix": "<think>\n",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"PERCEPTION_REWARD_{name.upper()}", str(value))
    options = RewardClient().options
    assert {name: getattr(options, name) for name in values} == values


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ({"base_url": "rewards:8420"}, {}, "base_url (PERCEPTION_REWARD_URL)"),
        ({"base_url": "ftp://user:hidden@host"}, {}, "base_url (PERCEPTION_REWARD_URL)"),
        ({"base_url": ","}, {}, "names no server"),
        ({"on_missing": "ignore"}, {}, "'ignore' is none of native, group_mean, raise, zero"),
        ({"timeout": 0}, {}, "timeout (PERCEPTION_REWARD_TIMEOUT) has to be above 0"),
        ({}, {"PERCEPTION_REWARD_MISSING_LIMIT": "20"}, "is a share from 0 to 1, not 20.0"),
        ({"prefix": "think"}, {}, "prefix (PERCEPTION_REWARD_PREFIX): 'think' opens no thought"),
        ({}, {"PERCEPTION_REWARD_BATCH_SIZE": "many"}, "'many' cannot be read as a int"),
        ({}, {"PERCEPTION_REWARD_VERIFY": "perhaps"}, "'perhaps' cannot be read as a truth"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_variable(
    given: dict[str, object], environment: dict[str, str], said: str
) -> None:
    with pytest.raises(OptionError) as error:
        resolve_options(**given, environment=environment)  # pyright: ignore[reportArgumentType]
    assert said in str(error.value)
    assert "hidden" not in str(error.value)


def test_a_password_in_the_url_is_the_key_and_is_shown_nowhere() -> None:
    client = RewardClient("https://user:s%40crecy@rewards:1/path/")
    assert client.options.urls == ("https://rewards:1/path",)
    assert client.options.api_key == "s@crecy"
    assert "crecy" not in repr(client) + repr(pickle.loads(pickle.dumps(client))) + str(client.options)


def test_of_the_keys_that_the_service_accepts_the_first_is_sent() -> None:
    assert resolve_options(environment={"PERCEPTION_REWARD_API_KEY": " new , old"}).api_key == "new"
