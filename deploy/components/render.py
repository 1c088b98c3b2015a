#!/usr/bin/env python3
"""Writes what the component `namespaced` takes from the chart: render.py DIRECTORY, a copy of deploy (part of `make render`). Standard input is the chart's rendering of RBAC
with the one namespace `watched`.

  role.yaml           the Role of that namespace and its binding
  flags.yaml          turns the flags of install.yaml into those for one namespace, at their places; fails where these are others
  replacements.yaml   puts the namespace of the overlay's ConfigMap in place of `watched`
"""
import pathlib
import sys

import yaml

directory = pathlib.Path(sys.argv[1])
component = directory / "components/namespaced"
HEAD = "# Made from the chart by `make render`.\n"
documents = [text for text in sys.stdin.read().split("\n---\n") if "\n  namespace: watched\n" in text]
if len(documents) != 2:
    sys.exit(f"a Role and its binding are expected, and not {len(documents)} objects")
(component / "role.yaml").write_text(HEAD + "\n---\n".join(text.strip("\n") for text in documents) + "\n", encoding="utf-8")

objects = yaml.safe_load_all((directory / "install.yaml").read_text(encoding="utf-8"))
(deployment,) = [o for o in objects if o["kind"] == "Deployment"]
flags = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
serves = flags.index("--cluster-stores=true")
secrets = flags.index("--cluster-resource-namespace=bucket-encryption-operator")
places = [f"/spec/template/spec/containers/0/args/{i}" for i in (serves, secrets)]
(component / "flags.yaml").write_text(HEAD + "".join(
    f"- op: test\n  path: {place}\n  value: {old}\n- op: replace\n  path: {place}\n  value: {new}\n"
    for place, old, new in zip(places, (flags[serves], flags[secrets]), ("--cluster-stores=false", "--watch-namespaces=watched"))), encoding="utf-8")
(component / "replacements.yaml").write_text(HEAD + f"""- source:
    kind: ConfigMap
    name: watched
    fieldPath: data.namespace
  targets:
    - select:
        kind: Role
        namespace: watched
      fieldPaths: [metadata.namespace]
    - select:
        kind: RoleBinding
        namespace: watched
      fieldPaths: [metadata.namespace]
    - select:
        kind: Deployment
        name: bucket-encryption-operator
      fieldPaths: [spec.template.spec.containers.0.args.{secrets}]
      options:
        delimiter: "="
        index: 1
""", encoding="utf-8")
