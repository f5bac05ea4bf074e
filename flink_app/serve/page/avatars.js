// Draws a face for each person: the same id always gets the same one. In: an id. Out: an SVG element,
// hidden from screen readers.

import { hash, shape } from './pictures.js';

export function avatar(id) {
  const seed = hash(id);
  const part = (shift, span) => (seed >>> shift) % span;
  const hue = part(2, 360);
  const tone = (light, turn = 0, strong = 55) => `hsl(${(hue + turn) % 360} ${strong}% ${light}%)`;
  const svg = shape('svg', { viewBox: '0 0 40 40', class: 'avatar', 'aria-hidden': 'true', focusable: 'false' });
  const skin = ['#f6d7bd', '#e9b995', '#c98d62', '#94603d', '#6b4329'][part(5, 5)];
  const hair = ['#2b2220', '#5a3a25', '#a9713c', '#d9b36b', '#8f8f93'][part(8, 5)];
  svg.append(
    shape('rect', { width: 40, height: 40, fill: tone(80, 150) }),
    ...(part(11, 2) ? [shape('path', { d: 'M8 38V17a12 12 0 0 1 24 0v21z', fill: hair })] : []), // long hair
    shape('path', { d: 'M6 40c0-8 6-11 14-11s14 3 14 11z', fill: tone(46) }),
    shape('rect', { x: 16.5, y: 24, width: 7, height: 8, rx: 3, fill: skin }),
    shape('ellipse', { cx: 20, cy: 18.5, rx: 8, ry: 9, fill: skin }),
    shape('path', { d: TOPS[part(14, TOPS.length)], fill: hair }),
    shape('path', { d: 'M16.6 18.4h1.6v2h-1.6zM21.8 18.4h1.6v2h-1.6z', fill: '#2a2020' }),
    shape('path', { d: MOUTHS[part(18, MOUTHS.length)], fill: 'none', stroke: '#8a3f36', 'stroke-width': 1.1 }),
  );
  return svg;
}

const TOPS = [
  'M11.6 18c-1-8 3-11 8.4-11s9.4 3 8.4 11c-1.500-4-3-5.500-4.500-6-3 1.500-7 1.500-9 .5-1.500 1.200-2.800 3-3.300 5.500z',
  'M11.500 17c0-8 4-10.500 8.500-10.500 6 0 9.500 4 8.300 10-3-1-5-2.500-6.300-4.500-2 3-6 4.500-10.500 5z',
  'M12 16c0-6 3.500-8.500 8-8.500s8 2.500 8 8.500c-2-3-4.500-4-8-4s-6 1-8 4z',
];
const MOUTHS = ['M17 23.500c1.500 1.600 4.500 1.600 6 0', 'M17.500 23.800h5', 'M17.300 23c1 2 4.400 2 5.400 0'];
