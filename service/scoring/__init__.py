"""The way of a request, from items to results: `scorer.py` is the travel, and what it calls lies beside it."""
