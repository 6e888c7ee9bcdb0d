"""What a student's code writes to standard error while a check calls it: kept for the end, progress bars shown live."""

from __future__ import annotations

import io
import re
import sys
import time

MOST_LETTERS, MOST_LINES = 2000, 200
"""Of a line, and of all that is kept for the end; and how many lines are remembered until then."""

EVERY = 0.2
"""Seconds between two looks at a bar: each look may stay in the saved notebook, under a client that keeps them all."""

CONTROLS = re.compile(r"(\n|\r|\x1b\[A)")


class CaughtErrors(io.TextIOBase):
    """Stands for standard error and does what a terminal would do to progress bars: of each, the last state stays.

    live  whether to show a line that is written over again, a bar's, on standard output as it changes
    """

    encoding = "utf-8"  # tqdm asks, and would draw bars of # otherwise

    def __init__(self, live: bool):
        self.live = live
        self.lines, self.row, self.at_start = [""], 0, False
        self.shown = 0  # letters of the line that is shown now
        self.due = 0.0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for piece in CONTROLS.split(text):
            if piece == "\n":
                self.row, self.at_start = self.row + 1, False
            elif piece == "\r":
                self.at_start = True
            elif piece == "\x1b[A":  # one line up: bars within bars
                self.row = max(self.row - 1, 0)
            elif piece:
                self.put(piece)
        return len(text)

    def put(self, piece: str) -> None:
        self.lines += [""] * (self.row + 1 - len(self.lines))
        self.lines[self.row] = (piece if self.at_start else self.lines[self.row] + piece)[-MOST_LETTERS:]
        if self.live and self.at_start and time.monotonic() >= self.due:
            self.show(self.lines[self.row].rstrip())
            self.due = time.monotonic() + EVERY
        self.at_start = False
        if (surplus := len(self.lines) - MOST_LINES) > MOST_LINES:
            self.row = max(self.row - surplus, 0)
            del self.lines[:surplus]

    def show(self, line: str) -> None:
        """Write the line over the one that is shown now."""
        sys.stdout.write("\r" + line.ljust(self.shown))
        sys.stdout.flush()
        self.shown = len(line)

    def end(self) -> str:
        """Wipe out what is shown now, show no more, and return the end of what was written."""
        if self.shown:
            self.show("")
            sys.stdout.write("\r")
        self.live = False
        return "\n".join(line.rstrip() for line in self.lines).strip("\n")[-MOST_LETTERS:]
