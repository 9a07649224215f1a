#!/bin/sh
# command_report.sh - pxr-report: reports of real runs in every format, and files that are no database.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

report() {
	"$top/runner/pxr-report" "$@" >out 2>err
}

pxr_run tiny.yaml --db runs.db --threads 1 || exit 1
pxr_run tiny.yaml train.seed=2 train.epochs=2 name='x|<b>"%\n' --db runs.db --threads 1 || exit 1

lists() {
	report runs --db runs.db && out_has "tiny" && out_has "markov_binary" && out_has "nats" &&
		report runs --db runs.db --limit 1 && ! out_has "tiny "
}
ok "'runs' lists runs, at most --limit of them" lists

chooses() {
	report runs --db runs.db --where "name = 'tiny' and nll > 0" --format csv && is "$(wc -l <out)" 2
}
ok "--where chooses runs" chooses
ok "--where with an unknown column gets a suggestion" refused 2 "did you mean 'model'?" \
	report runs --db runs.db --where "modle = 'row'"
incomplete() {
	case $(sqlite3 --version) in 3.3[5-7].*) skip "this SQLite does not say where an error is" ;; esac
	refused 2 "the condition is incomplete: nll < " report runs --db runs.db --where "nll < " &&
		refused 2 "the condition is incomplete: (nll < 3" report runs --db runs.db --where "(nll < 3" &&
		refused 2 "the condition is incomplete: name = 'x" report runs --db runs.db --where "name = 'x" &&
		refused 2 'near ")"' report runs --db runs.db --where "nll <) + 3"
}
ok "--where reports an incomplete condition" incomplete
ok "--where refuses more than one expression" refused 2 "more than one expression" \
	report runs --db runs.db --where "1); DELETE FROM run; SELECT (1"
ok "--where refuses a condition that never ends" refused 2 "the condition is refused" \
	report runs --db runs.db \
	--where "(WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT count(*) FROM t)"

# The run is in another process; its last line comes after it has ended.
watched() {
	"$top/runner/pxr-run" tiny.yaml name=live train.epochs=1000 train.checkpoint="1 step" --db live.db >/dev/null 2>&1 &
	live=$!
	until [ "$(query live.db "SELECT count(*) FROM checkpoint" 2>/dev/null || echo 0)" -gt 0 ]; do
		kill -0 $live || return
		sleep 0.02
	done
	"$top/runner/pxr-report" watch --interval 0.1 live --db live.db >watched 2>err &
	view=$!
	until grep -q "^run 1  live  [a-z ]* [0-9.]* %, .* left  NLL [0-9.]* nats.*images/s$" watched; do
		kill -0 $view || return
		sleep 0.02
	done
	kill -INT $live
	wait $live
	wait $view && tail -n 1 watched | grep -q "^run 1  live  interrupted, took "
}
ok "'watch' prints lines of a run of another process, and ends with it" watched

watch_ends() {
	report watch tiny 2 --db runs.db && is "$(wc -l <out)" 2 &&
		grep -q "^run 1  tiny  finished, took [0-9:]*  result test [0-9.]* nats  epoch 6.00$" out &&
		report watch --db runs.db && is "$(cat out)" "No run is running in runs.db." &&
		refused 2 "there is no run 'tyni'" report watch tyni --db runs.db
}
ok "'watch' prints a line for a run that has ended, and ends" watch_ends

# The newest points may be old: the epoch is that of the steps done.
watch_epoch() {
	cp runs.db old.db && query old.db "DELETE FROM metric WHERE name = 'step_nll' AND step > 20" &&
		report watch 1 --db old.db && out_has "  epoch 6.00" &&
		query old.db "DELETE FROM metric WHERE name = 'nll'; UPDATE run SET steps_done = 48 WHERE id = 1" &&
		report watch 1 --db old.db && out_has "  epoch 3.00"
}
ok "'watch' shows the epoch that has been reached" watch_epoch

