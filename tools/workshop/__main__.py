"""What a class is given, in build/workshop/ and as zips in dist/.

python -m tools.workshop slides    # both languages, to show and as PDF
python -m tools.workshop handout   # wall diagram, log, handout, cards, quiz, key
python -m tools.workshop kit       # the teacher's zip, and one for learners for each system
python -m tools.workshop kit --for linux-x86_64,3.12      # one zip for those laptops alone
python -m tools.workshop try ZIP   # a learners' zip, unpacked, with the network off (Linux)
python -m tools.workshop lan       # serve dist/ to the room, and say the address to type
"""

from __future__ import annotations

import subprocess
import sys

from tools.site.page import ROOT
from tools.workshop import kit, lan, paper, sheets, slides, trial


def main(arguments: list[str]) -> int:
    """Build what is asked for; one line on stderr and exit code 2 where that cannot be."""
    command, *rest = arguments or [""]
    takes = {"slides": 0, "handout": 0, "kit": 2, "try": 1, "lan": 1}
    if command not in takes or len(rest) > takes[command]:
        print(__doc__, file=sys.stderr)
        return 2
    if command != "lan" and not (ROOT / "node_modules" / "reveal.js").is_dir():
        print(
            "tools.workshop: run `npm ci` first (reveal.js and fonts come from there)",
            file=sys.stderr,
        )
        return 2
    try:
        if command == "slides":
            print(*slides.build(), sep="\n")
        elif command == "handout":
            print(*sheets.build(), sep="\n")
        elif command == "kit":
            if rest and (rest[0] != "--for" or len(rest) != 2):
                raise kit.Incomplete("kit --for SYSTEM or --for SYSTEM,PYTHON")
            for made in kit.build(kit.wanted(rest[1]) if rest else ()):
                print(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
        elif command == "lan":
            lan.serve(kit.DIST, *rest)
        else:
            for line, seconds in trial.run(trial.archive(*rest), sys.executable):
                print(f"{seconds:6.1f} s  {line}")
            if not trial.alone():
                print("No namespace without network here: only proxies led nowhere.")
    except (kit.Incomplete, lan.NoRoom, paper.NoBrowser, trial.Failed) as error:
        print(f"tools.workshop: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["no word of why"]
        print(f"tools.workshop: {' '.join(error.cmd[:4])} failed: {said[-1]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
