// What the visitor has watched, how far, and what comes next. In: ids and shares of their length.
// Out: the items to continue with. It is kept in this tab, for each visitor.

import { all, attribute } from './api.js';

const KEY = 'millirec-watched-';
const BEGUN = 0.02;
const ENDED = 0.9; // what follows are the credits
let user = '';
let records = {};

export function become(name) {
  user = name;
  records = stored(name);
}

function stored(name) {
  try {
    return { ...JSON.parse(sessionStorage.getItem(KEY + name)) };
  } catch {
    return {}; // damaged: as if nothing had been watched
  }
}

function keep(name, changed) {
  if (name === user) records = changed;
  sessionStorage.setItem(KEY + name, JSON.stringify(changed));
}

export function forget(name) {
  sessionStorage.removeItem(KEY + name);
  if (name === user) records = {};
}

/** What is known of an item: `share` of it watched, `stars`, `favourite`, `at` in ms since 1970. */
export function of(item) {
  return Object.hasOwn(records, item) ? records[item] : {};
}

/** Note more of an item. Returns a function that takes it back, also when another visitor has come. */
export function note(item, more) {
  const [whose, before] = [user, of(item)];
  keep(user, { ...records, [item]: { ...before, at: Date.now(), ...more } });
  return () => {
    const known = whose === user ? records : stored(whose);
    if (!Object.hasOwn(known, item)) return; // forgotten since
    const now = { ...known[item] };
    for (const name of Object.keys(more)) if (now[name] === more[name]) now[name] = before[name];
    keep(whose, { ...known, [item]: now });
  };
}

/** Items that were watched before, the last one first; nobody has said how far. */
export function before(items) {
  const earlier = Object.fromEntries(items.map((item, n) => [item, { at: -n, share: 1 }]));
  records = { ...earlier, ...records };
}

export function favourites() {
  return latest().filter(item => records[item].favourite);
}

/** What to continue with, the last one first: items that were begun, and after the end of an episode
 * the next one, one of each series. */
export function open() {
  const series = new Set();
  return latest().flatMap(item => {
    const name = attribute(item, 'series');
    if (name !== undefined) {
      if (series.has(name)) return [];
      series.add(name);
    }
    const { share = 0 } = records[item];
    if (share < ENDED) return share >= BEGUN ? [item] : [];
    const following = next(item);
    return following === undefined || of(following).share >= ENDED ? [] : [following];
  });
}

/** The next episode, if it is known. */
export function next(item) {
  const [series, episode] = [attribute(item, 'series'), Number(attribute(item, 'episode'))];
  if (series === undefined) return undefined;
  return all().find(one => attribute(one, 'series') === series && Number(attribute(one, 'episode')) === episode + 1);
}

/** The items of which something is known, the last one first. */
export function latest() {
  return Object.keys(records).sort((one, other) => records[other].at - records[one].at);
}
