"""Content keys. Everything that can change a cached value is in its key, and nothing else is.

A verdict depends on the judge's fingerprint, the fact's identity (`Fact.identity`) and the response. The response is
hashed once, then each fact costs one small hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from perception_reward.trainer_client.wire import Fact

# 128 bits: among 10^12 cached verdicts two share a key with a probability of about 10^-15.
DIGEST_SIZE = 16

# The layout of keys. A change to what is hashed, or how, takes a new prefix.
VERDICT_PREFIX = b"pr2:v:"
GRADE_PREFIX = b"pr1:g:"


def response_digest(response: str) -> bytes:
    """The digest of one response, 16 bytes. Lone surrogates are content like any other."""
    return _digest(response.encode("utf-8", "surrogatepass"), b"response")


def facts_digest(facts: Iterable[Fact]) -> bytes:
    """The digest of a whole list of facts in order: the `context` of a judge that asks about them together."""
    return _digest(b"".join(_digest(fact.identity.encode(), b"fact") for fact in facts), b"facts")


def verdict_key(fingerprint: str, fact: Fact, response_digest: bytes, context: bytes | None) -> bytes:
    """The key of one verdict.

    `context` is `facts_digest` of all facts asked together where the judge asks so, and None where it
    decides each fact by itself.
    """
    # The length keeps the two from borrowing each other's characters; the digest is always as long.
    content = f"{len(fingerprint)},{fingerprint}{fact.identity}".encode("utf-8", "surrogatepass") + response_digest
    if context is None:
        return VERDICT_PREFIX + _digest(content, b"verdict")
    return VERDICT_PREFIX + _digest(content + context, b"verdict-in-list")


def grade_key(digest: bytes) -> bytes:
    """The key of one accuracy grade, from the digest of all that the grade depends on."""
    return GRADE_PREFIX + digest


def _digest(content: bytes, purpose: bytes) -> bytes:
    return blake2b(content, digest_size=DIGEST_SIZE, person=purpose).digest()
