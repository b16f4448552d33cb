"""How fast it is: each figure beside something bare that is measured in the same run.

`make bench` runs all of them; `make bench ARGS="replay drawing"` some.
"""
