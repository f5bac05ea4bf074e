// Draws a picture for each item: the same id always gets the same one, without a file or a request.
// In: an item's id and its category. Out: an SVG element, hidden from screen readers.

const NS = 'http://www.w3.org/2000/svg';

// The drawing for each category of the simulated shop, in a box of 100 × 100: [path, tone], where
// tone 0 is the item's colour, 1 a darker one, 2 a lighter one.
const MOTIFS = {
  kitchen: [
    [['M26 44h48v22a12 12 0 0 1-12 12H38a12 12 0 0 1-12-12z', 0], ['M20 38h60v7H20z', 1], ['M45 30h10v8H45z', 1],
      ['M74 48h12v7H74zM14 48h12v7H14z', 1], ['M34 51h5v17h-5z', 2]],
    [['M28 36h38v38a8 8 0 0 1-8 8H36a8 8 0 0 1-8-8z', 0], ['M66 44h6a11 11 0 0 1 0 22h-6v-7h6a4 4 0 0 0 0-8h-6z', 1],
      ['M38 18c6 5-4 8 2 13h-5c-6-5 3-8-2-13zM52 18c6 5-4 8 2 13h-5c-6-5 3-8-2-13z', 1], ['M35 45h5v22h-5z', 2]],
  ],
  garden: [
    [['M47 44h6v24h-6z', 1], ['M50 50C34 50 26 40 26 24c16 0 24 10 24 26z', 0],
      ['M50 44c0-14 8-22 24-22 0 14-8 22-24 22z', 2], ['M32 66h36l-5 18H37z', 1], ['M29 62h42v7H29z', 0]],
    [['M24 44h40l-4 36H28z', 0], ['M62 50l18-14 5 5-20 24z', 1], ['M30 44a14 14 0 0 1 28 0h-6a8 8 0 0 0-16 0z', 1],
      ['M78 26l4 6-4 4-5-5zM86 34l5 4-4 5-5-5z', 2], ['M34 52h5v20h-5z', 2]],
  ],
  books: [
    [['M22 28c10-4 20-3 28 3v50c-8-6-18-7-28-3z', 0], ['M78 28c-10-4-20-3-28 3v50c8-6 18-7 28-3z', 1],
      ['M29 39c5-1 10-1 14 1v5c-4-2-9-2-14-1zM29 51c5-1 10-1 14 1v5c-4-2-9-2-14-1z', 2]],
    [['M24 62h50v16H24z', 0], ['M30 42h48v16H30z', 1], ['M22 22h46v16H22z', 0], ['M32 62h5v16h-5zM38 42h5v16h-5zM30 22h5v16h-5z', 2]],
  ],
  music: [
    [['M40 26l36-8v9l-36 8z', 1], ['M40 26h6v42h-6zM70 20h6v40h-6z', 0],
      ['M36 62a10 8 0 1 1 0 16 10 8 0 0 1 0-16z', 0], ['M66 54a10 8 0 1 1 0 16 10 8 0 0 1 0-16z', 1]],
    [['M24 56a26 26 0 0 1 52 0h-8a18 18 0 0 0-36 0z', 1], ['M20 54h16v26H24a4 4 0 0 1-4-4zM64 54h16v22a4 4 0 0 1-4 4H64z', 0],
      ['M26 60h5v14h-5zM69 60h5v14h-5z', 2]],
  ],
  sport: [
    [['M50 20a30 30 0 1 1 0 60 30 30 0 0 1 0-60z', 0],
      ['M28 30c14 6 14 34 0 40l-4-5c9-6 9-24 0-30zM72 30c-14 6-14 34 0 40l4-5c-9-6-9-24 0-30z', 2], ['M47 20h6v60h-6z', 1]],
    [['M12 40h10v20H12zM78 40h10v20H78z', 1], ['M22 32h14v36H22zM64 32h14v36H64z', 0], ['M36 46h28v8H36z', 1], ['M26 38h4v24h-4zM68 38h4v24h-4z', 2]],
  ],
  toys: [
    [['M22 52h27v27H22z', 0], ['M52 52h27v27H52z', 1], ['M37 22h27v27H37z', 2],
      ['M31 61h9v9h-9z', 2], ['M61 61h9v9h-9z', 0], ['M46 31h9v9h-9z', 1]],
    [['M50 14l24 28-24 28-24-28z', 0], ['M50 14l24 28H50zM50 70L26 42h24z', 2], ['M48 70h4c0 8 10 6 10 14h-4c0-5-10-4-10-14z', 1],
      ['M54 74l9-3v8zM62 80l8 3-7 5z', 1]],
  ],
  clothing: [
    [['M36 24l14 6 14-6 20 13-8 15-9-4v32H33V48l-9 4-8-15z', 0], ['M40 24l10 10 10-10-10 5z', 1], ['M33 66h34v6H33z', 2]],
    [['M26 62c0-22 8-34 24-34s24 12 24 34z', 0], ['M22 60h56v16a4 4 0 0 1-4 4H26a4 4 0 0 1-4-4z', 1],
      ['M50 16a7 7 0 1 1 0 14 7 7 0 0 1 0-14z', 2], ['M32 60h5v20h-5zM47 60h5v20h-5zM62 60h5v20h-5z', 2]],
  ],
  shoes: [
    [['M24 28h20l4 22 26 10c6 2 8 7 8 12H24z', 0], ['M22 72h62v8H22z', 1], ['M48 50l7 3-4 8-7-3zM58 54l7 3-4 8-7-3z', 2]],
    [['M18 46c8 6 14 6 20-2l26 12c12 3 18 6 20 14H18z', 0], ['M16 68h70v9H16z', 1], ['M40 48l6 3-5 9-6-3zM52 53l6 3-5 9-6-3z', 2]],
  ],
  lighting: [
    [['M36 22h28l12 30H24z', 0], ['M47 52h6v22h-6z', 1], ['M34 74h32v7H34z', 1], ['M40 26h8l-5 22h-9z', 2]],
    [['M50 16a24 24 0 0 1 14 43c-3 3-4 6-4 9H40c0-3-1-6-4-9a24 24 0 0 1 14-43z', 0], ['M40 70h20v6H40zM43 78h14v6H43z', 1],
      ['M36 40a14 14 0 0 1 14-14v6a8 8 0 0 0-8 8z', 2]],
  ],
  office: [
    [['M26 20h40l10 10v52H26z', 0], ['M66 20l10 10H66z', 2], ['M35 42h31v5H35zM35 54h31v5H35zM35 66h20v5H35z', 2], ['M26 20h5v62h-5z', 1]],
    [['M30 20h40v26H30z', 0], ['M26 50h48v8H26z', 1], ['M46 58h8v14h-8z', 1], ['M32 76l14-8h8l14 8v6H32z', 0], ['M36 26h6v14h-6z', 2]],
  ],
  travel: [
    [['M22 38h56v40H22z', 0], ['M38 38v-8a6 6 0 0 1 6-6h12a6 6 0 0 1 6 6v8h-6v-8H44v8z', 1], ['M32 38h6v40h-6zM62 38h6v40h-6z', 1], ['M46 52h8v10h-8z', 2]],
    [['M50 22l36 56H14z', 0], ['M50 22l18 28-6 28H38l-6-28z', 1], ['M50 48l12 30H38z', 2], ['M48 14h4v10h-4z', 1]],
  ],
  pets: [
    [['M50 48c12 0 22 12 20 22-2 9-11 9-20 6-9 3-18 3-20-6-2-10 8-22 20-22z', 0],
      ['M28 40a7 9 0 1 1 0 .1zM40 28a7 9 0 1 1 0 .1zM60 28a7 9 0 1 1 0 .1zM72 40a7 9 0 1 1 0 .1z', 1], ['M42 62a8 6 0 1 1 0 .1z', 2]],
    [['M16 50c12-22 36-24 50-2l16-12v28L66 52c-14 22-38 20-50-2z', 0], ['M30 45a4 4 0 1 1 0 .1z', 2],
      ['M44 34c6 8 6 24 0 32h7c6-8 6-24 0-32z', 1]],
  ],
};
const NAMES = Object.keys(MOTIFS);

