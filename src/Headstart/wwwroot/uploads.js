// Uploads go straight from the browser to the REST API, not through the page's connection: they continue while that is lost and retry while the
// server is unreachable. Sending a file twice stores it once, so a retry needs no record of what already arrived.

import { send, ApiError } from './api.js';

const FilesInRequest = 25;
const BytesInRequest = 8 << 20;
const AtOnce = 2;
const LongestWait = 10_000;
const Farewell = 10_000; // milliseconds the panel stays after a complete success
const LargestLook = 256 << 20; // bytes; larger archives are sent without a plan first
const Unreadable = 'The file cannot be read. It may have changed, or be gone.';

const waiting = [];
const listeners = new Set();
const total = { files: 0, done: 0, rejected: [] };
let active = 0; // workers of the current generation
let generation = 0;
let cancelled = new AbortController();
let trouble = null;

export const busy = () => waiting.length > 0 || active > 0;

/** Calls the component's Uploaded(modelId) whenever files have been uploaded. */
export function listen(component) {
  listeners.add(component);
}

export function forget(component) {
  listeners.delete(component);
}

// Teachable Machine's projects (.tm) are ZIP archives, too.
const isArchive = ({ file }) => /\.(zip|tm)$/i.test(file.name);

/** Queues files: [{ file, path, category, split }]. A ZIP archive brings its own categories. */
export function add(model, entries) {
  if (!busy() && total.files > 0) clear(); // but not what was rejected just before
  const archives = entries.filter(entry => !entry.texts && isArchive(entry));
  const tables = entries.filter(entry => entry.texts);
  const pictures = entries.filter(entry => !archives.includes(entry) && !tables.includes(entry));
  for (const table of tables) waiting.push({ model, files: [table], to: 'texts' });
  for (const archive of archives) waiting.push({ model, files: [archive], archive: true });
  for (const [category, files] of Map.groupBy(pictures, entry => entry.category)) {
    let batch = [];
    let bytes = 0;
    for (const one of files) {
      if (batch.length === FilesInRequest || (batch.length > 0 && bytes + one.file.size > BytesInRequest)) {
        waiting.push({ model, category, files: batch });
        [batch, bytes] = [[], 0];
      }
      batch.push(one);
      bytes += one.file.size;
    }
    if (batch.length > 0) waiting.push({ model, category, files: batch });
  }
  total.files += entries.length;
  show();
  while (active < AtOnce && waiting.length > 0) work(generation);
}

export function cancel() {
  generation++;
  cancelled.abort();
  cancelled = new AbortController();
  waiting.length = 0;
  active = 0; // files added next need not wait until the old workers have ended
  total.files = total.done;
  rest();
}

async function work(own) {
  active++;
  while (own === generation && waiting.length > 0) {
    const batch = waiting.shift();
    await deliver(batch, own);
  }
  if (own !== generation) return;
  active--;
  if (busy()) show();
  else rest();
}

/** Shows that nothing is being uploaded any more. */
function rest() {
  trouble = null;
  const done = total.files;
  setTimeout(() => { if (!busy() && total.files === done && total.rejected.length === 0) clear(); }, Farewell);
  show();
}

function clear() {
  Object.assign(total, { files: 0, done: 0, rejected: [] });
  show();
}

async function deliver(batch, own) {
  try {
    const answer = await insist(() => post(batch, own), own);
    if (own === generation) finish(batch, answer?.rejected ?? []);
  } catch (error) {
    if (own === generation) finish(batch, error.problem?.rejected ?? batch.files.map(({ file }) => ({ fileName: file.name, detail: error.message })));
  }
}

/** Sends a batch without the files that cannot be read any more: with them, each request fails as if there were no connection. */
async function post(batch, own) {
  const { signal } = cancelled;
  while (batch.files.length > 0) {
    try {
      return await (batch.archive
        ? send('POST', `models/${batch.model}/images`, batch.files[0].file, { 'Content-Type': 'application/zip' }, signal)
        : send('POST', `models/${batch.model}/${batch.to ?? 'images'}`, form(batch), {}, signal));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const readable = await Promise.all(batch.files.map(({ file }) => canRead(file)));
      if (own !== generation || readable.every(Boolean)) throw error;
      const gone = batch.files.filter((_, i) => !readable[i]);
      batch.files = batch.files.filter((_, i) => readable[i]);
      total.done += gone.length;
      total.rejected.push(...gone.map(({ file, path }) => ({ fileName: path ?? file.name, detail: Unreadable })));
      show();
    }
  }
  return null;
}

