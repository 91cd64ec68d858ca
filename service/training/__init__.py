"""A judge of one's own: what it is taught on, how it is taught, and which settings suit it."""
