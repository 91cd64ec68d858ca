"""The verdict cache: content keys, compact values, memory in front of an optional Redis.

Keys are content, so a value never changes and nothing is ever invalidated. A missing verdict has no encoding,
so it cannot be cached. Redis may be down, slow or hung: the cache then answers from memory alone.
"""
