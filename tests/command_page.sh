#!/bin/sh
# command_page.sh - pxr-report html: the content of the page, and how a browser shows it.
. "${srcdir:-.}/tests/command.sh"
command -v sqlite3 >/dev/null || skip_all "the sqlite3 shell is missing"

html() {
	"$top/runner/pxr-report" html "$@" >out 2>err
}

# How often a text occurs in a file.
times() {
	grep -oF -e "$2" "$1" | wc -l
}

hostile='<script>document.title="owned"</script>&"q'
cat >hostile.yaml <<'END'
extends: tiny.yaml
description: '</code></pre><img src=x onerror="document.title=1"><!-- kernel ends here'
END
pxr_run tiny.yaml --db runs.db --threads 1 || exit 1
pxr_run hostile.yaml "name=$hostile" train.seed=2 train.epochs=1 --db runs.db --threads 1 || exit 1
pxr_run tiny.yaml train.optimizer.adam.rate=1e-2 train.epochs=5 name=faster --db runs.db --threads 2 || exit 1
# Images in colour.
cat >colours.yaml <<'END'
name: colours
data: {set: markov_rgb, limit: 64}
model:
  - conv: {mask: A, kernel: 3, features: 9}
  - relu
  - softmax
train: {optimizer: {adam: {rate: 1e-2}}, batch: 16, epochs: 2}
evaluate: {every: 1 epoch, splits: [test]}
sample: {count: 3, every: 1 epoch}
END
pxr_run colours.yaml --db runs.db --threads 1 || exit 1
pxr_run tiny.yaml train.epochs=1 evaluate.every=never sample.count=0 --db ends.db --threads 1 || exit 1
# report.html, the page of all runs.
html --db runs.db || exit 1
before=$(sha256sum <runs.db)

writes() {
	rm report.html && html --db runs.db && out_has "report.html: " && is "$(head -n 1 report.html)" '<!DOCTYPE html>' &&
		is "$(tail -n 1 report.html)" '</html>'
}
ok "html writes a whole page" writes

overwrites() {
	html --db runs.db && out_has "report.html: "
}
ok "report.html is overwritten" overwrites

with_force() {
	cp report.html named.html && refused 2 "note: use --force to overwrite it" html --db runs.db --out named.html &&
		html --db runs.db --out named.html --force
}
ok "a page named by --out is overwritten only with --force" with_force

foreign() {
	echo mine >mine.html && refused 2 "note: use --force to overwrite it" html --db runs.db --out mine.html &&
		is "$(cat mine.html)" mine && html --db runs.db --out mine.html --force
}
ok "a file that is no page is overwritten only with --force" foreign

piped() {
	html --db runs.db --out - && cp out piped.html && grep -v "^</main>\|^<footer>" piped.html >one
	grep -v "^</main>\|^<footer>" report.html >two
	cmp one two
}
ok "--out - writes the page to the standard output" piped

only_read() {
	html --db runs.db && is "$(sha256sum <runs.db)" "$before"
}
ok "html does not change the database" only_read

# A run that is evaluated only after its last step has one point per split.
draws_the_end() {
	html --db ends.db --out ends.html && is "$(times ends.html '<path class="line')" 3 &&
		grep -q '<path class="final valid" data-split="valid, final" data-points="16 1 [0-9.]*" d="M' ends.html &&
		grep -q '<path class="final test"' ends.html && is "$(times ends.html '<span class="key final">')" 1
}
ok "the plot shows the final NLLs" draws_the_end

# The charting library could load, but the policy forbids that.
loads_nothing() {
	sed '/^<script>.*dygraphs/,/<.script>/d' report.html >own.html
	! grep -Eo ' (src|href|srcset|action|poster|data)="[^"]*"' own.html |
		grep -Ev '="(data:image/png;base64,|#)' &&
		! grep -Eqi '@import|url\(|<link|<iframe|<object|<base|xlink|fetch\(|XMLHttp' own.html &&
		is "$(times report.html "default-src 'none'")" 1
}
ok "the page loads nothing from anywhere" loads_nothing

# with_chart: whether the page has a charting library, and with it the data of the curves.
with_chart() {
	grep -qF 'id="curve-data"' report.html
}

