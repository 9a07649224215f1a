#!/bin/sh
# mpi_namespaces.sh - the same bits by ranks in network namespaces of their own, joined with added latency:
# TCP and no shared memory, as between two machines. Needs root, iproute2, python3 and Open MPI.
#
#   tests/mpi_namespaces.sh [BUILD [SECONDS]]     # build, 0.005 each way
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${1:-build}" && pwd) delay=${2:-0.005}
spec=$PWD/experiments/quickstart.yaml
folder=$(mktemp -d)
relay=
here=pxr-here-$$ there=pxr-there-$$
clean() {
	[ -z "$relay" ] || kill "$relay"
	ip netns del $here 2>/dev/null || :
	ip netns del $there 2>/dev/null || :
	rm -rf "$folder"
}
trap clean EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive

ip netns add $here
ip netns add $there
for side in "$here 10.77.7.1" "$there 10.77.7.2"; do
	set -- $side
	ip -n "$1" tuntap add dev pxr mode tun
	ip -n "$1" address add "$2/24" dev pxr
	ip -n "$1" link set lo up
	ip -n "$1" link set pxr up
done
python3 tests/delay_relay.py $here $there "$delay" &
relay=$!

# mpirun starts the other side's daemon by this in place of ssh: in its namespace, with its host name.
cat >"$folder/agent" <<END
#!/bin/sh
shift
exec ip netns exec $there unshare --uts sh -c "hostname pxr-there; \$*"
END
chmod +x "$folder/agent"
set -- train.epochs=1 data.limit=256 sample.count=2
"$build/runner/pxr-run" "$spec" "$@" --quiet --threads 1 --db "$folder/alone.db"
both() {
	ip netns exec $here unshare --uts sh -c 'hostname pxr-here; exec "$@"' sh \
		mpirun --host 10.77.7.1:1,10.77.7.2:1 --mca plm_rsh_agent "$folder/agent" --mca btl tcp,self \
		--mca btl_tcp_if_include 10.77.7.0/24 --mca oob_tcp_if_include 10.77.7.0/24 -n 2 "$@"
}
both "$build/runner/pxr-run" "$spec" "$@" --threads 1 --db "$folder/shared.db"
both "$build/runner/pxr-bench" "$spec" --ranks --quiet --repetitions 2 --threads 1
for db in alone shared; do
	sqlite3 "$folder/$db.db" "SELECT ranks, parameter_hash, printf('%.1f s', wall_seconds) FROM run" | tee "$folder/$db"
done
[ "$(cut -d'|' -f2 "$folder/alone")" = "$(cut -d'|' -f2 "$folder/shared")" ] && echo "the same bits"
