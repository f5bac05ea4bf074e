// Starts the page: views, theme, and messages about failures.

import { by } from './dom.js';
import * as front from './front.js';
import { TAB } from './look.js';
import * as operator from './operator.js';

const THEMES = ['auto', 'light', 'dark'];
const tabs = [...document.querySelectorAll('[role=tab]')];

function select(tab, focus = false) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute('aria-selected', String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    by(one.getAttribute('aria-controls')).hidden = !chosen;
  }
  if (focus) tab.focus();
  const view = tab.getAttribute('aria-controls');
  operator.show(view === 'operator');
  history.replaceState(null, '', `${location.pathname}${location.search}#${view}`);
}

for (const tab of tabs) {
  tab.addEventListener('click', () => select(tab));
  tab.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) select(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length], true);
  });
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  by('theme').textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[name];
  by('theme').setAttribute('aria-label', `Theme: ${name}`);
  localStorage.setItem('millirec-theme', name);
}

by('theme').addEventListener('click', () => {
  theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
});
theme(THEMES.find(one => one === localStorage.getItem('millirec-theme')) ?? 'auto');

let hiding = 0;
by('tab-front').textContent = TAB;
front.start({
  onLink(up) {
    by('link').classList.toggle('up', up);
    by('link').lastElementChild.textContent = up ? 'live' : 'no connection';
  },
  onProblem(text) {
    clearTimeout(hiding);
    by('problem').textContent = text;
    by('problem').hidden = false;
    hiding = setTimeout(() => { by('problem').hidden = true; }, 8000);
  },
});
select(tabs.find(tab => `#${tab.getAttribute('aria-controls')}` === location.hash) ?? tabs[0]);
