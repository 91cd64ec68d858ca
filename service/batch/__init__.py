"""Rollout files in, results out."""
