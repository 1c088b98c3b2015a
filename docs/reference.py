#!/usr/bin/env python3
"""Prints docs/reference.md from crds/: every field of every kind, with its type, its bounds, its default and its description."""
import pathlib

import yaml

CRDS = ["bucketencryptionpolicies", "bucketstores", "clusterbucketstores"]


def kind_of(schema):
    if schema.get("type") == "array":
        return "list of " + kind_of(schema["items"])
    return schema.get("format") or schema.get("type", "any")


def bounds(schema):
    said = []
    if "enum" in schema:
        said.append("one of " + ", ".join(f"`{json(v)}`" for v in schema["enum"]))
    for least, most, unit in (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items")):
        low, high = schema.get(least), schema.get(most)
        if low is not None and high is not None:
            said.append(f"{low} to {high}{unit}")
        elif high is not None:
            said.append(f"at most {high}{unit}")
        elif low is not None:
            said.append(f"at least {low}{unit}")
    if "default" in schema and not isinstance(schema["default"], dict):
        said.append(f"default `{json(schema['default'])}`")
    return "; ".join(said)


def json(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows(schema, path):
    needed = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner = field["items"] if field.get("type") == "array" else field
        text = " ".join(field.get("description", "").split())
        rules = [" ".join(r["message"].split()) for r in field.get("x-kubernetes-validations", []) if "message" in r]
        if rules:
            text = " ".join([text, "Refused otherwise: " + "; ".join(rules) + "."]).strip()
        yield here, kind_of(field), name in needed, bounds(field), text
        yield from rows(inner, here + ("[]" if field.get("type") == "array" else ""))


def page():
    yield "# Every field"
    yield ""
    yield "Made from [crds/](../crds) by `make render`; do not edit. `kubectl explain bep.spec` says the same."
    for crd in CRDS:
        definition = yaml.safe_load(pathlib.Path("crds", crd + ".yaml").read_text(encoding="utf-8"))
        names = definition["spec"]["names"]
        for version in definition["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            yield ""
            yield f"## {names['kind']}"
            yield f"`{definition['spec']['group']}/{version['name']}`, {definition['spec']['scope'].lower()}. {' '.join(schema.get('description', '').split())}"
            for part in ("spec", "status"):
                if part not in schema["properties"]:
                    continue
                yield ""
                yield f"### {names['kind']} {part}"
                # Rules of the whole object are about its spec: a status is never refused with it.
                places = [schema, schema["properties"]["spec"]] if part == "spec" else [schema["properties"][part]]
                rules = [" ".join(r["message"].split()) for place in places for r in place.get("x-kubernetes-validations", [])]
                if rules:
                    yield "Refused otherwise:"
                    yield from (f"- {rule}" for rule in rules)
                    yield ""
                yield "| field | type | | bounds | what |"
                yield "|---|---|---|---|---|"
                for name, kind, needed, limits, text in rows(schema["properties"][part], ""):
                    cells = [f"`{name}`", kind, "required" if needed else "", limits, text]
                    yield "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


print("\n".join(page()))