escaped() {
	with_chart && scripts=3 || scripts=1
	is "$(times report.html '<script')" $scripts && is "$(times report.html '</script')" $scripts &&
		is "$(times report.html '<img src=x')" 0 && is "$(times report.html '<!--')" 0 &&
		grep -qF '&lt;script&gt;document.title=&quot;owned&quot;&lt;/script&gt;&amp;&quot;q' report.html &&
		grep -qF '&lt;img src=x onerror=' report.html
}
ok "names and specs are escaped in the page" escaped

# No id occurs twice, and every link has a target.
anchored() {
	grep -o ' id="[^"]*"' report.html | sort >ids && is "$(uniq -d ids)" "" || return
	grep -o ' href="#[^"]*"' report.html | sort -u | sed 's/href="#/id="/' | while read -r id; do
		grep -qF -e "$id" ids || { echo "# $id" && return 1; }
	done
}
ok "every link in the page has a target" anchored

valid_html() {
	needs tidy
	tidy -quiet -errors report.html >out 2>&1
}
ok "the page is valid HTML" valid_html

has_all() {
	for run in 1 2 3 4; do
		grep -qF "<section class=\"run\" id=\"run-$run\">" report.html || return
	done
	grep -qF "Table 4: " report.html && grep -qF "kernel: 5" report.html &&
		grep -qF "$(query runs.db 'SELECT data_identity FROM run LIMIT 1')" report.html &&
		grep -qF "$(query runs.db 'SELECT program_version FROM run LIMIT 1')" report.html &&
		grep -qF "causality certificate" report.html && grep -qF "receptive field" report.html
}
ok "the page has runs, tables, specs and provenance" has_all

# Run 1 drew four samples at three steps; run 2 once, run 3 at 2, 4 and 5 epochs, run 4 twice three.
gallery() {
	html --db runs.db --out one.html --where "run = 1" && is "$(times one.html 'alt="sample ')" 12 &&
		for step in 32 64 96; do
			is "$(times one.html "alt=\"sample 4 at step $step\"")" 1 || return
		done
	is "$(times report.html 'alt="sample ')" 30 &&
		is "$(times report.html "Samples were drawn at one step only")" 1 &&
		is "$(times report.html "the same random numbers (seed 1)")" 3
}
ok "the gallery shows the same samples at each checkpoint" gallery

other_seeds() {
	cp runs.db other.db && query other.db "UPDATE sample SET seed = 9 WHERE run = 1 AND step = 64
		AND kind = 'samples'" && html --db other.db --out other.html --where "run = 1" &&
		grep -qF "Left out: 1 grids drawn with other seeds" other.html &&
		is "$(times other.html 'alt="sample 4 at step 64"')" 0 &&
		is "$(times other.html 'alt="sample 4 at step 96"')" 1
}
ok "the gallery leaves out samples of other seeds, and says so" other_seeds

no_pictures() {
	cp runs.db none.db && query none.db "UPDATE sample SET png = x'00', count = 7;
		UPDATE nll_map SET nats = x'0000'; UPDATE run SET image_rows = 0 WHERE id = 3" &&
		html --db none.db --out none.html && is "$(times none.html 'alt="sample ')" 0 &&
		grep -qF "images is not on record" none.html &&
		is "$(times none.html 'class="cells"')" 0
}
ok "the page leaves out invalid pictures" no_pictures

# The map's mean times its pixels is the NLL of an image; colours are in bits per value.
maps() {
	is "$(times report.html 'class="cells"')" 6 && for colour in red green blue; do
		is "$(times report.html "<figcaption><b>$colour</b>")" 1 || return
	done
	grep -o 'data-unit="nats per pixel" data-values="[^"]*"' report.html | tail -n 1 |
		sed 's/.*values="//; s/"//' | tr ' ' '\n' >values
	is "$(wc -l <values)" 144 &&
		is "$(awk -v nll="$(query runs.db "SELECT nats_per_image FROM run_nll
			WHERE run = 1 AND split = 'test'")" \
			'{ s += $1 } END { print (s > 0.999 * nll && s < 1.001 * nll) }' values)" 1
}
ok "the maps show the NLL by pixel and colour" maps

