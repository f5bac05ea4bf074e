// Small line charts as SVG. In: rows of numbers, oldest first, null where one is missing.
// Out: an SVG element; the caller provides the text alternative.

const NS = 'http://www.w3.org/2000/svg';

/** An SVG element with these attributes and text. */
export function shape(kind, attributes, text) {
  const element = document.createElementNS(NS, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** The path through numbers in a box, broken where one is missing. */
function path(values, width, height, low, high, room) {
  const step = width / Math.max(room - 1, 1);
  const first = room - values.length;
  let drawn = '';
  let pen = 'M';
  values.forEach((value, at) => {
    if (value === null || value === undefined || Number.isNaN(value)) {
      pen = 'M';
      return;
    }
    const y = height - ((value - low) / (high - low || 1)) * height;
    drawn += `${pen}${((first + at) * step).toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return drawn;
}

/** A chart of one or two rows; `form` formats the figures of the axis. */
export function chart(rows, form, room = 120) {
  const [width, height, left, pad] = [300, 84, 46, 6];
  const all = rows.flat().filter(value => Number.isFinite(value));
  const high = nice(Math.max(...all, 0) || 1);
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height + 2 * pad}`, class: 'chart', 'aria-hidden': 'true' });
  for (const share of [0, 0.5, 1]) {
    const y = pad + height * (1 - share);
    svg.append(shape('line', { x1: left, x2: width, y1: y, y2: y, class: 'rule' }),
      shape('text', { x: left - 6, y: y + 3.5, class: 'tick' }, form(high * share)));
  }
  const plot = shape('g', { transform: `translate(${left} ${pad})` });
  rows.forEach((row, at) => plot.append(shape('path', {
    d: path(row, width - left, height, 0, high, room), class: at ? 'line second' : 'line',
  })));
  svg.append(plot);
  return svg;
}

/** The next of 1, 2, 5, 10, … that a value does not exceed. */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find(one => one * power >= value * 0.999999);
}

/** A line without axes. */
export function sparkline(values) {
  const [width, height] = [120, 28];
  const svg = shape('svg', { viewBox: `-2 -2 ${width + 4} ${height + 4}`, class: 'chart' });
  const high = nice(Math.max(...values, 1));
  svg.append(shape('path', { d: path(values, width, height, 0, high, values.length), class: 'line' }));
  const y = height - (values.at(-1) / high) * height;
  svg.append(shape('circle', { cx: width, cy: y, r: 2.5, class: 'point' }));
  return svg;
}

/** A bar of parts, [name, size]; `whole` is the size of the full width. */
export function bar(parts, whole) {
  const svg = shape('svg', { viewBox: '0 0 300 14', class: 'bar', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  let at = 0;
  parts.forEach(([, size], number) => {
    const width = (300 * size) / (whole || 1);
    svg.append(shape('rect', { x: at, y: 0, width: Math.max(width, 0), height: 14, class: `part part-${number}` }));
    at += width;
  });
  return svg;
}

/** An interval, low to high around a value, in an axis from −most to most whose middle is 0. */
export function span(low, value, high, most, decided) {
  const svg = shape('svg', { viewBox: '0 0 300 14', class: decided ? 'bar span decided' : 'bar span', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const x = at => 150 + 150 * Math.min(Math.max(at / most, -1), 1);
  svg.append(shape('rect', { x: x(low), y: 3, width: Math.max(x(high) - x(low), 1), height: 8, class: 'part part-1' }),
    shape('line', { x1: 150, x2: 150, y1: 0, y2: 14, class: 'zero' }),
    shape('line', { x1: x(value), x2: x(value), y1: 1, y2: 13, class: 'here' }));
  return svg;
}
