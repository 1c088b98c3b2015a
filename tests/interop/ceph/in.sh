#!/usr/bin/env bash
# Runs a command of an unpacked Ceph (build.sh), with a directory of the caller's at /ceph, where it finds ceph.conf:
#
#   in.sh ROOT DATA COMMAND…
#
# The mounts are in a mount namespace of its own, and go with it. The process becomes the command, so its pid and signals are the command's.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: in.sh ROOT DATA COMMAND…" >&2; exit 2; }
# shellcheck disable=SC2016  # expands in the namespace
exec unshare -m --propagation private sh -c '
  root=$1 data=$2
  shift 2
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --bind "$data" "$root/ceph"
  exec chroot "$root" env -i LC_ALL=C PYTHONDONTWRITEBYTECODE=1 PATH=/usr/sbin:/usr/bin CEPH_CONF=/ceph/ceph.conf "$@"' sh "$@"
