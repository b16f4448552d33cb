"""What is raised when something a person asked for cannot be done."""

import os


class Error(Exception):
    """Something asked for cannot be done. `str()` is one sentence: what, where, what to do."""


def reason(error: OSError) -> str:
    """Why the system refused, in its own words; empty if it says nothing. asyncio puts a sentence
    of its own, with addresses in it, in their place."""
    return os.strerror(error.errno) if error.errno else error.strerror or str(error)