# Three jobs of one sweep; that of run 2 diverged. Texts of a sweep are hostile too.
sweeps() {
	cp runs.db swept.db && query swept.db "INSERT INTO sweep (id, name, definition, search, created_at)
		VALUES (1, 'wide</summary><script>', 'name: x', 'grid', 'now');
		INSERT INTO job (sweep, number, spec_hash, varied, rung, state, run)
			SELECT 1, id, spec_hash, json_object('rate', id / 100.0, 'kind<script>', 'a<b' || id), 0, 'finished', id FROM run WHERE id < 4;
		UPDATE metric SET suspect = 'worse than the uniform distribution' WHERE run = 2 AND name = 'final_nll'" &&
		html --db swept.db --out swept.html && is "$(times swept.html '<figure class="scatter">')" 2 &&
		is "$(times swept.html '<figure class="parallel">')" 1 && is "$(times swept.html 'class="dot diverged"')" 2 &&
		is "$(times swept.html 'class="dot best"')" 2 && is "$(times swept.html 'class="way')" 3 &&
		grep -qF "<title>job 2, rate = 0.02, kind&lt;script&gt; = a&lt;b2: NLL " swept.html &&
		grep -qF '<a href="#run-3"><path class="dot ' swept.html && grep -qF '<a href="#sweeps">Sweeps</a>' swept.html &&
		is "$(times swept.html '<script')" "$(times report.html '<script')" && ! grep -qF 'href="#sweeps"' report.html &&
		html --db swept.db --out one.html --where "run = 4" && ! grep -qF 'class="scatter"' one.html
}
ok "the page shows what varied in a sweep, with diverged jobs set apart" sweeps

# swept.html: the page of a sweep of runs 1 to 3. Run 1 is the best by validation, though not by test; run 2,
# which is lower still, is suspect.
swept() {
	cp runs.db swept.db && query swept.db "INSERT INTO sweep (id, name, definition, search, created_at)
			VALUES (1, 'rates', 'name: x', 'grid', 'now');
		INSERT INTO job (sweep, number, spec_hash, varied, rung, state, run)
			SELECT 1, id, spec_hash, json_object('rate', id / 100.0), 0, 'finished', id FROM run WHERE id < 4;
		UPDATE metric SET sum_nats = images * (CASE WHEN run = 2 THEN 50 WHEN (run = 1) = (split = 'valid') THEN 60 ELSE 70 END),
			suspect = iif(run = 2, 'a leak', NULL) WHERE run < 4 AND name = 'final_nll'" &&
		"$top/runner/pxr-report" html --db swept.db --out - >swept.html
}

# The best of the jobs that are drawn: an archived one stays a job among others.
archived_job() {
	swept && grep -q '<path class="dot best" d="[^"]*"><title>job 1, ' swept.html &&
		query swept.db "UPDATE run SET archived_at = 'now' WHERE id = 1" &&
		html --db swept.db --out archived.html && grep -q '<path class="dot best" d="[^"]*"><title>job 3, ' archived.html &&
		grep -q '<path class="dot job" d="[^"]*"><title>job 1, .*, archived</title>' archived.html &&
		query swept.db "UPDATE run SET archived_at = 'now' WHERE id = 3" &&
		html --db swept.db --out archived.html --force && is "$(times archived.html 'class="dot best"')" 0 &&
		is "$(times archived.html 'class="key best"')" 0
}
ok "an archived run is not drawn as the best of its sweep" archived_job

# Two keys that end alike, and one that does not.
alike() {
	swept && query swept.db "UPDATE job SET varied = json_object('model.0.conv.features', run, 'model.1.conv.features', -run,
		'train.optimizer.adam.rate', run / 100.0)" && html --db swept.db --out alike.html || return
	for key in model.0.conv.features model.1.conv.features rate; do
		grep -qE "<span class=\"x\" style=\"left:[0-9.]+%\">$key</span>" alike.html || return
	done
	! with_chart || grep -qF '"varied":"model.0.conv.features=3 model.1.conv.features=-3 rate=0.03"' alike.html
}
ok "keys of a sweep that end alike are shown whole" alike

labels() {
	swept && is "$(times swept.html '<span class="axis">validation NLL, nats/image</span>')" 1 &&
		is "$(times report.html '<figcaption>receptive field: ')" 4 && is "$(times report.html 'class="shade"')" 12
}
ok "scatter plots name their unit, and the receptive field its shades" labels

