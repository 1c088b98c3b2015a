#!/usr/bin/env python3
"""Prints the Grafana dashboard, charts/bucket-encryption-operator/files/dashboard.json: a row of numbers, the buckets that are not compliant, and rows on compliance, vendors and the
controller. `make render` runs it; `make observe` checks that each of its queries has an answer, and draws it."""
import json

OF = 'cluster=~"$cluster", namespace=~"$namespace", job=~"$job"'
PER = "cluster, namespace, job"  # an installation. Its pods report the same: the maximum over them, then the sum over installations
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, ORANGE, RED, BLUE, GREY, PURPLE = "green", "orange", "red", "blue", "#808080", "purple"
STATE_COLOURS = {"InSync": GREEN, "Drifted": ORANGE, "Failed": RED, "Unknown": PURPLE, "Releasing": BLUE}
STATUS_COLOURS = {"True": GREEN, "False": RED, "Unknown": PURPLE}
panels, place = [], [0, 0, 0]  # x, y, height of the line


def of(*labels):
    return "{" + ", ".join([*labels, OF]) + "}"


def total(metric, *labels, by="", of_each=""):
    """Over installations (and all values of the label `of_each`), of what every pod of one reports alike."""
    inner = ", ".join(filter(None, [PER, by, of_each]))
    return f"sum{f' by ({by})' if by else ''} (max by ({inner}) ({metric}{of(*labels)}))"


def target(expression, legend="", **more):
    return {"refId": "A", "datasource": DATASOURCE, "expr": expression, "legendFormat": legend, **more}


def put(kind, title, width, height, description, targets, defaults, overrides=(), options=None, **more):
    if place[0] + width > 24:
        place[0], place[1], place[2] = 0, place[1] + place[2], 0
    for letter, each in zip("ABCDEF", targets):
        each["refId"] = letter
    panels.append({
        "id": len(panels) + 1, "type": kind, "title": title, "description": description, "datasource": DATASOURCE, "gridPos": {"x": place[0], "y": place[1], "w": width, "h": height},
        "targets": targets, "fieldConfig": {"defaults": defaults, "overrides": list(overrides)}, "options": options or {}, **more})
    place[0], place[2] = place[0] + width, max(place[2], height)


def row(title):
    place[0], place[1], place[2] = 0, place[1] + place[2], 0
    panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": place[1], "w": 24, "h": 1}})
    place[1] += 1


def steps(base, **above):
    """Colours from these values on: steps(GREEN, orange=1)."""
    return {"mode": "absolute", "steps": [{"color": base, "value": None}, *({"color": colour, "value": value} for colour, value in above.items())]}


def stat(title, description, expression, thresholds, unit="short", none="none", mappings=()):
    put("stat", title, 3, 4, description, [target(expression)], {"unit": unit, "thresholds": thresholds, "color": {"mode": "thresholds"}, "noValue": none, "mappings": list(mappings)},
        options={"colorMode": "background", "graphMode": "none", "reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value"})


def graph(title, description, targets, unit="short", width=8, colours=None, stacked=False, limit=None):
    custom = {"lineWidth": 1, "fillOpacity": 40 if stacked else 10, "stacking": {"mode": "normal" if stacked else "none"}}
    defaults = {"unit": unit, "min": 0, "custom": custom}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "line"}
        defaults["thresholds"] = steps(GREEN, red=limit)
    overrides = [{"matcher": {"id": "byName", "options": name}, "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]} for name, colour in (colours or {}).items()]
    put("timeseries", title, width, 8, description, targets, defaults, overrides, {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}})


def table(title, description, expression, columns, links):
    labels = [label for label, _ in columns]
    put("table", title, 24, 8, description, [target(expression, format="table", instant=True)], {"custom": {"filterable": True}, "noValue": "every bucket is compliant"}, [
        {"matcher": {"id": "byName", "options": "State"}, "properties": [
            {"id": "mappings", "value": [{"type": "value", "options": {s: {"color": c, "text": s} for s, c in STATE_COLOURS.items()}}]},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}}, {"id": "links", "value": [{"title": t, "url": u, "targetBlank": True} for t, u in links]}]},
    ], {"showHeader": True, "sortBy": [{"displayName": "State", "desc": True}]}, transformations=[
        {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}, "indexByName": {label: i for i, label in enumerate(labels)}, "renameByName": dict(columns)}}])


