#!/usr/bin/env python3
"""Turns the piano rolls of Boulanger-Lewandowski et al. 2012 from MATLAB's files into text.

    piano_rolls.py JSB_Chorales.mat Nottingham.mat MuseData.mat

writes JSB_Chorales.txt, ... into the current folder. A line "train", "valid" or "test" begins a part;
each other line is a piece, its frames separated by spaces. A frame is the keys that sound, from 0
to 87 and separated by commas, or - for silence. Needs SciPy.
"""

import pathlib
import sys

from scipy.io import loadmat


def frame_text(frame):
    return ",".join(str(key) for key in frame.nonzero()[0]) or "-"


for name in sys.argv[1:]:
    rolls = loadmat(name)
    lines = []
    for part in ("train", "valid", "test"):
        lines.append(part)
        for piece in rolls[part + "data"][0]:
            lines.append(" ".join(frame_text(frame) for frame in piece))
    pathlib.Path(pathlib.Path(name).stem + ".txt").write_text("\n".join(lines) + "\n")