chooses() {
	html --db runs.db --out few.html --where "name = 'faster'" &&
		grep -qF 'id="run-3"' few.html && ! grep -qF 'id="run-1"' few.html &&
		grep -qF "<code>name = &#39;faster&#39;</code>: 1 of the 4 runs" few.html &&
		html --db runs.db --out newest.html --limit 2 && grep -qF 'id="run-4"' newest.html &&
		grep -qF 'id="run-3"' newest.html && ! grep -qF 'id="run-2"' newest.html
}
ok "--where and --limit choose the runs" chooses

# All four are listed; those without details have no links.
details() {
	html --db runs.db --out brief.html --details 1 && is "$(times brief.html '<section class="run"')" 1 &&
		grep -qF 'id="run-4"' brief.html && is "$(times brief.html '<a href="#run-4">')" 2 &&
		! grep -q 'href="#run-[123]"' brief.html &&
		is "$(sed -n '/<section id="runs">/,/<.section>/p' brief.html | grep -c '^<tr data-run')" 4 &&
		html --db runs.db --out list.html --details 0 && is "$(times list.html '<section class="run"')" 0 &&
		! grep -q 'href="#run-' list.html &&
		refused 2 "--details: expected a whole number of at least 0" html --db runs.db --details -1 --out x.html &&
		refused 2 "--details: not an option of 'runs', only of: html" "$top/runner/pxr-report" runs --db runs.db --details 1 2>err
}
ok "--details limits the sections of runs, but not the list" details

no_runs() {
	html --db runs.db --out no.html --where "nll < 0" && grep -qF "No row meets the condition." no.html
}
ok "html writes a page without runs" no_runs

no_page() {
	refused 2 "did you mean" html --db runs.db --out bad.html --where "nlll < 0" && ! [ -e bad.html ] &&
		refused 2 "no such database" html --db nowhere.db --out bad.html && ! [ -e bad.html ]
}
ok "html writes no page for an invalid condition or database" no_page
ok "a page that cannot be written is an error" refused 2 "cannot write" \
	html --db runs.db --out nowhere/page.html

other_options() {
	refused 2 "not an option of 'runs'" "$top/runner/pxr-report" runs --db runs.db --out x.html 2>err &&
		refused 2 "--format: not an option of" html --db runs.db --format md --out x.html
}
ok "html and other reports refuse each other's options" other_options

# --- in a browser -------------------------------------------------------------------------------

# needs_browser: skip the case unless there is a Chromium that starts.
needs_browser() {
	for browser in chromium chromium-browser google-chrome ''; do
		command -v "${browser:-none}" >/dev/null && break
	done
	mkdir -p home
	if ! [ -e "$scratch/started" ]; then
		HOME=$PWD/home timeout 60 "${browser:-false}" --headless --no-sandbox --disable-gpu --dump-dom \
			about:blank >"$scratch/started" 2>/dev/null
	fi
	grep -q '<html>' "$scratch/started" || skip "there is no Chromium that starts"
}

# shows PAGE OPTION...: write the page, as it is after its scripts ran, to the file dom.
shows() {
	page=$1
	shift
	HOME=$PWD/home timeout 120 "$browser" --headless --no-sandbox --disable-gpu --dump-dom \
		--virtual-time-budget=5000 "$@" "file://$PWD/$page" >dom 2>/dev/null
}