const canRead = file => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

/** Retries until there is an answer or the uploads are cancelled; throws an ApiError if a retry would not help. */
async function insist(call, own) {
  for (let attempt = 0; own === generation; attempt++) {
    try {
      const answer = await call();
      trouble = null;
      return answer;
    } catch (error) {
      if (own !== generation) return;
      if (error instanceof ApiError && !error.passes && error.status !== 401) throw error;
      trouble = error instanceof ApiError
        ? error.status === 401 ? 'You are signed out. Sign in again in another tab to continue the upload.' : error.message
        : 'No connection to the server. Retrying automatically.';
      show();
      const wait = Math.max(Math.min(500 * 2 ** attempt, LongestWait), 1000 * (error.retryAfter ?? 0));
      await new Promise(resolve => setTimeout(resolve, wait));
    }
  }
}

// Names include folders, so that the server recognises files of operating systems.
function form(batch) {
  const data = new FormData();
  const nameOf = ({ file, path }) => path ?? file.name;
  if (batch.files.some(one => one.split)) {
    const rows = batch.files.map(one => JSON.stringify({ file: nameOf(one), category: batch.category, split: one.split }));
    data.append('manifest', new Blob([rows.join('\n')]), 'labels.jsonl');
  } else if (batch.category !== undefined) {
    data.append('category', batch.category);
  }
  for (const one of batch.files) data.append('file', one.file, nameOf(one));
  return data;
}

function finish(batch, rejected) {
  total.done += batch.files.length;
  total.rejected.push(...rejected);
  show();
  for (const component of listeners) component.invokeMethodAsync('Uploaded', batch.model).catch(() => {}); // its page may be closed
}

// The panel is outside the Blazor components, so it survives navigation and reconnects.
function show() {
  const panel = document.getElementById('uploads');
  panel.hidden = total.files === 0 && total.rejected.length === 0;
  const open = busy();
  panel.querySelector('progress').max = Math.max(1, total.files);
  panel.querySelector('progress').value = total.done;
  panel.querySelector('.count').textContent = open ? `Uploading: ${total.done} of ${total.files} files` : `${total.done} of ${total.files} files uploaded`;
  panel.querySelector('.trouble').textContent = trouble ?? '';
  panel.querySelector('button').textContent = open ? 'Cancel' : 'Close';
  const details = panel.querySelector('details');
  details.hidden = total.rejected.length === 0;
  details.querySelector('summary').textContent = `${total.rejected.length} ${total.rejected.length === 1 ? 'file' : 'files'} rejected`;
  details.querySelector('ul').replaceChildren(...total.rejected.slice(0, 200).map(({ fileName, detail }) => {
    const item = document.createElement('li');
    item.textContent = `${fileName ?? 'Unnamed file'}: ${detail}`;
    return item;
  }));
}

document.querySelector('#uploads button').addEventListener('click', () => {
  if (busy()) cancel();
  else clear();
});

addEventListener('beforeunload', event => { if (busy()) event.preventDefault(); });

// --- Drop zones: <div data-drop="MODEL" data-category="cats">. Without data-category, folder names become the categories; with
// data-unlabelled, files are sent without categories.

const zoneOf = event => event.target.closest?.('[data-drop]');
const hasFiles = event => event.dataTransfer?.types.includes('Files');

for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, event => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // outside the zones, too: otherwise the browser opens the file instead of the page
    const zone = zoneOf(event);
    document.querySelectorAll('[data-drop].over').forEach(other => other.classList.toggle('over', other === zone && kind !== 'drop'));
    zone?.classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
    if (zone && kind === 'drop') take(zone, event.dataTransfer);
  });
}

document.addEventListener('change', event => {
  const zone = event.target.matches('input[type=file]') && zoneOf(event);
  if (!zone) return;
  if (!busy()) clear();
  const files = [...event.target.files].map(file => ({ file, folders: file.webkitRelativePath.split('/').slice(0, -1) }));
  event.target.value = '';
  queue(zone, files);
});

async function take(zone, data) {
  if (!busy()) clear();
  // Entries must be read before the event ends.
  const entries = [...data.items].map(item => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const files = [];
  for (const entry of entries) {
    if (entry instanceof File) files.push({ file: entry, folders: [] });
    else await walk(entry, [], files);
  }
  show();
  queue(zone, files);
}

/** Collects the files of an entry. What cannot be read is listed as rejected, and the others are sent. */
async function walk(entry, folders, files) {
  try {
    if (entry.isFile) {
      files.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), folders });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // returns at most 100 entries
      if (some.length === 0) return;
      for (const next of some) await walk(next, [...folders, entry.name], files);
    }
  } catch {
    total.rejected.push({ fileName: [...folders, entry.name].join('/'), detail: `The ${entry.isFile ? 'file' : 'folder'} cannot be read.` });
  }
}