/** FNV-1a: a 32-bit number from a string. */
export function hash(text) {
  let value = 0x811c9dc5;
  for (const unit of text) value = Math.imul(value ^ unit.codePointAt(0), 0x01000193) >>> 0;
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 0;
  return (value ^ (value >>> 13)) >>> 0;
}

export function shape(kind, attributes) {
  const element = document.createElementNS(NS, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export function picture(id, category) {
  const seed = hash(id);
  const part = (shift, span) => (seed >>> shift) % span;
  const place = NAMES.indexOf(category);
  const base = place >= 0 ? place * 30 + 12 : hash(category || id) % 360;
  const hue = (base + part(3, 25) - 12 + 360) % 360;
  const tones = [`hsl(${hue} 46% 52%)`, `hsl(${hue} 48% 38%)`, `hsl(${hue} 62% 86%)`];
  const behind = (hue + [0, 0, 40, 320, 180][part(1, 5)]) % 360;
  const colour = (light, dark) => `light-dark(hsl(${behind} 42% ${light}%), hsl(${behind} 24% ${dark}%))`;
  const svg = shape('svg', { viewBox: '0 0 160 120', 'aria-hidden': 'true', focusable: 'false' });
  svg.append(shape('rect', { width: 160, height: 120, fill: colour(92, 21) }), ground(part, colour));
  const turn = part(9, 13) - 6;
  const size = 0.86 + part(13, 9) / 50;
  const middle = shape('g', { transform: `translate(80 60) rotate(${turn}) scale(${size}) translate(-50 -50)` });
  const motif = MOTIFS[category]?.[part(6, 2)] ?? abstract(part);
  for (const [d, tone] of motif) middle.append(shape('path', { d, fill: tones[tone] }));
  svg.append(middle);
  return svg;
}

/** The background: one of four plain patterns. */
function ground(part, colour) {
  const fill = colour(85, 26);
  const group = shape('g', { fill });
  const [x, y] = [30 + part(17, 100), 20 + part(21, 80)];
  switch (part(25, 4)) {
    case 0:
      group.append(shape('circle', { cx: x, cy: y, r: 46 }));
      break;
    case 1:
      group.append(shape('path', { d: `M0 ${70 + part(17, 24)}C50 ${50 + part(21, 30)} 100 112 160 ${72 + part(19, 24)}V120H0z` }));
      break;
    case 2:
      for (let n = 0; n < 5; n++) {
        group.append(shape('path', { d: `M${n * 44 - 30} 120l60-120h12l-60 120z` }));
      }
      break;
    default:
      for (let n = 0; n < 24; n++) {
        group.append(shape('circle', { cx: 12 + (n % 6) * 27, cy: 14 + Math.floor(n / 6) * 30, r: 3.4 }));
      }
  }
  return group;
}

/** Three simple shapes, for a category that has no motif. */
function abstract(part) {
  const circle = (x, y, r) => `M${x} ${y - r}a${r} ${r} 0 1 1 0 ${2 * r}a${r} ${r} 0 1 1 0-${2 * r}z`;
  const square = (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h-${2 * r}z`;
  const wedge = (x, y, r) => `M${x} ${y - r}l${r} ${2 * r}h-${2 * r}z`;
  const half = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 0 1 ${2 * r} 0z`;
  const forms = [circle, square, wedge, half];
  return [0, 1, 2].map(n => [
    forms[part(5 + 4 * n, 4)](34 + part(7 + 3 * n, 33), 34 + part(11 + 3 * n, 33), 15 + part(2 + 5 * n, 12)), n,
  ]);
}
