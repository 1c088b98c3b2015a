#!/usr/bin/env bash
# Builds the image and starts what is in it (make image). The last line is "image: N passed, N failed"; the first failure ends it.
#
#   make image                              with docker if an engine answers, else with buildah (installed if need be, works without an engine); on the public
#                                           bases, and where they cannot be pulled on stand-ins made from Debian's packages and this machine's .NET SDK
#   BASE_IMAGE=… SDK_IMAGE=… make image     on these bases
#   BUILD=native make image                 the program is compiled in the image's build, as `docker build .` does; without BUILD it is the one that
#                                           tests/tools/publish.sh has made and the other tests run
#   BUILD=jit make image                    the fallback that the Dockerfile describes
#   ARCHITECTURE=arm64 make image           the image for the other architecture; of its program only the start is tested, under qemu
#
# The image is bucket-encryption-operator:VERSION (VERSION-ARCHITECTURE if you name one), in the engine's or buildah's store. The test runs its file system in a mount namespace, as a kubelet would have it run:
# as its numeric user, with a read-only root, no capabilities, the flags of deploy/install.yaml, and a service account's token; against a real API server. It needs root,
# and Linux; a container engine is not asked, for it may be on another machine. Then the demo is played with its operator.
#
# Stand-ins are kept in ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/image, with a checksum; a damaged one is made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly name=bucket-encryption-operator account=bucket-encryption-operator user=65532
readonly pull_seconds=120 patience=20
native=$(case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac)
readonly native build=${BUILD:-published} architecture=${ARCHITECTURE:-$native} largest_layer=40 slowest_start=150 # MB, ms
version=$(sed -n 's/^appVersion: //p' charts/bucket-encryption-operator/Chart.yaml)
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/image
work=$(mktemp -d "${TMPDIR:-/tmp}/beo-image.XXXXXX")
root=$work/root
tag=$name:$version${ARCHITECTURE:+-$architecture}
passed=0 api_server='' operator=''

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
ok() { passed=$((passed + 1)); printf '    ok: %s\n' "$*"; }
die() { printf '    FAILED: %s\n' "$*"; exit 1; }
finish() {
  local code=$?
  trap - EXIT
  for pid in $operator $api_server; do { kill "$pid" && wait "$pid"; } 2>/dev/null || true; done
  [ "$code" -eq 0 ] || for log in "$work"/*.log; do [ -s "$log" ] && printf -- '---- %s\n%s\n' "${log##*/}" "$(tail -n 25 "$log")"; done
  rm -rf "$work"
  echo "image: $passed passed, $((code != 0)) failed"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

# ---- the build

