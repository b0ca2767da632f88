#!/usr/bin/env python3
"""Packs utterances of Debian's package festvox-ru into the text file that the programs read.

    apt-get download festvox-ru && dpkg -x festvox-ru_*.deb package
    pack_festvox_ru.py package/usr/share/festival/voices/russian/msu_ru_nsh_clunits festvox_ru.txt [620]

The folder has mcep/<name>.mcep, mel-cepstra at the glottal pulses, and lab/<name>.lab, the phones and
their ends. The 100 smallest files are taken, or as many as the last argument says (the package has 620),
in the order of their names. Coefficients are interpolated between pulses and averaged over frames of
20 ms. Needs numpy.
"""

import sys
from pathlib import Path

import numpy

MILLISECONDS = 20  # of a frame
COEFFICIENTS = 12

HEAD = f"""\
# {{}} Russian utterances from Debian's package festvox-ru, modified: mel-cepstra resampled to frames of
# {MILLISECONDS} ms and rounded. Two lines an utterance: its name, and its phones with their ends in seconds; then
# its frames of {COEFFICIENTS} values, in hundredths. Source and licence: README.md.
"""


def read_track(path):
    """The times (T) and coefficients (T, 12) of a binary track of the Edinburgh Speech Tools."""
    head, end, body = path.read_bytes().partition(b"EST_Header_End\n")
    lines = [line.split(maxsplit=1) for line in head.decode("ascii").splitlines()]
    fields = dict(line for line in lines if len(line) == 2)
    layout = [fields.get(name) for name in ("EST_File", "DataType", "ByteOrder", "NumChannels")]
    if not end or layout != ["Track", "binary", "01", str(COEFFICIENTS)]:
        sys.exit(f"{path}: expected a little-endian binary track of {COEFFICIENTS} channels")
    records = numpy.frombuffer(body, "<f4").reshape(int(fields["NumFrames"]), 2 + COEFFICIENTS)
    return records[:, 0], records[:, 2:]


def resample(times, values):
    """Means over frames of equal length, (frames, 12)."""
    frames = int(1000 * times[-1]) // MILLISECONDS
    grid = (numpy.arange(frames * MILLISECONDS) + 0.5) / 1000
    dense = numpy.stack([numpy.interp(grid, times, column) for column in values.T], axis=1)
    return dense.reshape(frames, MILLISECONDS, -1).mean(axis=1)


def read_phones(path):
    """The phones and their ends in seconds."""
    lines = path.read_text("ascii").splitlines()
    return [(line.split()[2], float(line.split()[0])) for line in lines[lines.index("#") + 1 :]]


def main(folder, packed, count):
    tracks = sorted(folder.glob("mcep/*.mcep"), key=lambda path: (path.stat().st_size, path.name))
    if len(tracks) < count:
        sys.exit(f"{folder}: expected at least {count} files mcep/*.mcep, found {len(tracks)}")
    with open(packed, "w", encoding="ascii", newline="\n") as file:
        file.write(HEAD.format(count))
        for track in sorted(tracks[:count]):
            phones = read_phones(folder / "lab" / (track.stem + ".lab"))
            frames = numpy.rint(100 * resample(*read_track(track))).astype(int)
            file.write(" ".join([track.stem] + [f"{phone} {end:.2f}" for phone, end in phones]) + "\n")
            file.write(" ".join(map(str, frames.ravel())) + "\n")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else 100)
