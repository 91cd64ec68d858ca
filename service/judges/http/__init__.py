"""Judge servers over HTTP, whatever they speak: which of them is asked, for how long, and what of an answer is taken.

An engine for one kind of server turns asks into a `call.Call`, lets a `pool.EndpointPool` carry it, and reads the bytes
of the answer: see `judges/openai/engine.py`, for vLLM.
"""
