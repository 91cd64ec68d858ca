"""Annotations: the stored visual facts of training problems, and the tools that build and check them."""
