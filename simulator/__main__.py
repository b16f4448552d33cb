"""`python -m simulator` is the command `ehlo-twice`."""

from simulator.cli import main

main()
