#!/bin/sh
# command_serve.sh - pxr-report serve: the page over HTTP, live.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"
command -v curl >/dev/null || skip_all "curl is missing"
grep -q '^#define PXR_SERVE' "$top/config.h" || skip_all "pxr was built without libmicrohttpd"

pxr_run tiny.yaml train.epochs=2 --db runs.db --threads 1 || exit 1

# serve OPTION...: start a server on a free port; sets url and server.
serve() {
	"$top/runner/pxr-report" serve --db runs.db --port 0 "$@" >address 2>notes &
	server=$!
	trap 'kill $server 2>/dev/null; wait $server' EXIT
	for _ in $(seq 600); do
		url=$(cat address)
		[ -z "$url" ] || return 0
		kill -0 $server || return 1
		sleep 0.05
	done
	return 1
}

# get PATH OPTION...: the answer's text in out, its headers in headers.
get() {
	path=$1
	shift
	curl -sS --max-time 60 -o out -D headers "$@" "$url$path" 2>err
}

# status PATH OPTION...: the status of an answer.
status() {
	get "$@" -w '%{http_code}'
}

answers() {
	serve && is "$(status '')" 200 && grep -qi '^Content-Type: text/html' headers && is "$(head -n 1 out)" '<!DOCTYPE html>' &&
		is "$(tail -n 1 out)" '</html>' && out_has "connect-src 'self'" && grep -qi "frame-ancestors 'none'" headers &&
		is "$(status state)" 200 && grep -q '"runs":\[\[1,"' out && is "$(status 'part?id=run-1')" 200 &&
		is "$(head -c 32 out)" '<section class="run" id="run-1">' && is "$(status 'part?id=runs')" 200 && out_has '<section id="runs">' &&
		for path in nowhere part 'part?id=' 'part?id=run-2' 'part?id=run-1x' 'part?id=../runs.db' runs.db; do
			is "$(status "$path")" 404 || return
		done
}

chooses() {
	serve --where "run = 7" --details 0 && get '' && ! out_has 'id="run-1"' && out_has 'No row meets the condition' &&
		is "$(status 'part?id=run-1')" 404
}

only_reads() {
	before=$(sha256sum <runs.db)
	serve && for method in POST PUT DELETE OPTIONS PATCH; do
		is "$(status '' -X $method -d x=1)" 405 && grep -qi '^Allow: GET, HEAD' headers || return
	done
	is "$(status '' --head)" 200 && is "$(sha256sum <runs.db)" "$before"
}

# A page of evil.example can make its name mean 127.0.0.1, but not send another name.
knows_its_names() {
	serve && for host in evil.example evil.example:8017 127.0.0.1.evil.example 'localhost.evil.example:1' ''; do
		is "$(status '' -H "Host: $host")" 403 || return
	done
	for host in localhost LOCALHOST:9000 127.0.0.1:9000 '[::1]:9000' "$(hostname)"; do
		is "$(status state -H "Host: $host")" 200 || return
	done
}

# In /proc/net/tcp, 127.0.0.1 is 0100007F and 0.0.0.0 is 00000000; state 0A listens.
local_only() {
	serve && port=$(printf '%04X' "$(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/')") && grep -q "0100007F:$port .* 0A " /proc/net/tcp &&
		! grep -q " 00000000:$port .* 0A " /proc/net/tcp && grep -qF "Only this machine can open it" notes
}

elsewhere() {
	serve --bind 0.0.0.0 && grep -qF "WARNING: everyone who can reach this machine can read all runs" notes &&
		! grep -qF '\x' notes &&
		refused 2 "--bind: expected an address such as 127.0.0.1, got 'here'" \
			"$top/runner/pxr-report" serve --db runs.db --bind here 2>err
}

ends() {
	for signal in INT TERM; do
		serve && get state && kill -$signal $server && wait $server && ! get state || return
	done
}

port_in_use() {
	serve && port=$(echo "$url" | sed 's/.*:\([0-9]*\).*/\1/') &&
		refused 2 "note: use --port to choose another port" "$top/runner/pxr-report" serve --db runs.db --port "$port" 2>err
}

mistakes() {
	refused 2 "no such database" "$top/runner/pxr-report" serve --db nowhere.db 2>err &&
		refused 2 "did you mean" "$top/runner/pxr-report" serve --db runs.db --where "nlll < 0" 2>err &&
		refused 2 "not an option of 'runs'" "$top/runner/pxr-report" runs --db runs.db --port 1 2>err
}

