#!/usr/bin/env python3
"""What Argo CD (health.lua) and kstatus (Flux, cli-utils) make of a policy or a store: health.py LUA [FILE…].

Three sources of cases: the table "How tools read it" of docs/status.md; deploy/argocd/testdata, in the form of Argo CD's own tests; and objects of a cluster as JSON, in
files named ARGO-KSTATUS--anything.json, which is what they must come to. The last line is "N passed, N failed".
"""
import json
import pathlib
import re
import subprocess
import sys

import yaml

ARGOCD = pathlib.Path("deploy/argocd")
lua, files = sys.argv[1], sys.argv[2:]
passed = failed = 0


def literal(value):
    """A Lua expression. A null is a key that is not there, as it is for Argo CD."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{literal(k)}] = {literal(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(literal, value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def argocd(obj):
    script = (ARGOCD / "health.lua").read_text(encoding="utf-8")
    program = f"local function health(obj)\n{script}\nend\nlocal h = health({literal(obj)})\nio.write(h.status, '\\n', h.message)"
    run = subprocess.run([lua, "-"], input=program, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split("\n", 1)


def kstatus(obj):
    """The rules of kstatus for kinds that it does not know, in its order."""
    status = obj.get("status", {})
    conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    if status.get("observedGeneration", obj["metadata"]["generation"]) != obj["metadata"]["generation"]:
        return "InProgress"
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"


def check(what, obj, expected_argocd, expected_kstatus, message=None):
    global passed, failed
    (health, said), seen = argocd(obj), kstatus(obj)
    if (health, seen) == (expected_argocd, expected_kstatus) and message in (None, said) and said:
        passed += 1
        print(f"    ok: {what}: {health}, {seen}")
    else:
        failed += 1
        print(f"    FAILED: {what}: expected {expected_argocd}, {expected_kstatus}, {message}; found {health}, {seen}, {said}")


def rows_of_the_table():
    text = pathlib.Path("docs/status.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| Ready \| Reconciling \| Stalled \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


for ready, reconciling, stalled, expected, _, health in rows_of_the_table():
    suspended = "Suspended" in ready
    statuses = ["True", "False", "Unknown"] if ready.startswith("as it was") else re.findall("True|False|Unknown", ready)
    if not statuses:
        sys.exit(f"docs/status.md: which Ready is meant by: {ready}")
    for status in statuses:
        pending = "Pending" in ready
        conditions = [{"type": "Ready", "status": status, "reason": "Pending" if pending else "Any", "message": "what is the matter"}]
        conditions += [{"type": kind, "status": "True"} for kind, cell in (("Reconciling", reconciling), ("Stalled", stalled)) if cell == "True"]
        policy = {"kind": "BucketEncryptionPolicy", "metadata": {"generation": 1}, "spec": {"suspend": suspended}, "status": {"observedGeneration": -1 if pending else 1, "conditions": conditions}}
        either = re.fullmatch(r"(\w+) if (\w+), else (\w+)", expected)  # as the table says it
        wanted = either[1 if status == either[2] else 3] if either else expected.split()[0]
        check(f"docs/status.md, {ready} ({status}), {reconciling}, {stalled}", policy, health.split()[0], wanted)

for test in yaml.safe_load((ARGOCD / "health_test.yaml").read_text(encoding="utf-8"))["tests"]:
    given = yaml.safe_load((ARGOCD / test["inputPath"]).read_text(encoding="utf-8"))
    check(test["inputPath"], given, test["healthStatus"]["status"], test["kstatus"], test["healthStatus"]["message"])

for path in map(pathlib.Path, files):
    wanted = path.name.split("--")[0].split("-")
    check(f"of a cluster: {path.name}", json.loads(path.read_text(encoding="utf-8")), *wanted)

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
