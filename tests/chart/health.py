#!/usr/bin/env python3
"""What Argo CD (its scripts of health and actions) and kstatus (Flux, cli-utils) make of a policy or a store: health.py LUA [FILE…].

Three sources of cases: the table "How tools read it" of docs/status.md; deploy/argocd/resource_customizations, in the form of Argo CD's own tests; and objects of a cluster
as JSON, in files named ARGO-KSTATUS--anything.json, which is what they must come to: each enabled action is run over them too, and may change nothing else. What is
rendered for installations of Argo CD must be these scripts. The last line is "N passed, N failed".
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

import yaml

ARGOCD = pathlib.Path("deploy/argocd")
SCRIPTS = ARGOCD / "resource_customizations/bucketencryption.io"
ACTIONS = SCRIPTS / "BucketEncryptionPolicy/actions"
REQUESTED = "reconcile.fluxcd.io/requestedAt"
# Prints a value of Lua as JSON. An empty table is an object: `alike` does not tell it from an empty list.
TO_JSON = r"""
local function json(v)
  if type(v) == "table" then
    local parts = {}
    if #v > 0 then
      for _, e in ipairs(v) do parts[#parts + 1] = json(e) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for k, e in pairs(v) do parts[#parts + 1] = json(k) .. ":" .. json(e) end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(v) == "string" then
    return '"' .. v:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
  end
  return tostring(v)
end
"""
lua, files = sys.argv[1], sys.argv[2:]
passed = failed = 0


def literal(value):
    """A Lua expression. A null is a key that is not there, as it is for Argo CD."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{literal(k)}] = {literal(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(literal, value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def run_script(path, obj):
    """What a script returns for an object."""
    program = f"{TO_JSON}\nlocal function script(obj)\n{path.read_text(encoding='utf-8')}\nend\nio.write(json(script({literal(obj)})))"
    run = subprocess.run([lua, "-"], input=program, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def argocd(obj):
    health = run_script(SCRIPTS / obj["kind"] / "health.lua", obj)
    return health["status"], health["message"]


def alike(value):
    """An object without what Lua cannot keep: nulls, and the difference of an empty list and an empty object. The time of a request is the same for all."""
    if isinstance(value, dict):
        return {k: re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "TIME", v) if k == REQUESTED else alike(v) for k, v in value.items() if v is not None} or None
    if isinstance(value, list):
        return [alike(v) for v in value] or None
    return value


def after(action, obj):
    """What an action must make of an object."""
    changed = copy.deepcopy(obj)
    if action == "reconcile":
        changed["metadata"].setdefault("annotations", {})[REQUESTED] = "By Argo CD at: 0001-01-01T00:00:00"
    elif action == "suspend":
        changed["spec"]["suspend"] = True
    else:
        changed["spec"].pop("suspend", None)
    return changed


def tell(what, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(f"    ok: {what}" if good else f"    FAILED: {what}: {detail}")


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
    (health, said), seen = argocd(obj), kstatus(obj)
    good = (health, seen) == (expected_argocd, expected_kstatus) and message in (None, said) and said
    tell(f"{what}: {health}, {seen}", good, f"expected {expected_argocd}, {expected_kstatus}, {message}; said {said}")


def check_actions(what, obj):
    """The actions that may be run are run, and what they make is as it should be, and still what the others expect."""
    enabled = sorted(name for name, action in run_script(ACTIONS / "discovery.lua", obj).items() if not action["disabled"])
    for action in enabled:
        made = run_script(ACTIONS / action / "action.lua", obj)
        tell(f"{what}: {action}", alike(made) == alike(after(action, obj)), made)
    return enabled


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

def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


expected = read(pathlib.Path("tests/chart/kstatus.yaml"))
tested = set()
for kind in sorted(path.parent.name for path in SCRIPTS.glob("*/health_test.yaml")):
    for test in read(SCRIPTS / kind / "health_test.yaml")["tests"]:
        name = f"{kind}/{pathlib.Path(test['inputPath']).stem}"
        tested.add(name)
        given = read(SCRIPTS / kind / test["inputPath"])
        assert given["kind"] == kind
        check(name, given, test["healthStatus"]["status"], expected[name], test["healthStatus"]["message"])
tell("each object of testdata has a test of its health", tested == set(expected) == {f"{p.parent.parent.name}/{p.stem}" for p in SCRIPTS.glob("*/testdata/*.yaml")})

tests = read(ACTIONS / "action_test.yaml")
for test in tests["discoveryTests"]:
    found = run_script(ACTIONS / "discovery.lua", read(ACTIONS / test["inputPath"]))
    wanted = {action["name"]: {"disabled": action["disabled"]} for action in test["result"]}
    tell(f"actions of {test['inputPath']}", found == wanted, found)
for test in tests["actionTests"]:
    found = run_script(ACTIONS / test["action"] / "action.lua", read(ACTIONS / test["inputPath"]))
    tell(f"{test['action']} of {test['inputPath']}", alike(found) == alike(read(ACTIONS / test["expectedOutputPath"])), found)

ran = set()
for path in map(pathlib.Path, files):
    wanted, found = path.name.split("--")[0].split("-"), json.loads(path.read_text(encoding="utf-8"))
    check(f"of a cluster: {path.name}", found, *wanted)
    if found["kind"] == "BucketEncryptionPolicy":
        ran |= set(check_actions(f"of a cluster: {path.name}", found))
if files:
    tell("every action was run over an object of a cluster", ran == {"reconcile", "suspend", "resume"}, ran)

healths = {f"resource.customizations.health.bucketencryption.io_{p.parent.name}": p.read_text(encoding="utf-8") for p in SCRIPTS.glob("*/health.lua")}
actions = {"discovery.lua": (ACTIONS / "discovery.lua").read_text(encoding="utf-8"),
           "definitions": [{"name": n, "action.lua": (ACTIONS / n / "action.lua").read_text(encoding="utf-8")} for n in ("reconcile", "suspend", "resume")]}
operator = read(ARGOCD / "operator.yaml")["spec"]
for name, rendered in (("argocd-cm.yaml", read(ARGOCD / "argocd-cm.yaml")["data"]), ("argo-helm.yaml", read(ARGOCD / "argo-helm.yaml")["configs"]["cm"]),
                       ("operator.yaml", {f"resource.customizations.health.{c['group']}_{c['kind']}": c["check"] for c in operator["resourceHealthChecks"]}
                        | {f"resource.customizations.actions.{c['group']}_{c['kind']}": c["action"] for c in operator["resourceActions"]})):
    given = yaml.safe_load(rendered.pop("resource.customizations.actions.bucketencryption.io_BucketEncryptionPolicy"))
    tell(f"{name} has these scripts", rendered == healths and given == actions and len(healths) == 3)

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
