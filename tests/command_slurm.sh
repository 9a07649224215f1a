#!/bin/sh
# command_slurm.sh - sweeps as job arrays of a real Slurm, whose controller and node run here.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
PATH=$PATH:/usr/sbin
for program in slurmctld slurmd sbatch squeue scancel; do
	command -v $program >/dev/null || skip_all "$program is missing: slurm-wlm has it"
done

# --- a cluster -----------------------------------------------------------------------------------

cluster=$scratch/cluster
daemons=

stop_cluster() {
	if [ "$daemons" ]; then
		timeout 20 scancel --user="$(id -un)" 2>/dev/null
		tries=0
		while [ $tries -lt 20 ] && [ "$(timeout 20 squeue --noheader 2>/dev/null)" ]; do
			sleep 0.5
			tries=$((tries + 1))
		done
	fi
	for daemon in $daemons; do # slurmd goes first
		kill "$daemon"
		(sleep 10 && kill -9 "$daemon") 2>/dev/null &
		killer=$!
		wait "$daemon"
		kill $killer
	done 2>/dev/null
	end_tests
}
trap stop_cluster EXIT
trap 'exit 1' INT TERM HUP

configure_cluster() {
	mkdir -p "$cluster/state" "$cluster/spool"
	port=$((20000 + $$ % 20000))
	cat >"$cluster/slurm.conf" <<-END
		ClusterName=test
		SlurmctldHost=$(hostname -s)(127.0.0.1)
		SlurmctldPort=$port
		SlurmdPort=$((port + 1))
		SlurmUser=$(id -un)
		SlurmdUser=$(id -un)
		AuthType=auth/none
		CredType=cred/none
		StateSaveLocation=$cluster/state
		SlurmdSpoolDir=$cluster/spool
		SlurmctldPidFile=$cluster/slurmctld.pid
		SlurmdPidFile=$cluster/slurmd.pid
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		MpiDefault=none
		SwitchType=switch/none
		KillWait=5
		MessageTimeout=60
		ReturnToService=2
		SlurmdParameters=config_overrides
		NodeName=node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
		PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP
	END
	printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$cluster/cgroup.conf"
	export SLURM_CONF="$cluster/slurm.conf"
}

start_cluster() {
	slurmctld -D -c >"$cluster/slurmctld.out" 2>&1 &
	daemons=$!
	slurmd -D -N node >"$cluster/slurmd.out" 2>&1 &
	daemons="$! $daemons"
	tries=0
	until [ "$(timeout 20 sinfo --noheader --format=%T 2>/dev/null)" = idle ]; do
		tries=$((tries + 1))
		for daemon in $daemons; do
			kill -0 "$daemon" 2>/dev/null || tries=1000
		done
		[ $tries -lt 100 ] || return 1
		sleep 0.3
	done
}

