#!/usr/bin/env python3
"""Puts the page and all that it needs into one HTML file, which a browser opens from a disk too.

    bundle.py <folder of the page> <engine.wasm> <series.txt> <new file>

Of index.html, a <link> of a style sheet and a <script src> become the contents of the files; the
contents of the files in data-files become the text of their element; #engine becomes the compressed
engine in base64, and #series the numbers.
"""

import base64
import gzip
import pathlib
import re
import sys


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    folder, engine, series, target = (pathlib.Path(name) for name in sys.argv[1:])

    def text_of(name):
        text = (folder / name).read_text(encoding="utf-8")
        if "</script" in text:
            sys.exit(f"{name}: </script would end the element that it is put into")
        return text

    def of_files(match):
        return match[1] + "\n" + "".join(text_of(name) for name in match[2].split()) + "</script>"

    compressed = base64.b64encode(gzip.compress(engine.read_bytes(), 9, mtime=0)).decode()
    numbers = " ".join(line.strip() for line in series.read_text().splitlines() if line[:1] != "#")
    page = (folder / "index.html").read_text(encoding="utf-8")
    for pattern, replacement in [
        (r'<link rel="stylesheet" href="([^"]*)">', lambda m: f"<style>\n{text_of(m[1])}</style>"),
        (r'<script src="([^"]*)"></script>', lambda m: f"<script>\n{text_of(m[1])}</script>"),
        (r'(<script [^>]*data-files="([^"]*)">)</script>', of_files),
        (r'(<script [^>]*id="engine">)</script>', lambda m: f"{m[1]}{compressed}</script>"),
        (r'(<script [^>]*id="series">)</script>', lambda m: f"{m[1]}{numbers}</script>"),
    ]:
        page, count = re.subn(pattern, replacement, page)
        if count == 0:
            sys.exit(f"index.html has no element for {pattern}")
    target.write_text(page, encoding="utf-8")


main()