# The page with a script that acts as a user and writes what it sees to the title. The policy, which would
# forbid that script, is removed.
drive() {
	sed '/Content-Security-Policy/d' report.html
	cat <<'END'
<script>
var seen = [];
function all(selector, within) { return Array.from((within || document).querySelectorAll(selector)); }
function say(what, text) { seen.push(what + '=' + text.replace(/\n/g, '|')); }
function order() {
  return all('#runs tbody tr').map(function (row) { return row.dataset.run; }).join(' ');
}
function press(box, key) {
  box.dispatchEvent(new KeyboardEvent('keydown', {key: key, bubbles: true}));
}
function point(box, x, y) {
  var place = box.getBoundingClientRect();
  box.dispatchEvent(new PointerEvent('pointermove', {bubbles: true,
    clientX: place.left + x * place.width, clientY: place.top + y * place.height}));
}
function tip(box) { var t = box.querySelector('.tip'); return t.hidden ? '' : t.textContent; }
say('title', document.title);
say('right', all('#runs th, #runs td').filter(function (c) { return c.textContent.trim() === 'NLL' ||
  c.textContent === '4' && c.tagName === 'TD'; }).slice(0, 2).map(function (c) {
  return getComputedStyle(c).textAlign; }).join(' '));
/* The free space beside the text of a heading, to its left or right. */
function room(button) {
  var words = document.createRange(), outer = button.getBoundingClientRect();
  words.selectNodeContents(button);
  var inner = words.getBoundingClientRect(), padding = parseFloat(getComputedStyle(button).paddingLeft);
  return button.parentNode.className === 'n' ? [inner.left - outer.left - padding, outer.right - inner.right - padding] :
    [outer.right - inner.right - padding, inner.left - outer.left - padding];
}
say('marks', all('#runs th button').every(function (b) {
  var mark = getComputedStyle(b, '::after');
  return mark.display !== 'none' && parseFloat(mark.width) > 8 && Math.abs(room(b)[0] - parseFloat(mark.width)) < 1 &&
    Math.abs(room(b)[1]) < 1;
}) + ' ' + (all('#runs th.n').length > 2) + ' ' + (all('#runs th:not(.n)').length > 2));
say('veil', all('#runs th, #runs td').every(function (c) {
  return /^rgba[(].*, 0([.]0[0-9]*)?[)]$/.test(getComputedStyle(c).backgroundColor); }) + '');
say('order', order());
var nll = all('#runs th button').filter(function (b) { return b.textContent === 'NLL'; })[0];
nll.click(); say('up', order()); say('sort', nll.parentNode.getAttribute('aria-sort'));
nll.click(); say('down', order());
nll.click(); say('again', order());
var plot = document.querySelector('#run-1 .plot'), map = document.querySelector('#run-1 .cells');
say('before', tip(plot));
point(plot, 0.99, 0.1); say('hover', tip(plot));
say('shown', '' + all('.dot', plot).filter(function (s) { return !s.hidden; }).length);
press(plot, 'ArrowLeft'); say('left', tip(plot));
press(plot, 'Escape'); say('escape', tip(plot));
point(map, 1.5 / 12, 2.5 / 12); say('cell', tip(map));
press(map, 'ArrowDown'); say('below', tip(map));
say('ground', getComputedStyle(document.body).backgroundColor);
say('ink', getComputedStyle(document.body).color);
say('dots', getComputedStyle(document.querySelector('.line.valid')).stroke);
/* The choice of runs and their curves. */
var place = document.querySelector('#overlay'), field = document.querySelector('.tools [name=q]');
function legend() { return all('#legend a').map(function (a) { return a.textContent; }).join(', '); }
function type(text) { field.value = text; field.dispatchEvent(new Event('input')); }
function shown() { return all('#runs tbody tr').filter(function (r) { return !r.hidden; }).map(function (r) {
  return r.dataset.run; }).join(' '); }
function pick(name, value) {
  var control = document.querySelector('.tools [name=' + name + ']');
  if (control.type === 'checkbox') control.checked = value; else control.value = value;
  control.dispatchEvent(new Event(control.type === 'range' ? 'input' : 'change'));
}
type('markov_binary FASTER'); say('filtered', shown());
type(''); say('all', shown());
document.querySelector('.columns input').click();
say('column', all('#runs th').filter(function (t) { return t.hidden; }).map(function (t) { return t.textContent; }).join());
document.querySelector('.columns input').click();
if (place) {
  say('overlaid', legend()); say('reading', document.querySelector('#reading').textContent);
  say('canvas', '' + (place.querySelector('canvas').width > 100));
  type('faster'); say('filtered curves', legend()); type('');
  document.querySelector('tr[data-run="3"] input').click(); say('unticked', legend());
  press(place, 'ArrowRight'); press(place, 'ArrowRight');
  say('key', document.querySelector('#reading').textContent + ' ' + document.querySelector('#legend b').textContent);
  press(place, 'Escape');
  pick('x', 'step'); press(place, 'ArrowRight'); say('by step', document.querySelector('#reading').textContent);
  pick('x', 'images'); press(place, 'ArrowRight'); say('by images', document.querySelector('#reading').textContent);
  pick('m', 'gradient_norm train'); say('metric', legend()); pick('smooth', '0.9'); pick('log', true);
  say('address', decodeURIComponent(location.hash).replace(/&/g, ' '));
}
document.querySelector('.pictures img').click();
say('large', '' + all('dialog[open] img').length);
document.querySelector('dialog').click();
say('title after', document.title);
document.title = seen.join(';');
</script>
END
}

