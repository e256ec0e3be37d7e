// Keyboard shortcuts of the labelling page. They work while its element has the focus, or nothing has.

import { moved } from './label-stage.js';

const Nudge = 0.01; // part of the visible area: zooming in makes the steps finer
const Jump = 0.05; // with Ctrl
const Far = 60; // pixels that an arrow key pans

const Keys = {
  Enter: 'next', n: 'next', p: 'previous', 0: 'nothing', a: 'acceptAll', b: 'create', c: 'name', d: 'difficult', Delete: 'remove', Backspace: 'remove',
  Escape: 'unselect', '+': 'closer', '=': 'closer', '-': 'farther', f: 'fit',
};
const Arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Performs a shortcut and prevents the browser's own action. */
export function press(labelling, event) {
  const { target, key } = event;
  if (event.defaultPrevented || event.altKey || !(labelling.area.contains(target) || target === document.body)) return;
  if (target.matches('input[type=checkbox]') && key === ' ') return; // toggles it
  if (target.matches('input:not([type=checkbox])')) {
    if (key === 'Escape') labelling.unselect();
    return;
  }
  if ((key === 'Enter' || key === ' ') && target.closest('button, a, summary')) return; // presses it
  if (means(labelling, event)) event.preventDefault();
}

/** Returns whether the key is a shortcut. */
function means(labelling, { key, ctrlKey, metaKey, shiftKey, repeat }) {
  const control = ctrlKey || metaKey;
  if (Arrows[key]) return arrow(labelling, Arrows[key], control ? Jump : Nudge, shiftKey);
  const act = control ? { z: shiftKey ? 'redo' : 'undo', y: 'redo' }[key.toLowerCase()] : Keys[key] ?? Keys[key.toLowerCase()];
  const category = !control && /^[1-9]$/.test(key) && labelling.categories[key - 1];
  const suggestion = (key === 'Enter' || key === ' ') && labelling.suggestionInFocus;
  if (!act && !category && !suggestion) return false;
  if (repeat && act !== 'undo' && act !== 'redo') return true; // a held key must not race through the images
  if (suggestion) labelling.accepted(suggestion);
  else if (category) labelling.choose(category);
  else labelling[act]();
  return true;
}

function arrow(labelling, [right, down], part, sizing) {
  const { picture, selected, stage } = labelling;
  const box = picture?.boxes.find(one => one.key === selected);
  if (!box) {
    if (picture && stage.zoomed) stage.pan(-right * Far, -down * Far);
    return Boolean(picture && stage.zoomed); // otherwise the page scrolls
  }
  const { width, height } = stage.visible;
  const [dx, dy] = [right * width * part, down * height * part];
  const sized = () => ({
    ...box,
    width: Math.min(Math.max(box.width + dx, width * Nudge), 1 - box.x),
    height: Math.min(Math.max(box.height + dy, height * Nudge), 1 - box.y),
  });
  labelling.changed(box.key, sizing ? sized() : moved(box, dx, dy), `${sizing} ${box.key}`);
  return true;
}
