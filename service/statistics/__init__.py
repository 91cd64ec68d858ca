"""Tests, effects and intervals for scores of the same problems twice: pure functions of numbers."""
