"""Trainers that speak only a protocol of their own: each is translated into a score request and back, and no more."""
