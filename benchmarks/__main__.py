"""Run the benchmarks named on the command line, or all; exit 1 where a target is missed."""

import sys

from benchmarks import drawing, replay, start

ALL = {"start": start.measure, "replay": replay.measure, "drawing": drawing.measure}


def main() -> None:
    wanted = sys.argv[1:] or list(ALL)
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: there are {', '.join(ALL)}")
    met = True
    for name in wanted:
        for result in ALL[name]():
            print(f"{name}: {result}", flush=True)
            met = met and result.met
    sys.exit(not met)


if __name__ == "__main__":
    main()
