"""What can go wrong between a trainer and the service.

    RewardError
      OptionError          an option or an environment variable cannot be used
      DataError            the rows of a data set cannot be scored as they are: a misspelt column, unknown annotations
      RequestRefused       the service refused the request, and asking again would not help (4xx)
        Unauthorized         no valid API key (401, 403)
        InvalidItem          an item or a field is wrong (422); the message says which
      ServiceUnavailable   nothing answered: at the first call of a process, or under the policy `raise`
      MissingScore         a score is missing, and the policy is `raise`
      TooManyMissing       the share of missing scores passed its limit; the run had better stop

All are picklable, so that they cross the borders of processes and of Ray actors as what they are.
"""

from __future__ import annotations


class RewardError(Exception):
    """The base of all errors that the client raises."""


class OptionError(RewardError, ValueError):
    """An option of the client cannot be used; the message names it and its environment variable."""


class DataError(RewardError, ValueError):
    """The rows of a data set cannot be scored as they are; the message names what they have and what they lack."""


class RequestRefused(RewardError):
    """The service refused the request (4xx); `status` is the HTTP status, the message the service's own words."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class Unauthorized(RequestRefused):
    """The service asks for an API key, and this client has none, or not a valid one."""


class InvalidItem(RequestRefused):
    """An item cannot be scored as it is; `index` is its place in the call, None where the fault is another one."""

    def __init__(self, message: str, status: int = 422, index: int | None = None) -> None:
        super().__init__(message, status)
        self.args = (message, status, index)
        self.index = index


class ServiceUnavailable(RewardError):
    """No server answered within the time; the message says which were asked, what happened and what to check."""


class MissingScore(RewardError):
    """A score is missing and the policy is `raise`."""


class TooManyMissing(RewardError):
    """Too large a share of the latest scores is missing for the run to be worth going on."""
