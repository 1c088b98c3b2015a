#!/usr/bin/env python3
"""Draws a recorded terminal as SVG: terminal.py PAGE. It shows the commands and the output of the page's section between <!-- recorded --> and <!-- end of recorded -->, as a run of
tests/docs/tutorial.sh has printed them, one after the other. Who asks for less motion sees all of it at once."""
import html
import pathlib
import re
import sys
import textwrap

COLUMNS, LEFT, TOP, LINE, LETTER = 96, 16, 46, 19, 7.85
KEYSTROKE, PAUSE = 0.02, 0.9  # seconds


def lines(page):
    """(seconds, line): when each line is there."""
    at = 0.5
    for part in re.findall(r"<!-- recorded -->(.*?)<!-- end of recorded -->", page, re.S):
        for block in re.findall(r"^```console\n(.*?)^```", part, re.M | re.S):
            typed = False
            for line in block.splitlines():
                command, typed = line.startswith("$ ") or typed, False
                typed = command and line.endswith("\\")
                if command:
                    at += PAUSE + KEYSTROKE * len(line)
                for i, piece in enumerate(textwrap.wrap(line, COLUMNS, subsequent_indent="    ", break_on_hyphens=False, replace_whitespace=False, drop_whitespace=False) or [""]):
                    yield at, piece, command
                at += 0 if command else 0.1


def draw(page):
    shown = list(lines(page))
    width, height = int(LEFT * 2 + COLUMNS * LETTER), TOP + LINE * len(shown) + 12
    rows = "\n".join(
        f'<text class="{"c" if command else "o"}" x="{LEFT}" y="{TOP + LINE * i + 6}" style="animation-delay:{at:.1f}s">{html.escape(line)}</text>' for i, (at, line, command) in enumerate(shown))
    text = html.escape("\n".join(line for _, line, _ in shown))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="t d">
<title id="t">The operator in a terminal</title><desc id="d">{text}</desc>
<style>text{{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;animation:show .01s linear both}}.c{{fill:#7ee787}}.o{{fill:#e6edf3}}
@keyframes show{{from{{opacity:0}}to{{opacity:1}}}}@media (prefers-reduced-motion:reduce){{text{{animation:none}}}}</style>
<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/><circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
{rows}
</svg>
"""


print(draw(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")), end="")
