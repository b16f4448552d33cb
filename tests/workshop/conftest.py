"""Tests marked `heavy` set up environments and print. CI runs them in a step of its own, with
WORKSHOP=1 in the environment."""

import os

import pytest

heavy = pytest.mark.skipif(not os.environ.get("WORKSHOP"), reason="takes minutes: WORKSHOP=1")
