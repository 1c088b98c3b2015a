#!/usr/bin/env bash
# Writes the SBOM of the program, CycloneDX 1.6 as JSON: release/sbom.sh [FILE]    (make sbom)
# The packages are what NuGet has restored, with licence and hash, as the tool CycloneDX finds them. What only builds the program has the scope "excluded". The .NET runtime
# and ASP.NET Core, which are compiled into the program, are no packages of a project: sbom.py adds them, and compares the rest with packages.lock.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=${1:-artifacts/release/bucket-encryption-operator.cdx.json}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(release/version.sh)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
dotnet tool restore --verbosity quiet >/dev/null
dotnet restore src/BucketEncryptionOperator --locked-mode --verbosity quiet
dotnet CycloneDX src/BucketEncryptionOperator/BucketEncryptionOperator.csproj --disable-package-restore \
  --set-name bucket-encryption-operator --set-version "$version" --set-type Application --spec-version 1.6 --output-format Json \
  --output "$work" --filename sbom.json >"$work/log" || { cat "$work/log" >&2; exit 1; }
runtime=$(dotnet msbuild src/BucketEncryptionOperator -nologo -getProperty:BundledNETCoreAppPackageVersion)
mkdir -p "$(dirname "$file")"
python3 release/sbom.py "$work/sbom.json" "$runtime" "$file"
