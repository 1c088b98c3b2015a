#!/usr/bin/env python3
"""Checks that a translated page follows the English one: translation.py ENGLISH TRANSLATION

A heading of the translation ends with the English one in brackets. Code blocks are the same, in the same order. So are links (seen from the page's folder), and in each section the
words in backticks. What the translation says about them is for people to read.
"""
import pathlib
import re
import sys

CODE = re.compile(r"^```.*?^```$", re.M | re.S)


def parts(page):
    """Headings, code blocks, and for each section its links and its words in backticks."""
    text = page.read_text(encoding="utf-8")
    prose = CODE.sub("", text)
    sections = re.split(r"^#+ .*$", prose, flags=re.M)
    links = [[str((page.parent / t).resolve()) for t in re.findall(r"\]\(([^)]+)\)", s)] for s in sections]
    words = [sorted(set(re.findall(r"`([^`]+)`", s))) for s in sections]
    return re.findall(r"^#+ .*$", prose, re.M), CODE.findall(text), links, words


def english_of(heading):
    return re.sub(r"^(#+) .*（(.*)）$", r"\1 \2", heading)


english, translated = parts(pathlib.Path(sys.argv[1])), parts(pathlib.Path(sys.argv[2]))
problems = []
for what, ours, theirs in zip(("headings", "code", "links", "words in backticks"), english, (list(map(english_of, translated[0])), *translated[1:])):
    problems += [f"{sys.argv[2]}: {what}: expected {a!r}, found {b!r}" for a, b in zip(ours, theirs) if a != b]
    if len(ours) != len(theirs):
        problems.append(f"{sys.argv[2]}: {what}: expected {len(ours)}, found {len(theirs)}")
print("\n".join(problems) or f"{len(english[0])} headings, {len(english[1])} code blocks")
sys.exit(bool(problems))
