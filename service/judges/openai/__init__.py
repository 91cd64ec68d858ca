"""One or more vLLM servers over HTTP, as the engine of a judge that is a language model.

`engine.OpenAIEngine` turns asks into requests; `judges/http` carries them to the servers.
"""
