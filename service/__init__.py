"""The reward service: a judge, its cache, the rewards, and the HTTP API in front of them."""
