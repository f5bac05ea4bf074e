// What lists did: how often items were clicked and bought, by place, by model and by users' segment.
// In: the fields of GET /stats. Out: rows of a name, a bar, a figure, and the row in words.

import { bar } from './chart.js';

const GROUPS = [['position', 'place '], ['model', ''], ['segment', '']];
const SEGMENTS = 12; // those with the most views
const LEAST = 100; // views of a segment of which anything is said
const percent = value => `${+(100 * value).toPrecision(3)} %`;

/** The quantile of the normal distribution for which this many 95 % intervals hold together, to .0005
 * (Bonferroni; Abramowitz and Stegun 1964, 26.2.23). */
function quantile(groups = 1) {
  const t = Math.sqrt(-2 * Math.log(0.025 / groups));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

/** The 95 % interval of a share (Wilson), or that of another quantile. */
function interval(hits, trials, z = quantile()) {
  const [p, extra] = [Math.min(hits / trials, 1), (z * z) / trials];
  const half = z * Math.sqrt((p * (1 - p)) / trials + extra / (4 * trials));
  return [-half, half].map(by => Math.min(Math.max((p + extra / 2 + by) / (1 + extra), 0), 1));
}

/** Whether a segment differs from all lists, whose click-through is `whole`, as far as known: of all segments that can
 * be compared together. */
function against({ views, clicks }, whole, segments) {
  if (views < LEAST) return '; too few views to compare';
  const [low, high] = interval(clicks, views, quantile(segments));
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
  const segments = all.filter(({ group, views }) => group === 'segment' && views >= LEAST).length;
  const most = Math.max(...all.map(({ clicks, views }) => clicks / views));
  return all.map(row => {
    const { group, name, views, clicks, bought } = row;
    const [low, high] = interval(clicks, views).map(percent);
    const told = `of ${views.toLocaleString('en')} seen; 95 %: ${low} to ${high}; ${percent(bought / views)} bought${group === 'segment' ? against(row, whole, segments) : ''}`;
    return [name, bar([['', clicks / views]], most || 1), percent(clicks / views), told];
  });
}
