#!/usr/bin/env python3
"""Checks the relative links of Markdown pages: links.py PAGE… Each must lead to a file or directory of the repository, and an anchor to a heading of that page.

Addresses of the Web are not asked for: a check that fails with somebody else's server is no check of ours.
"""
import pathlib
import re
import sys

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(page):
    """As GitHub makes them: lower case, no punctuation, hyphens for spaces; the second of a name gets -1."""
    found = set()
    for title in re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text(encoding="utf-8")), re.M):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()).replace(" ", "-")
        count = 0
        while (again := name if count == 0 else f"{name}-{count}") in found:
            count += 1
        found.add(again)
    return found


def problems_of(page):
    for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists():
            yield f"{page}: {target}: no such file"
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file)):
            yield f"{page}: {target}: no such heading"


if __name__ == "__main__":
    problems = [problem for page in sys.argv[1:] for problem in problems_of(pathlib.Path(page))]
    print("\n".join(problems) or f"{len(sys.argv) - 1} pages")
    sys.exit(bool(problems))
