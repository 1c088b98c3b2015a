#!/usr/bin/env python3
"""Prints the notes of a release: notes.py VERSION. They are the section of CHANGELOG.md under `## [VERSION]`; without one, or with an empty one, this fails.

`notes.py Unreleased` prints what the next release would say.
"""
import pathlib
import re
import sys

version = sys.argv[1]
text = pathlib.Path(__file__).parent.with_name("CHANGELOG.md").read_text(encoding="utf-8")
sections = re.split(r"^## \[(.+?)\].*\n", text, flags=re.MULTILINE)[1:]
found = dict(zip(sections[::2], sections[1::2]))
notes = re.sub(r"^\[.+?\]: .*\n?", "", found.get(version, ""), flags=re.MULTILINE).strip()
if not notes:
    sys.exit(f"CHANGELOG.md: nothing under ## [{version}]; there are {', '.join(found)}")
print(notes)
