#!/usr/bin/env python3
"""Checks a built site: check.py DIRECTORY. Every link of every page that stays on the site leads to a file of it, and every anchor to an element of that id."""
import html.parser
import pathlib
import sys
import urllib.parse

ROOT = pathlib.Path(sys.argv[1]).resolve()


class Page(html.parser.HTMLParser):
    def __init__(self, file):
        super().__init__()
        self.ids, self.targets = set(), []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.targets += [values[name] for name in ("href", "src") if values.get(name)]


pages = {file: Page(file) for file in ROOT.rglob("*.html")}
problems = set()
for file, page in pages.items():
    for target in page.targets:
        parts = urllib.parse.urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        path = urllib.parse.unquote(parts.path)
        there = ROOT / path[1:] if path.startswith("/") else file.parent / path if path else file
        there = (there / "index.html" if there.is_dir() else there).resolve()
        if there not in pages and there.suffix == "":
            there = there.with_suffix(".html")
        if not there.is_file():
            problems.add(f"{file.relative_to(ROOT)}: {target}: no such file")
        elif parts.fragment and there in pages and urllib.parse.unquote(parts.fragment) not in pages[there].ids:
            problems.add(f"{file.relative_to(ROOT)}: {target}: no such heading")
print("\n".join(sorted(problems)) or f"links of {len(pages)} pages: ok")
sys.exit(bool(problems))
