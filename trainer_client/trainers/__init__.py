"""One small module per trainer: its docstring holds the line that goes into that trainer's configuration.

A trainer's own packages are imported only inside the module that needs them, and only when it is used.
"""
