"""Judges: everything that turns (fact, response) into a verdict."""
