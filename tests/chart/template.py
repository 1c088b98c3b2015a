#!/usr/bin/env python3
"""What the chart makes of values, without a cluster: template.py HELM. Each case is a sentence; the last line is "N passed, N failed".

Whatever the values, every rendering is also held against the rules of holds_for_every.
"""
import json
import pathlib
import re
import subprocess
import sys

import yaml

CHART = "charts/bucket-encryption-operator"
NAMESPACE = "beo-system"
IMAGE = {"repository": "registry.example.com/beo"}
helm = sys.argv[1]


class StrictLoader(yaml.SafeLoader):
    """A key that is there twice is an error, as it is for kustomize. Helm and kubectl take the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        assert not twice, f"there twice: {', '.join(sorted(twice))} (line {node.start_mark.line + 1})"
        return super().construct_mapping(node, deep)


def render(values, namespace=NAMESPACE, release="beo"):
    """The objects by (kind, namespace, name), or what Helm says when it refuses. Values that name no image get one."""
    values = values | {"image": IMAGE | values.get("image", {})}
    run = subprocess.run([helm, "template", release, CHART, "--namespace", namespace, "--values", "-"], input=json.dumps(values), capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return run.stderr
    objects = [o for o in yaml.load_all(run.stdout, StrictLoader) if o] 
    found = {(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o for o in objects}
    assert len(found) == len(objects), "two objects have one name"
    return found


def only(objects, kind):
    (found,) = [o for key, o in objects.items() if key[0] == kind]
    return found


def kinds(objects):
    return sorted(kind for kind, _, _ in objects)


def pod(objects):
    return only(objects, "Deployment")["spec"]["template"]


def container(objects):
    """The operator's own: the first one, which kubectl takes where none is named."""
    found = pod(objects)["spec"]["containers"][0]
    assert found["name"] == "operator"
    return found


def rights(objects, kind, namespace=None):
    """What the operator's own roles of a kind (and namespace) grant, as verb and resource; and the names that they are bound to."""
    bound = {(o["roleRef"]["kind"], key[1], o["roleRef"]["name"]) for key, o in objects.items() if key[0] == kind + "Binding" and key[1] == namespace}
    rules = [rule for key in bound for rule in objects[key]["rules"]]
    return {(verb, resource) + tuple(rule.get("resourceNames", [])) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def alerts(file, runbooks):
    """The groups of one of the chart's files of alerts, with links to these runbooks."""
    return yaml.safe_load(pathlib.Path(CHART, f"files/{file}.yaml").read_text(encoding="utf-8").replace("RUNBOOKS", runbooks))["groups"]


def holds_for_every(objects):
    """Security and selectors that no value may break by accident."""
    spec, labels = pod(objects)["spec"], pod(objects)["metadata"]["labels"]
    own, whole = container(objects)["securityContext"], spec["securityContext"]
    assert whole["runAsNonRoot"] is True and whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "runAsUser" not in whole and "runAsUser" not in own and "fsGroup" not in whole, "OpenShift could not choose the user"
    assert own["readOnlyRootFilesystem"] is True and own["allowPrivilegeEscalation"] is False and own["capabilities"] == {"drop": ["ALL"]}
    selectors = [only(objects, "Deployment")["spec"]["selector"]["matchLabels"]]
    for (kind, _, _), o in objects.items():
        assert o["metadata"]["labels"]["app.kubernetes.io/instance"] == "beo"
        if kind == "Service":
            selectors.append(o["spec"]["selector"])
            assert o["spec"]["ports"][0]["targetPort"] == container(objects)["ports"][0]["name"]
        if kind in ("PodDisruptionBudget", "ServiceMonitor", "PodMonitor"):
            selectors.append(o["spec"]["selector"]["matchLabels"])
        if kind == "NetworkPolicy":
            selectors.append(o["spec"]["podSelector"]["matchLabels"])
        if kind in ("ClusterRole", "Role"):
            for rule in o["rules"]:
                assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], "a right to anything"
    for selector in selectors:
        assert selector.items() <= labels.items()
    account, where = spec["serviceAccountName"], only(objects, "Deployment")["metadata"]["namespace"]
    for (kind, _, _), o in objects.items():
        if kind.endswith("RoleBinding"):
            assert o["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": where}]
        if kind == "Pod":
            assert not any(selector.items() <= o["metadata"]["labels"].items() for selector in selectors), "helm test's Pod would be taken for a replica"
    secrets = {verb for kind in ("ClusterRole", "Role") for key, o in objects.items() if key[0] == kind for r in o["rules"] if "secrets" in r["resources"] for verb in r["verbs"]}
    assert secrets <= {"get"}, "Secrets are read one at a time, by name"


NAMED = "bucketencryptionpolicies"
LEASE = "beo-bucket-encryption-operator"
CASES = []


def case(values):
    """The function's name is the sentence."""
    return lambda check: CASES.append((check.__name__.replace("_", " "), values, check))


