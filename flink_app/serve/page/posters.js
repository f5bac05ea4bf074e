// Draws a wide picture for each video: a landscape at night, of which a series has one for all its
// episodes. In: an item's id, its category and series. Out: an SVG element, hidden from screen readers.

import { hash, shape } from './pictures.js';

const WIDTH = 160;
const HEIGHT = 90;
let drawn = 0;

export function poster(item, category, series) {
  const seed = hash(series || item);
  const own = hash(item);
  const part = (shift, span) => (seed >>> shift) % span;
  const hue = (hash(category || item) + part(2, 30)) % 360;
  const tone = (light, turn = 0, strong = 46) => `hsl(${(hue + turn) % 360} ${strong}% ${light}%)`;
  const svg = shape('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'xMidYMid slice', 'aria-hidden': 'true', focusable: 'false',
  });
  const fade = `sky-${drawn++}`; // one id for each picture, also of the same video
  const sky = shape('linearGradient', { id: fade, x1: 0, y1: 0, x2: 0, y2: 1 });
  sky.append(
    shape('stop', { offset: 0, 'stop-color': tone(11, 20) }),
    shape('stop', { offset: 0.62, 'stop-color': tone(34, 8) }),
    shape('stop', { offset: 1, 'stop-color': tone(58, 330, 62) }),
  );
  const light = { cx: 24 + own % 112, cy: 16 + part(9, 18), r: 5 + part(14, 6), fill: tone(82, 340, 70) };
  svg.append(sky, shape('rect', { width: WIDTH, height: HEIGHT, fill: `url(#${fade})` }), stars(own),
    shape('circle', { ...light, r: light.r * 1.7, opacity: 0.18 }), shape('circle', light));
  const scenes = (Object.hasOwn(SCENES, category) && SCENES[category]) || [ridge, city, sea, forest, planet];
  svg.append(...scenes[part(4, scenes.length)](part, tone));
  return svg;
}

function stars(seed) {
  let d = '';
  for (let n = 0; n < 26; n++) d += `M${(seed >>> (n % 9)) * (n + 3) % WIDTH} ${(seed >>> (n % 7)) * (n + 7) % 48}h.7v.7h-.7z`;
  return shape('path', { d, fill: '#fff', opacity: 0.55 });
}

/** Three rows of mountains, the nearest one darkest. */
function ridge(part, tone) {
  return [0, 1, 2].map(row => {
    const low = 56 + row * 11;
    let d = `M0 ${HEIGHT}V${low}`;
    for (let n = 1; n <= 8; n++) d += `L${n * 20} ${low - (n % 2 ? 6 + part(n + row * 3, 20) : part(n + 5, 6))}`;
    return shape('path', { d: `${d}V${HEIGHT}z`, fill: tone(26 - row * 9, 4 * row) });
  });
}

/** A street of houses with some windows lit. */
function city(part, tone) {
  const made = [];
  for (let n = 0; n < 11; n++) {
    const [x, height] = [n * 15 - 3, 18 + part(n + 2, 34)];
    made.push(shape('rect', { x, y: HEIGHT - height, width: 13 + part(n, 4), height, fill: tone(n % 2 ? 8 : 14) }));
    let lit = '';
    for (let y = HEIGHT - height + 5; y < HEIGHT - 4; y += 7) {
      if (part(n + (y % 5), 3)) lit += `M${x + 3 + part(y % 7, 6)} ${y}h2.4v2.6h-2.4z`;
    }
    made.push(shape('path', { d: lit, fill: tone(76, 340, 80), opacity: 0.8 }));
  }
  return made;
}

/** Water that reflects the light. */
function sea(part, tone) {
  let waves = '';
  for (let n = 0; n < 14; n++) waves += `M${part(n, 120)} ${62 + n * 2}h${14 + part(n + 4, 30)}v.9h-30z`;
  return [
    shape('path', { d: `M0 58H${WIDTH}V${HEIGHT}H0z`, fill: tone(15, 20) }),
    shape('path', { d: waves, fill: tone(72, 340, 60), opacity: 0.35 }),
    shape('path', { d: `M${30 + part(7, 70)} 58l9-20 3 20zm13 0l0-17 9 17zm-19 1h32l-6 6h-22z`, fill: tone(6) }),
  ];
}

/** Two rows of firs. */
function forest(part, tone) {
  return [0, 1].map(row => {
    let d = '';
    for (let n = 0; n < 15; n++) {
      const [x, tip] = [n * 12 - 6 + row * 6, 34 + row * 18 + part(n + row, 18)];
      d += `M${x} ${HEIGHT}L${x + 8} ${tip}L${x + 16} ${HEIGHT}z`;
    }
    return shape('path', { d, fill: tone(row ? 6 : 17, 6) });
  });
}

/** A planet with a ring above the ground. */
function planet(part, tone) {
  const [x, y, r] = [44 + part(6, 70), 40 + part(11, 10), 17 + part(13, 9)];
  return [
    shape('circle', { cx: x, cy: y, r, fill: tone(30, 40) }),
    shape('path', { d: `M${x - r} ${y}a${r} ${r} 0 0 0 ${2 * r} 0a${r} ${r * 0.4} 0 0 1 ${-2 * r} 0z`, fill: tone(20, 40) }),
    shape('ellipse', { cx: x, cy: y, rx: r * 1.7, ry: r * 0.42, fill: 'none', stroke: tone(70, 330, 60), 'stroke-width': 1.6 }),
    shape('path', { d: `M0 ${HEIGHT}V80C40 ${70 + part(3, 8)} 110 ${86 - part(5, 8)} ${WIDTH} 76V${HEIGHT}z`, fill: tone(7) }),
  ];
}

// The landscapes of the simulated platform's genres; others have any.
const SCENES = {
  'science-fiction': [planet], crime: [city], thriller: [city, forest], drama: [sea, city], comedy: [city, ridge],
  documentary: [ridge, sea, forest], animation: [forest, planet], romance: [sea], history: [ridge], music: [city, sea],
};
