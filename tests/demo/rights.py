#!/usr/bin/env python3
"""Compares what one account asked of the API server with what it was granted: rights.py AUDIT_LOG RBAC ACCOUNT CLIENT_PREFIX.

RBAC is `kubectl get -A -o json` of roles and bindings; ACCOUNT is the name of the service account and of its namespace. Fails when anything was denied, and when
something was granted that was never asked for, unless PERHAPS says when it would be.
"""
import collections
import json
import sys

PERHAPS = {
    "list": "where the server has no streaming lists (before 1.34 they are off by default), or they broke off",
    "patch clusterbucketstores/status": "where there is a ClusterBucketStore",
    "patch events": "where the same event comes again within minutes",
}


def granted_to(account, objects):
    """(verb, group, resource, namespace or None, name or None), of the bindings of this account itself; what every account may is not of interest."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": account}
    roles = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o.get("rules") or [] for o in objects if o["kind"].endswith("Role")}
    for binding in objects:
        if subject not in [{k: s.get(k) for k in subject} for s in binding.get("subjects") or []]:
            continue
        namespace, ref = binding["metadata"].get("namespace"), binding["roleRef"]
        for rule in roles[ref["kind"], namespace if ref["kind"] == "Role" else None, ref["name"]]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        for name in rule.get("resourceNames") or [None]:
                            yield verb, group, resource, namespace, name


def covers(right, request):
    """Whether the request used the right. A watch that selects one name is about that name."""
    verb, group, resource, namespace, name = right
    return request[:3] == (verb, group, resource) and namespace in (None, request[3]) and name in (None, request[4])


log_path, rbac_path, account, client = sys.argv[1:]
counts = collections.Counter()
with open(log_path, encoding="utf-8") as log:
    for line in log:
        event = json.loads(line)
        # kubectl writes the kubeconfig with this account's token, and may ask for the server's version with it.
        if event["user"]["username"] != f"system:serviceaccount:{account}:{account}" or not event.get("userAgent", "").startswith(client):
            continue
        about = event.get("objectRef", {})
        resource = "/".join(filter(None, [about.get("resource", event["requestURI"]), about.get("subresource")]))
        request = event["verb"], about.get("apiGroup", ""), resource, about.get("namespace"), about.get("name")
        counts[request, event.get("responseStatus", {}).get("code", 0)] += 1

shown = collections.Counter()
for ((verb, _, resource, _, _), code), count in counts.items():
    shown[verb, resource, code] += count
for (verb, resource, code), count in sorted(shown.items()):
    print(f"    {count:4}  {verb:6} {resource:34} {code}")

with open(rbac_path, encoding="utf-8") as rbac:
    granted = set(granted_to(account, json.load(rbac)["items"]))
denied = [request for request, code in counts if code in (401, 403)]
unused = [right for right in granted if not any(covers(right, request) for request, _ in counts)]
unexplained = [right for right in unused if right[0] not in PERHAPS and f"{right[0]} {right[2]}" not in PERHAPS]
if not granted or denied or unexplained:
    sys.exit(f"granted: {len(granted)}; denied: {denied}; granted and never used: {unexplained}")
for what, when in PERHAPS.items():
    if any(what in (right[0], f"{right[0]} {right[2]}") for right in unused):
        print(f"    not used here: {what}, needed {when}")
print(f"    ok: nothing denied, and {len(granted) - len(unused)} of {len(granted)} rights used, the others explained")