# ---- the first row: how is it now?
stat("Compliant", "Buckets that are as declared, of all buckets of policies that are not being released.",
     "100 * " + total("bucketencryption_buckets", 'state="InSync"') + " / " + total("bucketencryption_buckets", 'state!="Releasing"', of_each="state"), steps(RED, orange=95, green=100), "percent", "no buckets")
stat("Drifted", "Buckets that were read and differ: mode Audit, or the operator does not correct them. The table below names them.",
     total("bucketencryption_buckets", 'state="Drifted"'), steps(GREEN, orange=1))
stat("Failed", "Buckets for which the vendor refuses a request, or that do not exist.", total("bucketencryption_buckets", 'state="Failed"'), steps(GREEN, red=1))
stat("Unknown", "Buckets that could not be read. Unknown is not \"not encrypted\".", total("bucketencryption_buckets", 'state="Unknown"'), steps(GREEN, purple=1))
stat("Uncovered", "Buckets that a policy with a selector may mean and does not have, because their tags or region cannot be read, or too many match.",
     total("bucketencryption_account_buckets", 'coverage="notCovered"', of_each="vendor"), steps(GREEN, orange=1), none="no selector")
stat("Keys rejected", "Access keys that a vendor rejects: no bucket of their stores is read.", total("bucketencryption_access_keys", 'state="rejected"'), steps(GREEN, red=1))
stat("Unusable KMS keys", "Policies with a KMS key that cannot be used: uploads to their buckets fail.", total("bucketencryption_kms_key_policies", 'usable="False"'), steps(GREEN, red=1))
stat("Leader", "Whether a replica holds the lease, in each installation. Without --leader-elect there is one replica, and no lease.",
     f"min (max by ({PER}) (leader_election_master_status{of()} and on (job, instance) bucketencryption_build_info))", steps(RED, green=1), none="one replica",
     mappings=[{"type": "value", "options": {"1": {"text": "leads"}, "0": {"text": "none"}}}])
table("Buckets that are not compliant", "Needs --metrics-per-bucket. A click on a state leads to the page that says what to do.",
      # The policy's namespace is in exported_namespace where the scrape has a label namespace of its own, as with the monitors of the chart.
      'max by (cluster, of, policy, bucket, state) (label_replace(label_replace(bucketencryption_bucket_state' + of('state!="InSync"')
      + ' == 1, "of", "$1", "namespace", "(.+)"), "of", "$1", "exported_namespace", "(.+)"))',
      [("cluster", "Cluster"), ("of", "Namespace"), ("policy", "Policy"), ("bucket", "Bucket"), ("state", "State")],
      [("Runbook: buckets are not encrypted as declared", "RUNBOOKS/BucketEncryptionDriftNotCorrected.md"), ("Runbook: buckets are not read", "RUNBOOKS/BucketEncryptionEvidenceStale.md")])

row("Compliance")
graph("Buckets by state", "The states of rows of policies' statuses.", [target(total("bucketencryption_buckets", by="state"), "{{state}}")], colours=STATE_COLOURS, stacked=True)
graph("What is wrong with buckets", "Buckets by the code of their error: the vendor's, or a reason of the operator. Look the code up in troubleshooting.",
      [target(total("bucketencryption_bucket_errors", by="code"), "{{code}}")])
graph("Policies by Ready", "False: a person is, or will be, needed. Unknown: not known now.", [target(total("bucketencryption_policies", by="ready"), "{{ready}}")], colours=STATUS_COLOURS, stacked=True)
graph("Drift per hour", "Found: buckets that were as declared and were found to differ. Corrected: of those, buckets that were written.",
      [target(f"sum (increase(bucketencryption_drift_found_total{of()}[1h]))", "found"), target(f"sum (increase(bucketencryption_drift_corrected_total{of()}[1h]))", "corrected")],
      colours={"found": ORANGE, "corrected": GREEN})
graph("Age of the oldest evidence", "Since the policy that has waited longest was last read in full. The alert fires at two hours.",
      [target(f"time() - min (max by ({PER}) (bucketencryption_oldest_verification_timestamp_seconds{of()}))", "age")], "s", limit=7200)
graph("From change to Compliant, p95", "From the moment that the operator sees a new or changed spec until its policy is Compliant.",
      [target(f"histogram_quantile(0.95, sum by (le) (rate(bucketencryption_apply_duration_seconds_bucket{of()}[1h])))", "p95")], "s")
graph("Whole accounts, by coverage", "What policies with a selector count. notCovered: buckets that may be meant and are not in a policy.",
      [target(total("bucketencryption_account_buckets", by="vendor, coverage"), "{{vendor}} {{coverage}}")])
