"""Judges that are language models: what is asked (methods) and who answers (engines), apart from each other."""
