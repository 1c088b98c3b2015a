#!/usr/bin/env python3
"""Counts what one account asked of the API server, from its audit log: rights.py AUDIT_LOG USER CLIENT_PREFIX.

Fails when anything was denied, or when something other than these was asked for: EXPECTED is asked for on every server, PERHAPS only where the server
has no streaming lists (before 1.34 they are off by default) or they broke off, and where the same event came twice within minutes.
"""
import collections
import json
import sys

EXPECTED = {
    ("watch", "bucketencryptionpolicies"), ("patch", "bucketencryptionpolicies/status"),
    ("watch", "objectstores"), ("watch", "clusterobjectstores"), ("watch", "namespaces"),
    ("get", "secrets"),
    ("create", "events"),
    ("create", "leases"), ("get", "leases"), ("watch", "leases"), ("patch", "leases"),
}  # fmt: skip
PERHAPS = {("list", kind) for kind in ("bucketencryptionpolicies", "objectstores", "clusterobjectstores", "namespaces", "leases")} | {("patch", "events"), ("patch", "bucketencryptionpolicies")}

path, user, client = sys.argv[1:]
counts = collections.Counter()
with open(path, encoding="utf-8") as log:
    for line in log:
        event = json.loads(line)
        # kubectl writes the kubeconfig with this account's token, and may ask for the server's version with it.
        if event["user"]["username"] != user or not event.get("userAgent", "").startswith(client):
            continue
        about = event.get("objectRef", {})
        resource = "/".join(filter(None, [about.get("resource", event["requestURI"]), about.get("subresource")]))
        counts[event["verb"], resource, event.get("responseStatus", {}).get("code", 0)] += 1

asked = {(verb, resource) for verb, resource, _ in counts}
for (verb, resource, code), count in sorted(counts.items()):
    print(f"    {count:4}  {verb:6} {resource:34} {code}")
denied = [key for key in counts if key[2] in (401, 403)]
if denied or asked - PERHAPS != EXPECTED:
    sys.exit(f"denied: {denied}; not expected: {sorted(asked - EXPECTED - PERHAPS)}; never asked for: {sorted(EXPECTED - asked)}")
print("    ok: nothing denied, nothing else asked for")
