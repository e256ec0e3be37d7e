// The labelling page: draw boxes image by image; they are saved when the user goes on.

import { send, ApiError } from './api.js';
import { press } from './label-keys.js';
import { render } from './label-panel.js';
import { add, boxed, counted, guess, overlap, spoken, unsaved } from './label-pictures.js';
import { Stage } from './label-stage.js';

const Json = { 'Content-Type': 'application/json' };
const Page = 200; // images per request
const Ahead = 20; // images left before more are loaded
const Patience = 3_000; // milliseconds to wait for suggestions for the first image
const Closer = 1.5; // zoom per step
const Same = 0.5; // overlap (IoU) from which a suggestion duplicates a box

export function open(area, model, image) {
  const labelling = new Labelling(area, model);
  labelling.start(image);
  return labelling;
}

class Labelling {
  pictures = [];
  at = 0; // index of the current picture
  furthest; // highest index shown so far
  after; // last image loaded; null if there are no more
  categories = [];
  current = null; // category of the next box
  selected = null; // key of the selected box
  version = null; // the published version, if it gives suggestions
  asking = false; // a request for suggestions is running
  busy = false;
  unseen = false; // the current picture has not come yet, and the one before is still visible
  left = false; // the page was left

  constructor(area, model) {
    Object.assign(this, { area, model, path: `models/${model}` });
    this.stage = new Stage(this.part('board'), this);
    const keys = event => press(this, event);
    const away = event => { if (this.unsaved) event.preventDefault(); };
    document.addEventListener('keydown', keys);
    addEventListener('beforeunload', away);
    this.forget = () => {
      document.removeEventListener('keydown', keys);
      removeEventListener('beforeunload', away);
    };
    area.addEventListener('click', event => {
      const { do: act, category } = event.target.closest('button')?.dataset ?? {};
      if (act) this[act]();
      if (category) this.choose(category);
    });
    this.part('difficult').addEventListener('change', () => this.difficult());
    this.part('naming').addEventListener('submit', event => {
      event.preventDefault();
      this.named(this.part('name').value.trim());
    });
  }

  dispose() {
    this.left = true;
    this.forget();
    this.stage.dispose();
  }

  get picture() { return this.pictures[this.at]; }

  get unsaved() { return this.pictures.some(unsaved); }

  get complete() { return this.after === null; }

  part(name) { return this.area.querySelector(`[data-part=${name}]`); }

  say(text) { this.part('status').textContent = text; }

  trouble(text) { this.part('trouble').textContent = text; }

  /** Whether the page may be left. The page calls it before following a link. */
  leave() { return !this.unsaved || confirm('The boxes of this image are not saved. Leave the page without saving them?'); }

  /** Starts at an image, or at the first unlabelled one. The page also calls it when its address changes. */
  start(image) {
    this.working(async () => {
      Object.assign(this, { pictures: [], at: 0, furthest: -1, after: undefined });
      const model = await send('GET', this.path);
      this.version = model.publishedVersion ?? null;
      this.know(model);
      if (image) add(this.pictures, this.model, [await send('GET', `${this.path}/images/${image}`)]);
      await this.more();
      if (!image) await Promise.race([guess(this), new Promise(resolve => setTimeout(resolve, Patience))]);
      await this.show(0);
    });
  }

  /** Loads more images without labels. */
  async more() {
    if (this.complete) return;
    const page = await send('GET', `${this.path}/images?boxes=false&limit=${Page}${this.after ? `&after=${this.after}` : ''}`);
    this.after = page.next ?? null;
    add(this.pictures, this.model, page.items);
  }

  async show(at) {
    if (this.left) return; // the address is that of another page
    [this.at, this.selected] = [at, null];
    this.part('work').hidden = !this.picture;
    this.part('done').hidden = Boolean(this.picture);
    if (!this.picture) {
      render(this);
      this.say('No image is left without labels.');
      this.part('done').focus();
      return;
    }
    this.furthest = Math.max(at, this.furthest);
    const { image, name, source, boxes } = this.picture;
    history.replaceState(history.state, '', `models/${this.model}/label/${image.id}`); // a reload shows the same image
    this.unseen = true;
    try {
      await this.stage.show(source);
    } catch {
      this.trouble('This image could not be loaded. Go on to the next one, or reload the page.');
    }
    this.unseen = false;
    render(this);
    this.stage.focus();
    this.say(`${name}: ${counted(boxes.length, 'box', 'boxes')}.`);
    this.prepare();
  }

