// Experiments: what each variant did, and what is known of how much more than in the first one.
// In: the fields of GET /stats. Out: an element for each experiment; of none, none.

import { span } from './chart.js';
import { element } from './dom.js';

const COUNTED = ['users', 'lists', 'views', 'clicks', 'conversions', 'value'];
const GOALS = {
  clicks_per_view: 'clicks per view', clicks: 'clicks per user',
  conversions: 'conversions per user', value: 'value per user',
};
const change = value => `${value < 0 ? '−' : '+'}${+(100 * Math.abs(value)).toPrecision(3)}\u00a0%`;
const count = value => (value ?? 0).toLocaleString('en', { maximumFractionDigits: 2 });

/** The experiments by name: goal, control, variants in order with their sums and lifts. */
export function read(stats) {
  const found = new Map();
  for (const [field, value] of Object.entries(stats)) {
    const [first, name, ...path] = field.split(':');
    if (first !== 'experiment' || !path.length) continue;
    const one = found.get(name) ?? found.set(name, { name, variants: new Map() }).get(name);
    if (path.length === 1) one[path[0]] = value;
    else if (path[0] === 'mismatch') one.broken = value;
    else {
      const [variant, ...what] = path;
      const row = one.variants.get(variant) ?? one.variants.set(variant, new Map()).get(variant);
      row.set(what.join(':'), value);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(one => ({
    ...one,
    variants: [...one.variants].sort(([a], [b]) => (b === one.control) - (a === one.control) || (a < b ? -1 : 1)),
  }));
}

export function experiments(stats) {
  return read(stats).filter(one => one.variants.length).map(one => {
    const made = element('article', 'experiment');
    made.append(element('h3', '', one.name));
    if (one.broken) made.append(element('p', 'alarm', alarm(one)));
    const goal = GOALS[one.goal] ?? one.goal;
    const both = String(one.definition).includes('"interleave":true') ? ', both in each list' : '';
    const over = one.ended ? ` Ended ${moment(one.ended)}.` : one.waits ? ` It waits: ${one.waits}` : '';
    made.append(element('p', 'note', `By ${goal}, compared with ${one.control}${both}.${over}`));
    made.append(table(one), ...lifts(one));
    return made;
  });
}

function alarm({ broken, variants, mismatch_p: p }) {
  const users = variants.map(([name, sums]) => `${count(sums.get('users'))} in ${name}`).join(', ');
  return `Do not trust these numbers: ${users} do not fit the weights of the variants since ${
    moment(broken)} (p = ${Number(p).toPrecision(1)}). Something is broken, such as a page that does not show one of them.`;
}

function table({ variants }) {
  const made = element('table');
  const head = made.createTHead().insertRow();
  for (const name of ['variant', ...COUNTED]) {
    const cell = element('th', '', name);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = made.createTBody();
  for (const [name, sums] of variants) {
    const row = body.insertRow();
    const first = element('th', '', name);
    first.scope = 'row';
    row.append(first, ...COUNTED.map(measure => element('td', '', count(sums.get(measure)))));
  }
  const scroll = element('div', 'scroll');
  scroll.append(made);
  return scroll;
}

/** A row for each variant but the first: its lift as an interval against 0, and in words. */
function lifts({ goal, variants }) {
  const others = variants.slice(1).map(([name, sums]) => ({
    name, since: sums.get('since'), at: ['low', 'lift', 'high'].map(end => sums.get(`${goal}:${end}`)),
  }));
  const known = others.filter(({ at }) => at.every(Number.isFinite));
  const most = Math.min(Math.max(...known.flatMap(({ at }) => at.map(Math.abs)), 0.01), 1);
  return others.map(({ name, since, at }) => {
    const row = element('div', 'row');
    const there = at.every(Number.isFinite);
    row.append(element('span', 'name', name), there ? span(...at, most, Boolean(since)) : element('span', 'note', 'not known yet'),
      element('span', 'value', there ? change(at[1]) : '–'), element('span', 'told note', told(at, there, since)));
    return row;
  });
}

function told([low, lift, high], there, since) {
  if (!there) return 'Each variant needs 50 users and what is as certain as 50 clicks.';
  const interval = `${change(low)} to ${change(high)} with 95\u00a0%, at all times`;
  if (!since) return `Not known yet whether it is better: ${interval}.`;
  return `${lift > 0 ? 'Better' : 'Worse'}, decided since ${moment(since)}: ${interval}.`;
}

/** The time of the day; with the date, if that is not today's. */
function moment(ms) {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}, ${time}`;
}
