"""From problems with images to facts that can be trusted: trajectories, filter, extract, check, distractors.

`annotations/README.md` walks through it. No step knows the service: what grades answers is handed in. What costs money
or time is kept reply by reply in a journal beside the step's output, so that a run goes on wherever it was ended."""