  /** Loads the next images while the user works on this one. */
  async prepare() {
    try {
      if (this.pictures.length - this.at < Ahead) await this.more();
      await guess(this);
      if (this.pictures[this.at + 1]) new Image().src = this.pictures[this.at + 1].source;
    } catch {
      // Going to the next image retries and reports the error.
    }
    render(this);
  }

  // --- Going on

  next() { return this.go(1); }

  previous() { return this.go(-1); }

  go(step) {
    return this.working(async () => {
      if (!await this.save()) return;
      if (this.at + step < 0) return this.say('This is the first image.');
      if (this.at + step >= this.pictures.length) await this.more();
      await this.show(Math.min(this.at + step, this.pictures.length));
    });
  }

  nothing() {
    if (this.busy || !this.picture) return; // the next image may not be visible yet
    if (this.picture.boxes.length > 0) return this.say('This image has boxes. Delete them first to say that nothing is there.');
    this.picture.empty = true;
    return this.next();
  }

  /** Returns whether everything is saved, so that the user may go on. */
  async save() {
    const { picture } = this;
    if (!picture || !unsaved(picture)) return true;
    const nameless = picture.boxes.find(box => box.category === null);
    if (nameless) {
      this.chosen(nameless.key);
      this.name();
      this.say('What is in this box? Enter its category.');
      return false;
    }
    const { boxes } = picture;
    const body = JSON.stringify({ boxes: boxes.map(({ key, ...box }) => box) });
    try {
      await send('PUT', `${this.path}/images/${picture.image.id}/boxes`, body, Json);
    } catch (error) {
      if (error.status === 422) this.know(await send('GET', this.path)); // a category may have been renamed
      if (error.status !== 404) throw error; // a deleted image needs no boxes
    }
    picture.stored = boxes;
    return this.save(); // boxes drawn meanwhile
  }

  /** Runs one action at a time: requests during an action are ignored. */
  async working(work) {
    if (this.busy) return;
    this.busy = true;
    this.trouble('');
    try {
      await work();
    } catch (error) {
      const why = error instanceof ApiError ? error.message : error instanceof TypeError ? 'No connection to the server.' : String(error);
      this.trouble(this.unsaved ? `Not saved: ${why} Your boxes are still here; go on to try again.` : why);
      render(this);
    } finally {
      this.busy = false;
    }
  }

  // --- Boxes

  /** @param group Changes of the same group, as by a held key, are undone in one step. */
  edit(boxes, what, group = null) {
    const { picture } = this;
    if (group === null || group !== picture.group) picture.past.push(picture.boxes);
    Object.assign(picture, { boxes, group, future: [], empty: false });
    render(this);
    this.say(what);
  }

  drawn(place) {
    const box = boxed(this.current, place);
    this.selected = box.key;
    this.edit([...this.picture.boxes, box], this.current === null ? 'What is in this box? Enter its category.' : `${this.current} added.`);
    if (this.current === null) this.name();
    else this.stage.focus(box.key);
  }

  changed(key, { x, y, width, height }, group = null) {
    const place = { x, y, width, height };
    this.edit(this.picture.boxes.map(box => (box.key === key ? { ...box, ...place } : box)), `Now ${spoken(place)}.`, group);
  }

  chosen(key) {
    this.selected = key;
    if (this.picture) this.picture.group = null;
    render(this);
  }

  create() {
    if (!this.picture || this.unseen) return;
    const { x, y, width, height } = this.stage.visible;
    this.drawn({ x: x + width * 3 / 8, y: y + height * 3 / 8, width: width / 4, height: height / 4 });
  }

