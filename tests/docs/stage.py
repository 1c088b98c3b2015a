#!/usr/bin/env python3
"""Lays the pages of the repository out as the site has them: stage.py DIRECTORY

docs/X.md becomes X.md, README.md becomes the first page, and other pages keep their paths. A link of a page then leads to the page of the site. A file that is no page, such as a
sample or a CRD, becomes a page that shows it; a folder becomes its README.md, or a page that lists its files.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools"))
import links  # noqa: E402

OUT = pathlib.Path(sys.argv[1])
LANGUAGES = {".tpl": "yaml", ".lua": "lua", ".sh": "bash", ".py": "python", ".yaml": "yaml", ".json": "json"}
PICTURES = (".svg", ".png")
COMMENT = re.compile(r"^<!--.*?-->\n", re.M | re.S)
NOT_SHOWN = (".github/", "docs/.vitepress/")


def tracked():
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout.split("\0")
    return [n for n in names if n and pathlib.Path(n).is_file()]


FILES = tracked()


def place(name):
    """Where a file of the repository is on the site."""
    return re.sub(r"(^|/)README\.md$", r"\1index.md", re.sub(r"^docs/", "", name))


def is_folder(name):
    return any(f.startswith(name + "/") for f in FILES)


def shown(name):
    """The page for a file or folder that is no page itself; made when a link first leads there."""
    page = pathlib.Path(OUT, place(name) + ("/index.md" if is_folder(name) else ".md"))
    if not page.exists():
        page.parent.mkdir(parents=True, exist_ok=True)
        if is_folder(name):
            inside = sorted(f for f in FILES if f.startswith(name + "/"))
            text = "\n".join(f"- [{f[len(name) + 1:]}](/{target_of(f)})" for f in inside)
        else:
            text = f"````{LANGUAGES.get(pathlib.Path(name).suffix, 'text')}\n{pathlib.Path(name).read_text(encoding='utf-8')}\n````"
        page.write_text(f"---\nsearch: false\noutline: false\n---\n# {name}\n\n{text}\n", encoding="utf-8")
    return str(page.relative_to(OUT))


def target_of(name):
    if is_folder(name) and f"{name}/README.md" in FILES:
        name += "/README.md"
    return place(name) if name.endswith((".md", *PICTURES)) else shown(name)


def moved(match, page):
    """A link, as the site needs it."""
    target = match[1]
    if re.match(r"[a-z]+:|#", target):
        return match[0]
    path, _, anchor = target.partition("#")
    name = str((pathlib.Path(page).parent / path).resolve().relative_to(pathlib.Path.cwd()))
    return match[0].replace(f"({target})", f"(/{target_of(name)}{'#' if anchor else ''}{anchor})")


def main():
    for name in FILES:
        if name.startswith(NOT_SHOWN) or not (name.endswith(".md") or name.startswith("docs/") and name.endswith(PICTURES)):
            continue
        into = OUT / place(name)
        into.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".md"):
            text = pathlib.Path(name).read_text(encoding="utf-8")
            parts = re.split(f"({links.CODE.pattern})", text, flags=links.CODE.flags)  # what is in code stays as it is
            into.write_text("".join(p if i % 2 else links.LINK.sub(lambda m: moved(m, name), COMMENT.sub("", p)) for i, p in enumerate(parts)), encoding="utf-8")
        else:
            into.write_bytes(pathlib.Path(name).read_bytes())


main()