# On the terminal of script(1). Whatever it shows, it leaves the screen and the cursor as they were.
watch_screen() {
	needs script
	esc=$(printf '\033')
	for key in "" q; do
		printf '%s' "$key" | TERM=xterm script -qec "'$top/runner/pxr-report' watch 1 --db runs.db" /dev/null >out 2>err &&
			grep -qF "$esc[?1049h$esc[?25l$esc[?7l" out && grep -qF "$esc[?7h$esc[?25h$esc[?1049l" out || return
	done
	grep -q "run 1  tiny  finished" out &&
		TERM=dumb script -qec "'$top/runner/pxr-report' watch 1 --db runs.db" /dev/null >out 2>err </dev/null &&
		! grep -qF "$esc" out
}
ok "'watch' leaves the terminal as it was" watch_screen

shows() {
	report show tiny --db runs.db && out_has "causality certificate" && out_has "layers.0.conv" &&
		out_has "receptive field" && out_has "Learning curve" && out_has "Bits/dim" &&
		share=$(query runs.db "SELECT printf('%g', round(100 * avg(value), 2)) FROM metric WHERE run = 1 AND
			name = 'data_wait_share'") &&
		report show tiny --db runs.db --format csv --part facts &&
		is "$(sed -n 's/^"*of it waiting for images, %"*,//p' out)" "$share" &&
		grep -q 'training, images a second"*,[0-9]' out &&
		report show tiny --db runs.db --part samples && out_has "Log-likelihood (nats/image)"
}
ok "'show' prints a run's facts, layers, curve, results and samples" shows

# Of 12345678 too, which is more digits than a number of the other kind is shown with.
counts() {
	cp runs.db counts.db && sqlite3 counts.db "UPDATE layer SET multiply_adds = 12345678.0 WHERE position = 0" &&
		report show 1 --db counts.db --part layers && out_has "12,345,678" &&
		report show 1 --db counts.db --part layers --format json &&
		is "$(sqlite3 :memory: "SELECT group_concat(DISTINCT json_type(value, '\$.multiply_adds')) FROM
			json_each(readfile('out'), '\$.rows')")" integer &&
		pxr_run tiny.yaml --dry-run --json &&
		is "$(sqlite3 :memory: "SELECT group_concat(DISTINCT type) FROM json_tree(readfile('out'))
			WHERE key = 'multiply_adds'")" integer
}
ok "multiply-adds are printed as whole numbers, in full" counts

curve() {
	report show 1 --db runs.db --format csv && is "$(head -n 1 out)" "run,split,step,epoch,nll,unit" &&
		is "$(grep -c '^1,valid,' out)" 6
}
ok "'show --format csv' prints the learning curve" curve

spec_shown() {
	report show 1 --db runs.db --part spec && out_has "  features: 8" &&
		is "$(cat out)" "$(query runs.db "SELECT spec FROM run WHERE id = 1")" &&
		cp out shown.yaml && pxr_run shown.yaml --db shown.db --threads 1 &&
		is "$(query shown.db "SELECT spec_hash FROM run")" "$(query runs.db "SELECT spec_hash FROM run WHERE id = 1")" &&
		report show 1 --db runs.db --part spec --format md && out_has "| Spec |"
}
ok "'show --part spec' prints the spec as a file that can be run" spec_shown
ok "an unknown part gets a suggestion" refused 2 "did you mean 'curve'?" \
	report show 1 --db runs.db --part curv
uncommitted() {
	[ -e git.db ] || sqlite3 runs.db ".backup git.db"
	query git.db "UPDATE run SET git_revision = 'abc', git_difference = $1 WHERE id = 1" &&
		report show 1 --db git.db --format csv --part facts
}
git_facts() {
	uncommitted "'?? new file' || char(10) || '?? b' || char(10) || 'diff --git a/x b/x' ||
			char(10) || char(10) || '+one'" &&
		out_has "untracked files,\"new file, b\"" && out_has "changes,yes (--part difference)" &&
		report show 1 --db git.db --part difference && out_has "+one" && out_has "?? b" &&
		report show 1 --db git.db && ! out_has "+one" &&
		uncommitted "'?? ' || replace(hex(zeroblob(500)), '00', 'ab ')" &&
		out_has "changes,none" && out_has "ab ... (--part difference)" &&
		uncommitted "''" && out_has "changes,none" && ! out_has untracked &&
		uncommitted NULL && out_has "changes,not known" && ! out_has untracked
}
git_compared() {
	uncommitted "'diff'" && query git.db "UPDATE run SET git_revision = 'abc', git_difference = ''
		WHERE id = 2" && report compare 1 2 --db git.db --part circumstances --format csv &&
		out_has "uncommitted changes,4 bytes (show --part difference),none"
}
ok "'show' counts uncommitted changes, and prints them with --part difference" git_facts
ok "'compare' shows that two runs differ in uncommitted changes" git_compared
ok "an unknown run is refused" refused 2 "there is no run 'three'" report show three --db runs.db

compares() {
	report compare 1 2 --db runs.db && out_has "train.epochs" && out_has "train.seed" &&
		! out_has "train.batch" && out_has "minus that of run 1"
}
ok "'compare' prints the options and results in which runs differ" compares

compares_same_data() {
	cp runs.db other.db && query other.db "UPDATE run SET data_identity = 'other' WHERE id = 2" &&
		report compare 1 2 --db other.db --part results && out_has "cannot be compared" && ! out_has "minus that of" &&
		query other.db "UPDATE run SET data_identity = (SELECT data_identity FROM run WHERE id = 1), given = iif(id = 2, '6x6', NULL)" &&
		report compare 1 2 --db other.db --part results && out_has "cannot be compared" && ! out_has "minus that of"
}
ok "'compare' prints no difference between NLLs of different data" compares_same_data

sorts() {
	report runs --db runs.db --sort nll --format csv && is "$(sed 1d out | cut -d, -f1 | tr '\n' ' ')" \
		"$(query runs.db "SELECT group_concat(run, ' ') || ' ' FROM (SELECT run FROM run_summary WHERE archived_at IS NULL ORDER BY nll)")" &&
		report runs --db runs.db --sort -run --limit 1 --format csv && is "$(sed 1d out | cut -d, -f1)" \
		"$(query runs.db "SELECT max(id) FROM run WHERE archived_at IS NULL")" &&
		refused 2 "did you mean 'nll'?" report runs --db runs.db --sort nlll &&
		refused 2 "the report has no column" report runs --db runs.db --sort 'nll; DROP'
}
ok "'runs' sorts by any column with --sort" sorts

# The numbers of a blob of floats of run $1.
images_of() {
	query runs.db "SELECT writefile('blob', nats) FROM image_nll WHERE run = $1 AND split = 'test'" >/dev/null
	od -An -v -tf4 -w4 blob
}
paired() {
	images_of 1 >one && images_of 2 >two || return
	wanted=$(paste two one | awk '{ d = $1 - $2; n++; s += d; q += d * d }
		END { printf "%.3f", sqrt((q - s * s / n) / (n - 1) / n) }')
	is "$(awk -v nll="$(query runs.db "SELECT nats_per_image FROM run_nll WHERE run = 1 AND split = 'test'")" \
		'{ s += $1 } END { d = s / NR - nll; print NR, (d < 1e-4 && d > -1e-4) }' one)" "256 1" &&
		report compare 1 2 --db runs.db && grep -A 2 "^test, nats/image" out | grep -q "standard error of that, paired, nats *$wanted\$" &&
		out_has "test: run 2 is worse than run 1 by" && cp runs.db old.db &&
		query old.db "DELETE FROM image_nll WHERE run = 2 OR split = 'valid'" && report compare 1 2 --db old.db && ! out_has paired &&
		out_has "minus that of run 1" && cp runs.db cut.db &&
		query cut.db "UPDATE image_nll SET nats = x'00' WHERE run = 2; UPDATE run SET data_identity = 'other' WHERE id = 1" &&
		report compare 1 2 --db cut.db && ! out_has paired
}
ok "'compare' gives the standard error of the paired difference, where the images are the same" paired

# What the sqlite3 shell takes for JSON is JSON, and the name comes back whole.
is_json() {
	for words in table4 table5 runs "show 2" "compare 1 2" doctor sweep; do
		report $words --db runs.db --format json &&
			is "$(sqlite3 :memory: "SELECT json_valid(readfile('out'))")" 1 || return
	done
	report runs --db runs.db --format json &&
		is "$(sqlite3 :memory: "SELECT json_extract(readfile('out'), '\$.rows[1].name')")" \
			"$(sqlite3 runs.db 'SELECT name FROM run WHERE id = 2')"
}
ok "JSON is valid, whatever a run is called" is_json

is_csv() {
	report runs --db runs.db --format csv && sqlite3 csv.db ".import --csv out runs" 2>err &&
		is "$(sqlite3 csv.db 'SELECT group_concat(name, " ") FROM runs')" \
			"$(sqlite3 runs.db 'SELECT group_concat(name, " ") FROM run')"
}
ok "CSV is valid, whatever a run is called" is_csv

is_latex() {
	report table5 --db runs.db --format latex && is "$(head -n 1 out)" '\documentclass[a4paper]{article}' &&
		is "$(tail -n 1 out)" '\end{document}'
}
ok "LaTeX output is a whole document" is_latex

# Each as it is, with all that TeX acts upon in names, notes and tags, and what it has no letter for.
compiles() {
	command -v pdflatex >/dev/null || skip "pdflatex is missing: texlive-latex-base has it"
	cp runs.db tex.db && sqlite3 tex.db "UPDATE run SET note = 'n_o & t%e ∑ — “q” … ½', reproduces_table = 4,
		reproduces_row = 'DRAW', name = 'a_b & 50% #1 \$x^2\$ ~{\end{document}} \input{x} <é> | 日 [y] *'
		WHERE id = 1; INSERT INTO tag (run, tag) VALUES (1, 't_a%g^')" || return
	for words in table2 table3 table4 table5 table6 runs "show 1" doctor; do
		report $words --db tex.db --format latex && cp out table.tex &&
			pdflatex -halt-on-error -interaction=batchmode table.tex </dev/null >out &&
			! grep -F "Missing character" table.log || {
			echo "# $words" && return 1
		}
	done
	for _ in $(seq 50); do # so that there are several pages
		sqlite3 tex.db "INSERT INTO tag (run, tag) SELECT 1, 'tag ' || count(*) FROM tag"
	done
	report tag --db tex.db --format latex && cp out table.tex && grep -qF "{longtable}" table.tex &&
		pdflatex -halt-on-error -interaction=batchmode table.tex </dev/null >out
}
ok "LaTeX output compiles, whatever a run is called" compiles

empty_cells() {
	report table4 --db runs.db && out_has "Diagonal BiLSTM (7 layers, h = 16)" &&
		out_has "79.20" && ! out_has "[a]"
}
ok "a table's row without a run has an empty cell" empty_cells

# --- sweeps --------------------------------------------------------------------------------------

sweep() {
	name=$1
	shift
	printf '%s\n' "name: $name" 'spec: tiny.yaml' 'set: {data.limit: 64, train.epochs: 2, train.batch: 8}' \
		"$@" >"$name.yaml" && "$top/runner/pxr-sweep" "$name.yaml" --db sweeps.db --quiet >out 2>err
}
make_swept() {
	sweep grid 'vary: {train.optimizer.adam.rate: [3e-2, 1e-2], train.seed: [1, 2],
		"a|b,\\": {cases: {"x|<b>%": {model.1.repeat: 1}, two: {model.1.repeat: 2}}}}' &&
		sweep drawn 'vary: {train.optimizer.adam.rate: {log_uniform: [1e-3, 1e-1]}}' 'search: {random: 9}'
}

lists_sweeps() {
	given swept && report sweep --db sweeps.db --format csv && is "$(cut -d , -f 1-4 out)" "sweep,search,jobs,finished
grid,grid,8,8
drawn,random,9,9"
}
ok "'sweep' lists the sweeps" lists_sweeps

# The columns of runs and of conditions.
runs_of_sweeps() {
	given swept && report runs --db sweeps.db --where "sweep = 'grid' and job between 3 and 5" --format csv &&
		sqlite3 of.db ".import --csv out runs" 2>err &&
		is "$(sqlite3 of.db "SELECT run, sweep, job FROM runs ORDER BY job")" "$(sqlite3 sweeps.db "SELECT
			run, sweep, job FROM sweep_result WHERE sweep = 'grid' AND job BETWEEN 3 AND 5")" &&
		is "$(sqlite3 of.db "SELECT count(*) FROM runs")" 3 &&
		is "$(sqlite3 sweeps.db "SELECT substr(varied, 1, 16) FROM run_summary WHERE sweep = 'grid'
			AND job = 6")" "rate=0.01 seed=1" &&
		report runs --db sweeps.db && grep -q " Sweep" out && out_has drawn && out_has "rate=0.01 seed=1" &&
		report runs --db runs.db && ! out_has Sweep
}
ok "'runs' shows each run's sweep and job" runs_of_sweeps

# The table's numbers against those of SQL.
sweep_jobs() {
	given swept && report sweep grid --db sweeps.db --format csv && sqlite3 jobs.db ".import --csv out jobs" 2>err &&
		is "$(sqlite3 jobs.db 'SELECT job, state, "train.optimizer.adam.rate", round(valid_nll, 6),
			round(test_nll, 6) FROM jobs')" "$(sqlite3 sweeps.db "SELECT job, sweep_result.state,
			sweep_result.varied ->> '\$.\"train.optimizer.adam.rate\"', round(sweep_result.valid_nats, 6),
			round(test_nats, 6) FROM sweep_result JOIN run_summary USING (run, sweep, job) WHERE sweep = 'grid'
			ORDER BY job")"
}
ok "'sweep NAME' prints each job's values and NLLs" sweep_jobs

# As after kill -9: the jobs are 'running' on record, as are runs that went with it.
sweep_killed() {
	given swept && cp sweeps.db gone.db && sqlite3 gone.db "
		UPDATE job SET state = 'running', seconds = 0, host = (SELECT host FROM run), process_id = 1,
			process_start = 'never' WHERE sweep = 1 AND number <= 5;
		UPDATE run SET wall_seconds = 1000 WHERE id IN (SELECT run FROM job WHERE state = 'running');
		UPDATE run SET status = 'running', process_id = 1, process_start = 'never'
			WHERE id = (SELECT run FROM job WHERE sweep = 1 AND number = 1);
		UPDATE run SET status = 'interrupted' WHERE id = (SELECT run FROM job WHERE sweep = 1 AND number = 2);
		UPDATE job SET run = NULL WHERE sweep = 1 AND number = 3;
		UPDATE job SET host = 'elsewhere' WHERE sweep = 1 AND number = 5" &&
		report sweep grid --db gone.db --part jobs --format csv &&
		sqlite3 jobs.db ".import --csv out jobs" 2>err &&
		is "$(sqlite3 jobs.db "SELECT group_concat(state, ' ') FROM jobs")" \
			"killed interrupted killed finished running finished finished finished" &&
		is "$(sqlite3 jobs.db "SELECT group_concat(seconds + 0 >= 1000, ' ') FROM jobs")" "1 1 0 1 1 0 0 0" &&
		report sweep grid --db gone.db && out_has "4 of 8 jobs finished." &&
		out_has "The pxr-sweep that ran 3 jobs is gone" &&
		report sweep --db gone.db --format csv &&
		is "$(grep '^grid' out | cut -d , -f 3-9)" "8,4,,1,1,2,"
}
ok "jobs of a killed sweep are shown as killed, interrupted or finished, not as running" sweep_killed

sweep_best() {
	given swept && report sweep grid --db sweeps.db --part best --format csv &&
		is "$(cut -d , -f 1 out | tail -n +2 | head -n 3 | tr '\n' ' ')" "$(sqlite3 sweeps.db "SELECT
		group_concat(job || ' ', '') FROM (SELECT job FROM sweep_result WHERE sweep = 'grid'
		AND suspect IS NULL ORDER BY valid_nats LIMIT 3)")"
}
ok "'sweep --part best' prints the best jobs first" sweep_best

best_archived() {
	given swept && cp sweeps.db archived.db && report sweep --db archived.db --format csv &&
		best=$(grep '^grid' out | cut -d , -f 11) && is "$(sqlite3 sweeps.db "SELECT run FROM sweep_result
			WHERE sweep = 'grid' ORDER BY valid_nats LIMIT 1")" "$best" &&
		report archive "$best" --yes --db archived.db && report sweep --db archived.db --format csv &&
		is "$(grep '^grid' out | cut -d , -f 11)" "$(sqlite3 sweeps.db "SELECT run FROM sweep_result
			WHERE sweep = 'grid' ORDER BY valid_nats LIMIT 1, 1")" &&
		report sweep grid --db archived.db --part best --format csv &&
		is "$(cut -d , -f 2 out | sed -n 2p)" "$(sqlite3 sweeps.db "SELECT run FROM sweep_result
			WHERE sweep = 'grid' ORDER BY valid_nats LIMIT 1, 1")" &&
		! cut -d , -f 2 out | grep -qx "$best" &&
		"$top/runner/pxr-sweep" grid.yaml --db archived.db >out 2>err && out_has "of the validation split" &&
		! grep -q "^ *[0-9]*  *$best  " out
}
ok "an archived run is not among the best of a sweep" best_archived

sweep_effects() {
	given swept && report sweep grid --db sweeps.db --part effects --format csv &&
		sqlite3 effects.db ".import --csv out effects" 2>err &&
		is "$(sqlite3 effects.db "SELECT value, runs, round(mean_nll, 6), round(best_nll, 6)
			FROM effects WHERE key = 'train.optimizer.adam.rate'")" "$(sqlite3 sweeps.db "SELECT
			varied ->> '\$.\"train.optimizer.adam.rate\"' AS value, count(*), round(avg(valid_nats), 6),
			round(min(valid_nats), 6) FROM sweep_result WHERE sweep = 'grid' GROUP BY value")"
}
ok "'sweep --part effects' prints the mean and best NLL of each value of a key" sweep_effects

sweep_drawn() {
	given swept && report sweep drawn --db sweeps.db --part effects &&
		out_has "rank correlation with the NLL" && is "$(grep -c '^train.optimizer.adam.rate .* to ' out)" 4 &&
		grep -q '^train.optimizer.adam.rate .* -\{0,1\}[01][.][0-9][0-9][0-9]$' out
}
ok "the effect of a randomly drawn key is shown by thirds of its range and a rank correlation" sweep_drawn

no_sweep() {
	given swept && refused 2 "no sweep 'gird'; the sweeps are: 'grid', 'drawn'" report sweep gird --db sweeps.db
}
ok "an unknown sweep is refused, with the names of the sweeps" no_sweep

doctors() {
	cp runs.db ill.db && sqlite3 ill.db "UPDATE run SET certificate = '' WHERE id = 2" &&
		report doctor --db ill.db && grep -q "^ *2  no certificate" out &&
		report doctor 1 --db ill.db && ! grep -q "^ *2 " out
}
ok "the doctor reports a run without a causality certificate" doctors

no_database() {
	for file in none.db empty.db text.db folder.db cut.db newer.db; do
		case $file in
		none.db) text="no such database" ;;
		empty.db) : >$file && text="the database is empty" ;;
		text.db) seq 1000 >$file && text="not a database" ;;
		folder.db) mkdir $file && text="is a folder, not a database" ;;
		cut.db) head -c 30000 runs.db >$file && text="the database is corrupt" ;;
		newer.db) cp runs.db $file && sqlite3 $file "PRAGMA user_version = 99" &&
			text="written by a newer pxr" ;;
		esac
		for words in table4 runs "show 1" doctor; do
			sum=$(cat $file 2>/dev/null | sha256sum)
			refused 2 "$text" report $words --db $file &&
				is "$(grep -c error: err)" 1 && is "$(wc -c <out)" 0 &&
				is "$(cat $file 2>/dev/null | sha256sum)" "$sum" || {
				echo "# $file: $words" && return 1
			}
		done
	done
	! [ -e none.db ]
}
ok "a file that is no database gets one error and is not changed" no_database

