"""Whether the service is there and is what the options say: asked once, before a run depends on it.

    client = RewardClient("http://rewards:8420", profile="perception-r1")
    client.check_sync()  # raises within 5 s, in one line, what would otherwise be found out after the first rollouts

Each server is asked for `/v1/profiles`, with the key, and then for `/readyz`. What no waiting would mend is told at
once: a refused key, an address of something else, a certificate, an unknown profile. A server that does not answer, or
is not ready, is asked again for `start_wait` seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from perception_reward.trainer_client.answers import document, told
from perception_reward.trainer_client.errors import OptionError, ServiceUnavailable, Unauthorized
from perception_reward.trainer_client.options import DEFAULT_URL, Options, named, variable
from perception_reward.trainer_client.transport import Answer, Distrusted, NoAnswer, Transport, Unencrypted

# Seconds for all of it where `start_wait` asks for no more, and between two tries.
AT_MOST, PAUSE = 4.0, 0.25

logger = logging.getLogger(__name__)


def patience(options: Options) -> float:
    """Seconds for a service that has never answered."""
    return max(AT_MOST, options.start_wait)


class Found(NamedTuple):
    """What a server has said. profile: the one that its scores will have. checks: each check of `/readyz`, in words."""

    url: str
    profile: str
    checks: Mapping[str, str]


class _NotYet(Exception):
    """A fault that may pass: nothing answers, or what does is not ready."""


async def check_servers(transport: Transport, options: Options) -> list[Found]:
    """What each usable server said; those that do not answer are only logged where there are others.

    Raises `Unauthorized`, `OptionError` (address, TLS, profile) or `ServiceUnavailable`: one line that names the URL,
    the option and its variable, and what was found.
    """
    asked = [_checked(transport, url, options) for url in options.urls]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for refused in (answer for answer in answers if isinstance(answer, BaseException)):
        if not isinstance(refused, _NotYet):
            raise refused
    found = [answer for answer in answers if isinstance(answer, Found)]
    absent = [str(answer) for answer in answers if isinstance(answer, _NotYet)]
    if not found:
        raise ServiceUnavailable(_unavailable(absent))
    for fault in absent:
        logger.warning("perception_reward: %s; its neighbours stand in for it", fault)
    return found


async def _checked(transport: Transport, url: str, options: Options) -> Found:
    clock = asyncio.get_running_loop().time
    waited_for, deadline = clock() + options.start_wait, clock() + patience(options)
    while True:
        try:
            return await _asked(transport, url, options, max(deadline - clock(), PAUSE))
        except _NotYet:
            if clock() + PAUSE > waited_for:
                raise
            await asyncio.sleep(PAUSE)


async def _asked(transport: Transport, url: str, options: Options, seconds: float) -> Found:
    try:
        profile = _profile(await transport.get(url, "/v1/profiles", seconds), url, options)
        return Found(url, profile, _readiness(await transport.get(url, "/readyz", seconds), url))
    except Distrusted as error:
        raise error.as_option_error() from None
    except Unencrypted as error:
        raise OptionError(f"{error}. If it speaks plain HTTP, write http:// in {named('base_url')}.") from None
    except NoAnswer as error:
        raise _NotYet(str(error)) from None


def _profile(answer: Answer, url: str, options: Options) -> str:
    """The profile of the scores to come. Raises what tells that the key, the address or the profile is wrong."""
    if answer.status in (401, 403):
        raise Unauthorized(_unauthorized(url, options), answer.status)
    if answer.status == 429 or answer.status >= 500:
        raise _NotYet(f"{url} answered {answer.status}: {told(answer.content)}")
    listing = document(answer.content)
    profiles, default = listing.get("profiles"), listing.get("default")
    if answer.status != 200 or not isinstance(profiles, list) or not isinstance(default, str):
        raise OptionError(_something_else(answer, url))
    known = [str(_mapping(profile).get("name")) for profile in cast("list[object]", profiles)]
    if options.profile is not None and options.profile not in known:
        raise OptionError(f"{named('profile')}: {url} knows no profile {options.profile!r}, only {', '.join(known)}")
    return options.profile or default


def _readiness(answer: Answer, url: str) -> Mapping[str, str]:
    """What `/readyz` says of each part. A gateway may keep the path to itself: then there is nothing to tell."""
    checks = {name: str(text) for name, text in _mapping(document(answer.content).get("checks")).items()}
    if answer.status == 503:
        wrong = {name: text for name, text in checks.items() if text.startswith("failed") or text == "true"}
        words = "; ".join(f"{name}: {text}" for name, text in (wrong or checks).items())
        raise _NotYet(f"{url} is not ready: {words or told(answer.content)}")
    for name, text in checks.items():
        if text.startswith("failed"):
            logger.warning("perception_reward: %s is ready, but %s: %s", url, name, text)
    return checks


def _unauthorized(url: str, options: Options) -> str:
    option = named("api_key")
    if options.api_key is None:
        return f"{url} wants an API key, and this client has none: {option}, or http://any:KEY@HOST in the URL"
    return f"{url} does not accept this client's API key: {option}, or the password in {named('base_url')}"


def _something_else(answer: Answer, url: str) -> str:
    words = "" if answer.status == 200 else f" with {answer.status}"
    return (
        f"{named('base_url')}: at {url} is no perception-reward service: something else answered GET "
        f"{url}/v1/profiles{words} ({told(answer.content)}). The address is that of `perception-reward serve`, such as "
        "http://rewards:8420; it has a path only where a proxy gives it one."
    )


def _unavailable(faults: Sequence[str]) -> str:
    url, unset = named("base_url"), not os.environ.get(variable("base_url"))
    default = (
        f" {url} is not set in this process, so this is the default." if unset and DEFAULT_URL in faults[0] else ""
    )
    return (
        f"no service to ask for scores: {' | '.join(faults)}.{default} Look at its log, and at the address in {url}. "
        f"{named('start_wait')}: seconds to wait for one that is starting. {variable('check')}=0: begin without it."
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