build() {
  local arguments=(--build-arg "BUILD=$build" --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
  if [ "$build" = published ]; then
    published=$(tests/tools/publish.sh "$architecture") || die "publish.sh"
    SDK_IMAGE=${SDK_IMAGE:-scratch} # not used
  fi
  if [ -z "${BASE_IMAGE:-}" ] || [ -z "${SDK_IMAGE:-}" ]; then choose_bases; fi
  arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE" --build-arg "SDK_IMAGE=$SDK_IMAGE" --platform "linux/$architecture" --tag "$tag")
  say "building for $architecture with $engine, BUILD=$build: $BASE_IMAGE, $SDK_IMAGE"
  if [ "$engine" = docker ]; then
    docker build "${arguments[@]}" . >"$work/build.log" 2>&1 || die "docker build"
  else
    buildah build --isolation chroot --format docker --layers=false --build-arg "BUILDPLATFORM=linux/$native" "${sdk_volumes[@]}" \
      "${arguments[@]}" . >"$work/build.log" 2>&1 || die "buildah build"
  fi
  if grep -E 'warning [A-Z]+[0-9]+' "$work/build.log"; then die "the build warns"; fi
  ok "built $tag"
}

sdk_volumes=()
choose_bases() {
  local image
  : "${BASE_IMAGE:=$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}" "${SDK_IMAGE:=$(sed -n 's/^ARG SDK_IMAGE=//p' Dockerfile)}"
  for image in "$BASE_IMAGE" "$SDK_IMAGE"; do
    [ "$image" != scratch ] || continue
    say "pulling $image"
    if ! timeout "$pull_seconds" "$engine" pull "$image" >"$work/pull.log" 2>&1; then
      say "cannot be pulled here ($(tail -1 "$work/pull.log" | cut -c1-120))"
      [ "$engine" = buildah ] || die "name bases that can be had: BASE_IMAGE and SDK_IMAGE"
      stand_ins
      return
    fi
  done
}

# The base: the files of the few libraries that the public one has too. The SDK: a Debian that mounts this machine's own.
stand_ins() {
  local dotnet
  dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
  import_stand_in base "$architecture" extract libc6,libgcc-s1,libstdc++6,libssl3,ca-certificates
  BASE_IMAGE=localhost/beo-stand-in-base-$architecture
  [ "$build" != published ] || return 0
  # With apt, for the Dockerfile installs the linker.
  import_stand_in sdk "$native" apt libgcc-s1,libstdc++6,libssl3,ca-certificates,zlib1g
  SDK_IMAGE=localhost/beo-stand-in-sdk-$native
  # Packages that this machine has need not be fetched again; whoever it trusts may serve the others.
  mkdir -p "${NUGET_PACKAGES:=$HOME/.nuget/packages}"
  sdk_volumes=(--volume "$dotnet:/usr/share/dotnet:ro" --volume "$NUGET_PACKAGES:/nuget:rw")
  local trusted=/etc/ssl/certs/ca-certificates.crt
  [ ! -e "$trusted" ] || sdk_volumes+=(--volume "$trusted:$trusted:ro")
}

# import_stand_in NAME ARCHITECTURE VARIANT PACKAGES: no packages are configured in an "extract", so the list of certificates is put together here.
import_stand_in() {
  local file=$1-$2.tar container what
  local tar=$cache/$file
  what=$(declare -f import_stand_in | sha256sum)" $3 $4"
  if ! [ "$(cat "$tar.of" 2>/dev/null)" = "$what" ] || ! (cd "$cache" && sha256sum --status --check "$file.sum") 2>/dev/null; then
    tests/tools/ensure.sh mmdebstrap >/dev/null
    say "making the stand-in $1 for $2 from Debian's packages: $4"
    mkdir -p "$cache"
    # shellcheck disable=SC2016  # $1 is the hook's
    mmdebstrap --quiet --architectures="$2" --variant="$3" --include="$4" \
      --customize-hook='cat "$1"/usr/share/ca-certificates/mozilla/*.crt >"$1/etc/ssl/certs/ca-certificates.crt"' \
      --customize-hook='mkdir -p "$1/usr/bin" && ln -sf /usr/share/dotnet/dotnet "$1/usr/bin/dotnet"' \
      bookworm "$tar" >"$work/mmdebstrap.log" 2>&1 || die "mmdebstrap"
    (cd "$cache" && sha256sum "$file" >"$file.sum")
    echo "$what" >"$tar.of"
  fi
  container=$(buildah from scratch)
  buildah add "$container" "$tar" / >/dev/null
  buildah config --os linux --arch "$2" "$container"
  [ "$1" != sdk ] || buildah config --env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 --env NUGET_PACKAGES=/nuget "$container" # it has no ICU
  buildah commit --quiet --rm "$container" "localhost/beo-stand-in-$1-$2" >/dev/null
}

# ---- what was built

# The image's file system in $root, and its configuration in $config.
unpack() {
  local container
  mkdir "$root"
  if [ "$engine" = docker ]; then
    config=$(docker inspect --format '{{json .Config}}' "$tag")
    container=$(docker create "$tag")
    docker export "$container" | tar -x -C "$root"
    docker rm "$container" >/dev/null
  else
    config=$(buildah inspect --type image "$tag" | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["Docker"]["config"]))')
    container=$(buildah from --platform "linux/$architecture" "$tag")
    cp -a "$(buildah mount "$container")/." "$root"
    buildah rm "$container" >/dev/null
  fi
}
of_config() { python3 -c 'import json, sys; v = json.loads(sys.argv[1]).get(sys.argv[2]) or ""; print(v if isinstance(v, str) else "\n".join(v) if isinstance(v, list) else "\n".join(f"{a}={b}" for a, b in v.items()))' "$config" "$1"; }

