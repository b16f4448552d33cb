"""What is raised when something a person asked for cannot be done."""


class Error(Exception):
    """Something asked for cannot be done. `str()` is one sentence: what, where, what to do."""
