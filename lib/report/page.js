/* page.js - sorts the tables of the HTML page, and shows the values of curves and maps under a
 * pointer, a finger or by arrow keys. What compare.js and live.js share is in pxrPage. */
var pxrPage = (function () {
  'use strict';

  function make(tag, name, parent) {
    var element = document.createElement(tag);
    element.className = name;
    parent.appendChild(element);
    return element;
  }

  function all(selector, within) {
    return Array.prototype.slice.call((within || document).querySelectorAll(selector));
  }

  /* --- tables: ascending, descending, original order. Empty cells stay last. */
  function key(row, column) {
    var cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.textContent.trim();
  }

  function compare(a, b) {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a).localeCompare(String(b), 'en', {numeric: true});
  }

  function sort(table, column, direction) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (one, two) {
      var a = key(one, column), b = key(two, column);
      var order = direction === 0 ? 0 : (a === '') - (b === '') || direction * compare(a, b);
      return order || one.dataset.order - two.dataset.order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }

  /* The order of tables that are replaced: [heading, direction] by the table's title. */
  var orders = {};

  function sortable(table) {
    var id = table.parentNode.getAttribute('aria-labelledby');
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    if (table.tBodies[0].rows.length < 2) return;
    Array.prototype.forEach.call(table.tBodies[0].rows, function (row, i) { row.dataset.order = i; });
    heads.forEach(function (head) {
      var button = document.createElement('button');
      button.type = 'button';
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      function order(now) {
        heads.forEach(function (other) { other.removeAttribute('aria-sort'); });
        if (now) head.setAttribute('aria-sort', now);
        sort(table, head.cellIndex, now === 'ascending' ? 1 : now === 'descending' ? -1 : 0);
      }
      button.addEventListener('click', function () {
        var was = head.getAttribute('aria-sort');
        var now = was === 'ascending' ? 'descending' : was === 'descending' ? null : 'ascending';
        orders[id] = [head.textContent, now];
        order(now);
      });
      if (orders[id] && orders[id][1] && orders[id][0] === head.textContent) order(orders[id][1]);
    });
  }

  /* A note beside a point of a box, within the box. */
  function place(tip, box, x, y) {
    var left = x + 14;
    if (left + tip.offsetWidth > box.clientWidth) left = x - 14 - tip.offsetWidth;
    tip.style.left = Math.max(0, left) + 'px';
    tip.style.top = Math.max(0, Math.min(box.clientHeight - tip.offsetHeight, y)) + 'px';
  }

  /* The pointer moves over a box, or arrow keys step through it; leaving it or Escape hides the note. */
  function follow(box, point, step, hide) {
    box.addEventListener('pointermove', function (event) {
      var place = box.getBoundingClientRect();
      point(event.clientX - place.left, event.clientY - place.top);
    });
    box.addEventListener('pointerdown', function (event) {
      var place = box.getBoundingClientRect();
      point(event.clientX - place.left, event.clientY - place.top);
    });
    box.addEventListener('pointerleave', function (event) {
      if (event.pointerType !== 'touch') hide();
    });
    box.addEventListener('blur', hide);
    box.addEventListener('keydown', function (event) {
      var moves = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
      if (event.key === 'Escape') hide();
      if (!moves[event.key] || !step(moves[event.key][0], moves[event.key][1])) return;
      event.preventDefault();
    });
  }

  /* --- learning curves: all curves' values at an epoch */
  function range(text) {
    return text.split(' ').map(Number);
  }

  function curves(plot) {
    var x = range(plot.dataset.x), y = range(plot.dataset.y), at = -1;
    var lines = all('path.line, path.final', plot).map(function (line) {
      return {
        split: line.dataset.split,
        name: line.getAttribute('class'),
        points: line.dataset.points.split(',').filter(Boolean).map(function (text) {
          var part = text.split(' ');
          return {step: part[0], epoch: Number(part[1]), value: Number(part[2]), text: part[2]};
        })
      };
    });
    var epochs = [];
    lines.forEach(function (line) {
      line.points.forEach(function (point) {
        if (epochs.indexOf(point.epoch) < 0) epochs.push(point.epoch);
      });
    });
    epochs.sort(function (a, b) { return a - b; });
    var guide = make('div', 'guide', plot), tip = make('div', 'tip', plot);
    var dots = lines.map(function (line) {
      return make('div', line.name.replace(/line|final/, 'dot'), plot);
    });
    tip.setAttribute('role', 'status');

    function hide() {
      at = -1;
      [guide, tip].concat(dots).forEach(function (element) { element.hidden = true; });
    }

    function show(i) {
      var epoch = epochs[i], text = '', step = '', top = plot.clientHeight;
      var left = plot.clientWidth * (epoch - x[0]) / (x[1] - x[0]);
      at = i;
      guide.hidden = tip.hidden = false;
      guide.style.left = left + 'px';
      lines.forEach(function (line, k) {
        var point = line.points.filter(function (p) { return p.epoch === epoch; })[0];
        dots[k].hidden = !point || point.value > y[1];
        if (!point) return;
        var down = plot.clientHeight * (1 - (point.value - y[0]) / (y[1] - y[0]));
        dots[k].style.left = left + 'px';
        dots[k].style.top = down + 'px';
        top = Math.max(0, Math.min(top, down));
        step = point.step;
        text += '\n' + line.split + ' ' + point.text + ' ' + plot.dataset.unit;
      });
      tip.textContent = 'epoch ' + Number(epoch.toPrecision(4)) + ', step ' + step + text;
      place(tip, plot, left, top - 10);
    }

    function point(px) {
      var epoch = x[0] + (x[1] - x[0]) * px / plot.clientWidth, best = 0;
      epochs.forEach(function (other, i) {
        if (Math.abs(other - epoch) < Math.abs(epochs[best] - epoch)) best = i;
      });
      show(best);
    }

    function step(dx) {
      if (!dx) return false;
      show(at < 0 ? (dx > 0 ? 0 : epochs.length - 1)
                  : Math.max(0, Math.min(epochs.length - 1, at + dx)));
      return true;
    }

    hide();
    if (epochs.length > 0) follow(plot, point, step, hide);
  }

  /* --- maps: the value of a cell */
  function cells(box) {
    var rows = Number(box.dataset.rows), cols = Number(box.dataset.cols);
    var values = box.dataset.values.split(' '), row = -1, col = -1;
    var frame = make('div', 'cell', box), tip = make('div', 'tip', box);
    tip.setAttribute('role', 'status');

    function hide() {
      row = col = -1;
      frame.hidden = tip.hidden = true;
    }

    function show(r, c) {
      var wide = box.clientWidth / cols, high = box.clientHeight / rows;
      row = Math.max(0, Math.min(rows - 1, r));
      col = Math.max(0, Math.min(cols - 1, c));
      frame.hidden = tip.hidden = false;
      frame.style.cssText = 'left:' + col * wide + 'px;top:' + row * high + 'px;width:' + wide +
                           'px;height:' + high + 'px';
      tip.textContent = 'row ' + row + ', column ' + col + '\n' + values[row * cols + col] + ' ' +
                        box.dataset.unit.split(' ')[0];
      place(tip, box, (col + 0.5) * wide, row * high);
    }

    hide();
    follow(box, function (x, y) {
      show(Math.floor(y * rows / box.clientHeight), Math.floor(x * cols / box.clientWidth));
    }, function (dx, dy) {
      show(row < 0 ? 0 : row + dy, col < 0 ? 0 : col + dx);
      return true;
    }, hide);
  }

  /* Click or press Enter on a picture to see it large; once more, or Escape, to close it. */
  function enlargeable(picture) {
    picture.tabIndex = 0;
    picture.setAttribute('role', 'button');
    function enlarge() {
      var large = make('dialog', 'large', document.body), copy = make('img', '', large);
      copy.src = picture.src;
      copy.alt = picture.alt;
      var fit = Math.min(innerWidth * 0.9 / picture.naturalWidth, innerHeight * 0.9 / picture.naturalHeight);
      copy.style.width = picture.naturalWidth * (fit >= 1 ? Math.floor(fit) : fit) + 'px';
      large.addEventListener('click', function () { large.close(); });
      large.addEventListener('keydown', function (event) {
        if (event.key === 'Enter' || event.key === ' ') large.close();
      });
      large.addEventListener('close', function () {
        document.body.removeChild(large);
        picture.focus();
      });
      large.showModal();
    }
    picture.addEventListener('click', enlarge);
    picture.addEventListener('keydown', function (event) {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      enlarge();
    });
  }

  /* Give a part of the page what needs a script. */
  function enhance(part) {
    all('table.sorted', part).forEach(sortable);
    all('.plot', part).forEach(curves);
    all('.cells', part).forEach(cells);
    all('.pictures img, .gallery img', part).forEach(enlargeable);
  }
  enhance(document);

  /* Unfold what is printed, where the style sheet alone cannot. */
  addEventListener('beforeprint', function () {
    all('details.print').forEach(function (part) { part.open = true; });
  });
  return {all: all, make: make, enhance: enhance, changed: []};
}());
