// The picture of the labelling page with its boxes: zooms, pans, and turns pointer movements into boxes. label.js decides what the boxes mean.

const Deepest = 16; // relative to the size that just fits
const Least = 5; // CSS pixels: a shorter drag is a click
const Handles = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const area = box => box.width * box.height;

/** The box between two opposite corners. */
const between = (x1, y1, x2, y2) =>
  ({ x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) });

/** The box moved by a part of the picture, but not out of it. */
export const moved = (box, dx, dy) =>
  ({ ...box, x: clamp(box.x + dx, 0, 1 - box.width), y: clamp(box.y + dy, 0, 1 - box.height) });

/**
 * Shows boxes { key, x, y, width, height, hue, tag, label, suggested } (relative to the picture) on an element that has a .sheet with an
 * image. Reports what the user does: drawn(box), changed(key, box), chosen(key or null) and accepted(key).
 */
export class Stage {
  #element;
  #sheet;
  #picture;
  #owner;
  #view = { zoom: 1, x: 0, y: 0 }; // pixels of the stage
  #shown = { boxes: [], selected: null };
  #elements = new Map();
  #pointers = new Map();
  #act = null; // current pointer action
  #handles = Handles.map(handle => made('span', 'handle', { 'data-handle': handle }));
  #draft = made('div', 'box draft');
  #watch = new ResizeObserver(() => this.#place());

