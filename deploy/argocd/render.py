#!/usr/bin/env python3
"""Writes the Lua scripts of resource_customizations where installations of Argo CD look for them: render.py DIRECTORY, a copy of deploy/argocd (part of `make render`).

  argocd-cm.yaml     for `kubectl patch configmap argocd-cm`
  argo-helm.yaml     values of the chart argo-cd (argo-helm)
  operator.yaml      a patch of the ArgoCD object of argocd-operator

The scripts of health of the other kinds are copies of the policies'.
"""
import pathlib
import sys
import textwrap

directory = pathlib.Path(sys.argv[1])
GROUP, KINDS = "bucketencryption.io", ("BucketEncryptionPolicy", "BucketStore", "ClusterBucketStore")
scripts = directory / "resource_customizations" / GROUP
health = (scripts / KINDS[0] / "health.lua").read_text(encoding="utf-8")
for kind in KINDS[1:]:
    (scripts / kind / "health.lua").write_text(health, encoding="utf-8")


def block(text, width):
    """The text of a YAML literal at this indentation."""
    return textwrap.indent(text, " " * width)


def read(path):
    return path.read_text(encoding="utf-8")


actions_of = scripts / KINDS[0] / "actions"
actions = "discovery.lua: |\n" + block(read(actions_of / "discovery.lua"), 2) + "definitions:\n"
for name in ("reconcile", "suspend", "resume"):
    actions += f"  - name: {name}\n    action.lua: |\n" + block(read(actions_of / name / "action.lua"), 6)

keys = {f"resource.customizations.health.{GROUP}_{kind}": health for kind in KINDS} | {f"resource.customizations.actions.{GROUP}_{KINDS[0]}": actions}
made = "Made from resource_customizations by `make render`: change it there."
(directory / "argocd-cm.yaml").write_text(
    f"# For `kubectl patch configmap argocd-cm`: README.md says how. {made}\ndata:\n" + "".join(f"  {key}: |\n{block(text, 4)}" for key, text in keys.items()), encoding="utf-8")
(directory / "argo-helm.yaml").write_text(
    f"# Values for argo-helm's chart argo-cd. {made}\nconfigs:\n  cm:\n" + "".join(f"    {key}: |\n{block(text, 6)}" for key, text in keys.items()), encoding="utf-8")
(directory / "operator.yaml").write_text(
    f"# For `kubectl patch argocd` (argocd-operator, OpenShift GitOps): README.md says how. {made}\nspec:\n  resourceHealthChecks:\n"
    + "".join(f"    - group: {GROUP}\n      kind: {kind}\n      check: |\n{block(health, 8)}" for kind in KINDS)
    + f"  resourceActions:\n    - group: {GROUP}\n      kind: {KINDS[0]}\n      action: |\n{block(actions, 8)}", encoding="utf-8")
