/* live.js - keeps a page that a server sent up to date: asks every two seconds what changed, and puts
 * those parts in the place of the old ones. What is sorted, unfolded, ticked or zoomed stays so. */
(function () {
  'use strict';
  var EVERY = 2000, PATIENCE = 10; /* updates take no more than one tenth of the time */
  var all = pxrPage.all, state = JSON.parse(document.getElementById('state').textContent);
  var sign = document.getElementById('live');

  function say(text, lost) {
    sign.textContent = text;
    sign.className = lost ? 'status failed' : 'status';
  }

  /* An answer that is no page says why, in one line. */
  function check(answer) {
    if (answer.ok) return answer;
    return answer.text().then(function (text) { throw {why: text.trim()}; });
  }

  /* A part of the page, as an element that is not shown yet. */
  function part(name, id) {
    return fetch('part?id=' + encodeURIComponent(name), {cache: 'no-store'}).then(check).then(function (answer) {
      return answer.text();
    }).then(function (text) {
      return document.importNode(new DOMParser().parseFromString(text, 'text/html').getElementById(id), true);
    });
  }

  /* Folds are known by the beginning of their text, which may end with a number that changes. */
  function fold_name(fold) {
    return fold.firstElementChild.textContent.replace(/ \(\d+\)$/, '');
  }

  function replace(old, fresh) {
    var open = all('details[open]', old).map(fold_name);
    all('details', fresh).forEach(function (fold) { fold.open = open.indexOf(fold_name(fold)) >= 0; });
    old.parentNode.replaceChild(fresh, old);
    pxrPage.enhance(fresh);
  }

  /* The list keeps its tools: only its first line and its table are new. */
  function renew_list(fresh) {
    var old = document.getElementById('runs'), box = old.querySelector('.box');
    if (!box || !fresh.querySelector('.box')) {
      replace(old, fresh);
    } else {
      old.replaceChild(fresh.querySelector('p'), old.querySelector('p'));
      var table = fresh.querySelector('.box'), left = box.scrollLeft, top = box.scrollTop;
      old.replaceChild(table, box);
      table.scrollLeft = left;
      table.scrollTop = top;
      pxrPage.enhance(table);
    }
    pxrPage.changed.forEach(function (changed) { changed('runs'); });
  }

  function renew_curves(fresh) {
    var data = JSON.parse(fresh.querySelector('script').textContent);
    pxrPage.changed.forEach(function (changed) { changed('curves', data); });
  }

  /* A run's section in its place: the newest run is the first. */
  function renew_run(id, fresh) {
    var old = document.getElementById('run-' + id);
    if (!old) {
      old = document.createElement('section');
      var next = all('section.run').filter(function (section) { return Number(section.id.slice(4)) < id; })[0];
      document.querySelector('main').insertBefore(old, next || null);
    }
    replace(old, fresh);
  }

  function known(before) {
    var stamps = {};
    before.runs.forEach(function (run) { stamps[run[0]] = run[1]; });
    return stamps;
  }

  function update(now) {
    var before = known(state), jobs = [];
    now.runs.forEach(function (run, i) {
      var id = run[0];
      if (before[id] === run[1]) return;
      if (i < now.details)
        jobs.push(part('run-' + id, 'run-' + id).then(function (fresh) { renew_run(id, fresh); }));
      if (document.getElementById('curves')) jobs.push(part('curves-' + id, 'curves').then(renew_curves));
    });
    if (now.list !== state.list) jobs.push(part('runs', 'runs').then(renew_list));
    if (now.results !== state.results)
      ['sweeps', 'paper'].forEach(function (id) {
        jobs.push(part(id, id).then(function (fresh) { replace(document.getElementById(id), fresh); }));
      });
    all('section.run').forEach(function (section) {
      if (!now.runs.slice(0, now.details).some(function (run) { return 'run-' + run[0] === section.id; }))
        section.parentNode.removeChild(section);
    });
    return Promise.all(jobs).then(function () { state = now; });
  }

  function poll() {
    var began = Date.now();
    if (document.hidden) return;
    clearTimeout(poll.next);
    fetch('state', {cache: 'no-store'}).then(check).then(function (answer) {
      return answer.json();
    }).then(update).then(function () {
      say('live', false);
    }, function (error) {
      say(error.why || 'no answer from pxr-report serve', true);
    }).then(function () {
      poll.next = setTimeout(poll, Math.max(EVERY, PATIENCE * (Date.now() - began)));
    });
  }

  say('live', false);
  document.addEventListener('visibilitychange', poll);
  poll.next = setTimeout(poll, EVERY);
}());