reads_only() {
	needs_bound
	mkdir closed && cp runs.db closed/runs.db && chmod 444 closed/runs.db && chmod 555 closed &&
		bound "$top/runner/pxr-report" runs --db closed/runs.db >out 2>err && out_has tiny &&
		is "$(ls -A closed)" runs.db && cmp closed/runs.db runs.db
	status=$?
	chmod 755 closed
	return $status
}
ok "a read-only database is read" reads_only

ok "an option that a report does not have is refused" refused 2 "--where: not an option of 'table4', only of: runs, html, serve, REPORT" \
	report table4 --db runs.db --where 1
ok "an unknown report gets a suggestion" refused 2 "did you mean 'table4'?" report tabel4 --db runs.db

# The examples of docs/reports.md, as they stand there.
own_report() {
	mkdir -p reports/doctor && awk '/^```/ { within = /sql/; if (within) n++; next }
		within { print >(n == 1 ? "reports/slow.sql" : "reports/doctor/few_images.sql") }' \
		"$source/docs/reports.md" &&
		PXR_REPORT_PATH=$PWD/reports && export PXR_REPORT_PATH &&
		report list && out_has "slow [seconds]" && out_has "Runs that took long" &&
		out_has "serve and watch." &&
		report slow --db runs.db --where "epochs > 1" --limit 1 --format csv &&
		is "$(cut -d , -f 1,2 out | sed -n 1p)" run,name && is "$(wc -l <out)" 2 &&
		report slow 1e9 --db runs.db && out_has "No run took so long." &&
		refused 2 "unexpected argument" report slow 1 2 --db runs.db &&
		refused 2 "did you mean 'slow'" report slwo --db runs.db &&
		report doctor --db runs.db && ! out_has "few images" &&
		echo "SELECT 1" >reports/broken.sql && exits 2 report list && out_has "slow [seconds]" && err_has "reports/broken.sql:1:1: error: expected a head" &&
		cp reports/broken.sql reports/doctor && exits 2 report doctor --db runs.db &&
		out_has "Signs of trouble" && err_has "doctor/broken.sql:1:1: error: expected a head" &&
		rm reports/broken.sql reports/doctor/broken.sql &&
		cp runs.db few.db && query few.db "UPDATE metric SET images = 9 WHERE split = 'test'" &&
		report doctor --db few.db && out_has "evaluated on 9 images"
}
ok "the examples in the documentation of a user's own report and sign work" own_report

