// Displays the state of the labelling page: the boxes on the stage, the enabled buttons, the categories.

import { counted, spoken } from './label-pictures.js';
import { made } from './label-stage.js';

export function render(labelling) {
  const { area, categories, picture, pictures, selected } = labelling;
  const boxes = picture?.boxes ?? [];
  const suggested = picture ? labelling.suggestions : [];
  const part = name => labelling.part(name);
  labelling.stage.draw([...boxes.map((box, i) => own(box, i, boxes.length, categories)),
    ...suggested.map(box => suggestion(box, categories))], selected);
  part('board').setAttribute('aria-label', picture ? `${picture.name}, ${counted(boxes.length, 'box', 'boxes')}` : 'No image');
  const waiting = pictures.slice(labelling.at + 1).filter(one => one.stored === null).length;
  part('count').textContent = picture ? `${picture.name} · ${waiting}${labelling.complete ? '' : '+'} to go` : '';
  part('accept').hidden = suggested.length === 0;
  part('accept').firstChild.textContent = `Accept ${counted(suggested.length, 'suggestion')} `;
  const off = { undo: !picture?.past.length, redo: !picture?.future.length, remove: selected === null };
  for (const [name, disabled] of Object.entries(off)) area.querySelector(`[data-do=${name}]`).disabled = disabled;
  const chosen = boxes.find(box => box.key === selected);
  Object.assign(part('difficult'), { disabled: !chosen, checked: Boolean(chosen?.difficult) });
  const current = chosen?.category ?? labelling.current;
  const choices = categories.map((name, i) => [name, i, name === current, boxes.filter(box => box.category === name).length]);
  if (JSON.stringify(choices) === area.dataset.choices) return; // otherwise a focused button would lose the focus
  area.dataset.choices = JSON.stringify(choices);
  part('categories').replaceChildren(...choices.map(one => choice(...one)));
  part('names').replaceChildren(...categories.map(value => made('option', '', { value })));
}

function choice(name, i, current, count) {
  const item = made('li', '');
  const button = made('button', 'category', { type: 'button', 'data-category': name, 'aria-pressed': current });
  button.append(made('span', `swatch hue-${i % 8}${i < 8 ? '' : ' second'}`), text('span', name));
  if (count > 0) button.append(text('span', `${count} here`, 'soft'));
  if (i < 9) button.append(text('kbd', i + 1));
  item.append(button);
  return item;
}

const text = (element, textContent, className = '') => Object.assign(made(element, className), { textContent });

const hue = (box, categories) => Math.max(0, categories.indexOf(box.category));

function own(box, i, count, categories) {
  const name = box.category ?? 'no category yet';
  const tag = box.difficult ? `${name} (difficult)` : name;
  return { ...box, hue: hue(box, categories), tag, label: `${tag}, ${i + 1} of ${count}, ${spoken(box)}` };
}

function suggestion(box, categories) {
  const label = `Suggestion: ${box.category}, ${Math.round(100 * box.probability)} %, ${spoken(box)}`;
  return { ...box, hue: hue(box, categories), suggested: true, tag: `${box.category}?`, label };
}
