#!/bin/sh
# command_mpi.sh - runs that several processes share under mpirun: the same bits, ranks that die or
# hang, signals, and ranks that differ.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
[ -e "$top/lib/pxr_mpi.so" ] || skip_all "pxr was built without MPI"
command -v mpirun >/dev/null || skip_all "mpirun is missing"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# Containers may forbid reading another process's memory.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# Seconds that mpirun leaves rank 0 to save; on a busy machine one is too short.
export OMPI_MCA_odls_base_sigkill_timeout=2
# Open MPI leaves memory behind when it ends.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

# ranks N ARGUMENTS...: pxr-run by N ranks of one thread.
ranks() {
	count=$1
	shift
	timeout 100 mpirun --oversubscribe -n "$count" "$top/runner/pxr-run" --threads 1 "$@" >out 2>err
}
case $(mpirun --version 2>&1) in
*"Open MPI"*) ;;
*) skip_all "the options of this mpirun are not known" ;;
esac
mpirun --oversubscribe -n 2 true 2>/dev/null || skip_all "mpirun does not start processes here"

# Six micro-batches of a batch, four of the last; images that do not divide evenly.
sed -i 's/limit: 256/limit: 44/; s/micro_batch: 3/micro_batch: 2/; s/epochs: 6/epochs: 2/' tiny.yaml
sed 's/  batch: 16/  batch: 12/' tiny.yaml >uneven.yaml

# Everything that a run computed, but not how fast.
computed() {
	query "$1" "SELECT parameter_hash FROM run;
		SELECT step, split, name, hex(value) FROM metric WHERE name NOT LIKE '%second%' AND name NOT LIKE '%wait%'
			ORDER BY 1, 2, 3;
		SELECT step, split, name, hex(nats_per_image), images FROM nll ORDER BY 1, 2, 3;
		SELECT split, hex(nats) FROM nll_map ORDER BY 1; SELECT step, log_likelihood FROM sample ORDER BY 1"
}

make_alone() {
	for precision in f32 bf16; do
		pxr_run uneven.yaml train.precision=$precision --db $precision.db --threads 1 &&
			computed $precision.db >$precision || return
	done
}

# same PRECISION RANKS THREADS
same() {
	given alone && timeout 100 mpirun --oversubscribe -n "$2" "$top/runner/pxr-run" uneven.yaml \
		train.precision="$1" --threads "$3" --db shared.db >out 2>err &&
		is "$(query shared.db "SELECT ranks, threads FROM run")" "$2|$3" && computed shared.db | cmp - "$1"
}
for precision in f32 bf16; do
	ok "two ranks compute the same bits as one process, in $precision" same $precision 2 1
	ok "three ranks compute the same bits as one process, in $precision" same $precision 3 1
done
ok "two ranks of two threads compute the same bits as one process" same f32 2 2
ok "two ranks of two threads compute the same bits as one process, in bf16" same bf16 2 2
ok "four ranks compute the same bits as one process" same f32 4 1
ok "more ranks than micro-batches compute the same bits as one process" same f32 7 1

# together OUTPUT COMMAND...: train what draws random numbers, recomputes, evaluates in bfloat16, and reads
# its images from files; extend it; and start another run from its result.
together() {
	output=$1
	shift
	set -- timeout 60 "$@" "$top/runner/pxr-run" --threads 1 --db "$output.db"
	"$@" all.yaml >out 2>err && "$@" --resume 1 train.epochs=2 >out 2>err &&
		"$@" all.yaml train.start_from=1 >out 2>err && computed "$output.db" >"$output"
}
all_settings() {
	given alone
	mkdir set && "$top/runner/pxr-sample" 1 --db f32.db --count 30 --images set/train >out 2>err || return
	sed -e 's/^data:.*/data: {set: png_folder, path: set, levels: 2, valid: 8, memory: 0}/' -e '/checkpoint/d' \
		-e 's/^  - sigmoid/  - dropout\n  - sigmoid/' -e 's/epochs: 2/epochs: 1\n  recompute: true/' \
		-e 's/^evaluate: .*/evaluate: {every: 1 epoch, precision: bf16}/' uneven.yaml >all.yaml
	together one env && together two mpirun --oversubscribe -n 2 && cmp one two &&
		is "$(query two.db "SELECT group_concat(ranks), group_concat(resumes) FROM run")" "2,2|1,0" &&
		is "$(query two.db "SELECT DISTINCT instruction_set LIKE '%, %' FROM run")" 1
}
ok "dropout, recompute, bf16 evaluation, images in files, extending and starting from a run keep the bits" \
	all_settings

alone() {
	LD_DEBUG=libs "$top/runner/pxr-run" tiny.yaml --dry-run >out 2>err && ! grep -qi 'libmpi\|pxr_mpi' err
}
ok "without a launcher, MPI is not loaded" alone

leftover() {
	PMIX_RANK=0 PMI_RANK=0 LD_DEBUG=libs "$top/runner/pxr-run" tiny.yaml --dry-run >out 2>err &&
		! grep -qi 'libmpi\|pxr_mpi' err
}
ok "a rank's number left in the environment is no launcher" leftover

