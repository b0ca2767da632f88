#!/usr/bin/env python3
"""Writes the core of strata as one header, for programs that copy one file.

    tools/single_header.py strata_single.hpp

A program includes it in place of <strata/strata.hpp>. It needs Eigen as strata does.
"""

import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "include"
FIRST = "strata/strata.hpp"
INCLUDE = re.compile(r"#include <(strata/[^>]+)>")
TOP = """\
// strata {version}, all of its core in one header, made by tools/single_header.py from the headers of
// its sources, which are named in the order in which they follow. Their licence:
//
{licence}
#pragma once

#ifdef STRATA_COMPILED
#error "strata_single.hpp is for programs that do not link strata::compiled"
#endif
"""


def expand(name, seen, lines):
    """Adds the lines of a header, each header of strata that it includes in its first place."""
    seen.add(name)
    lines.append(f"\n// {name}\n")
    for line in (SOURCES / name).read_text().splitlines():
        found = INCLUDE.fullmatch(line)
        if found:
            if found[1] not in seen:
                expand(found[1], seen, lines)
        elif line != "#pragma once":
            lines.append(line)


def single_header():
    version = re.search(r'version_string = "([^"]+)"', (SOURCES / "strata/version.hpp").read_text())
    licence = (SOURCES.parent / "LICENSE").read_text().splitlines()
    comment = "\n".join(f"// {line}".rstrip() for line in licence)
    lines = []
    expand(FIRST, set(), lines)
    text = TOP.format(version=version[1], licence=comment) + "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if "--help" in sys.argv else 2
    pathlib.Path(sys.argv[1]).write_text(single_header())
    return 0


if __name__ == "__main__":
    sys.exit(main())