# The driven page, as the browser shows it.
make_driven() {
	drive >driven.html && shows driven.html
}

# saw WHAT: what the script in the driven page saw.
saw() {
	grep -o '<title>.*</title>' dom | head -n 1 | sed 's/<[^>]*>//g; s/&lt;/</g' | tr ';' '\n' |
		sed -n "s/^$1=//p"
}

# An NLL of run 1 as shown, by split and epoch; a cell of its map.
nll_at() {
	printf '%.3f' "$(query runs.db "SELECT nats_per_image FROM learning_curve
		WHERE run = 1 AND split = '$1' AND epoch = $2")"
}
map_at() {
	query runs.db "SELECT writefile('map', nats) FROM nll_map WHERE run = 1 AND split = 'test'" \
		>/dev/null
	printf '%.3g' "$(od -An -v -tf4 -w4 map | sed -n "$(($1 * 12 + $2 + 1))p")"
}
by_nll() {
	query runs.db "SELECT group_concat(run, ' ') FROM (SELECT run FROM run_summary ORDER BY nll $1)"
}

keeps_policy() {
	needs_browser
	shows report.html && grep -qF '<button type="button">NLL</button>' dom &&
		grep -qF '<title>Runs in runs.db</title>' dom
}

sorts() {
	needs_browser
	given driven && is "$(saw title)" "Runs in runs.db" &&
		is "$(saw order)" "4 3 2 1" && is "$(saw up)" "$(by_nll ASC)" &&
		is "$(saw sort)" ascending && is "$(saw down)" "$(by_nll DESC)" &&
		is "$(saw again)" "4 3 2 1" && is "$(saw right)" "right right"
}

headings_have_room() {
	needs_browser
	given driven && is "$(saw marks)" "true true true"
}

# A shadow behind a table's cells shows that the table continues sideways.
shadow_is_seen() {
	needs_browser
	given driven && is "$(saw veil)" true
}

final_of() {
	printf '%.3f' "$(query runs.db "SELECT nats_per_image FROM run_nll WHERE run = 1 AND split = '$1'")"
}
shows_values() {
	needs_browser
	given driven || return
	valid="valid $(nll_at valid 6) nats|valid, final $(final_of valid) nats"
	test="test $(nll_at test 6) nats|test, final $(final_of test) nats"
	is "$(saw before)" "" && is "$(saw shown)" 5 &&
		is "$(saw hover)" "epoch 6, step 96|train $(nll_at train 6) nats|$valid|$test" &&
		is "$(saw left)" "epoch 5, step 80|train $(nll_at train 5) nats|valid $(nll_at valid 5) nats|test $(nll_at test 5) nats" &&
		is "$(saw escape)" ""
}

shows_cells() {
	needs_browser
	given driven && is "$(saw cell)" "row 2, column 1|$(map_at 2 1) nats" &&
		is "$(saw below)" "row 3, column 1|$(map_at 3 1) nats"
}

light_and_dark() {
	needs_browser
	given driven && shows driven.html --blink-settings=preferredColorScheme=1 && light="$(saw ground) $(saw ink)" &&
		light_line=$(saw dots) && shows driven.html --blink-settings=preferredColorScheme=0 &&
		is "$light" "rgb(255, 255, 255) rgb(28, 36, 48)" &&
		is "$(saw ground) $(saw ink)" "rgb(18, 22, 28) rgb(228, 232, 238)" &&
		[ "$(saw dots)" != "$light_line" ]
}

# In a frame, because windows cannot be so narrow; everything is unfolded.
fits_a_phone() {
	needs_browser
	{
		sed '/Content-Security-Policy/d' report.html
		echo "<script>document.querySelectorAll('details').forEach(function (d) { d.open = true; });"
		echo "parent.postMessage(document.documentElement.scrollWidth -"
		echo "document.documentElement.clientWidth + ' ' + innerWidth + ' ' +"
		echo "Array.from(document.querySelectorAll('.box')).filter(function (b) {"
		echo "return b.scrollWidth > b.clientWidth; }).length, '*');</script>"
	} >phone.html
	cat >frame.html <<'END'
<!DOCTYPE html><title>none</title><iframe src="phone.html" width="360" height="700" style="border:0"></iframe>
<script>addEventListener('message', function (e) { document.title = e.data; });</script>
END
	shows frame.html && set -- $(grep -o '<title>[^<]*' dom | sed 's/<title>//') &&
		is "$1 $2" "0 360" && [ "$3" -gt 3 ]
}

