#!/usr/bin/env python3
"""Completes and checks the SBOM: sbom.py FOUND RUNTIME FILE. FOUND is what the tool CycloneDX wrote, RUNTIME the version of .NET that is compiled in."""
import json
import pathlib
import sys

found, runtime, file = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
bom = json.loads(found.read_text(encoding="utf-8"))
locked = set()
for project in ("KubeRuntime", "BucketEncryptionOperator"):
    lock = json.loads(pathlib.Path("src", project, "packages.lock.json").read_text(encoding="utf-8"))
    locked |= {(name, package["resolved"]) for packages in lock["dependencies"].values() for name, package in packages.items() if package["type"] != "Project"}
listed = {(c["name"], c["version"]) for c in bom["components"]}
if listed != locked:
    sys.exit(f"SBOM and packages.lock.json differ: {sorted(listed ^ locked)}")
for component in bom["components"]:
    if not component.get("hashes"):
        sys.exit(f"{component['name']}: no hash")
for name, repository in (("Microsoft.NETCore.App", "dotnet/runtime"), ("Microsoft.AspNetCore.App", "dotnet/aspnetcore")):
    reference = f"pkg:nuget/{name}.Runtime.linux-x64@{runtime}"
    bom["components"].append({
        "type": "framework", "bom-ref": reference, "name": name, "version": runtime, "scope": "required", "purl": reference,
        "description": "Compiled into the program, for the platform that it is for", "licenses": [{"license": {"id": "MIT"}}],
        "externalReferences": [{"type": "vcs", "url": f"https://github.com/{repository}"}]})
    bom["dependencies"].append({"ref": reference, "dependsOn": []})
    (own,) = [d for d in bom["dependencies"] if d["ref"] == bom["metadata"]["component"]["bom-ref"]]
    own.setdefault("dependsOn", []).append(reference)
file.write_text(json.dumps(bom, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
shipped = [c for c in bom["components"] if c.get("scope") != "excluded"]
for component in shipped:
    licences = ", ".join(entry.get("license", {}).get("id") or entry.get("license", {}).get("name") or entry.get("expression", "?") for entry in component.get("licenses", []))
    print(f"  {component['name']:<44} {component['version']:<10} {licences or 'no licence declared'}")
print(f"{file}: {len(shipped)} components are in the program, {len(bom['components']) - len(shipped)} only build it")
