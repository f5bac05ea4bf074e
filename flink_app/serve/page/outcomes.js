// What lists did: how often items were clicked and bought, by place and by model.
// In: the fields of GET /stats. Out: rows of a name, a bar, a figure, and the row in words.

import { bar } from './chart.js';

const Z = 1.959964; // of 95 %
const GROUPS = [['position', 'place '], ['model', '']];
const percent = value => `${+(100 * value).toPrecision(3)} %`;

/** The 95 % interval of a share (Wilson). */
function interval(hits, trials) {
  const [p, extra] = [Math.min(hits / trials, 1), (Z * Z) / trials];
  const half = Z * Math.sqrt((p * (1 - p)) / trials + extra / (4 * trials));
  return [-half, half].map(by => Math.min(Math.max((p + extra / 2 + by) / (1 + extra), 0), 1));
}

/** Rows of places, in order, then of models, those that were seen most often first. */
export function outcomes(stats) {
  const all = GROUPS.flatMap(([group, prefix]) => {
    const names = Object.keys(stats).map(field => field.split(':'))
      .filter(([first, by, , what]) => first === 'attribution' && by === group && what === 'views')
      .map(([, , name]) => name);
    const of = (name, what) => stats[`attribution:${group}:${name}:${what}`] ?? 0;
    if (group === 'position') names.sort((a, b) => (parseInt(a, 10) || 99) - (parseInt(b, 10) || 99));
    else names.sort((a, b) => of(b, 'views') - of(a, 'views'));
    return names.filter(name => of(name, 'views') > 0).map(name => ({
      name: name === 'later' ? 'later places' : prefix + name, views: of(name, 'views'), clicks: of(name, 'clicks'), bought: of(name, 'conversions'),
    }));
  });
  const most = Math.max(...all.map(({ clicks, views }) => clicks / views));
  return all.map(({ name, views, clicks, bought }) => {
    const [low, high] = interval(clicks, views).map(percent);
    const told = `of ${views.toLocaleString('en')} seen; 95 %: ${low} to ${high}; ${percent(bought / views)} bought`;
    return [name, bar([['', clicks / views]], most || 1), percent(clicks / views), told];
  });
}
