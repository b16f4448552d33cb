"""What a class is given, in build/workshop/ and as one zip in dist/.

python -m tools.workshop slides    # both languages, to show and as PDF
python -m tools.workshop handout   # two pages for the wall and the pocket; cards to lay in order
python -m tools.workshop kit       # everything, with wheels, as dist/ehlo-twice-workshop.zip
python -m tools.workshop try       # that zip in an empty folder, with the network off (Linux)
"""

from __future__ import annotations

import subprocess
import sys

from tools.site.page import ROOT
from tools.workshop import kit, paper, sheets, slides, trial


def main(arguments: list[str]) -> int:
    """Build what is asked for; one line on stderr and exit code 2 where that cannot be."""
    if len(arguments) != 1 or arguments[0] not in ("slides", "handout", "kit", "try"):
        print(__doc__, file=sys.stderr)
        return 2
    if not (ROOT / "node_modules" / "reveal.js").is_dir():
        print(
            "tools.workshop: run `npm ci` first (reveal.js and fonts come from there)",
            file=sys.stderr,
        )
        return 2
    try:
        if arguments == ["slides"]:
            print(*slides.build(), sep="\n")
        elif arguments == ["handout"]:
            print(*sheets.build(), sep="\n")
        elif arguments == ["kit"]:
            made = kit.build()
            print(f"{made}: {made.stat().st_size / 1e6:.0f} MB")
        else:
            for line, seconds in trial.run(kit.ZIP, sys.executable):
                print(f"{seconds:6.1f} s  {line}")
            if not trial.alone():
                print("No namespace without network here: only proxies led nowhere.")
    except (kit.Incomplete, paper.NoBrowser, trial.Failed) as error:
        print(f"tools.workshop: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or ["no word of why"]
        print(f"tools.workshop: {' '.join(error.cmd[:4])} failed: {said[-1]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