  remove() {
    const key = this.suggestionInFocus ?? this.selected;
    if (key === null) return this.say('Select a box first: click it, or press Tab.');
    if (key === this.selected) {
      this.selected = null;
      this.edit(this.picture.boxes.filter(box => box.key !== key), 'Box deleted.');
    } else {
      this.picture.dismissed.add(key);
      render(this);
      this.say('Suggestion dismissed.');
    }
    this.stage.focus();
  }

  /** Toggles whether the selected box is difficult: such boxes are not learned from and not counted if missed. */
  difficult() {
    const box = this.picture?.boxes.find(one => one.key === this.selected);
    if (!box) return this.say('Select a box first: click it, or press Tab.');
    const changed = { ...box, difficult: !box.difficult };
    this.edit(this.picture.boxes.map(one => (one === box ? changed : one)), changed.difficult ? 'Difficult: no run learns from this box or counts it as missed.' : 'Not difficult.');
    this.stage.focus(this.selected);
  }

  unselect() {
    if (this.stage.stop()) return;
    this.chosen(null);
    this.stage.focus();
  }

  undo() { this.travel('past', 'future', 'undo'); }

  redo() { this.travel('future', 'past', 'redo'); }

  travel(from, to, what) {
    const { picture } = this;
    if (!picture?.[from].length) return this.say(`Nothing to ${what}.`);
    picture[to].push(picture.boxes);
    Object.assign(picture, { boxes: picture[from].pop(), group: null });
    if (!picture.boxes.some(box => box.key === this.selected)) this.selected = null;
    render(this);
    this.say(`${what === 'undo' ? 'Undone' : 'Redone'}: ${counted(picture.boxes.length, 'box', 'boxes')}.`);
    this.stage.focus(this.selected);
  }

  closer() { this.stage.zoom(Closer); }

  farther() { this.stage.zoom(1 / Closer); }

  fit() { this.stage.zoom(0); }

  // --- Suggestions

  /** The boxes found by the published version, without duplicates of existing ones. */
  get suggestions() {
    const { suggestions, dismissed, boxes } = this.picture;
    return (suggestions ?? []).filter(one => this.categories.includes(one.category) && !dismissed.has(one.key)
      && boxes.every(box => overlap(box, one) < Same));
  }

  get suggestionInFocus() {
    const key = this.stage.focused;
    return this.picture && this.suggestions.some(box => box.key === key) ? key : null;
  }

  accepted(key) {
    this.accept(this.suggestions.filter(box => box.key === key));
    this.stage.focus(this.selected);
  }

  acceptAll() {
    if (this.unseen) return;
    if (!this.picture || this.suggestions.length === 0) return this.say('There are no suggestions.');
    this.accept(this.suggestions);
    this.stage.focus();
  }

  accept(suggestions) {
    const boxes = suggestions.map(box => boxed(box.category, box));
    this.selected = boxes.length === 1 ? boxes[0].key : null;
    this.edit([...this.picture.boxes, ...boxes], `${counted(boxes.length, 'suggestion')} accepted.`);
  }

  // --- Categories

  know(model) {
    this.categories = model.categories.map(category => category.name);
    if (!this.categories.includes(this.current)) this.current = this.categories[0] ?? null;
  }

  /** Sets the category of the selected box and of later ones. */
  choose(category) {
    this.current = category;
    const meant = box => (box.key === this.selected || box.category === null) && box.category !== category;
    if (this.picture?.boxes.some(meant)) {
      this.edit(this.picture.boxes.map(box => (meant(box) ? { ...box, category } : box)), `This is ${category}.`);
    } else {
      render(this);
      this.say(`New boxes are ${category}.`);
    }
    this.stage.focus(this.selected);
  }

  name() { this.part('name').focus(); }

  named(name) {
    const same = other => other.toLowerCase() === name.toLowerCase();
    return this.working(async () => {
      if (name === '') return;
      if (!this.categories.some(same)) {
        const names = (await send('GET', this.path)).categories.map(category => category.name);
        const categories = names.some(same) ? names : [...names, name];
        this.know(await send('PATCH', this.path, JSON.stringify({ categories }), Json));
      }
      this.part('name').value = '';
      this.choose(this.categories.find(same) ?? this.categories.at(-1)); // the server may have normalised the name
    });
  }
}