# Otherwise a browser would fetch and replace the list of runs all the time.
idle() {
	serve && get state && cp out first && get state && cmp out first && get '' && cp out page && get '' && cmp out page &&
		"$top/runner/pxr-report" note 1 changed --db runs.db >/dev/null && get state && ! cmp -s out first && get '' &&
		out_has changed
}

# A database that is moved away is an error of the request, not the end of the server.
gone() {
	serve && mv runs.db other.db && is "$(status '')" 500 && out_has "no such database" && mv other.db runs.db && is "$(status '')" 200
}

# A lock that keeps readers out too, as another program can hold in a database without a log.
locked() {
	sqlite3 runs.db "PRAGMA journal_mode = DELETE" >/dev/null && serve && is "$(status '')" 200 && cp out page && mkfifo words || return
	sqlite3 runs.db <words >held 2>&1 &
	holder=$!
	exec 3>words && echo "BEGIN EXCLUSIVE; SELECT 'held';" >&3
	until [ -s held ]; do sleep 0.01; done
	is "$(status state)" 503 && out_has "another program keeps the database locked" && is "$(status 'part?id=runs' --max-time 10)" 503 &&
		is "$(status '' --max-time 10)" 200 &&
		cmp out page && exec 3>&- && wait $holder && is "$(status state)" 200
}

# Rows are recorded while the page is open; the page itself is never loaded again.
live() {
	for browser in chromium chromium-browser google-chrome ''; do
		command -v "${browser:-none}" >/dev/null && break
	done
	[ "$browser" ] || skip "there is no Chromium"
	serve && mkdir home || return
	(step=100 && while [ -e home ]; do
		step=$((step + 1))
		query runs.db ".timeout 5000" "INSERT INTO metric (run, step, epoch, split, name, sum_nats, sum_squares, images, dimensions)
			SELECT run, $step, $step / 16.0, split, name, sum_nats, sum_squares, images, dimensions FROM metric
				WHERE run = 1 AND name = 'nll' AND split = 'valid' AND step = 32;
			INSERT OR IGNORE INTO sample (run, step, epoch, kind, seed, count, png)
				SELECT run, 150, 9, kind, seed, count, png FROM sample WHERE run = 1 AND kind = 'samples' AND $step > 110;
			UPDATE run SET note = 'noted later' WHERE $step > 110;" || exit
	done) &
	HOME=$PWD/home timeout 120 "$browser" --headless --no-sandbox --disable-gpu --dump-dom --virtual-time-budget=12000 \
		"$url" >dom 2>/dev/null
	mv home closed && wait $!
	grep -q '<html' dom || skip "there is no Chromium that starts"
	first=$(sed -n 's/.*id="state">.*"runs":\[\[1,"[0-9]* \([0-9]*\),.*/\1/p' dom)
	last=$(grep -o 'data-split="valid" data-points="[^"]*"' dom | head -n 1 | sed 's/.*,\([0-9]*\) .*/\1/')
	[ "$last" -gt "$first" ] && grep -qF 'alt="sample 1 at step 150"' dom && grep -qF 'noted later' dom &&
		grep -q '<span id="live" class="status" role="status">live</span>' dom && is "$(grep -c 'id="run-1"' dom)" 1 &&
		if grep -qF 'id="curve-data"' dom; then grep -qF 'id="overlay"' dom; fi
}

ok "serve answers with the page, its parts, and nothing else" answers
ok "serve shows the runs that are chosen" chooses
ok "serve refuses every method that could change something" only_reads
ok "serve refuses names of hosts that are not its own" knows_its_names
ok "serve listens on this machine only" local_only
ok "serve warns when it listens elsewhere, and refuses what is no address" elsewhere
ok "serve ends on SIGINT and SIGTERM with success" ends
ok "serve names --port if the port is in use" port_in_use
ok "serve refuses invalid arguments before it listens" mistakes
ok "serve tells a browser of no changes, and sends the same page, while nothing is recorded" idle
ok "serve goes on when the database is gone for a while" gone
ok "serve answers without a long wait while another program keeps the database locked" locked
ok "in a browser, new points, samples and notes appear without a reload" live
