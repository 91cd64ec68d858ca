from __future__ import annotations

import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.cache.memory import MemoryCache


def test_values_come_back_in_the_order_of_the_keys():
    cache = MemoryCache(10_000)
    cache.put_many([(b"a", b"1"), (b"b", b"2")])
    assert cache.get_many([b"b", b"absent", b"a"]) == [b"2", None, b"1"]


def test_what_was_used_least_recently_leaves_first():
    cache = MemoryCache(10_000)
    cache.put_many([(b"a", b""), (b"b", b""), (b"c", b"")])
    cache.get_many([b"a"])
    three = MemoryCache(cache.size)
    three.put_many([(b"a", b""), (b"b", b""), (b"c", b"")])
    three.get_many([b"a"])
    three.put_many([(b"d", b"")])
    assert three.get_many([b"a", b"b", b"c", b"d"]) == [b"", None, b"", b""]


@given(st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=300))), st.integers(0, 2000))
def test_the_bound_in_bytes_always_holds(pairs: list[tuple[bytes, bytes]], bound: int):
    cache = MemoryCache(bound)
    for pair in pairs:
        cache.put_many([pair])
        assert cache.size <= bound
    assert (cache.size == 0) == (len(cache) == 0)


def test_a_value_larger_than_the_bound_is_not_kept():
    cache = MemoryCache(1000)
    cache.put_many([(b"a", bytes(2000))])
    assert cache.get_many([b"a"]) == [None]


@pytest.mark.parametrize("entries", [10_000, 50_000])
def test_the_counted_bytes_are_close_to_what_python_allocates(entries: int):
    cache = MemoryCache(10**9)
    tracemalloc.start()
    cache.put_many((b"pr1:v:" + os.urandom(16), os.urandom(26)) for _ in range(entries))
    allocated = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert cache.size == pytest.approx(allocated, rel=0.25)
