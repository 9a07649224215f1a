#!/bin/sh
# mpi_namespaces.sh - the same bits by ranks in network namespaces of their own, joined by a veth pair
# with added latency: TCP and no shared memory, as between two machines. Needs root, iproute2 and Open MPI.
#
#   tests/mpi_namespaces.sh [BUILD [DELAY]]     # build, 5ms
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${1:-build}" && pwd) delay=${2:-5ms}
spec=$PWD/experiments/quickstart.yaml
folder=$(mktemp -d)
here=pxr-here-$$ there=pxr-there-$$
clean() {
	ip netns del $here 2>/dev/null || :
	ip netns del $there 2>/dev/null || :
	rm -rf "$folder"
}
trap clean EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive

ip netns add $here
ip netns add $there
ip link add pxra netns $here type veth peer name pxrb netns $there
for side in "$here pxra 10.77.7.1" "$there pxrb 10.77.7.2"; do
	set -- $side
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$1" link set lo up
	ip -n "$1" link set "$2" up
	ip netns exec "$1" tc qdisc add dev "$2" root netem delay "$delay" 2>/dev/null ||
		echo "netem is missing here: no added latency"
done

# mpirun starts the other side's daemon by this in place of ssh: in its namespace, with its host name.
cat >"$folder/agent" <<END
#!/bin/sh
shift
exec ip netns exec $there unshare --uts sh -c "hostname pxr-there; \$*"
END
chmod +x "$folder/agent"
set -- train.epochs=1 data.limit=256 sample.count=2
"$build/runner/pxr-run" "$spec" "$@" --quiet --threads 1 --db "$folder/alone.db"
ip netns exec $here unshare --uts sh -c 'hostname pxr-here; exec "$@"' sh \
	mpirun --host 10.77.7.1:1,10.77.7.2:1 --mca plm_rsh_agent "$folder/agent" --mca btl tcp,self \
	--mca btl_tcp_if_include 10.77.7.0/24 --mca oob_tcp_if_include 10.77.7.0/24 -n 2 \
	"$build/runner/pxr-run" "$spec" "$@" --threads 1 --db "$folder/shared.db"
for db in alone shared; do
	sqlite3 "$folder/$db.db" "SELECT ranks, parameter_hash FROM run" | tee "$folder/$db"
done
[ "$(cut -d'|' -f2 "$folder/alone")" = "$(cut -d'|' -f2 "$folder/shared")" ] && echo "the same bits"