  constructor(element, owner) {
    [this.#element, this.#owner] = [element, owner];
    this.#sheet = element.querySelector('.sheet');
    this.#picture = this.#sheet.querySelector('img');
    this.#watch.observe(element);
    element.addEventListener('pointerdown', event => this.#down(event));
    element.addEventListener('pointermove', event => this.#move(event));
    for (const kind of ['pointerup', 'pointercancel']) element.addEventListener(kind, event => this.#up(event));
    element.addEventListener('focusin', event => this.#focused(event));
    element.addEventListener('wheel', event => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), ...this.#at(event)); // Ctrl means a pinch on a touchpad
    }, { passive: false });
  }

  dispose() {
    this.#watch.disconnect();
  }

  /** Loads a picture and replaces the previous one. Throws if the browser cannot. */
  async show(source) {
    this.stop();
    this.draw([], null);
    this.#sheet.hidden = true;
    this.#picture.src = source;
    await this.#picture.decode();
    this.#sheet.hidden = false;
    this.#view.zoom = 1;
    this.#place();
  }

  draw(boxes, selected) {
    this.#shown = { boxes, selected };
    const keys = new Set(boxes.map(box => box.key));
    for (const [key, element] of this.#elements) {
      if (keys.has(key)) continue;
      element.remove();
      this.#elements.delete(key);
    }
    let next = null;
    for (const box of boxes.toReversed()) {
      const element = this.#elements.get(box.key) ?? this.#add(box.key, next); // in this order for the Tab key
      next = element;
      const own = box.key === selected;
      const looks = { second: box.hue >= 8, suggested: box.suggested, top: box.y < 0.05 };
      element.className = ['box', `hue-${box.hue % 8}`, ...Object.keys(looks).filter(look => looks[look])].join(' ');
      element.setAttribute('aria-label', box.label);
      if (box.suggested) element.removeAttribute('aria-pressed');
      else element.setAttribute('aria-pressed', own);
      element.querySelector('.tag').textContent = box.tag;
      element.style.zIndex = own ? 10_001 : Math.round(10_000 * (1 - area(box))); // smaller boxes on top
      if (own && element.lastChild !== this.#handles.at(-1)) element.append(...this.#handles);
      this.#shape(element, box);
    }
    if (!keys.has(selected)) this.#handles.forEach(handle => handle.remove());
  }

  focus(key) {
    (this.#elements.get(key) ?? this.#element).focus({ preventScroll: true });
  }

  /** The key of the box that has the focus. */
  get focused() {
    return this.#shown.boxes.find(box => this.#elements.get(box.key) === document.activeElement)?.key ?? null;
  }

  /** The visible part of the picture, relative to the whole. */
  get visible() {
    const { width, height } = this.#size();
    return {
      x: Math.max(0, -this.#view.x / width), y: Math.max(0, -this.#view.y / height),
      width: Math.min(1, this.#element.clientWidth / width), height: Math.min(1, this.#element.clientHeight / height),
    };
  }

  get zoomed() { return this.#view.zoom > 1; }

  /** Zooms by a factor around a point of the stage, by default its centre. */
  zoom(factor, x = this.#element.clientWidth / 2, y = this.#element.clientHeight / 2) {
    const zoom = clamp(this.#view.zoom * factor, 1, Deepest);
    const by = zoom / this.#view.zoom;
    this.#view = { zoom, x: x - (x - this.#view.x) * by, y: y - (y - this.#view.y) * by };
    this.#place();
  }

  pan(dx, dy) {
    this.#view.x += dx;
    this.#view.y += dy;
    this.#place();
  }

  /** Cancels the current pointer action. Returns whether there was one. */
  stop() {
    const act = this.#act;
    this.#act = null;
    this.#draft.remove();
    if (act?.box) this.#shape(this.#elements.get(act.box.key), act.box);
    return act !== null;
  }

  #add(key, next) {
    const element = made('div', 'box', { role: 'button', tabindex: 0, 'aria-roledescription': 'box', 'data-key': key });
    element.append(made('span', 'tag', { 'aria-hidden': true }));
    this.#sheet.insertBefore(element, next);
    this.#elements.set(key, element);
    return element;
  }

  #shape(element, box) {
    for (const [property, value] of [['left', box.x], ['top', box.y], ['width', box.width], ['height', box.height]]) {
      element.style[property] = `${100 * value}%`;
    }
  }

  #size() {
    const { naturalWidth, naturalHeight } = this.#picture;
    const { clientWidth, clientHeight } = this.#element;
    const scale = Math.min(clientWidth / (naturalWidth || 1), clientHeight / (naturalHeight || 1)) * this.#view.zoom;
    return { width: scale * naturalWidth, height: scale * naturalHeight };
  }

  /** A picture larger than the stage covers it; a smaller one is centred. */
  #place() {
    const { width, height } = this.#size();
    const within = (from, size, room) => (size <= room ? (room - size) / 2 : clamp(from, room - size, 0));
    this.#view.x = within(this.#view.x, width, this.#element.clientWidth);
    this.#view.y = within(this.#view.y, height, this.#element.clientHeight);
    Object.assign(this.#sheet.style,
      { width: `${width}px`, height: `${height}px`, transform: `translate(${this.#view.x}px, ${this.#view.y}px)` });
  }

  /** Position of a pointer in pixels of the stage. */
  #at(event) {
    const frame = this.#element.getBoundingClientRect();
    return [event.clientX - frame.left - this.#element.clientLeft, event.clientY - frame.top - this.#element.clientTop];
  }

  /** Converts a position on the stage to one in the picture. */
  #inside(x, y) {
    const { width, height } = this.#size();
    return { x: clamp((x - this.#view.x) / width, 0, 1), y: clamp((y - this.#view.y) / height, 0, 1) };
  }

  #focused(event) {
    const key = event.target.dataset.key;
    const box = this.#shown.boxes.find(one => one.key === key);
    if (!box) return;
    const seen = this.visible;
    if (box.x + box.width < seen.x || box.y + box.height < seen.y || box.x > seen.x + seen.width || box.y > seen.y + seen.height) {
      const { width, height } = this.#size();
      this.pan((seen.x + seen.width / 2 - box.x - box.width / 2) * width, (seen.y + seen.height / 2 - box.y - box.height / 2) * height);
    }
    if (!box.suggested && key !== this.#shown.selected) this.#owner.chosen(key);
  }

  #down(event) {
    if (this.#sheet.hidden || event.button > 1) return;
    event.preventDefault(); // neither select nor scroll
    this.#element.setPointerCapture(event.pointerId);
    const [x, y] = this.#at(event);
    this.#pointers.set(event.pointerId, { x, y });
    this.stop();
    if (!this.#element.contains(document.activeElement)) this.focus();
    if (this.#pointers.size === 2) this.#act = { kind: 'pinch', from: this.#pinch() };
    if (this.#pointers.size > 1) return;
    const start = this.#inside(x, y);
    const own = this.#shown.boxes.find(box => box.key === this.#shown.selected);
    const handle = event.target.dataset.handle;
    this.#act = event.button === 1 ? { kind: 'pan' }
      : own && handle ? { kind: 'resize', box: own, handle }
      : own && !event.shiftKey && this.#covers(own, start) ? { kind: 'move', box: own } : { kind: 'draw' };
    Object.assign(this.#act, { start, x, y, begun: false });
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const [x, y] = this.#at(event);
    this.#pointers.set(event.pointerId, { x, y });
    const act = this.#act;
    if (act?.kind === 'pinch') {
      const now = this.#pinch();
      this.zoom(now.length / act.from.length, act.from.x, act.from.y);
      this.pan(now.x - act.from.x, now.y - act.from.y);
      act.from = now;
    } else if (act?.kind === 'pan') {
      this.pan(x - before.x, y - before.y);
    } else if (act && (act.begun ||= Math.hypot(x - act.x, y - act.y) >= Least)) {
      act.result = this.#result(act, this.#inside(x, y));
      if (act.kind === 'draw') this.#sheet.append(this.#draft);
      this.#shape(act.kind === 'draw' ? this.#draft : this.#elements.get(act.box.key), act.result);
    }
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const act = this.#act;
    this.stop();
    if (!act || act.kind === 'pinch' || act.kind === 'pan' || event.type === 'pointercancel') return;
    if (!act.begun) this.#click(act.start);
    else if (area(act.result) === 0) return;
    else if (act.kind === 'draw') this.#owner.drawn(act.result);
    else this.#owner.changed(act.box.key, act.result);
  }

  #result({ kind, start, box, handle }, now) {
    if (kind === 'draw') return between(start.x, start.y, now.x, now.y);
    if (kind === 'move') return moved(box, now.x - start.x, now.y - start.y);
    const [right, bottom] = [box.x + box.width, box.y + box.height];
    return {
      ...box,
      ...between(handle.includes('w') ? now.x : box.x, handle.includes('n') ? now.y : box.y,
        handle.includes('e') ? now.x : right, handle.includes('s') ? now.y : bottom),
    };
  }

  /** Of overlapping boxes, the first click selects the smallest, each further click the next larger one. */
  #click(point) {
    const here = this.#shown.boxes.filter(box => this.#covers(box, point)).sort((a, b) => area(a) - area(b));
    const meant = here[here.findIndex(box => box.key === this.#shown.selected) + 1] ?? here[0];
    if (meant?.suggested) return this.#owner.accepted(meant.key);
    this.#owner.chosen(meant?.key ?? null);
    this.focus(meant?.key);
  }

  #covers(box, { x, y }) {
    const { width, height } = this.#size();
    const [dx, dy] = [4 / width, 4 / height]; // the width of the border
    return x >= box.x - dx && x <= box.x + box.width + dx && y >= box.y - dy && y <= box.y + box.height + dy;
  }

  #pinch() {
    const [a, b] = this.#pointers.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.hypot(a.x - b.x, a.y - b.y) || 1 };
  }
}

export function made(name, className, attributes = {}) {
  const element = Object.assign(document.createElement(name), { className });
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
