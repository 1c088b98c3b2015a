# shellcheck shell=bash
# A small Ceph on loopback, to be sourced: one monitor, one OSD that keeps its data in memory, and two gateways (RGW). The daemons run
# from the unpacked packages of build.sh, each in a mount namespace of its own; what they write is in one directory of the caller.
#
#   ceph_start ROOT DATA PORT RELEASE   gateway a at PORT, with a key service in its configuration; gateway b at PORT + 1, which has none and
#                                       takes temporary keys (STS). Uses PORT to PORT + 11 and PORT + 100 to PORT + 199. RELEASE is Ceph's
#                                       name of the version: pacific, reef, tentacle.
#   ceph_run COMMAND…                   a command of Ceph's, for instance radosgw-admin
#   ceph_stop                           ends the daemons, by their pids
#
# All authentication inside of the cluster is off: it is for one machine and the length of a test.

ceph_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ceph_here ceph_patience=60 # seconds for a daemon to answer
readonly ceph_fsid=11111111-2222-3333-4444-555555555555
ceph_pids=()

ceph_run() { "$ceph_here/in.sh" "$ceph_root" "$ceph_data" "$@"; }

# ceph_daemon NAME COMMAND…: its pid is kept.
ceph_daemon() {
  "$ceph_here/in.sh" "$ceph_root" "$ceph_data" "${@:2}" >"$ceph_data/log/$1.out" 2>&1 </dev/null &
  ceph_pids+=("$!")
}

# ceph_until "what is waited for" COMMAND…
ceph_until() {
  local what=$1 end=$((SECONDS + ceph_patience)) pid
  shift
  until "$@" >/dev/null 2>&1; do
    for pid in "${ceph_pids[@]}"; do
      kill -0 "$pid" 2>/dev/null || { echo "ceph: a daemon ended while waiting for $what: see $ceph_data/log" >&2; return 1; }
    done
    [ "$SECONDS" -lt "$end" ] || { echo "ceph: waited in vain for $what: see $ceph_data/log" >&2; return 1; }
    sleep 0.3
  done
}

ceph_osd_is_up() { ceph_run ceph osd stat 2>/dev/null | grep -q '1 up'; }
ceph_gateway_answers() { curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$1/"; }

ceph_configure() {
  local port=$1 one two
  one=$(printf 'testing-key-one-is-32-bytes-long' | base64)
  two=$(printf 'testing-key-two-is-32-bytes-long' | base64)
  cat >"$ceph_data/ceph.conf" <<CONF
[global]
fsid = $ceph_fsid
mon host = [v2:127.0.0.1:$((port + 10)),v1:127.0.0.1:$((port + 11))]
mon initial members = a
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv4 = true
ms bind ipv6 = false
ms bind port min = $((port + 100))
ms bind port max = $((port + 199))
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc secure
mon allow pool size one = true
mon max pg per osd = 2000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd bucketstore = memstore
memstore device bytes = 2147483648
log to stderr = false
log file = /ceph/log/\$name.log
run dir = /ceph/run
admin socket = /ceph/run/\$name.asok
mon data = /ceph/mon
osd data = /ceph/osd
keyring = /ceph/keyring

[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw data = /ceph/rgw
rgw dns name = s3.rgw.test
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=$one testkey-2=$two

[client.rgw.b]
rgw frontends = beast endpoint=127.0.0.1:$((port + 1))
rgw data = /ceph/rgw
rgw s3 auth use sts = true
rgw sts min session duration = 2
rgw sts key = abcdefghijklmnop
CONF
}

ceph_start() {
  local port=$3 release=$4
  ceph_root=$1 ceph_data=$2
  mkdir -p "$ceph_data"/{mon,osd,log,run,rgw}
  ceph_configure "$port"
  {
    ceph_run ceph-authtool /ceph/keyring --create-keyring --gen-key -n mon. --cap mon 'allow *'
    ceph_run ceph-authtool /ceph/keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    ceph_run monmaptool --create --fsid "$ceph_fsid" --addv a "[v2:127.0.0.1:$((port + 10)),v1:127.0.0.1:$((port + 11))]" \
      --set-min-mon-release "$release" /ceph/monmap
    ceph_run ceph-mon --mkfs -i a --monmap /ceph/monmap --keyring /ceph/keyring
  } >"$ceph_data/log/setup.out" 2>&1
  ceph_daemon mon ceph-mon -i a -f
  ceph_until "the monitor" ceph_run timeout 5 ceph -s
  {
    ceph_run ceph osd new "$ceph_fsid" 0
    ceph_run ceph-osd -i 0 --mkfs --osd-uuid "$ceph_fsid"
  } >>"$ceph_data/log/setup.out" 2>&1
  ceph_daemon osd ceph-osd -i 0 -f
  ceph_until "the OSD" ceph_osd_is_up
  ceph_daemon gateway-a radosgw -n client.rgw.a -f
  ceph_until "gateway a" ceph_gateway_answers "$port"
  ceph_daemon gateway-b radosgw -n client.rgw.b -f
  ceph_until "gateway b" ceph_gateway_answers "$((port + 1))"
}

# The gateways first. A daemon that does not end by itself within ten seconds is killed.
ceph_stop() {
  local i pid
  for ((i = ${#ceph_pids[@]} - 1; i >= 0; i--)); do
    pid=${ceph_pids[i]}
    kill "$pid" 2>/dev/null || continue
    for _ in {1..50}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    ! kill -0 "$pid" 2>/dev/null || { disown "$pid"; kill -9 "$pid" 2>/dev/null; } || true
    wait "$pid" 2>/dev/null || true
  done
  ceph_pids=()
}
