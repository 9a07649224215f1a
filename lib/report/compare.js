/* compare.js - chooses runs in the list by a filter and by ticks, chooses its columns, and draws the
 * curves of the ticked runs in one plot (dygraphs, where pxr was built with it). The address keeps
 * the choice. Texts of the database are only ever set as text, never as markup. */
(function () {
  'use strict';
  var all = pxrPage.all, make = pxrPage.make;
  var USUAL = 6, COLOURS = 10, FEW = 3, MOST_DOTS = 40;
  var list = document.getElementById('runs'), section = document.getElementById('curves');
  var axes = {epoch: 'epoch', step: 'step', images: 'images seen', seconds: 'time, minutes'};
  var names = {
    nll: 'NLL', gradient_norm: 'norm of the gradient', rate: 'learning rate',
    images_per_second: 'images per second', data_wait_share: 'share of time waiting for images',
    step_nll: 'NLL of training batches', step_gradient_norm: 'norm of the gradient, by steps',
    step_rate: 'learning rate, by steps', step_images_per_second: 'images per second, by steps'
  };
  /* How many times what is usual the plot reaches, at most. */
  var REACH = {nll: 4, step_nll: 4, gradient_norm: 10, step_gradient_norm: 10};
  var TIME = 'step_seconds'; /* the series that has the wall time of steps */
  var runs = [], lines = [], graph = null, drawn = '';
  var folds = {}; /* runs of sweeps that are not listed */
  var colours = {}; /* of the ticked runs, by their number */
  var cursor = -1; /* the row of values under the pointer */
  var INITIAL = {q: '', runs: null, m: '', x: 'epoch', log: '', smooth: '0', outliers: '', hide: '', sweeps: ''};
  var state = Object.assign({}, INITIAL);

  /* --- the address: #view?m=nll&x=step&runs=3,5; what it does not name is as in the beginning */
  function read() {
    if (location.hash.indexOf('#view?') !== 0) return;
    Object.assign(state, INITIAL);
    new URLSearchParams(location.hash.slice(6)).forEach(function (value, key) {
      if (Object.prototype.hasOwnProperty.call(state, key)) state[key] = value;
    });
  }

  function keep() {
    var kept = new URLSearchParams();
    Object.keys(state).forEach(function (key) {
      if (state[key] !== null && state[key] !== '' && (key !== 'smooth' || state[key] !== '0'))
        kept.set(key, state[key]);
    });
    history.replaceState(null, '', '#view?' + kept);
  }

  /* --- the list of runs */
  function rows() {
    return all('tbody tr[data-run]', list);
  }

  function ticked() {
    if (state.runs !== null) return state.runs.split(',').filter(Boolean);
    return runs.filter(function (run) { return !folds[run.run]; }).slice(0, USUAL)
      .map(function (run) { return String(run.run); });
  }

  function drawable(id) {
    return runs.filter(function (run) { return String(run.run) === id; })[0];
  }

  function matches(row) {
    var text = row.textContent.toLowerCase();
    return state.q.toLowerCase().split(/\s+/).every(function (word) { return text.indexOf(word) >= 0; });
  }

  /* Of a sweep with several runs, only the best by validation is listed, unless a filter or its box says
   * otherwise. Suspect and archived runs are never the best. */
  function folded() {
    var best = {}, count = {};
    if (state.q || state.sweeps) return {};
    rows().forEach(function (row) {
      var sweep = row.dataset.sweep, nll = Number(row.dataset.valid);
      if (!sweep) return;
      count['s' + sweep] = (count['s' + sweep] || 0) + 1;
      if (row.dataset.valid === undefined || row.dataset.suspect !== undefined || row.dataset.archived !== undefined) return;
      if (!(best['s' + sweep] && Number(best['s' + sweep].dataset.valid) <= nll)) best['s' + sweep] = row;
    });
    var hide = {};
    rows().forEach(function (row) {
      var key = 's' + row.dataset.sweep;
      if (row.dataset.sweep && count[key] > 2 && best[key] && best[key] !== row) hide[row.dataset.run] = true;
    });
    return hide;
  }

  function hidden_columns() {
    return state.hide.split(',').filter(Boolean);
  }

  function show() {
    var seen = 0, hidden = hidden_columns(), chosen;
    folds = folded();
    chosen = ticked();
    choose_colours(chosen.filter(drawable));
    all('thead th[data-column]', list).forEach(function (head) {
      var off = hidden.indexOf(head.dataset.column) >= 0;
      if (head.hidden === off) return;
      head.hidden = off;
      all('tr', head.closest('table')).forEach(function (row) { row.cells[head.cellIndex].hidden = off; });
    });
    all('.columns input', list).forEach(function (box) { box.checked = hidden.indexOf(box.value) < 0; });
    rows().forEach(function (row) {
      row.hidden = !matches(row) || folds[row.dataset.run] === true;
      seen += !row.hidden;
      var box = row.querySelector('input');
      if (box) {
        box.checked = chosen.indexOf(row.dataset.run) >= 0;
        box.style.accentColor = colour(row.dataset.run);
      }
    });
    var count = document.getElementById('count');
    count.textContent = seen + ' of ' + rows().length + ' shown' +
      (Object.keys(folds).length ? '; of each sweep only the best run' : '');
    draw();
  }

  function choose(key, value) {
    state[key] = value;
    keep();
    show();
  }

  function tick(id, on) {
    var chosen = ticked().filter(function (other) { return other !== id; });
    if (on) chosen.push(id);
    choose('runs', chosen.join(','));
  }

  /* Of a run with curves, in the first cell of its row. */
  function add_tick(row) {
    var run = drawable(row.dataset.run), box = row.querySelector('.tick input');
    if (!run || !row.querySelector('.tick')) return;
    if (!box) {
      box = make('input', '', row.cells[0]);
      box.type = 'checkbox';
      box.setAttribute('aria-label', 'draw run ' + row.dataset.run);
      box.addEventListener('change', function () { tick(row.dataset.run, box.checked); });
    }
    box.style.accentColor = colour(row.dataset.run);
  }

  function add_ticks() {
    var table = list.querySelector('table');
    if (!table || !section || typeof Dygraph === 'undefined') return;
    all('tr', table).forEach(function (row) {
      var cell = row.insertCell(0);
      cell.className = 'tick';
      if (row.parentNode.tagName === 'THEAD') {
        var every = make('input', '', cell);
        every.type = 'checkbox';
        every.setAttribute('aria-label', 'draw all runs that are shown');
        every.addEventListener('change', function () {
          choose('runs', every.checked ? rows().filter(function (r) { return !r.hidden && drawable(r.dataset.run); })
            .map(function (r) { return r.dataset.run; }).join(',') : '');
        });
      } else {
        add_tick(row);
      }
    });
  }

  function labelled(parent, text, control) {
    var label = make('label', '', parent);
    label.appendChild(document.createTextNode(text + ' '));
    label.appendChild(control);
    return control;
  }

  function input(type, key) {
    var control = document.createElement('input');
    control.type = type;
    control.name = key;
    if (type === 'checkbox') control.checked = state[key] !== '';
    else control.value = state[key];
    control.addEventListener(type === 'checkbox' ? 'change' : 'input', function () {
      choose(key, type === 'checkbox' ? (control.checked ? '1' : '') : control.value);
    });
    return control;
  }

  function select(key) {
    var control = document.createElement('select');
    control.name = key;
    control.addEventListener('change', function () { choose(key, control.value); });
    return control;
  }

  function add_tools() {
    var table = list.querySelector('table');
    if (!table) return;
    var tools = make('div', 'tools', list), filter = input('search', 'q');
    list.insertBefore(tools, table.parentNode);
    filter.placeholder = 'name, tag, model, data ...';
    labelled(tools, 'Filter', filter);
    if (all('tr[data-sweep]', list).length > 2) labelled(tools, 'All runs of sweeps', input('checkbox', 'sweeps'));
    var columns = make('details', 'columns', tools);
    make('summary', '', columns).textContent = 'Columns';
    all('th[data-column]', table).forEach(function (head) {
      var box = document.createElement('input');
      box.type = 'checkbox';
      box.value = head.dataset.column;
      box.addEventListener('change', function () {
        var hidden = hidden_columns().filter(function (name) { return name !== box.value; });
        if (!box.checked) hidden.push(box.value);
        choose('hide', hidden.join(','));
      });
      labelled(columns, head.textContent, box);
    });
    make('span', 'note', tools).id = 'count';
    document.getElementById('count').setAttribute('role', 'status');
  }

  /* --- curves */
  function style(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /* Up to COLOURS runs differ in their colours; a run that stays ticked keeps its own. */
  function choose_colours(chosen) {
    var before = colours, used = {}, next = 0;
    colours = {};
    chosen.forEach(function (id) {
      if (before[id] < COLOURS) used[colours[id] = before[id]] = true;
    });
    chosen.forEach(function (id) {
      if (colours[id] !== undefined) return;
      while (used[next]) next++;
      colours[id] = next++;
    });
  }

  function colour(id) {
    return style('--c' + (colours[id] || 0) % COLOURS);
  }

  /* A value of another series of the run at a step, between its neighbours. */
  function at_step(points, step) {
    for (var i = 0; i < points.length; i++) {
      if (points[i][0] === step) return points[i][2];
      if (points[i][0] > step && i > 0)
        return points[i - 1][2] + (points[i][2] - points[i - 1][2]) * (step - points[i - 1][0]) /
          (points[i][0] - points[i - 1][0]);
    }
    return null;
  }

  /* How many training images a run had seen; the last batch of an epoch may be smaller. */
  function images_at(run, step) {
    var all = run.train_images, steps = all && Math.ceil(all / run.batch);
    if (run.batch === null) return null;
    if (all === null) return step * run.batch; /* still in its first epoch */
    return Math.floor(step / steps) * all + step % steps * run.batch;
  }

  function place(run, point) {
    if (state.x === 'step') return point[0];
    if (state.x === 'epoch') return point[1];
    if (state.x === 'images') return images_at(run, point[0]);
    var time = run.series.filter(function (series) { return series.name === TIME; })[0];
    var seconds = time ? at_step(time.points, point[0]) : null;
    return seconds === null ? null : seconds / 60;
  }

  /* An exponential mean, corrected for its start. */
  function smooth(points) {
    var keep = Math.min(0.99, Number(state.smooth) || 0), sum = 0, weight = 0;
    return points.map(function (point) {
      if (point[1] === null || keep === 0) return point;
      sum = keep * sum + (1 - keep) * point[1];
      weight = keep * weight + 1 - keep;
      return [point[0], sum / weight];
    });
  }

  /* The ticked runs that the filter leaves, the newest first. */
  function chosen_runs() {
    var chosen = ticked(), left = {};
    rows().forEach(function (row) { left[row.dataset.run] = matches(row); });
    return runs.filter(function (run) { return chosen.indexOf(String(run.run)) >= 0 && left[run.run] !== false; });
  }

  /* The unit of most of these runs. */
  function unit_of(chosen) {
    var bits = chosen.filter(function (run) { return run.unit === 'bits/dim'; }).length;
    return bits * 2 > chosen.length ? 'bits/dim' : 'nats/image';
  }

  function is_nll(name) {
    return name === 'nll' || name === 'step_nll';
  }

  /* Their lines; NLLs are all of one unit. */
  function choose_lines() {
    var chosen = chosen_runs(), unit = unit_of(chosen), others = 0;
    var part = state.m.split(' '), result = [];
    chosen.forEach(function (run) {
      if (is_nll(part[0]) && run.unit !== unit) { others++; return; }
      run.series.forEach(function (series) {
        if (series.name !== part[0] || (part[1] && series.split !== part[1])) return;
        var points = smooth(series.points.map(function (p) { return [place(run, p), p[2]]; })
          .filter(function (p) { return p[0] !== null && (!state.log || p[1] === null || p[1] > 0); }));
        if (points.length) result.push({run: run, split: series.split, points: points});
      });
    });
    result.unit = is_nll(part[0]) ? unit : '';
    result.others = others;
    return result;
  }

  /* The middle of the finite values of a line; undefined: it has none. */
  function middle(points) {
    var values = points.map(function (p) { return p[1]; }).filter(function (v) { return v !== null; })
      .sort(function (a, b) { return a - b; });
    return values[(values.length - 1) >> 1];
  }

  /* A run that diverged must not flatten the others: the plot reaches to some times what is usual, the
   * middle of the runs' middles. */
  function ceiling() {
    var middles = lines.map(function (line) { return middle(line.points); })
      .filter(function (v) { return v !== undefined; }).sort(function (a, b) { return a - b; });
    var usual = middles[(middles.length - 1) >> 1], times = REACH[state.m.split(' ')[0]];
    return times && usual > 0 ? times * usual : Infinity;
  }

  /* Untrained models are far from all that follows, too: their first points may lie above the plot. */
  function range() {
    var low = Infinity, high = -Infinity, first = -Infinity, highest = -Infinity, most = ceiling();
    lines.above = 0;
    lines.outside = [];
    lines.forEach(function (line) {
      line.points.forEach(function (p, i) {
        if (p[1] === null) return;
        low = Math.min(low, p[1]);
        highest = Math.max(highest, p[1]);
        if (p[1] > most) return;
        if (i > 0 || line.points.length < FEW) high = Math.max(high, p[1]);
        else first = Math.max(first, p[1]);
      });
    });
    if (first <= low + 3 * (high - low)) high = Math.max(high, first);
    if (state.log || state.outliers || !(high > low) || highest <= low + 3 * (high - low)) return [null, null];
    high += 0.05 * (high - low);
    lines.forEach(function (line) {
      var above = line.points.filter(function (p) { return p[1] > high; }).length;
      lines.above += above;
      if (above && lines.outside.indexOf(line.run.run) < 0) lines.outside.push(line.run.run);
    });
    return [low - 0.05 * (high - low), high];
  }

  function table_of(lines) {
    var by_x = {};
    lines.forEach(function (line, k) {
      line.points.forEach(function (p) {
        var row = by_x[p[0]] = by_x[p[0]] || [p[0]].concat(lines.map(function () { return null; }));
        row[k + 1] = p[1] === null ? NaN : p[1];
      });
    });
    return Object.keys(by_x).map(function (x) { return by_x[x]; }).sort(function (a, b) { return a[0] - b[0]; });
  }

  function label(line) {
    return 'run ' + line.run.run + ' ' + line.split;
  }

  function number(value) {
    return value === undefined || value === null || isNaN(value) ? '\u2013' : String(Number(value.toPrecision(5)));
  }

  /* The values at `x`, or the last ones. */
  function show_values(x, best) {
    var legend = document.getElementById('legend');
    legend.textContent = '';
    lines.forEach(function (line) {
      var item = make('li', label(line) === best ? 'best' : '', legend), value = null;
      line.points.forEach(function (p) { if ((x === null || p[0] <= x) && p[1] !== null) value = p[1]; });
      make('span', 'swatch ' + line.split, item).style.borderColor = colour(line.run.run);
      make('b', '', item).textContent = number(value);
      item.appendChild(document.createTextNode(' ' + line.run.name + (line.run.varied ? ' ' + line.run.varied : '') + ', '));
      var to = make('a', '', item);
      to.href = '#run-' + line.run.run;
      to.textContent = label(line);
    });
    make('li', 'note', legend).textContent = state.m === 'nll' ? 'solid: valid; dotted: train; dashed: test' : '';
    document.getElementById('reading').textContent = x === null ? 'Last values' :
      axes[state.x].split(',')[0] + ' ' + number(x);
  }

  function draw() {
    if (!section || typeof Dygraph === 'undefined') return;
    lines = choose_lines();
    var plot = document.getElementById('overlay'), what = [state.m, state.x, state.log, state.outliers].join();
    var data = table_of(lines), each = {}, points = 0;
    var name = names[state.m.split(' ')[0]] || state.m.split(' ')[0];
    lines.forEach(function (line) {
      each[label(line)] = {
        color: colour(line.run.run),
        strokePattern: line.split === 'train' && state.m === 'nll' ? [2, 3] : line.split === 'test' && state.m === 'nll' ? [7, 3] : null
      };
      points = Math.max(points, line.points.length);
    });
    plot.hidden = lines.length === 0;
    if (lines.length) {
      var options = {
        file: data, labels: ['x'].concat(lines.map(label)), series: each, logscale: state.log !== '',
        xlabel: axes[state.x], ylabel: name + (lines.unit ? ', ' + lines.unit : ''), valueRange: range(),
        drawPoints: points <= MOST_DOTS, axisLineColor: style('--line'), gridLineColor: style('--line')
      };
      if (what !== drawn) options.dateWindow = null;
      else if (graph && graph.isZoomed('y')) delete options.valueRange; /* as the user has it */
      drawn = what;
      if (graph) {
        graph.updateOptions(options);
        graph.resize();
      } else {
        options.legend = 'never';
        options.connectSeparatedPoints = true;
        options.strokeWidth = 1.75;
        options.pointSize = 2.5;
        options.digitsAfterDecimal = 4;
        options.highlightCircleSize = 4;
        options.highlightSeriesOpts = {strokeWidth: 3};
        options.axes = {x: {drawGrid: false}, y: {axisLabelWidth: 60}};
        options.highlightCallback = function (event, x, points, row, best) {
          cursor = row;
          show_values(x, best);
        };
        options.unhighlightCallback = function () {
          cursor = -1;
          show_values(null);
        };
        graph = new Dygraph(plot, data, options);
      }
    }
    document.getElementById('message').textContent = (lines.length ? '' : 'Nothing to draw: tick runs in the list above. ') +
      (lines.others ? 'Left out, since their NLL has another unit: ' + lines.others + ' of the ticked runs. ' : '') +
      (lines.above ? 'Above the plot: ' + lines.above + (lines.above > 1 ? ' points' : ' point') + ' of ' +
        (lines.outside.length > 1 ? 'runs ' : 'run ') + lines.outside.slice(0, USUAL).join(', ') +
        (lines.outside.length > USUAL ? ' and others' : '') + '; Outliers or a log scale shows all.' : '');
    cursor = -1;
    show_values(null);
    show_samples();
  }

  /* The newest samples of the ticked runs side by side, where the page has them. */
  function show_samples() {
    var place = document.getElementById('samples'), sources = '';
    var found = chosen_runs().map(function (run) {
      var picture = document.querySelector('#run-' + run.run + ' figure.grid img');
      sources += picture ? run.run + picture.src.length + picture.src.slice(-64) : '';
      return {run: run, picture: picture};
    }).filter(function (one) { return one.picture; });
    if (place.pxr_sources === sources) return;
    place.pxr_sources = sources;
    place.textContent = '';
    document.getElementById('samples-title').hidden = found.length < 2;
    if (found.length < 2) return;
    found.forEach(function (one) {
      var figure = make('figure', 'side', place);
      make('img', '', figure).src = one.picture.src;
      figure.firstChild.alt = 'samples of run ' + one.run.run;
      make('figcaption', '', figure).textContent = one.run.name + (one.run.varied ? ' ' + one.run.varied : '') +
        ', run ' + one.run.run;
    });
    pxrPage.enhance(place.parentNode);
  }

  /* Arrow keys go from point to point, + and - zoom, 0 shows all. */
  function keys(event) {
    var moves = {ArrowLeft: -1, ArrowRight: 1}, rows = graph ? graph.numRows() : 0, x = graph && graph.xAxisRange();
    var at = cursor;
    if (!rows) return;
    if (moves[event.key]) {
      at = at < 0 ? (moves[event.key] > 0 ? 0 : rows - 1) : Math.max(0, Math.min(rows - 1, at + moves[event.key]));
      cursor = at;
      graph.setSelection(at);
      show_values(graph.getValue(at, 0));
    } else if (event.key === '+' || event.key === '-') {
      var middle = at < 0 ? (x[0] + x[1]) / 2 : graph.getValue(at, 0), times = event.key === '+' ? 0.25 : 1;
      graph.updateOptions({dateWindow: [middle - (x[1] - x[0]) * times, middle + (x[1] - x[0]) * times]});
    } else if (event.key === '0') {
      graph.resetZoom();
    } else if (event.key === 'Escape') {
      graph.clearSelection();
      cursor = -1;
      show_values(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  /* The series that any run has: NLLs, all splits or one, then others. */
  function choices() {
    var found = Object.create(null), result = [];
    runs.forEach(function (run) {
      run.series.forEach(function (series) {
        if (series.name !== TIME) found[series.name] = found[series.name] || Object.create(null);
        if (series.name !== TIME) found[series.name][series.split] = true;
      });
    });
    Object.keys(found).sort(function (a, b) { return (b === 'nll') - (a === 'nll') || (a < b ? -1 : 1); })
      .forEach(function (name) {
        var splits = Object.keys(found[name]), text = names[name] || name.replace(/_/g, ' ');
        if (splits.length > 1) result.push([name, text + ', all splits']);
        splits.forEach(function (split) { result.push([name + ' ' + split, name === 'nll' ? text + ', ' + split : text]); });
      });
    return result;
  }

  /* The validation NLL, if most runs have one: all splits of several runs are many lines. */
  function usual(options) {
    var valid = runs.filter(function (run) {
      return run.series.some(function (s) { return s.name === 'nll' && s.split === 'valid'; });
    });
    return valid.length * 2 > runs.length ? 'nll valid' : options.length ? options[0][0] : 'nll';
  }

  function fill(control, options, key) {
    if (!options.some(function (option) { return option[0] === state[key]; }) && options.length)
      state[key] = key === 'm' ? usual(options) : options[0][0];
    if (control.options.length !== options.length) {
      control.textContent = '';
      options.forEach(function (option) {
        var element = make('option', '', control);
        element.value = option[0];
        element.textContent = option[1];
      });
    }
    control.value = state[key];
  }

  /* The series and axes that the runs have: those of new runs may be new. */
  function offer() {
    var timed = runs.some(function (run) { return run.series.some(function (s) { return s.name === TIME; }); });
    if (!section || !section.querySelector('select')) return;
    fill(section.querySelector('[name=m]'), choices(), 'm');
    fill(section.querySelector('[name=x]'), Object.keys(axes).filter(function (x) { return timed || x !== 'seconds'; })
      .map(function (x) { return [x, x === 'seconds' ? 'wall time' : axes[x]]; }), 'x');
  }

  function add_plot() {
    if (!section || typeof Dygraph === 'undefined' || section.querySelector('.tools')) return;
    var tools = make('div', 'tools', section), ranged = input('range', 'smooth');
    ranged.max = 0.99;
    ranged.step = 0.01;
    ranged.value = state.smooth;
    labelled(tools, 'Show', select('m'));
    labelled(tools, 'by', select('x'));
    offer();
    labelled(tools, 'Smooth', ranged);
    labelled(tools, 'Log scale', input('checkbox', 'log'));
    labelled(tools, 'Outliers', input('checkbox', 'outliers'));
    var reset = make('button', '', tools);
    reset.type = 'button';
    reset.textContent = 'Whole range';
    reset.addEventListener('click', function () { if (graph) graph.resetZoom(); });
    var plot = make('div', 'overlay', section);
    plot.id = 'overlay';
    plot.tabIndex = 0;
    plot.setAttribute('role', 'group');
    plot.setAttribute('aria-label', 'Curves of the ticked runs. Arrow keys go from point to point, ' +
      'plus and minus zoom, 0 shows all.');
    plot.addEventListener('keydown', keys);
    var reading = make('p', 'reading', section);
    reading.id = 'reading';
    reading.setAttribute('role', 'status');
    make('ul', 'lines', section).id = 'legend';
    make('p', 'note', section).id = 'message';
    make('p', 'note', section).textContent = 'Drag to zoom, shift and drag to move, double-click for the whole range.';
    var title = make('h3', '', section);
    title.id = 'samples-title';
    title.textContent = 'Samples of the ticked runs';
    make('div', 'pictures', section).id = 'samples';
    section.hidden = false;
  }

  function read_data() {
    var data = document.getElementById('curve-data');
    runs = data ? JSON.parse(data.textContent) : [];
  }

  /* What a server sends anew: the list of runs, or the curves of some. */
  function renew(what, data) {
    list = document.getElementById('runs');
    if (what === 'runs') {
      add_ticks();
      if (!list.querySelector('.tools')) add_tools();
    } else {
      data.forEach(function (run) {
        runs = runs.filter(function (other) { return other.run !== run.run; });
        runs.push(run);
      });
      runs.sort(function (a, b) { return b.run - a.run; });
      offer();
      all('tbody tr[data-run]', list).forEach(add_tick);
    }
    show();
  }

  read();
  read_data();
  if (!list.querySelector('table')) return;
  add_ticks();
  add_tools();
  add_plot();
  show();
  pxrPage.changed.push(renew);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  addEventListener('hashchange', function () {
    read();
    offer();
    all('.tools [name]').forEach(function (control) {
      if (control.type === 'checkbox') control.checked = state[control.name] !== '';
      else control.value = state[control.name];
    });
    show();
  });
}());
