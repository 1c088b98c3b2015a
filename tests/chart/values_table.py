#!/usr/bin/env python3
"""Writes the table of values into a chart's README.md, between its marks: values_table.py CHART_DIRECTORY.

A value is described by the comment `# -- …` above it; its default is what values.yaml says. Fails when a value has no description, when one is described that
is not there, or when values.schema.json knows other values than values.yaml.
"""
import json
import pathlib
import re
import sys

import yaml

BEGIN, END = "<!-- values, made by `make render` -->\n", "<!-- end of values -->\n"


def descriptions(text):
    """Path of a key → the comment that describes it. Keys are told from each other by their indentation, as YAML does."""
    found, path, comment = {}, [], None
    for line in text.splitlines():
        if match := re.match(r"\s*# -- (.*)", line):
            comment = match[1]
        elif match := re.match(r"( *)([A-Za-z][A-Za-z0-9]*):", line):
            path = path[: len(match[1]) // 2] + [match[2]]
            if comment:
                found[".".join(path)] = comment
                comment = None
    return found


def leaves(values, described, path=""):
    """The values that a description is due for: where one is given the default is shown whole, else what is inside is looked at."""
    for key, value in values.items():
        name = f"{path}{key}"
        if name in described or not isinstance(value, dict) or not value:
            yield name, value
        else:
            yield from leaves(value, described, name + ".")


def schema_mismatch(values, schema, root, path=""):
    """Keys that only one of the two has. Objects that the schema leaves open (Kubernetes' own) are not looked into."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    known = schema.get("properties")
    if known is None or not isinstance(values, dict):
        return
    for key in (set(known) ^ set(values)) - {"global"}:
        yield path + key
    for key in set(known) & set(values):
        yield from schema_mismatch(values[key], known[key], root, f"{path}{key}.")


chart = pathlib.Path(sys.argv[1])
text = (chart / "values.yaml").read_text(encoding="utf-8")
values, described = yaml.safe_load(text), descriptions(text)
schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
rows = list(leaves(values, described))
problems = [f"{name}: not described in values.yaml" for name, _ in rows if name not in described]
problems += [f"{name}: described, and not there" for name in set(described) - {name for name, _ in rows}]
problems += [f"{name}: in one of values.yaml and values.schema.json only" for name in schema_mismatch(values, schema, schema)]
if problems:
    sys.exit("\n".join(sorted(problems)))

table = "| value | default | what |\n|---|---|---|\n"
table += "".join(f"| `{name}` | `{json.dumps(value)}` | {described[name]} |\n" for name, value in rows)
readme = chart / "README.md"
before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
readme.write_text(before + BEGIN + table + END + rest.split(END)[1], encoding="utf-8")
