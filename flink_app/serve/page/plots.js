// Pictures of measurements as SVG: curves of one measure against another, intervals, lines with bands.
// In: what `flink_app/report/drawings.py` writes. Out: an SVG element; words and a table stand beside it.

import { nice, shape } from './chart.js';

const [WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT] = [340, 236, 20, 38, 46, 10];
const ROW = 24;
const NAMED = 124; // of the width, for the names of intervals
const NAME = 20; // characters of one

const percent = value => `${+(100 * value).toPrecision(3)} %`;
const short = value => (Math.abs(value) >= 1000 ? `${+(value / 1000).toPrecision(3)}k` : `${+value.toPrecision(3)}`);
const known = (...values) => values.every(Number.isFinite);

/** The picture of a section's figure; null of a kind that is not drawn here. */
export function plot(figure) {
  return { curves, spans, lines }[figure.kind]?.(figure) ?? null;
}

/** Between a sixth of a length and about half of it: 1, 2 or 5 of some power of ten. */
function stepOf(length) {
  return nice(length / 6 || 1);
}

/** An axis: its low end, its high end, and marks between them; from `values`, with some room around. */
function axis(values, room = 0.08) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const by = (high - low || Math.abs(high) || 1) * room;
  const step = stepOf(high - low + 2 * by);
  const marks = [];
  for (let at = Math.ceil((low - by) / step); at * step <= high + by && marks.length < 12; at += 1) marks.push(at * step);
  return { low: low - by, high: high + by, marks };
}

/** An empty plot with its axes; `x` and `y` place values in it. */
function frame(across, up, { xLabel, yLabel, xForm, yForm, left = LEFT, height = HEIGHT }) {
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${height}`, class: 'plot', 'aria-hidden': 'true' });
  const x = value => left + ((value - across.low) / (across.high - across.low)) * (WIDTH - RIGHT - left);
  const y = value => height - BOTTOM - ((value - up.low) / (up.high - up.low)) * (height - BOTTOM - TOP);
  for (const mark of across.marks) {
    svg.append(shape('line', { x1: x(mark), x2: x(mark), y1: TOP, y2: height - BOTTOM, class: 'rule' }),
      shape('text', { x: x(mark), y: height - BOTTOM + 14, class: 'mark' }, xForm(mark)));
  }
  for (const mark of up.marks) {
    svg.append(shape('line', { x1: left, x2: WIDTH - RIGHT, y1: y(mark), y2: y(mark), class: 'rule' }),
      shape('text', { x: left - 6, y: y(mark) + 3.5, class: 'tick' }, yForm(mark)));
  }
  svg.append(shape('text', { x: (left + WIDTH - RIGHT) / 2, y: height - 7, class: 'mark' }, xLabel));
  if (yLabel) svg.append(shape('text', { x: 0, y: 9, class: 'mark upward' }, yLabel));
  return { svg, x, y };
}

const path = points => points.map(([x, y], n) => `${n ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/** Curves with the strength of a step at each point, and a ring at what is configured. */
function curves({ curves: all, now, x: xLabel, y: yLabel, share }) {
  const points = all.map(({ x, y, names }) => x.map((at, n) => [at, y[n], names[n]]).filter(([at, up]) => known(at, up)));
  const every = [now, ...points.flat()];
  const { svg, x, y } = frame(axis(every.map(([at]) => at)), axis(every.map(([, up]) => up), 0.12), {
    xLabel, yLabel, xForm: share ? percent : short, yForm: percent,
  });
  const named = [[x(now[0]), y(now[1])]];
  all.forEach(({ colour }, n) => {
    const placed = points[n].map(([at, up]) => [x(at), y(up)]);
    svg.append(shape('path', { d: path(placed), class: `drawn c${colour}` }));
    svg.append(...placed.map(([cx, cy]) => shape('circle', { cx, cy, r: 2.6, class: `dot-of c${colour}` })));
    // The strongest first: a name that would lie on another one is left out, and stands in the table.
    placed.map(([cx, cy], one) => [cx, cy, points[n][one][2]]).reverse().forEach(([cx, cy, name]) => {
      if (named.some(([left, up]) => Math.abs(cx - left) < 20 && Math.abs(cy - up) < 11)) return;
      named.push([cx, cy]);
      svg.append(shape('text', { x: cx, y: cy - 5.5, class: `mark c${colour}` }, name));
    });
  });
  svg.append(shape('circle', { cx: x(now[0]), cy: y(now[1]), r: 5.5, class: 'ring' }));
  return svg;
}

/** Intervals below each other, against the line of the whole. */
function spans({ spans: all, x: xLabel, at }) {
  const there = all.filter(({ low, value, high }) => known(low, value, high));
  const across = axis([at, ...there.flatMap(({ low, high }) => [low, high])], 0.05);
  const height = TOP + BOTTOM + ROW * there.length;
  const { svg, x } = frame(across, { low: 0, high: 1, marks: [] }, { xLabel, xForm: percent, left: NAMED, height });
  svg.append(shape('line', { x1: x(at), x2: x(at), y1: TOP, y2: height - BOTTOM, class: 'whole' }));
  there.forEach(({ label, value, low, high, marked }, n) => {
    const y = TOP + ROW * (n + 0.5);
    const name = shape('text', { x: NAMED - 8, y: y + 4, class: 'tick named' }, label.length > NAME ? `${label.slice(0, NAME - 1)}…` : label);
    name.append(shape('title', {}, label));
    const colour = marked ? 'c1' : 'c0';
    svg.append(name, shape('line', { x1: x(low), x2: x(high), y1: y, y2: y, class: `reach ${colour}` }),
      shape('circle', { cx: x(value), cy: y, r: 3.6, class: `dot-of ${colour}` }));
  });
  return svg;
}

/** Lines over an axis that begins at 0, each in the band of its intervals. */
function lines({ lines: all, x: xLabel, y: yLabel, share }) {
  const every = all.flatMap(({ y, high }) => [...y, ...high]).filter(Number.isFinite);
  const up = axis([0, ...every], 0);
  up.high = Math.max(up.high, ...up.marks) || 1;
  const { svg, x, y } = frame(axis(all.flatMap(one => one.x).filter(Number.isFinite), 0.03), up, {
    xLabel, yLabel, xForm: short, yForm: share ? percent : short,
  });
  for (const one of all) {
    const at = one.x.map((_, n) => n).filter(n => known(one.x[n], one.y[n]));
    const place = values => at.map(n => [x(one.x[n]), y(values[n])]);
    if (one.low.length) {
      svg.append(shape('path', { d: `${path([...place(one.high), ...place(one.low).reverse()])}Z`, class: `band c${one.colour}` }));
    }
    svg.append(shape('path', { d: path(place(one.y)), class: `drawn c${one.colour}` }),
      ...place(one.y).map(([cx, cy]) => shape('circle', { cx, cy, r: 2.6, class: `dot-of c${one.colour}` })));
  }
  return svg;
}