check_content() {
  local binary=$root${entrypoint[0]}
  [ "$(of_config User)" = "$user:$user" ] || die "the user is $(of_config User)"
  ok "the user is $user, by number"
  local labels label
  labels=$(of_config Labels) # not through a pipe: grep -q may end before the other side has written all, which pipefail takes for a failure
  for label in licenses=Apache-2.0 "version=$version"; do
    grep -qx "org.opencontainers.image.$label" <<<"$labels" || die "labels: $labels"
  done
  ok "labels say license and version"
  if [ -e "$root/bin/sh" ] || [ -e "$root/usr/bin/bash" ]; then die "there is a shell"; fi
  ok "there is no shell"
  say "size: $(($(stat -c %s "$binary") / 1000000)) MB the operator ($(($(gzip -c "$binary" | wc -c) / 1000000)) MB compressed), $(($(du -sb "$root" | cut -f1) / 1000000)) MB the whole file system"
  if [ "$build" = jit ]; then return; fi
  [ "$(stat -c %s "$binary")" -le $((largest_layer * 1000000)) ] || die "the operator is larger than $largest_layer MB"
  ok "the operator is at most $largest_layer MB"
  if readelf --sections --wide "$binary" | grep -E '\.(debug_|symtab)' >"$work/sections"; then die "not stripped: $(<"$work/sections")"; fi
  ok "its symbols are not in the image"
  [ "$build" != published ] || { cmp "$binary" "$published" || die "another program than $published"; ok "it is the published program, which the other tests run"; }
}

