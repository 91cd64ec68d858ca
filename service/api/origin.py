"""Pages of other sites write nothing here: what a browser says of where a request comes from is believed. Pure ASGI.

A page that somebody has open on the machine of a service without a key can reach it, and so can one whose name was made
to point at that machine. Browsers say so: in `Origin` and `Sec-Fetch-Site` which page is asking, in `Host` under which
name. Programs send no `Origin`. Where a key is set, `Host` may be anything, as reverse proxies have it, and whoever
presents a bearer key may come from anywhere: no page can make a browser send that for it. HTTP basic is another matter,
which browsers add to what any page sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from perception_reward.service.api.key_check import OPEN_PATHS
from perception_reward.service.api.problems import problem
from perception_reward.service.metrics import Metrics

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

FOREIGN_NAME = (
    "a service without a key answers to addresses and to names of this machine only, and not to the Host that was "
    "sent; name that in trusted_hosts (--trusted-hosts), or set an API key"
)
FOREIGN_PAGE = (
    "the page that sends this is of another site than the service; send the key as Authorization: Bearer KEY, or name "
    "the page's host in trusted_hosts (--trusted-hosts)"
)


class OriginCheck:
    """Refuses with 403 what a page of another site sends. keyed: whether the service asks for a key.

    trusted: host names, without ports, that are as good as the service's own.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str], metrics: Metrics, *, keyed: bool) -> None:
        self._app = app
        self._trusted = frozenset(host.lower() for host in trusted)
        self._metrics = metrics
        self._keyed = keyed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._keyed and not self._is_own(headers.get("host", "")):
            fault = FOREIGN_NAME
        elif scope["method"] not in SAFE_METHODS and self._is_foreign(headers):
            fault = FOREIGN_PAGE
        else:
            await self._app(scope, receive, send)
            return
        self._metrics.refused("foreign")
        await problem(403, fault)(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        """Whether nobody else can have made the name point here: an address, a name without a dot, a trusted one."""
        name = _name(host)
        return "." not in name or name.endswith(".localhost") or name in self._trusted or _is_address(name)

    def _is_foreign(self, headers: Headers) -> bool:
        if self._keyed and headers.get("authorization", "").lower().startswith("bearer "):
            return False
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is None:
            return site not in (None, "same-origin", "none")
        page = urlsplit(origin).netloc.lower()
        # A proxy passes on under which name it was asked. No page can set that, nor what its browser says of the site.
        passed_on = headers.get("x-forwarded-host", "").partition(",")[0].strip()
        own = {headers.get("host", "").lower(), passed_on.lower()} - {""}
        return site != "same-origin" and page not in own and _name(page) not in self._trusted


def _name(host: str) -> str:
    """The name in a Host header, lower case, without port, brackets and final dot."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.strip().lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
