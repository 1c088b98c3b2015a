#!/usr/bin/env bash
# Prints the version of what is in this checkout: release/version.sh [TAG]
# Directory.Build.props is the one place where it stands; `make render` writes it wherever else it is needed. With a TAG (vX.Y.Z) it fails unless that is this version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -n 's|^ *<Version>\(.*\)</Version>$|\1|p' Directory.Build.props)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "Directory.Build.props: no version, or several: $version" >&2; exit 1; }
if [ $# -gt 0 ] && [ "$1" != "v$version" ]; then
  echo "the tag $1 is not v$version, the version of Directory.Build.props" >&2
  exit 1
fi
echo "$version"