other_launcher() {
	export PMI_SIZE=2 PMI_RANK=0
	refused 2 "has started 2 processes, but MPI joins 1: pxr was built with Open MPI" \
		pxr_run tiny.yaml --db other.db && err_has "use the mpirun of that MPI" && [ ! -e other.db ]
}
ok "processes that the launcher of another MPI has started are refused, not run alone" other_launcher

measured() {
	timeout 60 mpirun --oversubscribe -n 2 "$top/runner/pxr-bench" tiny.yaml --ranks -r 1 -q -t 1 >out 2>err &&
		out_has "2 ranks of 1 thread, batch 16" &&
		grep -q "rank 0 and rank 1 are joined by [0-9.]* Gbit/s, with [0-9.]* us" out &&
		out_has "prediction for a network of 10 Gbit/s and 50 us" && out_has "64 ranks"
}
ok "pxr-bench --ranks measures two ranks, and predicts for more" measured

# --- ends ----------------------------------------------------------------------------------------

long="train.epochs=150 evaluate.every=never sample.count=0"
make_whole() {
	pxr_run tiny.yaml $long --db whole.db --threads 1
}

# begin [TIMEOUT]: start three ranks on a long run, and wait until they train. They are quiet, for mpirun does not
# read what they print after it has got a signal, and a line for each of so many short epochs fills the pipe.
begin() {
	[ -e whole.db ] || given whole
	mpirun --oversubscribe -n 3 "$top/runner/pxr-run" tiny.yaml $long --rank-timeout "${1:-1.5}" --threads 1 \
		--db long.db --quiet >out 2>err &
	launcher=$!
	tries=0
	until [ "$(query long.db "SELECT count(*) FROM checkpoint" 2>/dev/null || echo 0)" != 0 ]; do
		kill -0 $launcher 2>/dev/null && [ $tries -lt 600 ] || return
		tries=$((tries + 1))
		sleep 0.05
	done
	main=$(query long.db "SELECT process_id FROM run")
	other=$(ps -o pid= --ppid $launcher | tr -d ' ' | grep -vx "$main" | tail -n 1)
}

# continued STATUS: the run was ended with this status on record; other ranks continue it to the bit.
continued() {
	wait $launcher
	is "$(query long.db "SELECT status FROM run")" "$1" && ranks 2 --resume 1 --db long.db &&
		is "$(query long.db "SELECT status, parameter_hash FROM run")" \
			"$(query whole.db "SELECT status, parameter_hash FROM run")"
}

killed() {
	begin && kill -9 "$other" && continued interrupted
}
ok "after a rank is killed, the run is interrupted, and two ranks continue it to the bit" killed

main_killed() {
	begin && kill -9 "$main" && continued running
}
ok "after rank 0 is killed, two ranks continue the run to the bit" main_killed

hangs() {
	begin && kill -STOP "$other" && continued interrupted &&
		query long.db "SELECT message FROM run; SELECT message FROM event" | grep -q "rank [12] on host .* has not answered"
}
ok "a rank that hangs is named, and the run is interrupted" hangs

main_hangs() {
	begin 0.5 && kill -STOP "$main" || return
	wait $launcher
	is "$(grep -c "error: rank 0 has not answered for [0-9.]* seconds: all are ended" err)" 1
}
ok "when rank 0 hangs, the others say so once and end the job" main_hangs

# signalled SIGNAL: sent to mpirun. It passes SIGTERM on after a second or two, when a fast machine may have finished
# the run: then a longer one is begun.
signalled() {
	begin && kill "-$1" $launcher || return
	wait $launcher
	if [ "$(query long.db "SELECT status FROM run")" = finished ]; then
		long="train.epochs=1500 evaluate.every=never sample.count=0"
		rm -rf whole.* long.*
		make_whole && begin && kill "-$1" $launcher || return
	fi
	continued interrupted
}
ok "SIGTERM to mpirun saves the run" signalled TERM
ok "SIGUSR1, which mpirun passes on, saves the run" signalled USR1

# --- sweeps --------------------------------------------------------------------------------------