@case({})
def by_default_two_pods_with_a_lease_a_budget_and_rights_in_the_whole_cluster(o):
    assert only(o, "Deployment")["spec"]["replicas"] == 2 and only(o, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert {"--leader-elect", f"--lease-namespace={NAMESPACE}", f"--lease-name={LEASE}"} <= set(container(o)["args"])
    assert not any(a.startswith(("--watch-namespaces", "--allowed-endpoints")) for a in container(o)["args"])
    assert {("watch", NAMED), ("get", "secrets"), ("watch", "clusterbucketstores"), ("watch", "namespaces")} <= rights(o, "ClusterRole")
    assert rights(o, "Role", NAMESPACE) == {("create", "leases")} | {(v, "leases", LEASE) for v in ("get", "list", "watch", "patch")}
    assert not {"NetworkPolicy", "Service", "ServiceMonitor", "PodMonitor", "PrometheusRule", "ConfigMap"} & set(kinds(o))


@case({})
def the_crds_are_those_of_crds_and_are_kept(o):
    for file in pathlib.Path("crds").glob("*.yaml"):
        source = yaml.safe_load(file.read_text(encoding="utf-8"))
        made = o["CustomResourceDefinition", None, source["metadata"]["name"]]
        assert made["spec"] == source["spec"] and made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@case({"crds": {"keep": False}})
def crds_that_need_not_be_kept_have_no_such_annotation(o):
    assert all("annotations" not in crd["metadata"] for key, crd in o.items() if key[0] == "CustomResourceDefinition")


@case({"crds": {"install": False}})
def crds_can_be_left_to_somebody_else(o):
    assert "CustomResourceDefinition" not in kinds(o)


@case({"watchNamespaces": ["team-a", "team-b"]})
def watched_namespaces_get_roles_and_nothing_is_granted_in_the_cluster(o):
    assert "--watch-namespaces=team-a,team-b" in container(o)["args"]
    for ns in ("team-a", "team-b"):
        assert {("watch", NAMED), ("get", "secrets"), ("create", "events")} <= rights(o, "Role", ns)
    assert rights(o, "ClusterRole") == set()


@case({"rbac": {"secrets": [{"namespace": "team-a", "names": ["oss-keys", "obs-keys"]}, {"namespace": "team-b"}]}})
def listed_secrets_are_the_only_ones_that_can_be_read(o):
    assert not any(right[1] == "secrets" for right in rights(o, "ClusterRole")) and ("watch", NAMED) in rights(o, "ClusterRole")
    assert rights(o, "Role", "team-a") == {("get", "secrets", "oss-keys", "obs-keys")}
    assert rights(o, "Role", "team-b") == {("get", "secrets")}


@case({})
def no_service_account_can_be_taken_unless_it_is_listed(o):
    assert not any("serviceaccounts" in right[1] for kind in ("ClusterRole", "Role") for right in rights(o, kind))


@case({"rbac": {"serviceAccounts": [{"namespace": "team-a", "names": ["buckets", "archive"]}, {"namespace": "team-b"}]}})
def listed_service_accounts_are_taken_by_a_role_in_each_namespace(o):
    assert not any("serviceaccounts" in right[1] for right in rights(o, "ClusterRole"))
    assert rights(o, "Role", "team-a") == {("get", "serviceaccounts", "buckets", "archive"), ("create", "serviceaccounts/token", "buckets", "archive")}
    assert rights(o, "Role", "team-b") == {("get", "serviceaccounts"), ("create", "serviceaccounts/token")}


@case({"workloadIdentity": {"assumableRoles": ["arn:aws:iam::111122223333:role/of-{namespace}", "acs:ram::1:role/r"], "tokenAudiences": ["S3=sts.example.com"]}})
def roles_and_audiences_are_flags(o):
    args = container(o)["args"]
    assert "--assumable-roles=arn:aws:iam::111122223333:role/of-{namespace},acs:ram::1:role/r" in args and "--token-audiences=S3=sts.example.com" in args


@case({"watchNamespaces": ["team-a"], "rbac": {"secrets": [{"namespace": "team-a", "names": ["oss-keys"]}]}})
def listed_secrets_in_watched_namespaces(o):
    granted = rights(o, "Role", "team-a")
    assert ("get", "secrets", "oss-keys") in granted and ("get", "secrets") not in granted and ("watch", NAMED) in granted


@case({"watchNamespaces": ["team-a"], "clusterStores": {"enabled": True}})
def stores_of_the_cluster_beside_watched_namespaces(o):
    assert {"--cluster-stores=true", f"--cluster-resource-namespace={NAMESPACE}"} <= set(container(o)["args"])
    assert rights(o, "ClusterRole") == {(verb, kind) for verb in ("list", "watch") for kind in ("clusterbucketstores", "namespaces")} | {("patch", "clusterbucketstores/status")}
    assert ("get", "secrets") in rights(o, "Role", NAMESPACE)


@case({"clusterStores": {"enabled": False}})
def no_right_to_stores_of_the_cluster_where_they_are_not_served(o):
    assert "--cluster-stores=false" in container(o)["args"]
    assert not {"clusterbucketstores", "clusterbucketstores/status", "namespaces"} & {right[1] for right in rights(o, "ClusterRole")}


@case({"clusterStores": {"secretsNamespace": "vault"}, "rbac": {"secrets": [{"namespace": "vault", "names": ["company-keys"]}]}})
def secrets_of_stores_of_the_cluster_are_listed_like_others(o):
    assert "--cluster-resource-namespace=vault" in container(o)["args"]
    assert rights(o, "Role", "vault") == {("get", "secrets", "company-keys")} and ("get", "secrets") not in rights(o, "ClusterRole")


@case({"rbac": {"create": False}, "serviceAccount": {"create": False, "name": "made-elsewhere"}})
def account_and_rights_can_be_made_elsewhere(o):
    assert not {"ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"} & set(kinds(o))
    assert pod(o)["spec"]["serviceAccountName"] == "made-elsewhere"


@case({"rbac": {"aggregateToUserRoles": False}})
def roles_of_people_can_be_left_alone(o):
    assert not any("aggregate" in label for key, x in o.items() if key[0] == "ClusterRole" for label in x["metadata"]["labels"])


@case({})
def people_who_may_edit_may_write_policies_but_only_admins_write_stores(o):
    def granted(role):
        chosen = [x for key, x in o.items() if key[0] == "ClusterRole" and f"rbac.authorization.k8s.io/aggregate-to-{role}" in x["metadata"]["labels"]]
        return {(verb, resource) for x in chosen for rule in x["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert {verb for verb, _ in granted("view")} == {"get", "list", "watch"}
    assert ("create", NAMED) in granted("edit") and ("create", "bucketstores") not in granted("edit") and ("create", "clusterbucketstores") not in granted("admin")
    assert ("create", "bucketstores") in granted("admin")


@case({"leaderElection": {"enabled": False}, "replicas": 1})
def one_pod_without_a_lease_stops_before_the_next_starts(o):
    assert "--leader-elect" not in container(o)["args"] and only(o, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert "Role" not in kinds(o) and "PodDisruptionBudget" not in kinds(o)


@case({"image": {"repository": "registry.example.com:5000/beo", "tag": "1.2.3", "digest": "sha256:" + "0" * 64}})
def a_digest_decides_which_image(o):
    assert container(o)["image"] == "registry.example.com:5000/beo:1.2.3@sha256:" + "0" * 64


@case({"networkPolicy": {"enabled": True, "ingressFrom": [{"namespaceSelector": {}}], "extraEgress": [{"to": [{"ipBlock": {"cidr": "100.100.100.200/32"}}]}]}})
def a_network_policy_lets_out_dns_and_the_listed_ports(o):
    spec = only(o, "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"] and spec["ingress"][0]["from"] == [{"namespaceSelector": {}}]
    assert [[p["port"] for p in rule.get("ports", [])] for rule in spec["egress"]] == [[53, 53], [443, 6443], []]


@case({"metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "1m"}, "podMonitor": {"enabled": True}}})
def monitors_find_the_port(o):
    monitor = only(o, "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus" and monitor["spec"]["endpoints"][0] == {"port": "http", "path": "/metrics", "interval": "1m"}
    assert only(o, "Service")["spec"]["ports"][0]["name"] == "http" and only(o, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"] == "http"


@case({"metrics": {"service": {"enabled": True, "annotations": {"prometheus.io/scrape": "true"}}}})
def a_service_alone(o):
    assert only(o, "Service")["metadata"]["annotations"] == {"prometheus.io/scrape": "true"} and "ServiceMonitor" not in kinds(o)


@case({"metrics": {"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}, "runbooks": "https://wiki.example/beo", "uncoveredBuckets": True}}})
def alerts_have_each_a_runbook_and_are_those_of_the_files(o):
    rule = only(o, "PrometheusRule")
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    groups = rule["spec"]["groups"]
    assert groups == [g for file in ("rules", "rules-uncovered") for g in alerts(file, "https://wiki.example/beo")] and "{{ $value }}" in str(groups)
    for alert in (r for g in groups for r in g["rules"]):
        assert alert["annotations"]["runbook_url"] == f"https://wiki.example/beo/{alert['alert']}.md"
        assert pathlib.Path("docs/runbooks", alert["alert"] + ".md").read_text(encoding="utf-8").startswith(f"# {alert['alert']}\n")
    assert {p.stem for p in pathlib.Path("docs/runbooks").glob("*.md")} == {r["alert"] for g in groups for r in g["rules"]}


@case({"metrics": {"prometheusRule": {"enabled": True}}})
def the_alert_of_uncovered_buckets_is_off_by_default(o):
    assert only(o, "PrometheusRule")["spec"]["groups"] == alerts("rules", "docs/runbooks")


@case({"metrics": {"dashboard": {"enabled": True}, "prometheusRule": {"runbooks": "https://wiki.example/beo/"}}})
def the_dashboard_is_found_by_the_sidecar_and_whole(o):
    (found,) = [c for key, c in o.items() if key[0] == "ConfigMap"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    made = pathlib.Path(CHART, "files/dashboard.json").read_text(encoding="utf-8")
    assert found["data"]["bucket-encryption-operator.json"].strip() == made.replace("RUNBOOKS", "https://wiki.example/beo").strip()
    for runbook in re.findall(r"RUNBOOKS/(\w+)\.md", made):
        assert pathlib.Path("docs/runbooks", runbook + ".md").exists()


@case({"workloadIdentity": {"rrsa": {"roleName": "beo"}, "irsa": {"roleArn": "arn:aws:iam::111122223333:role/beo"}, "inNamespacedStores": True}, "serviceAccount": {"annotations": {"mine": "yes"}}})
def identities_of_the_cloud(o):
    assert only(o, "ServiceAccount")["metadata"]["annotations"] == {
        "pod-identity.alibabacloud.com/role-name": "beo", "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/beo", "mine": "yes"}
    assert pod(o)["metadata"]["labels"]["pod-identity.alibabacloud.com/injection"] == "on" and "--ambient-credentials-in-namespaced-stores" in container(o)["args"]


@case({"priorityClassName": "system-cluster-critical", "tolerations": [{"operator": "Exists"}], "nodeSelector": {"a": "b"}, "affinity": {"nodeAffinity": {}},
       "imagePullSecrets": [{"name": "pull"}], "podLabels": {"team": "x"}, "podAnnotations": {"note": "y"}, "commonLabels": {"cost": "z"}, "commonAnnotations": {"by": "us"},
       "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}], "extraArgs": ["--context=x"],
       "extraVolumes": [{"name": "v", "emptyDir": {}}], "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}]})
def what_a_platform_adds_arrives(o):
    template, spec, own = pod(o), pod(o)["spec"], container(o)
    assert spec["priorityClassName"] == "system-cluster-critical" and spec["tolerations"] == [{"operator": "Exists"}] and spec["nodeSelector"] == {"a": "b"}
    assert spec["affinity"] == {"nodeAffinity": {}} and spec["imagePullSecrets"] == [{"name": "pull"}]
    assert template["metadata"]["labels"]["team"] == "x" and template["metadata"]["annotations"]["note"] == "y"
    assert all(x["metadata"]["labels"]["cost"] == "z" and x["metadata"]["annotations"]["by"] == "us" for x in o.values())
    assert own["env"] == [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}] and own["args"][-1] == "--context=x"
    assert own["volumeMounts"] == [{"name": "v", "mountPath": "/v"}] and spec["volumes"] == [{"name": "v", "emptyDir": {}}]


@case({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
                                     {"maxSkew": 2, "topologyKey": "host", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"a": "b"}}}]})
def a_spread_without_a_selector_means_these_pods(o):
    first, second = pod(o)["spec"]["topologySpreadConstraints"]
    assert first["labelSelector"]["matchLabels"] == only(o, "Deployment")["spec"]["selector"]["matchLabels"]
    assert second["labelSelector"]["matchLabels"] == {"a": "b"}


@case({"allowedEndpoints": ["https://*.example.com", "http://minio:9000"], "workers": 8, "bucketConcurrency": 2, "vendorTimeout": 7, "drainTimeout": 60,
       "readOnly": True, "keyChecks": False, "evidenceInterval": 60,
       "log": {"format": "plain", "level": "Debug"}, "leaderElection": {"leaseDuration": 30}})
def settings_become_flags_and_the_pod_has_time_to_drain(o):
    assert {"--allowed-endpoints=https://*.example.com,http://minio:9000", "--workers=8", "--bucket-concurrency=2", "--vendor-timeout=7", "--drain-timeout=60",
            "--read-only", "--key-checks=false", "--evidence-interval=60", "--log-format=plain", "--log-level=Debug", "--lease-duration=30"} <= set(container(o)["args"])
    assert pod(o)["spec"]["terminationGracePeriodSeconds"] == 75


@case({"fullnameOverride": "other", "nameOverride": "thing"})
def names_can_be_given(o):
    assert only(o, "Deployment")["metadata"]["name"] == "other" and "--lease-name=other" in container(o)["args"]
    assert ("patch", "leases", "other") in rights(o, "Role", NAMESPACE)


EVERYTHING = {
    "guardrails": {"enabled": True}, "networkPolicy": {"enabled": True}, "workloadIdentity": {"rrsa": {"roleName": "beo"}, "irsa": {"roleArn": "arn:aws:iam::111122223333:role/beo"}},
    "metrics": {kind: {"enabled": True} for kind in ("service", "serviceMonitor", "podMonitor", "prometheusRule", "dashboard")}}
# What the chart sets itself, in every place where somebody may set it too.
KEYS = {key: "mine" for key in (
    "team", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart", "grafana_dashboard", "pod-identity.alibabacloud.com/injection",
    "rbac.authorization.k8s.io/aggregate-to-view", "kubectl.kubernetes.io/default-container", "helm.sh/resource-policy",
    "pod-identity.alibabacloud.com/role-name", "eks.amazonaws.com/role-arn")}
TWICE = {
    **EVERYTHING, "commonLabels": KEYS, "podLabels": KEYS, "commonAnnotations": KEYS, "podAnnotations": KEYS, "deploymentAnnotations": KEYS, "crds": {"annotations": KEYS},
    "serviceAccount": {"annotations": KEYS},
    "metrics": {kind: {"enabled": True, "annotations": KEYS} | ({} if kind == "service" else {"labels": KEYS}) for kind in EVERYTHING["metrics"]}}


@case(TWICE)
def labels_and_annotations_that_are_set_in_several_places_are_there_once_and_the_nearest_decides(o):
    """That each is there once is what StrictLoader says."""
    assert pod(o)["metadata"]["labels"].items() >= KEYS.items() and pod(o)["metadata"]["annotations"].items() >= KEYS.items()
    assert all(x["metadata"]["labels"]["team"] == "mine" and x["metadata"]["annotations"]["team"] == "mine" for x in o.values())
    assert only(o, "ServiceAccount")["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == "mine"


@case({"commonLabels": {"a": "common", "b": "common"}, "podLabels": {"b": "pod"}, "commonAnnotations": {"c": "common"}, "crds": {"annotations": {"c": "crd"}}})
def what_is_set_for_one_object_goes_before_what_is_set_for_all(o):
    assert pod(o)["metadata"]["labels"].items() >= {"a": "common", "b": "pod"}.items() and only(o, "Deployment")["metadata"]["labels"]["b"] == "common"
    crds = [x["metadata"]["annotations"] for key, x in o.items() if key[0] == "CustomResourceDefinition"]
    assert crds == [{"c": "crd", "helm.sh/resource-policy": "keep"}] * 3 and only(o, "Deployment")["metadata"]["annotations"] == {"c": "common"}


@case({**EVERYTHING, "namespaceOverride": "elsewhere"})
def a_namespace_of_ones_own_is_where_everything_goes(o):
    assert {key[1] for key in o} == {None, "elsewhere"}
    assert {"--lease-namespace=elsewhere", "--cluster-resource-namespace=elsewhere"} <= set(container(o)["args"])


@case({"image": {"registry": "registry.example.com:5000", "repository": "team/beo"}, "imagePullSecrets": [{"name": "a"}, {"name": "b"}], "global": {"imagePullSecrets": [{"name": "a"}], "x": 1}})
def the_registry_can_be_given_alone(o):
    assert container(o)["image"].startswith("registry.example.com:5000/team/beo:") and pod(o)["spec"]["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]


@case({"image": {"registry": "one.example.com", "repository": "beo"}, "global": {"imageRegistry": "mirror.example.com/dockerhub/"}})
def the_registry_of_the_whole_goes_before_the_charts(o):
    assert container(o)["image"].startswith("mirror.example.com/dockerhub/beo:")
    assert only(o, "Pod")["spec"]["containers"][0]["image"] == container(o)["image"]


@case({"hostNetwork": True, "httpPort": 18080, "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}, "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["oss.internal"]}],
       "runtimeClassName": "gvisor", "schedulerName": "mine", "hostUsers": False, "enableServiceLinks": True, "revisionHistoryLimit": 0,
       "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}}, "deploymentAnnotations": {"reloader": "on"},
       "envFrom": [{"configMapRef": {"name": "proxy"}}], "initContainers": [{"name": "wait", "image": "x"}], "extraContainers": [{"name": "beside", "image": "y"}]})
def the_pod_is_what_a_platform_wants(o):
    deployment, spec = only(o, "Deployment"), pod(o)["spec"]
    assert deployment["metadata"]["annotations"] == {"reloader": "on"} and deployment["spec"]["revisionHistoryLimit"] == 0
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}}
    assert spec["hostNetwork"] is True and spec["dnsPolicy"] == "ClusterFirstWithHostNet" and spec["dnsConfig"] == {"options": [{"name": "ndots", "value": "1"}]}
    assert spec["hostAliases"] == [{"ip": "10.0.0.1", "hostnames": ["oss.internal"]}] and spec["runtimeClassName"] == "gvisor" and spec["schedulerName"] == "mine"
    assert spec["hostUsers"] is False and spec["enableServiceLinks"] is True
    assert [c["name"] for c in spec["initContainers"]] == ["wait"] and [c["name"] for c in spec["containers"]] == ["operator", "beside"]
    own = container(o)
    assert own["envFrom"] == [{"configMapRef": {"name": "proxy"}}] and own["ports"] == [{"name": "http", "containerPort": 18080}] and "--http-address=0.0.0.0:18080" in own["args"]


@case({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.2"]}})
def names_can_be_asked_of_servers_of_ones_own(o):
    assert pod(o)["spec"]["dnsPolicy"] == "None" and pod(o)["spec"]["dnsConfig"] == {"nameservers": ["10.0.0.2"]} and "hostNetwork" not in pod(o)["spec"]


@case({"readinessProbe": {"failureThreshold": 5}, "livenessProbe": {"periodSeconds": 60, "initialDelaySeconds": 0}, "startupProbe": {"periodSeconds": 1, "failureThreshold": 120}})
def probes_are_as_patient_as_told_and_ask_the_same(o):
    own = container(o)
    assert own["readinessProbe"] == {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5, "failureThreshold": 5}
    assert own["livenessProbe"] == {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 60, "initialDelaySeconds": 0, "timeoutSeconds": 5}
    assert own["startupProbe"] == {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 1, "failureThreshold": 120}


@case({"podDisruptionBudget": {"minAvailable": "50%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}})
def a_budget_says_one_of_two_things(o):
    spec = only(o, "PodDisruptionBudget")["spec"]
    assert spec["minAvailable"] == "50%" and "maxUnavailable" not in spec and spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@case({"podDisruptionBudget": {"minAvailable": 0}})
def a_budget_of_zero_is_one(o):
    assert only(o, "PodDisruptionBudget")["spec"]["minAvailable"] == 0


@case({"extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-ca", "labels": {"app.kubernetes.io/instance": "beo"}}},
                        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include \"beo.fullname\" . }}\n  labels: {app.kubernetes.io/instance: beo}\n"]})
def objects_of_ones_own_belong_to_the_release(o):
    assert ("ConfigMap", None, "beo-ca") in o and ("Secret", None, LEASE) in o


@case({"metrics": {"serviceMonitor": {"enabled": True, "namespace": "monitoring", "annotations": {"a": "b"}, "scrapeTimeout": "10s", "honorLabels": True,
                                      "relabelings": [{"action": "labeldrop", "regex": "pod"}], "metricRelabelings": [{"action": "drop", "regex": "x"}]}}})
def a_monitor_elsewhere_looks_here(o):
    (key,) = [k for k in o if k[0] == "ServiceMonitor"]
    assert key[1:] == ("monitoring", f"{LEASE}.{NAMESPACE}") and o[key]["metadata"]["annotations"] == {"a": "b"}
    assert o[key]["spec"]["namespaceSelector"] == {"matchNames": [NAMESPACE]}
    assert o[key]["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s", "scrapeTimeout": "10s", "honorLabels": True,
                                            "relabelings": [{"action": "labeldrop", "regex": "pod"}], "metricRelabelings": [{"action": "drop", "regex": "x"}]}]


@case({"metrics": {"dashboard": {"enabled": True, "namespace": "grafana", "annotations": {"grafana_folder": "Storage"}}}})
def a_dashboard_goes_to_a_folder_and_where_the_sidecar_looks(o):
    assert o["ConfigMap", "grafana", f"{LEASE}-dashboard.{NAMESPACE}"]["metadata"]["annotations"] == {"grafana_folder": "Storage"}


@case({"metrics": {"prometheusRule": {
    "enabled": True, "namespace": "monitoring", "thresholds": {"verificationAge": 3600, "reconcileDuration": 60, "queueDepth": 99}, "alertLabels": {"team": "storage"},
    "alerts": {"BucketEncryptionThrottled": {"enabled": False}, "BucketEncryptionNoLeader": {"for": "5m", "labels": {"severity": "warning"}}}}}})
def alerts_are_adjusted_one_by_one(o):
    found = {r["alert"]: r for g in only(o, "PrometheusRule")["spec"]["groups"] for r in g["rules"]}
    before = {r["alert"]: r for g in alerts("rules", "docs/runbooks") for r in g["rules"]}
    assert set(before) - set(found) == {"BucketEncryptionThrottled"} and set(found) < set(before)
    assert found["BucketEncryptionNoLeader"]["for"] == "5m" and found["BucketEncryptionNoLeader"]["labels"] == {"severity": "warning", "team": "storage"}
    changed = {name: (before[name]["expr"], r["expr"]) for name, r in found.items() if before[name]["expr"] != r["expr"]}
    assert changed == {name: (old, old.replace(a, b)) for name, a, b in (
        ("BucketEncryptionEvidenceStale", "> 7200", "> 3600"), ("BucketEncryptionNotReconciling", "> 900", "> 60"), ("BucketEncryptionQueueGrowing", "> 10 ", "> 99 "))
        for old in (before[name]["expr"],)}


@case({**EVERYTHING, "extraEnv": [{"name": "A", "value": "b"}], "extraVolumes": [{"name": "v", "emptyDir": {}}], "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
       "tolerations": [{"operator": "Exists"}], "hostNetwork": True, "initContainers": [{"name": "wait", "image": "x"}], "extraContainers": [{"name": "beside", "image": "y"}]})
def helm_test_starts_the_operator_as_the_deployment_does_but_read_only(o):
    test, spec, own = only(o, "Pod"), pod(o)["spec"], container(o)
    assert test["metadata"]["annotations"]["helm.sh/hook"] == "test" and test["metadata"]["namespace"] == NAMESPACE
    first, sidecar = test["spec"]["initContainers"]
    assert first == {"name": "wait", "image": "x"} and sidecar["restartPolicy"] == "Always" and sidecar["args"] == own["args"] + ["--read-only"]
    assert sidecar["startupProbe"]["httpGet"] == {"path": "/readyz", "port": 8080}
    same = ("image", "env", "volumeMounts", "securityContext", "resources")
    assert {key: sidecar[key] for key in same} == {key: own[key] for key in same}
    same = ("serviceAccountName", "automountServiceAccountToken", "securityContext", "tolerations", "volumes")
    assert {key: test["spec"][key] for key in same} == {key: spec[key] for key in same}
    (done,) = test["spec"]["containers"]
    assert done["args"] == ["--version"] and done["securityContext"] == own["securityContext"] and test["spec"]["restartPolicy"] == "Never"
    assert "hostNetwork" not in test["spec"] and "topologySpreadConstraints" not in test["spec"]


@case({"helmTest": {"enabled": False}})
def helm_test_can_be_left_out(o):
    assert "Pod" not in kinds(o)


@case({})
def people_of_openshift_who_read_the_cluster_read_policies_and_stores(o):
    (role,) = [x for key, x in o.items() if key[0] == "ClusterRole" and "rbac.authorization.k8s.io/aggregate-to-cluster-reader" in x["metadata"]["labels"]]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"} and "clusterbucketstores" in role["rules"][0]["resources"]


RULES = {"allowDowngrade": "allow-downgrade", "algorithmNone": "algorithm-none", "deletionPolicyDelete": "deletion-policy-delete", "bucketSelector": "bucket-selector"}


def guardrails(objects):
    """The specs of guardrail and binding by the rule's suffix, with what holds for each: policies alone are matched, no status, no delete; and it is bound once."""
    found = {}
    for (kind, _, name), o in objects.items():
        if kind == "ValidatingAdmissionPolicy":
            assert o["spec"]["failurePolicy"] == "Fail" and [v["reason"] for v in o["spec"]["validations"]] == ["Forbidden"]
            assert o["spec"]["matchConstraints"] == {"matchPolicy": "Equivalent", "resourceRules": [
                {"apiGroups": ["bucketencryption.io"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"], "resources": [NAMED], "scope": "Namespaced"}]}
            binding = objects["ValidatingAdmissionPolicyBinding", None, name]["spec"]
            assert binding["policyName"] == name and set(binding) == {"policyName", "validationActions"}
            found[name.removeprefix(LEASE + "-").removesuffix("." + NAMESPACE)] = (o["spec"], binding)
    assert len(found) == kinds(objects).count("ValidatingAdmissionPolicyBinding")
    return found


@case({})
def by_default_there_is_no_guardrail(o):
    assert guardrails(o) == {}


@case({"guardrails": {"enabled": True}})
def guardrails_deny_everywhere_and_name_the_administrators_and_the_operator_gets_no_right_for_them(o):
    assert set(guardrails(o)) == set(RULES.values())
    for spec, binding in guardrails(o).values():
        assert "matchConditions" not in spec and binding["validationActions"] == ["Deny"]
        (validation,) = spec["validations"]
        for text in (validation["message"], validation["messageExpression"]):
            assert "no namespace may have it. Ask the administrators of the cluster." in text
    assert not any("admissionregistration.k8s.io" in rule["apiGroups"] for key, role in o.items() if key[0].endswith("Role") for rule in role["rules"])


@case({"guardrails": {"enabled": True, "validationActions": ["Warn", "Audit"], "contact": "team \"x\": o'neil's #1 \\", "exemptNamespaces": ["sandbox"],
                      "rules": {"bucketSelector": {"exemptNamespaces": ["platform", "sandbox"]}, "algorithmNone": {"enabled": False}}}})
def guardrails_are_switched_off_and_exempt_namespaces_one_by_one(o):
    found = guardrails(o)
    assert set(found) == {"allow-downgrade", "deletion-policy-delete", "bucket-selector"}
    for suffix, (spec, binding) in found.items():
        names = ["platform", "sandbox"] if suffix == "bucket-selector" else ["sandbox"]
        assert spec["matchConditions"] == [{"name": "not-exempt-namespace", "expression": f"!(request.namespace in {json.dumps(names, separators=(',', ':'))})"}]
        assert binding["validationActions"] == ["Warn", "Audit"]
        (validation,) = spec["validations"]
        assert f"only these namespaces may have it: {', '.join(names)}. Ask team \"x\": o'neil's #1 \\." in validation["message"]
        assert 'Ask team \\"x\\": o\'neil\'s #1 \\\\."' in validation["messageExpression"]


@case({"guardrails": {"enabled": True}, "watchNamespaces": ["team-a", "team-b"]})
def guardrails_end_where_the_operator_does_not_work(o):
    for spec, _ in guardrails(o).values():
        assert spec["matchConditions"] == [{"name": "watched-namespace", "expression": 'request.namespace in ["team-a","team-b"]'}]


REFUSED = [
    ("an unknown value", {"replica": 3}, "replica"),
    ("an unknown value inside another", {"rbac": {"secret": []}}, "secret"),
    ("two pods without a lease", {"leaderElection": {"enabled": False}}, "leaderElection.enabled"),
    ("no account at all", {"serviceAccount": {"create": False}}, "serviceAccount.name"),
    ("a namespace that cannot be", {"watchNamespaces": ["Team_A"]}, "watchNamespaces"),
    ("two endpoints in one", {"allowedEndpoints": ["a.example.com,b.example.com"]}, "allowedEndpoints"),
    ("a tag in the repository", {"image": {"repository": "beo:1"}}, "repository"),
    ("half a digest", {"image": {"digest": "sha256:00"}}, "digest"),
    ("more workers than the operator takes", {"workers": 65}, "workers"),
    ("a level of log that is none", {"log": {"level": "info"}}, "level"),
    ("an empty list of names, which would mean all", {"rbac": {"secrets": [{"namespace": "a", "names": []}]}}, "names"),
    ("one namespace twice", {"rbac": {"secrets": [{"namespace": "a", "names": ["x"]}, {"namespace": "a", "names": ["y"]}]}}, "there twice"),
    ("a guardrail that both denies and warns, which the API server refuses", {"guardrails": {"validationActions": ["Deny", "Warn"]}}, "validationActions"),
    ("a guardrail without an action", {"guardrails": {"validationActions": []}}, "validationActions"),
    ("an unknown guardrail", {"guardrails": {"rules": {"deletionPolicy": {"enabled": False}}}}, "deletionPolicy"),
    ("an image that nobody can pull", {"image": {"repository": ""}}, "image.repository: name the image"),
    ("a label of the selectors for all objects", {"commonLabels": {"app.kubernetes.io/instance": "x"}}, "commonLabels: app.kubernetes.io/instance"),
    ("a label of the selectors for the pods", {"podLabels": {"app.kubernetes.io/name": "x"}}, "podLabels: app.kubernetes.io/name"),
    ("a rolling update without a lease", {"leaderElection": {"enabled": False}, "replicas": 1, "strategy": {"type": "RollingUpdate"}}, "strategy.type"),
    ("a probe that asks something else", {"livenessProbe": {"httpGet": {"path": "/"}}}, "livenessProbe"),
    ("an alert that is not there", {"metrics": {"prometheusRule": {"enabled": True, "alerts": {"Typo": {"enabled": False}}}}}, "no alert is named Typo"),
    ("an unknown policy of DNS", {"dnsPolicy": "Cluster"}, "dnsPolicy"),
    ("a registry with a tag", {"image": {"registry": "x:5000/beo:1"}}, "registry"),
    ("a contact of two lines", {"guardrails": {"contact": "a\nb"}}, "contact"),
    ("a role that is no ARN", {"workloadIdentity": {"irsa": {"roleArn": "beo"}}}, "roleArn"),
]

passed = failed = 0


def tell(sentence, check):
    global passed, failed
    try:
        check()
        passed += 1
        print(f"    ok: {sentence}")
    except (AssertionError, KeyError, ValueError, TypeError, AttributeError) as e:
        failed += 1
        line = e.__traceback__
        while line.tb_next:
            line = line.tb_next
        print(f"    FAILED: {sentence}: {type(e).__name__} {e} (line {line.tb_lineno})")


for sentence, values, check in CASES:
    def rendered(values=values, check=check):
        objects = render(values)
        assert not isinstance(objects, str), objects
        holds_for_every(objects)
        check(objects)
    tell(sentence, rendered)
for what, values, word in REFUSED:
    def refused(values=values, word=word):
        answer = render(values)
        assert isinstance(answer, str), "it was taken"
        assert word in answer, answer
    tell(f"refused: {what}", refused)


def two_namespaces():
    """The same values in two namespaces: no object of one is an object of the other, but for the CRDs. Roles in a third namespace are the difficult ones."""
    for values in ({**EVERYTHING}, {**EVERYTHING, "watchNamespaces": ["team"], "clusterStores": {"enabled": True, "secretsNamespace": "vault"}},
                   {"rbac": {"secrets": [{"namespace": "team", "names": ["keys"]}]}}):
        values = values | {"metrics": {kind: {"enabled": True, "namespace": "monitoring"} for kind in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboard")}}
        for release in ("beo", "bucket-encryption-operator"):
            one, two = ({key for key in render(values, namespace, release) if key[0] != "CustomResourceDefinition"} for namespace in ("one", "bucket-encryption-operator"))
            assert len(one) == len(two) and not one & two, sorted(one & two)


tell("two releases of one name in two namespaces share no object but the CRDs", two_namespaces)
for file in sorted(pathlib.Path(CHART, "ci").glob("*-values.yaml")):
    def listed(file=file):
        objects = render(yaml.safe_load(file.read_text(encoding="utf-8")))
        assert not isinstance(objects, str), objects
        holds_for_every(objects)
    tell(f"values for others' tools: {file.name}", listed)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