prints() {
	needs_browser
	HOME=$PWD/home timeout 120 "$browser" --headless --no-sandbox --disable-gpu \
		--no-pdf-header-footer --print-to-pdf=page.pdf "file://$PWD/report.html" 2>/dev/null >&2 &&
		is "$(head -c 5 page.pdf)" "%PDF-" && if command -v pdftotext >/dev/null; then
		pdftotext -layout page.pdf text && grep -qF "features: 8" text &&
			grep -qF "causality certificate" text && ! grep -qF "All runs" text
	fi
}

filters() {
	needs_browser
	given driven && is "$(saw filtered)" 3 && is "$(saw all)" "4 3 2 1" && is "$(saw column)" "Run"
}

overlays() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	given driven && is "$(saw canvas)" true && is "$(saw overlaid)" "run 3 valid, run 2 valid, run 1 valid" &&
		is "$(saw reading)" "Last values" && is "$(saw "filtered curves")" "run 3 valid" &&
		is "$(saw unticked)" "run 2 valid, run 1 valid" && is "$(saw "title after")" "Runs in runs.db"
}

# The second step of the keys is at epoch 2, where run 2 has no more than its one evaluation.
by_keys() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	given driven || return
	last=$(query runs.db "SELECT printf('%.5g', nats_per_image) FROM learning_curve WHERE run = 2 AND split = 'valid'")
	is "$(saw key)" "epoch 2 $last" && is "$(saw "by step")" "step 16" && is "$(saw "by images")" "images seen 256"
}

# Run 1 has six epochs of 16 steps; the last batch of each has 10 images.
counts_images() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	cp runs.db part.db && query part.db "UPDATE metric SET images = 250 WHERE name = 'nll' AND split = 'train'" || return
	"$top/runner/pxr-report" html --db part.db --out - >page && {
		sed '/Content-Security-Policy/d' page
		echo "<script>function press(key) { document.querySelector('#overlay').dispatchEvent(new KeyboardEvent('keydown', {key: key}));"
		echo "return document.querySelector('#reading').textContent; }"
		echo "document.title = press('ArrowLeft') + ', ' + press('ArrowLeft');</script>"
	} >part.html && shows "part.html#view?runs=1&m=nll+valid&x=images" &&
		grep -q '<title>images seen 1500, images seen 1250</title>' dom
}

keeps_choice() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	given driven && is "$(saw metric)" "run 4 train, run 2 train, run 1 train" &&
		is "$(saw address)" "#view?runs=4,2,1 m=gradient_norm+train x=images log=1 smooth=0.9" || return
	{
		sed '/Content-Security-Policy/d' report.html
		echo "<script>document.title = document.querySelector('#legend').textContent + ' by ' +"
		echo "document.querySelector('[name=x]').value + document.querySelectorAll('th[hidden]').length;</script>"
	} >kept.html
	shows "kept.html#view?runs=1&m=nll+test&x=step&hide=status" && grep -q '<title>.* tiny, run 1 test by step1</title>' dom
}

replaces_choice() {
	needs_browser
	{
		sed '/Content-Security-Policy/d' report.html
		echo "<script>function seen() { return [shown(), document.querySelector('[name=q]').value,"
		echo "document.querySelectorAll('th[hidden]').length, document.querySelectorAll('.columns input:not(:checked)').length].join(); }"
		echo "function shown() { return document.querySelectorAll('#runs tbody tr:not([hidden])').length; }"
		echo "var before = seen(), by = document.querySelector('select[name=x]');"
		echo "addEventListener('hashchange', function () { document.title = before + ' ' + seen() + (by ? by.value : 'epoch'); });"
		echo "location.hash = '#view?runs=1';</script>"
	} >moved.html
	shows "moved.html#view?q=faster&hide=status,run&x=step" && grep -q '<title>1,faster,2,2 4,,0,0epoch</title>' dom
}

