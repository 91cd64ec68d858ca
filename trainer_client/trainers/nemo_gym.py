"""NeMo Gym: a resources server whose `verify` asks the service's `/verify`. It stands alone, so that it can be copied:

    mkdir -p resources_servers/perception_reward
    cp $(perception-reward path nemo-gym) resources_servers/perception_reward/app.py
    echo "-e nemo-gym[dev] @ ../../" > resources_servers/perception_reward/requirements.txt

    perception_reward:
      resources_servers:
        perception_reward:
          entrypoint: app.py
          domain: math
          url: http://HOST:8420/verify?run=geo-7b
          api_key: KEY

with an agent whose `resources_server` is that. A row's `verifier_metadata` holds `annotation_id` and the answer, as
`perception-reward dataset nemo-gym` writes it. A missing score, and a service that says nothing within `timeout`, is a
failed judge: Gym puts the row to the failures, out of every average. The server does not start where nothing answers at
`url`, or refuses the key, unless `check: false`.
"""

# Gym's packages are not where this is checked. No annotation here is a string: Gym hides from FastAPI where to look.
# pyright: basic, reportMissingImports=false

import asyncio
import json
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from fastapi import FastAPI, Response
from nemo_gym.base_resources_server import (
    BaseResourcesServerConfig,
    BaseVerifyRequest,
    ReverifyMode,
    SimpleResourcesServer,
)
from nemo_gym.judge import JudgeError
from nemo_gym.server_utils import raise_for_status, request
from pydantic import ConfigDict

# Answers after which another try may do better.
AGAIN = (408, 429, 502, 503, 504)
# Seconds between tries where the service names none, and the share of the time in which it has to answer.
PAUSE, ANSWERED_IN = 1.0, 0.95
CHECK_SECONDS = 5.0


class PerceptionConfig(BaseResourcesServerConfig):
    """url: of the service's `/verify`, with its options. timeout: seconds for one row, all tries included.

    check: ask the service before the first row whether it is there and takes the key.
    """

    REVERIFY_MODE: ClassVar[ReverifyMode] = ReverifyMode.STATELESS

    url: str
    api_key: str | None = None
    timeout: float = 120.0
    check: bool = True


class PerceptionVerifyRequest(BaseVerifyRequest):
    """A row of the data set, all of it, and the policy's response."""

    model_config = ConfigDict(extra="allow")


class PerceptionServer(SimpleResourcesServer):
    """Has no tools: it verifies."""

    config: PerceptionConfig

    def setup_webserver(self) -> FastAPI:
        """Gym's own. Raises `RuntimeError` where the service cannot be used."""
        if self.config.check:
            _check(self.config)
        return super().setup_webserver()

    async def verify(self, body: PerceptionVerifyRequest) -> Response:
        """The row with its reward and the components. Raises `JudgeError` where nothing answered in time."""
        try:
            async with asyncio.timeout(self.config.timeout):
                return Response(await self._answer(body.model_dump(mode="json")), media_type="application/json")
        except TimeoutError:
            raise JudgeError(f"{self.config.url} gave no reward within {self.config.timeout:g} s") from None

    async def _answer(self, row: dict[str, Any]) -> bytes:
        headers = {"X-Request-Timeout": f"{self.config.timeout * ANSWERED_IN:.3f}"}
        if self.config.api_key:
            headers["Authorization"] = f"Bearer {self.config.api_key}"
        while True:
            answer = await request("POST", self.config.url, json=row, headers=dict(headers))
            if answer.status not in AGAIN:
                await raise_for_status(answer)
                return await answer.read()
            answer.release()
            await asyncio.sleep(_seconds(answer.headers.get("Retry-After")))


def _check(config: PerceptionConfig) -> None:
    parts = urlsplit(config.url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.removesuffix('/verify')}"
    key = config.api_key or parts.password
    asked = Request(f"{address}/v1/profiles", headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        # As Gym's own requests: not by way of a proxy.
        with build_opener(ProxyHandler({})).open(asked, timeout=CHECK_SECONDS) as answer:
            known = isinstance(json.load(answer)["profiles"], list)
    except HTTPError as error:
        raise RuntimeError(f"{address} answered {error.code}; see url and api_key in this server's YAML") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"no reward service answers at {address} ({error}); see url in this server's YAML") from None
    if not known:
        raise RuntimeError(f"at {address} is something else than a reward service; see url in this server's YAML")


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else PAUSE


if __name__ == "__main__":
    PerceptionServer.run_webserver()