graph("Policies by KeyUsable", "Policies that name a KMS key, by whether it can be used for new uploads.", [target(total("bucketencryption_kms_key_policies", by="usable"), "{{usable}}")], colours=STATUS_COLOURS)
graph("Buckets whose writes are backed off, per hour", "Writes that have no effect, or that somebody undoes each time.",
      [target(f"sum by (reason) (increase(bucketencryption_fuse_blown_total{of()}[1h]))", "{{reason}}")])

row("Vendors")
graph("Answers by code", "Requests that were answered, and those that were not (Timeout, Unreachable), by the vendor's code.",
      [target(f"sum by (vendor, code) (rate(bucketencryption_vendor_requests_total{of()}[$__rate_interval]))", "{{vendor}} {{code}}")], "reqps")
graph("Latency, p99", "Until an answer was complete, without the wait for a permit.",
      [target(f"histogram_quantile(0.99, sum by (le, vendor) (rate(bucketencryption_vendor_request_duration_seconds_bucket{of()}[$__rate_interval])))", "{{vendor}}")], "s")
graph("Access keys by state", "rejected: somewhere; proven: a vendor has accepted the key; new: not asked yet.", [target(total("bucketencryption_access_keys", by="state"), "{{state}}")],
      colours={"rejected": RED, "proven": GREEN, "new": BLUE})
graph("Rate limit: accepted and allowed", "Requests per second that vendors accept at present, and that stores allow.",
      [target(total("bucketencryption_limiter_rate", by="vendor"), "{{vendor}} accepted"), target(total("bucketencryption_limiter_rate_limit", by="vendor"), "{{vendor}} allowed")], "reqps")
graph("Requests in flight and waiting", "Waiting: for a permit of the rate limiter.",
      [target(total("bucketencryption_limiter_in_flight", by="vendor"), "{{vendor}} in flight"), target(total("bucketencryption_limiter_waiting", by="vendor"), "{{vendor}} waiting")])
graph("Throttled answers", "Answers that ask to go slower.", [target(f"sum by (vendor) (rate(bucketencryption_limiter_throttled_total{of()}[$__rate_interval]))", "{{vendor}}")], "reqps")

row("Controller")
POLICIES, QUEUE = of('controller="bucketencryptionpolicy"'), of('name="bucketencryptionpolicy"')
graph("Reconciles by result", "Of policies. error: the reconcile itself failed; what is wrong with a bucket is in its row.",
      [target(f"sum by (result) (rate(controller_runtime_reconcile_total{POLICIES}[$__rate_interval]))", "{{result}}")], "ops", colours={"error": RED, "success": GREEN})
graph("Queue", "Policies that wait for a worker.", [target(f"sum (workqueue_depth{QUEUE})", "waiting")])
graph("Wait in the queue, p99", "From the moment that a policy was added until a worker took it.",
      [target(f"histogram_quantile(0.99, sum by (le) (rate(workqueue_queue_duration_seconds_bucket{QUEUE}[$__rate_interval])))", "p99")], "s")
graph("Leader", "1: this pod holds the lease.", [target(f"max by (instance) (leader_election_master_status{of()} and on (job, instance) bucketencryption_build_info)", "{{instance}}")])
graph("CPU", "Cores per pod.", [target(f"rate(process_cpu_seconds_total{of()}[$__rate_interval]) and on (job, instance) bucketencryption_build_info", "{{instance}}")], "short")
graph("Memory", "Resident memory per pod.", [target(f"process_resident_memory_bytes{of()} and on (job, instance) bucketencryption_build_info", "{{instance}}")], "bytes")


def variable(name, label):
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "query": {"query": f"label_values(bucketencryption_build_info, {name})", "refId": name},
            "refresh": 2, "includeAll": True, "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}, "sort": 1}


print(json.dumps({
    "title": "Bucket Encryption Operator", "uid": "bucket-encryption-operator", "description": "Which buckets are encrypted as declared, which are not and why, and how the operator does.",
    "tags": ["bucket-encryption"], "schemaVersion": 39, "version": 2, "editable": True, "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
    "templating": {"list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                            variable("cluster", "Cluster"), variable("namespace", "Namespace"), variable("job", "Job")]},
    "annotations": {"list": [{"name": "Alerts", "datasource": DATASOURCE, "enable": True, "iconColor": "red", "titleFormat": "{{alertname}}",
                              "expr": f'ALERTS{{alertname=~"BucketEncryption.*", alertstate="firing", {OF}}}', "step": "60s"}]},
    "panels": panels,
}, indent=2))