sweep() {
	given whole
	printf '%s\n' "name: pair" "spec: tiny.yaml" "vary: {train.seed: [1]}" >pair.yaml
	set -- pair.yaml $long --db sweep.db --ranks 2 --threads 2 --mpirun "mpirun --oversubscribe"
	"$top/runner/pxr-sweep" "$@" >out 2>err &
	launcher=$!
	until [ "$(query sweep.db "SELECT count(*) FROM checkpoint" 2>/dev/null || echo 0)" != 0 ]; do
		kill -0 $launcher 2>/dev/null || return
		sleep 0.05
	done
	kill -9 $launcher
	tries=0
	until [ "$(query sweep.db "SELECT status, ranks FROM run" 2>/dev/null)" = "interrupted|2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return
		sleep 0.05
	done
	timeout 100 "$top/runner/pxr-sweep" pair.yaml $long --db sweep.db --threads 1 >out 2>err && # one process is cheaper
		is "$(query sweep.db "SELECT state, failures, status, resumes, parameter_hash FROM job JOIN run ON run.id = run")" \
			"finished|0|finished|1|$(query whole.db "SELECT parameter_hash FROM run")"
}
ok "runs of a sweep have several ranks, are saved when it is killed, and resumed to the bit" sweep

# --- ranks that differ ---------------------------------------------------------------------------

# differ TEXT SCRIPT: refused with a text, before a run is on record, when each rank runs a script
# with its number in $OMPI_COMM_WORLD_RANK and the arguments of pxr-run.
differ() {
	printf '#!/bin/sh\n%s\n' "$2" >each && chmod +x each
	timeout 60 mpirun --oversubscribe -n 3 ./each >out 2>err
	[ $? -ne 0 ] && err_has "$1" && is "$(grep -c ' error: ' err)" 1 &&
		is "$(query differ.db "SELECT count(*) FROM run" 2>/dev/null || echo 0)" 0
}
run="exec $top/runner/pxr-run --db differ.db --threads 1"
ok "ranks with another spec are refused" differ "differs from rank 0 in the spec: 'batch: 8' there, 'batch: 16' here" \
	"[ \$OMPI_COMM_WORLD_RANK != 1 ] || set train.batch=8; $run tiny.yaml \"\$@\""
ok "ranks without the spec are refused" differ "rank 2 on host" \
	"[ \$OMPI_COMM_WORLD_RANK != 2 ] || exec $top/runner/pxr-run missing.yaml; $run tiny.yaml"
ok "an error of all ranks is reported once" differ "unknown option 'kernl'" "$run tiny.yaml model.0.conv.kernl=3"

blas() {
	query whole.db "SELECT libraries FROM run" | grep -q '^OpenBLAS' || skip "the BLAS is not OpenBLAS"
	differ "rank 1 on host $(uname -n) differs from rank 0 in the BLAS" \
		"[ \$OMPI_COMM_WORLD_RANK != 1 ] || export OPENBLAS_CORETYPE=Nehalem; $run tiny.yaml"
}
given_blas() {
	given whole && blas
}
ok "ranks whose BLAS computes by other instructions are refused" given_blas

layer() {
	needs "${CC%% *}"
	for rank in 0 1 2; do
		[ -d squash ] || "$top/runner/pxr-layers" new squash >out 2>err || return
		mkdir $rank && ${CC:-cc} -shared -fPIC -O$((rank / 2)) -o $rank/squash.so squash/squash.c \
			$(PKG_CONFIG_PATH=$top "${PKG_CONFIG:-pkg-config}" --cflags pxr) || return
	done
	differ "rank 2 on host $(uname -n) differs from rank 0 in the layer 'squash'" \
		"export PXR_LAYER_PATH=\$OMPI_COMM_WORLD_RANK; $run tiny.yaml model.2=squash"
}
ok "ranks with another build of a layer are refused" layer

# The layer of rank 1 waits forever when it is loaded.
hangs_early() {
	needs "${CC%% *}"
	"$top/runner/pxr-layers" new squash >out 2>err && printf '%s\n' '#include <unistd.h>' \
		'__attribute__((constructor)) static void hang(void) { pause(); }' >>squash/squash.c &&
		${CC:-cc} -shared -fPIC -o squash/squash.so squash/squash.c \
			$(PKG_CONFIG_PATH=$top "${PKG_CONFIG:-pkg-config}" --cflags pxr) || return
	differ "rank 1 has not answered for" \
		"[ \$OMPI_COMM_WORLD_RANK != 1 ] || export PXR_LAYER_PATH=squash; $run tiny.yaml --rank-timeout 0.3"
}
ok "a rank that hangs before training is named, after ten times the time-out" hangs_early

ok "a rank that does not start is waited for ten times the time-out" differ "not all ranks have started after 1 seconds" \
	"[ \$OMPI_COMM_WORLD_RANK != 1 ] || exec sleep 50; $run tiny.yaml --rank-timeout 0.1"

data() {
	mkdir set && "$top/runner/pxr-sample" 1 --db whole.db --count 8 --images set/train >out 2>err || return
	differ "rank 1 on host $(uname -n): " "cd \$(test \$OMPI_COMM_WORLD_RANK = 1 && echo / || echo .) && \
		exec $top/runner/pxr-run --db differ.db --threads 1 $PWD/tiny.yaml evaluate.splits=[train] \
		data='{set: png_folder, path: set, levels: 2, splits: [train]}'" &&
		err_has "all ranks must find the spec, its data and its layers under the same paths"
}
given_data() {
	given whole && data
}
ok "a rank that does not find the data is named" given_data

other_data() {
	given whole
	for rank in 0 1 2; do
		mkdir -p $rank/set && "$top/runner/pxr-sample" 1 --db whole.db --count 8 --seed $((rank / 2)) \
			--images $rank/set/train >out 2>err || return
	done
	differ "rank 2 on host $(uname -n) differs from rank 0 in the data set's identity" "cd \$OMPI_COMM_WORLD_RANK && \
		exec $top/runner/pxr-run --db ../differ.db --threads 1 ../tiny.yaml evaluate.splits=[train] \
		data='{set: png_folder, path: set, levels: 2, splits: [train]}'"
}
ok "a rank with other data is refused" other_data
