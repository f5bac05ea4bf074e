// The operators' view: the job's own figures, twice a second, as numbers, charts and text; and the last evaluation.
// In: GET /stats. Out: a figure with a chart for each thing worth watching, and a table of all.

import { get } from './api.js';
import { bar, chart } from './chart.js';
import { by, element } from './dom.js';
import { look as lookAtEvaluation } from './evaluation.js';
import { experiments } from './experiments.js';
import { clicks } from './front.js';
import { outcomes } from './outcomes.js';

const EVERY_MS = 500;
const SELDOM_MS = 20_000; // a file that people write
const KEPT = 120;

const whole = value => Math.round(value).toLocaleString('en');
const short = value => (value >= 1e6 ? `${+(value / 1e6).toPrecision(2)}M`
  : value >= 1000 ? `${+(value / 1000).toPrecision(3)}k` : `${+value.toPrecision(3)}`);
const share = value => `${(100 * value).toFixed(1)} %`;
const percent = value => `${+(100 * value).toPrecision(3)} %`;
const ms = value => `${whole(value)} ms`;
const bits = value => `${value.toFixed(1)} bits`;

/** Name, meaning, fields with their labels, formats of the figure and of the axis. */
const FIGURES = [
  ['Events a second', 'Lines read and lists written, over the last five seconds.',
    [['events_per_s', 'events'], ['lists_per_s', 'lists']], whole, short],
  ['Freshness', 'From an event to its user’s list in Redis, over the last minute.',
    [['freshness_p50_ms', 'half within'], ['freshness_p99_ms', '99 of 100 within']], ms, short],
  ['Recall@10', 'Share of next items that were among the first ten, of this list and of the popular one.',
    [['quality:served:recall@10', 'served'], ['quality:popular:recall@10', 'popular']], share, percent],
  ['NDCG@10', 'The same, but an item counts more the higher it was.',
    [['quality:served:ndcg@10', 'served'], ['quality:popular:ndcg@10', 'popular']], share, percent],
  ['Coverage', 'Share of all items that have been among the first ten of a tested list.',
    [['total_quality:served:coverage@10', 'served'], ['total_quality:popular:coverage@10', 'popular']], share, percent],
  ['Novelty', 'How unfamiliar the shown items are; an item twice as rare has one more bit.',
    [['quality:served:novelty@10', 'served'], ['quality:popular:novelty@10', 'popular']], bits, short],
  ['Catalogue', 'Items and users that the job knows.', [['items', 'items'], ['users', 'users']], whole, short],
  ['Dead letters', 'Lines that could not be used, and repeats that were not learned, since the job started.',
    [['dead', 'dead letters'], ['duplicates', 'duplicates']], whole, short],
];

const history = new Map();
let timers = [];
let last = 0;

export function show(visible) {
  timers.forEach(clearInterval);
  timers = [];
  if (!visible) return;
  for (const [what, every] of [[look, EVERY_MS], [lookAtEvaluation, SELDOM_MS]]) {
    what();
    timers.push(setInterval(what, every));
  }
}

async function look() {
  if (document.hidden) return;
  try {
    const stats = await get('/stats');
    keep(stats);
    drawFigures(stats);
    drawOutcomes(stats);
    drawExperiments(stats);
    drawLetters(stats);
    drawTable(stats);
    drawClicks();
    by('age').textContent = age(stats);
  } catch (error) {
    by('age').textContent = error.message;
  }
}

function age(stats) {
  if (!stats.at) return 'No job has written any figures yet.';
  const seconds = (Date.now() - stats.at) / 1000;
  return seconds > 5 ? `The figures are ${whole(seconds)} s old: no event has come in since, or no job is running.`
    : `Live; the charts show the last ${(KEPT * EVERY_MS) / 1000} s.`;
}

function keep(stats) {
  const now = Date.now();
  const again = now - last < EVERY_MS / 2;
  last = now;
  for (const [, , fields] of FIGURES) {
    for (const [field] of fields) {
      const row = history.get(field) ?? history.set(field, []).get(field);
      if (again) row.pop();
      row.push(typeof stats[field] === 'number' ? stats[field] : null);
      if (row.length > KEPT) row.shift();
    }
  }
}

function drawFigures(stats) {
  by('figures').replaceChildren(...FIGURES.map(([name, meaning, fields, form, tick]) => {
    const figure = element('figure', 'tile');
    const caption = element('figcaption');
    caption.append(element('h3', '', name), element('p', 'note', meaning));
    const values = element('dl', 'values');
    fields.forEach(([field, label], at) => {
      const pair = element('div', at ? 'second' : '');
      const value = stats[field];
      pair.append(element('dt', '', label), element('dd', '', typeof value === 'number' ? form(value) : '–'));
      values.append(pair);
    });
    figure.append(caption, values, chart(fields.map(([field]) => history.get(field)), tick));
    return figure;
  }));
}

function drawLetters(stats) {
  const found = Object.entries(stats).filter(([field]) => field.startsWith('dead:'));
  if (!found.length) {
    by('letters').replaceChildren(element('p', 'note', 'None so far.'));
    return;
  }
  const most = Math.max(...found.map(([, count]) => count));
  by('letters').replaceChildren(...rows(found.sort((a, b) => b[1] - a[1]).map(([field, count]) => [
    field.slice(5).replaceAll('_', ' '), bar([['', count]], most), whole(count),
  ])));
}

function drawOutcomes(stats) {
  const found = outcomes(stats);
  const none = 'Nothing yet: no event has named its list, or quality.attribution_days is 0.';
  by('outcomes').replaceChildren(...(found.length ? rows(found) : [element('p', 'note', none)]));
}

function drawExperiments(stats) {
  const found = experiments(stats);
  by('trials').hidden = !found.length;
  by('experiments').replaceChildren(...found);
}

function drawClicks() {
  if (!clicks.length) {
    by('clicks').replaceChildren(element('p', 'note', 'None yet: click an item, or search.'));
    return;
  }
  const recent = clicks.slice(-8).reverse().map(one => [one, moments(one)]);
  const longest = Math.max(...recent.map(([, all]) => all.at(-1)[1]));
  by('clicks').replaceChildren(...rows(recent.map(([one, all]) => {
    const parts = all.map(([name, at], n) => [name, at - (all[n - 1]?.[1] ?? 0)]);
    const told = all.map(([name, at]) => `${name} after ${Math.round(at)} ms`).join(', ');
    return [one.title, bar(parts, longest), `${Math.round(one.ms)} ms`, told];
  })));
}

/** What happened after a click, [name, ms], in order. The acknowledgement may come last. */
function moments({ waiting, made, here, ms }) {
  // The job's clock may be ahead of the browser's.
  const all = [['list made', made], ['here', here], ['drawn', ms]].filter(([, at]) => at <= ms);
  if (waiting.acknowledged) all.push(['durable', waiting.acknowledged - waiting.at]);
  return all.sort((a, b) => a[1] - b[1]);
}

/** Rows of a name, a bar and a figure; `told` is the whole row in words. */
function rows(all) {
  return all.map(([name, drawn, value, told]) => {
    const row = element('div', 'row');
    row.append(element('span', 'name', name), drawn, element('span', 'value', value));
    if (told) row.append(element('span', 'told note', told));
    return row;
  });
}

function drawTable(stats) {
  if (!by('table').closest('details').open) return;
  by('table').tBodies[0].replaceChildren(...Object.keys(stats).sort().map(field => {
    const row = element('tr');
    const head = element('th', '', field);
    head.scope = 'row';
    row.append(head, element('td', '', String(stats[field])));
    return row;
  }));
}