# An emulator is no place for figures, nor for the whole demo.
check_emulated() {
  local qemu said
  qemu=$(tests/tools/ensure.sh qemu-user-static)
  cp "${qemu%/*}/qemu-$(case $architecture in arm64) echo aarch64 ;; amd64) echo x86_64 ;; esac)-static" "$root/qemu"
  said=$(env -i HOME=/ /usr/sbin/chroot --userspec="$user:$user" "$root" /qemu "${entrypoint[0]}" --version) || die "does not start"
  is "under qemu, --version says" "$said" "$version"
  # A whole request: a signature, a socket, an error as JSON.
  said=$(env -i HOME=/ /usr/sbin/chroot --userspec="$user:$user" "$root" /qemu "${entrypoint[0]}" bucket-encryption --method get oss://a-bucket -e http://127.0.0.1:1 --region cn-hangzhou -i id -k secret -c /dev/null --json 2>&1) && die "a port where nobody listens answered"
  [[ $said == *'"code":"Unreachable"'* ]] || die "the command said: $said"
  ok "and the command says that nobody answers where nobody listens"
}

start_api_server() {
  tests/apiserver/serve.sh "$work/api" --exit-with-parent >"$work/api-server.log" 2>&1 &
  api_server=$!
  until [ -s "$work/api/ready" ]; do
    kill -0 "$api_server" 2>/dev/null || die "the API server has ended"
    sleep 0.1
  done
  export KUBECONFIG=$work/api/admin.kubeconfig KUBECACHEDIR=$work/kubectl-cache
  kubectl=$(tests/tools/ensure.sh kubectl)
  sed 's/^  replicas: 2$/  replicas: 0/' deploy/install.yaml | "$kubectl" apply -f - >"$work/apply.log" 2>&1 || die "deploy/install.yaml"
  "$kubectl" wait --for=condition=Established --timeout=20s crd --all >/dev/null
  # For a moment the server answers watches of a new kind with 429, and the start would be measured with a retry in it.
  local plural end=$((SECONDS + patience))
  for plural in bucketencryptionpolicies bucketstores clusterbucketstores; do
    until "$kubectl" get --raw "/apis/bucketencryption.io/v1alpha1/$plural?watch=1&timeoutSeconds=1" >/dev/null 2>&1; do
      [ "$SECONDS" -lt "$end" ] || die "no watch of $plural within $patience s"
      sleep 0.1
    done
  done
}

# What a kubelet gives a pod.
service_account() {
  local folder=$1 server
  server=$("$kubectl" config view --raw --minify -o 'jsonpath={.clusters[0].cluster.server}')
  mkdir -p "$folder"
  "$kubectl" config view --raw --minify -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' | base64 -d >"$folder/ca.crt"
  printf 'sa:%s:%s' "$account" "$account" >"$folder/token"
  printf '%s' "$account" >"$folder/namespace"
  chmod -R a+rX "$folder"
  IFS=: read -r host port <<<"${server#https://}"
}

start_operator() {
  local flags environment
  mapfile -t flags < <("$kubectl" get deployment -n "$account" "$name" -o 'jsonpath={range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' | sed 's/^--http-address=.*/--http-address=127.0.0.1:0/; s/^--log-format=.*/--log-format=plain/')
  mapfile -t environment < <(of_config Env)
  service_account "$work/account"
  mkdir -p "$root/proc" "$root/dev" "$root/var/run/secrets/kubernetes.io/serviceaccount"
  : >"$work/operator.log"
  # shellcheck disable=SC2016  # the inner shell's
  env -i "${environment[@]}" "KUBERNETES_SERVICE_HOST=$host" "KUBERNETES_SERVICE_PORT=$port" "ROOT=$root" "ACCOUNT=$work/account" "SINCE=$work/since" \
    "$(command -v unshare)" --mount --propagation private "$(command -v bash)" -euc '
      outer=/usr/sbin:/usr/bin:/sbin:/bin
      PATH=$PATH:$outer mount --bind "$ROOT" "$ROOT"
      PATH=$PATH:$outer mount --rbind /dev "$ROOT/dev"
      PATH=$PATH:$outer mount -t proc proc "$ROOT/proc"
      PATH=$PATH:$outer mount --bind "$ACCOUNT" "$ROOT/var/run/secrets/kubernetes.io/serviceaccount"
      PATH=$PATH:$outer mount -o remount,bind,ro "$ROOT"
      cd "$ROOT"
      echo "${EPOCHREALTIME/[.,]/}" >"$SINCE"
      exec /usr/bin/setpriv --no-new-privs /usr/sbin/chroot --userspec="$1" --groups= "$ROOT" "${@:2}"' \
    start "$user:$user" "${entrypoint[@]}" "${flags[@]}" >"$work/operator.log" 2>&1 </dev/null &
  operator=$!
}

# As the kubelet does, but more often.
wait_for_ready() {
  local url='' end=$((SECONDS + patience))
  until [ -n "$url" ] && curl -fs --max-time 2 "$url/readyz" >/dev/null; do
    kill -0 "$operator" 2>/dev/null || die "the operator has ended"
    [ "$SECONDS" -lt "$end" ] || die "no /readyz within $patience s"
    url=$(sed -n 's/.*Probes at //p' "$work/operator.log")
    sleep 0.005
  done
  started=$(((${EPOCHREALTIME/[.,]/} - $(<"$work/since")) / 1000))
  ok "/readyz says ok"
  is "/livez" "$(curl -s "$url/livez")" ok
}
is() { [ "$2" = "$3" ] || die "$1: expected \"$3\", found \"$2\""; ok "$1: $2"; }

resident() { echo $(($(awk -v what="$1:" '$1 == what { print $2 }' /proc/"$operator"/status) / 1024)); }
check_process() {
  local status
  status=$(</proc/"$operator"/status)
  is "users of the process" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' <<<"$status")" "$user $user $user $user"
  is "groups of the process" "$(awk '/^Gid:/ { print $2, $3 } /^Groups:/ { print $2 }' <<<"$status" | xargs)" "$user $user"
  is "capabilities" "$(awk '/^Cap(Prm|Eff):/ { print $2 }' <<<"$status" | sort -u)" 0000000000000000
  is "the root file system is" "$(awk '$5 == "/" { print substr($6, 1, 2) }' "/proc/$operator/mountinfo")" ro
  if [ "$build" != jit ]; then
    [ "$started" -le "$slowest_start" ] || say "the start took longer than $slowest_start ms: load $(cut -d' ' -f1 /proc/loadavg)"
  fi
  say "start: $started ms from the process's start to /readyz; resident: $(resident VmRSS) MiB, $(resident RssAnon) MiB without what is mapped from the file"
  grep -qE '(Standing by|Leading)' "$work/operator.log" || die "it does not take part in the election"
  ok "it takes part in the election"
  kill -TERM "$operator"
  local code=0
  wait "$operator" || code=$?
  operator=''
  is "exit code after SIGTERM" "$code" 0
}

if [ -n "${ENGINE:-}" ]; then engine=$ENGINE; elif docker info >/dev/null 2>&1; then engine=docker; else engine=buildah; fi
[ "$engine" = docker ] || tests/tools/ensure.sh buildah >/dev/null
[ "$(id -u)" -eq 0 ] || die "this needs root: mounts, and another user"
build
unpack
mapfile -t entrypoint < <(of_config Entrypoint)
check_content
if [ "$architecture" != "$native" ]; then
  check_emulated
  exit
fi
start_api_server
start_operator
wait_for_ready
check_process
# The compiler leaves out what nobody seems to use; the scenes use what there is.
if OPERATOR=$root${entrypoint[0]} KEEP='' tests/demo/demo.sh alibaba >"$work/demo.log" 2>&1; then ok "the demo passes with the image's operator"; else die "the demo with the image's operator"; fi