# A report of that name would never be run.
subcommand_names() {
	mkdir reports && PXR_REPORT_PATH=$PWD/reports && export PXR_REPORT_PATH || return
	for own in "show last" table4 runs gc doctor html; do
		name=${own%% *}
		printf '/*\ntitle: Own\n*/\nSELECT 1' >"reports/$name.sql" || return
		for call in list "$own"; do
			refused 2 "reports/$name.sql: '$name' is a subcommand of pxr-report: rename the file" \
				report $call --db runs.db || return
		done
		mv "reports/$name.sql" reports/own.sql && report own --db runs.db || return
	done
}
ok "a user's report that is named like a subcommand is refused" subcommand_names

# The conditions of docs/reports.md.
documented_conditions() {
	sed -n 's/^    pxr-report runs --where/report runs --db runs.db --where/p' "$source/docs/reports.md" \
		>conditions && is "$(wc -l <conditions)" 5 &&
		while IFS= read -r line; do eval "$line" || return; done <conditions
}
ok "the --where conditions in the documentation are valid" documented_conditions

other_paper() {
	printf '%s\n' 'tables:' '- {table: 4, title: T, unit: nats, split: test, set: s, rows: [{row: R, value: x}]}' \
		>paper.yaml
	refused 2 "paper.yaml:2:" report table4 --db runs.db --paper paper.yaml || return
	sed 's/value: x/value: 7/' paper.yaml >mine.yaml
	report table4 --db runs.db --paper mine.yaml && out_has "7.00" && ! out_has "DRAW"
}
ok "--paper reads the paper's tables from another file" other_paper

only_read() {
	sum=$(sha256sum <runs.db)
	for words in table4 runs "show 1" "compare 1 2" doctor sweep tag "html --out -"; do
		report $words --db runs.db || return
	done
	is "$(sha256sum <runs.db)" "$sum" && is "$(ls -d runs.db*)" runs.db
}
ok "reports do not change the database" only_read