async function queue(zone, files) {
  const { drop: model, category } = zone.dataset;
  if ('texts' in zone.dataset) return add(model, files.map(({ file }) => ({ file, texts: true })));
  const all = files.map(({ file, folders }) => ({ file, folders, path: [...folders, file.name].join('/') }));
  if (category) return add(model, all.map(one => ({ ...one, category })));
  const archives = all.filter(isArchive);
  const loose = all.filter(one => !archives.includes(one));
  const unlabelled = 'unlabelled' in zone.dataset;
  if (unlabelled && loose.length > 0) add(model, loose);
  const inFolders = unlabelled ? [] : loose.filter(one => one.folders.length > 0);
  const nameless = unlabelled ? [] : loose.filter(one => one.folders.length === 0);
  if (nameless.length > 0) {
    total.rejected.push(...nameless.map(({ file }) => ({ fileName: file.name, detail: 'No category. Drop the file on a category, or in a folder named after one.' })));
    show();
  }
  for (const archive of archives) {
    const small = archive.file.size <= LargestLook;
    if (await agreed(archive.file.name, small ? () => plan(model, archive.file, 'application/zip') : null)) add(model, [archive]);
  }
  if (inFolders.length > 0) {
    const names = JSON.stringify({ images: inFolders.map(({ path }) => ({ file: path })) });
    const known = await agreed([...new Set(inFolders.map(({ folders }) => folders[0]))].join(', '), () => plan(model, names, 'application/json'));
    if (known) {
      add(model, inFolders.map((one, i) => ({ ...one, category: known.files[i].categories[0], split: known.files[i].split, left: known.files[i].reason }))
        .filter(one => one.left === null));
    }
  }
}

// --- Before a folder or archive is sent, the server, which knows the rules, returns a plan for the user to confirm.

let asked = Promise.resolve();

const plan = (model, body, type) => insist(async () => {
  try {
    return await send('POST', `models/${model}/images?dryRun=true`, body, { 'Content-Type': type });
  } catch (error) {
    const gone = error instanceof TypeError && body instanceof File && !await canRead(body);
    throw gone ? new ApiError(0, { detail: Unreadable }) : error;
  }
}, generation);

/** The plan if the user confirms it; {} if there is none. */
function agreed(title, look) {
  return asked = asked.then(() => ask(title, look), () => ask(title, look));
}

async function ask(title, look) {
  const dialog = document.getElementById('plan');
  const [go, stop] = [dialog.querySelector('.go'), dialog.querySelector('.stop')];
  const closed = new Promise(resolve => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }));
  go.onclick = () => dialog.close('go');
  stop.onclick = () => dialog.close('stop');
  dialog.returnValue = '';
  dialog.querySelector('h2').textContent = title;
  dialog.querySelector('ul').replaceChildren();
  dialog.querySelector('p').textContent = look ? 'Checking the files…' : 'This archive is too large to check first. The server reports what it cannot use.';
  go.hidden = look !== null;
  dialog.showModal();
  let known = {};
  if (look) {
    try {
      known = await Promise.race([look(), closed.then(() => null)]);
      if (!dialog.open) return null;
      dialog.querySelector('p').textContent = known.sentence;
      dialog.querySelector('ul').replaceChildren(...lines(known).map(text => Object.assign(document.createElement('li'), { textContent: text })));
      go.hidden = known.examples === 0;
      if (!go.hidden) go.focus();
    } catch (error) {
      dialog.querySelector('p').textContent = error.message;
    }
  }
  return await closed === 'go' ? known : null;
}

const lines = known => [
  ...known.categories.map(({ name, isNew, examples, train, test }) =>
    `${name}: ${examples} ${examples === 1 ? 'image' : 'images'}${train + test === examples ? ` (${train} for training, ${test} for testing)` : ''}${isNew ? ', a new category' : ''}`),
  ...known.rejected.map(({ count, firstFile, detail }) => `${count} left out, ${count === 1 ? '' : 'first '}${firstFile ?? 'a file without a name'}: ${detail}`),
  ...known.notices,
];
