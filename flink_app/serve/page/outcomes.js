// What lists did: how often items were clicked and bought, by place, by model and by users' segment.
// In: the fields of GET /stats. Out: rows of a name, a bar, a figure, and the row in words.

import { bar } from './chart.js';

const Z = 1.959964; // of 95 %
const GROUPS = [['position', 'place '], ['model', ''], ['segment', '']];
const SEGMENTS = 12; // those with the most views
const LEAST = 100; // views of a segment of which anything is said
const percent = value => `${+(100 * value).toPrecision(3)} %`;

/** The 95 % interval of a share (Wilson). */
function interval(hits, trials) {
  const [p, extra] = [Math.min(hits / trials, 1), (Z * Z) / trials];
  const half = Z * Math.sqrt((p * (1 - p)) / trials + extra / (4 * trials));
  return [-half, half].map(by => Math.min(Math.max((p + extra / 2 + by) / (1 + extra), 0), 1));
}

/** Whether a segment differs from all lists, whose click-through is `whole`, as far as known. */
function against({ views, clicks }, whole) {
  if (views < LEAST) return '; too few views to compare';
  const [low, high] = interval(clicks, views);
  return high < whole ? '; served worse than average' : low > whole ? '; served better than average' : '';
}

/** Rows of places, in order, then of models and of segments, those that were seen most often first. */
export function outcomes(stats) {
  const all = GROUPS.flatMap(([group, prefix]) => {
    const [before, after] = [`attribution:${group}:`, ':views']; // a name may have colons itself
    const names = Object.keys(stats).filter(field => field.startsWith(before) && field.endsWith(after))
      .map(field => field.slice(before.length, -after.length)).filter(Boolean);
    const of = (name, what) => stats[`attribution:${group}:${name}:${what}`] ?? 0;
    if (group === 'position') names.sort((a, b) => (parseInt(a, 10) || 99) - (parseInt(b, 10) || 99));
    else names.sort((a, b) => of(b, 'views') - of(a, 'views'));
    const seen = names.filter(name => of(name, 'views') > 0);
    return seen.slice(0, group === 'segment' ? SEGMENTS : seen.length).map(name => ({
      group, name: name === 'later' ? 'later places' : prefix + name, views: of(name, 'views'), clicks: of(name, 'clicks'), bought: of(name, 'conversions'),
    }));
  });
  const places = all.filter(({ group }) => group === 'position');
  const sum = what => places.reduce((total, row) => total + row[what], 0);
  const whole = sum('clicks') / sum('views');
  const most = Math.max(...all.map(({ clicks, views }) => clicks / views));
  return all.map(row => {
    const { group, name, views, clicks, bought } = row;
    const [low, high] = interval(clicks, views).map(percent);
    const told = `of ${views.toLocaleString('en')} seen; 95 %: ${low} to ${high}; ${percent(bought / views)} bought${group === 'segment' ? against(row, whole) : ''}`;
    return [name, bar([['', clicks / views]], most || 1), percent(clicks / views), told];
  });
}
