#!/usr/bin/env bash
# Builds the documentation as a site, artifacts/site/dist, and checks it: the tutorial's commands, every link and anchor, and five pages in a browser (look.mjs),
# whose pictures are artifacts/site/pictures. The last line is "docs: ok".
# vitepress comes from npm (docs/.vitepress/package-lock.json), what drives the browser too (tests/browser), and the browser from Debian. Needs what `make build` has built, for the tutorial.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly site=artifacts/site
say() { printf 'docs: [%3d s] %s\n' "$SECONDS" "$*" >&2; }

modules=$(tests/tools/npm.sh docs/.vitepress)
chromium=$(tests/tools/ensure.sh chromium) browser=$(tests/tools/npm.sh tests/browser)/node_modules
tests/tools/ensure.sh fonts-wqy-microhei >/dev/null
rm -rf "$site"
mkdir -p "$site/src"
python3 tests/docs/stage.py "$site/src"
cp -r docs/.vitepress "$site/src/"
install -D docs/icon.svg "$site/src/public/icon.svg"
ln -s "$modules/node_modules" "$site/src/node_modules"
say "building"
node "$modules/node_modules/vitepress/bin/vitepress.js" build "$site/src" >"$site/build.log" 2>&1 || { cat "$site/build.log" >&2; exit 1; }
say "built: $(find "$site/dist" -name '*.html' | wc -l) pages"
python3 tests/docs/check.py "$site/dist"
say "looking at it"
node tests/docs/look.mjs "$site/dist" "$site/pictures" "$chromium" "$browser"
say "typing the tutorial"
tests/docs/tutorial.sh
echo "docs: ok"
