#!/usr/bin/env bash
# Checks besides tests: layout and analyzers, shell scripts, YAML, and that no tracked file names a place on somebody's machine.
# All checks run; the exit code is non-zero if one of them failed.
# shellcheck disable=SC2317  # the checks are called through `check`, which shellcheck does not see
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0

check() {
  local what=$1 since=$SECONDS
  shift
  echo "==> $what"
  if "$@"; then
    echo "<== $what: ok, $((SECONDS - since)) s"
  else
    echo "<== $what: FAILED, $((SECONDS - since)) s"
    bad=1
  fi
}

tracked() { git ls-files -z --cached --exclude-standard "$@" | while IFS= read -r -d '' file; do if [ -f "$file" ]; then printf '%s\0' "$file"; fi; done; }

# Shell scripts by their name, or by their first line when they have no extension.
scripts() {
  tracked | while IFS= read -r -d '' file; do
    case ${file##*/} in
      *.sh) printf '%s\0' "$file" ;;
      *.*) ;;
      *) if head -c 64 "$file" | head -1 | grep -qaE '^#!.*\b(ba)?sh\b'; then printf '%s\0' "$file"; fi ;;
    esac
  done
}

formatting() { dotnet tool restore --verbosity quiet && dotnet csharpier check src tests; }
# CSharpier breaks code, but neither comments nor literals.
width() {
  local code=0
  git grep -nIE '^.{121,}$' -- '*.cs' || code=$?
  [ "$code" -eq 1 ] # git grep: nothing found
}
# CONTRIBUTING, "Names and sizes".
length() {
  local long
  long=$(tracked '*.cs' | xargs -0 wc -l | awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines" }')
  [ -z "$long" ] || { echo "$long"; return 1; }
}
# A package that was added or updated: dotnet restore BucketEncryptionOperator.sln, and commit the files.
lock_files() { dotnet restore BucketEncryptionOperator.sln --locked-mode --verbosity quiet; }
analyzers() { dotnet build BucketEncryptionOperator.sln -c Release --nologo -v quiet; }
shell_scripts() { scripts | xargs -0 -r "$shellcheck" --external-sources; }
yaml() { tracked '*.yaml' '*.yml' .yamllint | xargs -0 -r "$yamllint" --strict; }
# Tests, scenarios and classes of tests. The underscores of its name distinguish a test from other code.
# shellcheck disable=SC2016  # these backticks are Markdown's
named_tests() {
  local name missing=0
  while read -r name; do
    git grep -q -- " $name(" -- tests || { echo "no test of this name: $name"; missing=1; }
  done < <(git grep -hoE '`[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+){2,}`' -- docs CONTRIBUTING.md \
    | tr -d '`' | grep '[a-z]' | sort -u)
  while read -r name; do
    git ls-files --error-unmatch "tests/scenarios/$name.yaml" >/dev/null 2>&1 ||
      { echo "no scenario of this name: $name"; missing=1; }
  done < <(git grep -hoE 'scenario `[a-z]+/[a-z0-9-]+`' -- docs | sed 's/.*`\(.*\)`/\1/' | sort -u)
  while read -r name; do
    [ -n "$(git ls-files "tests/*/$name.cs")" ] || { echo "no tests of this name: $name"; missing=1; }
  done < <(git grep -hoE '`[A-Z][A-Za-z]+Tests(\.[A-Z][a-z]+)?`' -- docs | tr -d '`' | sort -u)
  return "$missing"
}
# Relative links of pages, and their anchors: to files that are there, and headings as GitHub names them.
page_links() { tracked '*.md' | xargs -0 -r python3 tests/tools/links.py; }
# The Chinese quick start follows the English one.
translation() { python3 tests/docs/translation.py docs/quick-start.md docs/zh/quick-start.md; }
# Absolute paths into a home or a workspace; not as a part of a longer path or of an address.
stray_paths() {
  local code=0
  git grep -nIE '(^|[^A-Za-z0-9_./$})*-])/(work|root|home/[a-z0-9_-]+|Users/[A-Za-z0-9_-]+)/' -- . || code=$?
  [ "$code" -eq 1 ] # git grep: nothing found
}

shellcheck=$(tests/tools/ensure.sh shellcheck)
yamllint=$(tests/tools/ensure.sh yamllint)
check "tests that pages name" named_tests
check "links between pages" page_links
check "the translated page" translation
check "shell scripts (shellcheck)" shell_scripts
check "YAML (yamllint)" yaml
check "workflows (actionlint)" tests/tools/actionlint.sh
check "what is rendered (make render)" deploy/render.sh --check
check "no paths of a machine" stray_paths
check "layout of C# (CSharpier)" formatting
check "C# lines of at most 120 columns" width
check "C# files of at most 400 lines" length
check "packages are those of packages.lock.json" lock_files
check "analyzers (dotnet build)" analyzers
exit "$bad"
