"""A judge that asks one or more vLLM servers over HTTP.

`judge.OpenAIJudge` is the judge; a `method` says what to ask and how to read the reply (`verdict`: one fact at
a time, one generated token; `paper`: all facts at once, free text); the `pool` carries requests to endpoints.
"""