# Colours go by what is ticked, so that two of ten ticked runs never share one.
coloured() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	{
		sed '/Content-Security-Policy/d' report.html
		echo "<p id=first style='color: var(--c0)'></p><p id=second style='color: var(--c1)'></p><script>"
		echo "var seen = Array.from(document.querySelectorAll('#legend .swatch')).map(function (s) { return getComputedStyle(s).borderTopColor; });"
		echo "document.title = seen.join() === ['first', 'second'].map(function (id) {"
		echo "return getComputedStyle(document.getElementById(id)).color; }).join();</script>"
	} >coloured.html
	shows "coloured.html#view?runs=3,1&m=nll+valid" && grep -q '<title>true</title>' dom
}

folds() {
	needs_browser
	swept && {
		sed '/Content-Security-Policy/d' swept.html
		echo "<script>document.title = Array.from(document.querySelectorAll('#runs tbody tr')).filter(function (r) {"
		echo "return !r.hidden; }).map(function (r) { return r.dataset.run; }).join() + ' ' +"
		echo "document.querySelector('path.dot.best title').textContent.split(',')[0];</script>"
	} >folded.html && shows folded.html && grep -q '<title>4,1 job 1</title>' dom
}

enlarges() {
	needs_browser
	given driven && is "$(saw large)" 1
}

# One run goes far above the others after its first epoch.
outliers() {
	needs_browser
	with_chart || skip "pxr was built without a charting library"
	cp runs.db diverged.db && query diverged.db "UPDATE metric SET sum_nats = 1e6 * images
			WHERE run = 1 AND name = 'nll' AND split = 'valid' AND epoch > 1" || return
	"$top/runner/pxr-report" html --db diverged.db --out - >page && {
		sed '/Content-Security-Policy/d' page
		echo "<script>var message = document.getElementById('message'), seen = message.textContent;"
		echo "var box = document.querySelector('[name=outliers]'); box.checked = true; box.dispatchEvent(new Event('change'));"
		echo "document.title = seen + '/' + message.textContent + '/' + location.hash;</script>"
	} >diverged.html && shows "diverged.html#view?runs=3,2,1&m=nll+valid" &&
		above=$(query diverged.db "SELECT count(*) FROM learning_curve WHERE run = 1 AND split = 'valid' AND epoch > 1") &&
		[ "$above" -ge 2 ] && grep -qF "<title>Above the plot: $above points of run 1; Outliers or a log scale shows all.//#view" dom
}

# The page of a pxr without the library.
without_chart() {
	needs_browser
	sed '/^<script>.*dygraphs/,/<.script>/d; /Content-Security-Policy/d; /<section id="curves"/,/<.section>/d' report.html >plain.html
	shows plain.html && grep -qF '<path class="line' dom && grep -qF 'name="q"' dom &&
		grep -qF '<button type="button">NLL</button>' dom && ! grep -qF 'id="overlay"' dom
}

ok "in a browser, the page's policy allows its own script" keeps_policy
ok "in a browser, a filter and a menu choose runs and columns" filters
ok "in a browser, the curves of the ticked runs are drawn in one plot" overlays
ok "in a browser, arrow keys read the values of the curves, by epoch, step or images" by_keys
ok "in a browser, a smaller last batch counts by its images" counts_images
ok "in a browser, the address keeps the choice of runs and curves" keeps_choice
ok "in a browser, another address replaces the choice of the one before" replaces_choice
ok "in a browser, ticked runs have different colours" coloured
ok "in a browser, a run that diverged does not flatten the curves of the others" outliers
ok "in a browser, only the best run of a sweep by validation is listed" folds
ok "in a browser, a click on a picture enlarges it" enlarges
ok "without a charting library, the page has the curves of each run" without_chart
ok "in a browser, a click on a heading sorts the table" sorts
ok "in a browser, sort marks do not overlap the text of headings" headings_have_room
ok "in a browser, no cell covers the shadow of a table" shadow_is_seen
ok "in a browser, curves show values under the pointer and by arrow keys" shows_values
ok "in a browser, maps show values under the pointer and by arrow keys" shows_cells
ok "in a browser, the page follows the preferred colour scheme" light_and_dark
ok "in a browser 360 pixels wide, only boxes scroll sideways" fits_a_phone
ok "printing unfolds the spec and the provenance" prints