configure_cluster
if ! start_cluster; then
	sed 's/^/# /' "$cluster"/*.out
	skip_all "Slurm does not start here"
fi

# --- sweeps --------------------------------------------------------------------------------------

pxr_sweep() {
	timeout 200 "$top/runner/pxr-sweep" "$@" >out 2>err
}
slurm_sweep() {
	pxr_sweep "$@" --launcher slurm --jobs 2
}

# sweep NAME EPOCHS SEEDS
sweep() {
	printf '%s\n' "name: $1" 'spec: tiny.yaml' "vary: {train.seed: [$3]}" \
		"set: {data.limit: 64, train.epochs: $2, train.average: 0, train.batch: 8, sample.count: 0}" \
		>"$1.yaml"
}
sweep short 2 "1, 2, 3, 4, 5"
sweep long 400 "1, 2, 3"
sweep pair 100 1

results() {
	query "$1" "SELECT spec_hash, status, parameter_hash FROM run ORDER BY spec_hash"
}
make_short() {
	pxr_sweep short.yaml --db short_here.db && results short_here.db >short &&
		slurm_sweep short.yaml --db short.db && cp out printed
}
make_long() {
	pxr_sweep long.yaml --db long_here.db --jobs 2
}

whole() {
	given short && cp printed out && results short.db | cmp - short &&
		out_has "5 tasks, 2 at a time" && is "$(grep -c '^job.*nats/image' out)" 5 &&
		out_has "pxr-report sweep --db short.db short" &&
		is "$(query short.db "SELECT count(DISTINCT task), max(claims), max(failures) FROM job")" "5|1|0"
}
ok "a sweep of five Slurm tasks has the same results as a local one" whole

at_a_time() {
	given short && is "$(query short.db "SELECT max((SELECT count(*) FROM run AS other WHERE
		other.started_at <= run.started_at AND other.finished_at > run.started_at)) <= 2 FROM run")" 1
}
ok "--jobs 2 runs at most two tasks at a time" at_a_time

again() {
	given short && slurm_sweep short.yaml --db short.db && results short.db | cmp - short &&
		is "$(query short.db "SELECT count(*), sum(tasks) FROM task_array")" "1|5" &&
		is "$(query short.db "SELECT max(claims) FROM job")" 1
}
ok "the command of a finished sweep submits nothing again" again

# begin DB: submit, and wait until two runs are at work and have a checkpoint.
begin() {
	given long && submit 2 long.yaml --db "$1"
}

# submit RUNS SWEEP --db DB OPTIONS...: the same for so many runs of a sweep.
submit() {
	runs=$1 db=$4
	shift
	slurm_sweep "$@" --no-wait train.checkpoint="20 steps" || return
	tries=0
	until [ "$(query "$db" "SELECT count(DISTINCT run) FROM checkpoint JOIN run ON run.id = run
		WHERE status = 'running'" 2>/dev/null || echo 0)" = "$runs" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return
		sleep 0.1
	done
}

# Checkpoints more often than in the local sweep do not change the bits.
collect() {
	slurm_sweep long.yaml --db "$1" train.checkpoint="20 steps" &&
		is "$(query "$1" "SELECT count(*), count(DISTINCT run), min(state) FROM job")" "3|3|finished" &&
		is "$(query "$1" "SELECT parameter_hash FROM run ORDER BY seed")" \
			"$(query long_here.db "SELECT parameter_hash FROM run ORDER BY seed")"
}

cancelled() {
	begin cancel.db && err_has "continues. Cancel it with: scancel" || return
	task=$(query cancel.db "SELECT substr(task, 7) FROM job WHERE state = 'running' LIMIT 1")
	scancel "$task"
	collect cancel.db && is "$(query cancel.db "SELECT sum(failures), count(message) FROM job")" "1|0" &&
		is "$(query cancel.db "SELECT count(*) FROM event WHERE kind = 'resumed'")" 1
}
ok "a cancelled task counts as a failure, and its run is saved and resumed" cancelled

killed() {
	begin kill.db || return
	job=$(query kill.db "SELECT id FROM job WHERE state = 'running' LIMIT 1")
	kill -9 "$(query kill.db "SELECT process_id FROM job WHERE id = $job")"
	collect kill.db && is "$(query kill.db "SELECT sum(failures) FROM job")" 1 &&
		is "$(query kill.db "SELECT failures FROM job WHERE id = $job")" 1
}
ok "a killed task is noticed, and its run resumed" killed

shared() {
	[ -e "$top/lib/pxr_mpi.so" ] || skip "pxr was built without MPI"
	needs mpirun
	set -- pair.yaml --db shared.db --ranks 2 --mpirun "mpirun --allow-run-as-root --bind-to none"
	pxr_sweep pair.yaml --db here.db --threads 1 && submit 1 "$@" || return
	scancel "$(query shared.db "SELECT substr(task, 7) FROM job WHERE state = 'running'")"
	is "$(query shared.db "SELECT ranks FROM run")" 2 &&
		slurm_sweep pair.yaml --db shared.db train.checkpoint="20 steps" && # with one process, which is cheaper
		is "$(query shared.db "SELECT state, failures, resumes, parameter_hash FROM job JOIN run ON run.id = run")" \
			"finished|1|1|$(query here.db "SELECT parameter_hash FROM run")"
}
ok "a cancelled task of two ranks is saved, and resumed to the bit" shared

# documented SIGNAL...: the script of docs/clusters.md, cancelled with these options of scancel, is saved.
documented() {
	[ -e "$top/lib/pxr_mpi.so" ] || skip "pxr was built without MPI"
	needs mpirun
	sed -n '/^    #!\/bin\/sh/,/^    wait \$ranks #/s/^    //p' "$source/docs/clusters.md" >script
	sed -i -e "s|pxr-run|$top/runner/pxr-run|" -e 's|^db=.*|db=doc.db spec="tiny.yaml train.epochs=4000"|' \
		-e 's/ntasks=4/ntasks=2/' script
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	job=$(sbatch --parsable script) || return
	until [ -s doc.db ] && [ "$(query doc.db "SELECT count(*) FROM checkpoint" 2>/dev/null || echo 0)" != 0 ]; do
		[ "$(squeue --noheader --job="$job" 2>/dev/null)" ] || {
			sed 's/^/# /' "pxr-$job.log"
			return 1
		}
		sleep 0.1
	done
	scancel "$@" "$job"
	while [ "$(squeue --noheader --job="$job" 2>/dev/null)" ]; do
		sleep 0.1
	done
	is "$(query doc.db "SELECT status, ranks FROM run")" "interrupted|2"
}
ok "the documented script saves the run when its batch step is sent SIGUSR1" documented --batch --signal=USR1
ok "the documented script saves the run when it is cancelled" documented

# Slurm alone knows about a process on another host.
gone() {
	begin gone.db || return
	job=$(query gone.db "SELECT id FROM job WHERE state = 'running' LIMIT 1")
	kill -9 "$(query gone.db "SELECT process_id FROM job WHERE id = $job")"
	query gone.db "UPDATE job SET host = 'elsewhere.test' WHERE id = $job"
	collect gone.db && is "$(query gone.db "SELECT failures FROM job WHERE id = $job")" 1
}
ok "a killed task on another host is noticed" gone

interrupted() {
	begin int.db || return
	"$top/runner/pxr-sweep" long.yaml --db int.db --launcher slurm --jobs 2 \
		train.checkpoint="20 steps" >out 2>err &
	waiting=$!
	sleep 1
	kill -TERM $waiting
	wait $waiting
	is $? 130 && err_has "continues. Cancel it with: scancel $(query int.db 'SELECT id FROM task_array')" &&
		[ "$(squeue --noheader)" ] && collect int.db && is "$(query int.db "SELECT max(claims) FROM job")" 1
}
ok "an interrupted sweep leaves its array running, and the same command collects its results" interrupted

all_cancelled() {
	"$top/runner/pxr-sweep" long.yaml --db all.db --launcher slurm --jobs 1 >out 2>err &
	waiting=$!
	until [ "$(query all.db "SELECT count(*) FROM job WHERE state = 'running'" 2>/dev/null)" = 1 ]; do
		kill -0 $waiting || return
		sleep 0.1
	done
	scancel "$(query all.db 'SELECT id FROM task_array')"
	wait $waiting
	is $? 2 && err_has "were cancelled before all jobs were done" &&
		is "$(query all.db 'SELECT count(*) FROM task_array')" 1
}
ok "nothing is submitted after an array is cancelled" all_cancelled

# The same for an array that an earlier process submitted.
joined_cancelled() {
	pxr_sweep long.yaml --db joined.db --launcher slurm --jobs 1 --no-wait || return
	until [ "$(query joined.db "SELECT count(*) FROM job WHERE state = 'running'")" = 1 ]; do
		sleep 0.1
	done
	"$top/runner/pxr-sweep" long.yaml --db joined.db --launcher slurm --jobs 1 >out 2>err &
	waiting=$!
	sleep 3
	scancel "$(query joined.db 'SELECT id FROM task_array')"
	wait $waiting
	is $? 2 && err_has "were cancelled before all jobs were done" &&
		is "$(query joined.db 'SELECT count(*) FROM task_array')" 1
}
ok "nothing is submitted after the array of an earlier command is cancelled" joined_cancelled

ok "the error of sbatch is shown" refused 1 "nvalid partition" \
	slurm_sweep short.yaml --db refused.db --sbatch-option=--partition=nowhere

cannot_begin() {
	refused 1 "ended without claiming a job; their errors are in $PWD/begin.db.slurm.log" slurm_sweep short.yaml \
		--db begin.db --sbatch-option=--chdir=/ && [ -s begin.db.slurm.log ]
}
ok "tasks that cannot start are reported once, with where their errors are" cannot_begin

sweep alike 2 "1, 2, 3, 4, 5, 6"
alike() {
	: >alike.checkpoints # a file where the runs need a folder
	refused 1 "jobs failed with the same error" \
		slurm_sweep alike.yaml --db alike.db && [ "$(query alike.db "SELECT sum(claims) FROM job")" -lt 12 ]
}
ok "a sweep ends when its first tasks all fail with the same error" alike
