#!/usr/bin/env node
// Headstart from a terminal: train a folder of photographs, watch it, predict. Node 20 or later, no package.
const HELP = `
  headstart.mjs [--url URL] [--key KEY] train FOLDER [--name NAME]   each folder in FOLDER is a category
  headstart.mjs [--url URL] [--key KEY] train FOLDER --kind detection [--name NAME]   photographs with COCO, VOC or YOLO beside them
  headstart.mjs [--url URL] [--key KEY] watch MODEL                  the model's id or name
  headstart.mjs [--url URL] [--key KEY] predict MODEL PATH...        files, or folders of files

HEADSTART_URL (default http://localhost:8080) and HEADSTART_KEY replace the options. You can interrupt train and start it again: images are
not stored twice, and a run in progress is watched. predict prints one line per file: file, label, probability, known or unknown, separated
by tabs; tabs and line breaks in names are printed as \\t and \\n. Put -- before files whose names begin with a dash. The exit code
is 0 for success, 1 for an error, 2 for a wrong command line.
`;

import { randomUUID } from 'node:crypto';
import { constants, openAsBlob, rmSync } from 'node:fs';
import { access, lstat, mkdtemp, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import zlib from 'node:zlib';

const MOST = 100; // labels or objects of a file
const BATCH = 20;
const TRIES = 6;

/** An error message for the user. */
class Failed extends Error {}

/** The calls of /api/v1 that the commands need. */
class Headstart {
  constructor(url, key) {
    this.root = url.replace(/\/+$/, '') + '/api/v1';
    this.key = key;
    this.reached = false;
  }

  /** The parsed answer. Repeats the request if the host is busy or, once the host has answered, if the connection is lost (also by five
   * minutes of silence, the limit of fetch), unless it may be sent only once; any other error status not in accept fails with its detail. */
  async call(method, path, { body, headers = {}, accept = [], once = false } = {}) {
    for (let attempt = 1; ; attempt++) {
      let response, text;
      try {
        response = await fetch(this.root + path, { method, body, headers: { Authorization: `Bearer ${this.key}`, ...headers } });
        text = await response.text();
      } catch (error) {
        if (this.reached && !once && attempt < TRIES) {
          await pause(attempt);
          continue;
        }
        throw new Failed(`Cannot reach ${this.root}: ${error.cause?.message || error.cause?.code || error.message}`);
      }
      this.reached = true;
      if (response.status === 503 && attempt < TRIES) {
        await pause(attempt, response.headers.get('Retry-After'));
        continue;
      }
      const answer = parse(text);
      if (answer && (response.ok || accept.includes(response.status))) return answer;
      throw new Failed(response.ok ? `${this.root} answered with something other than the Headstart API; check the URL.`
        : (answer?.detail ?? `${this.root} answered with status ${response.status}.`));
    }
  }

  json(method, path, value, { headers, once } = {}) {
    return this.call(method, path, { body: JSON.stringify(value), headers: { 'Content-Type': 'application/json', ...headers }, once });
  }

  /** Sends a form with the fields before the files. */
  async files(path, fields, files, accept) {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value);
    for (const file of files) form.append('file', new Blob([await readFile(file)]), basename(file.toString()));
    return this.call('POST', path, { body: form, accept });
  }

  /** The model with this id or this name, or null. The host compares names, so that é is é however it was typed. */
  async named(name) {
    return (await this.call('GET', `/models?named=${encodeURIComponent(name)}`)).items[0] ?? null;
  }

  /** The path of the model with this id or this name. */
  async pathOf(name) {
    const model = await this.named(name);
    if (!model) throw new Failed(`Your account has no model "${name}".`);
    return `/models/${model.id}`;
  }

  async newestRun(path) {
    return (await this.call('GET', `${path}/training-runs?limit=1`)).items[0];
  }
}

// Names of files are bytes, and a string has no place for those that are not UTF-8: paths are Buffers.
const join = (folder, name) => Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]);

async function entries(folder, wanted) {
  const names = (await readdir(folder, { encoding: 'buffer' })).filter((name) => name[0] !== 0x2e).sort(Buffer.compare);
  const fits = await Promise.all(names.map((name) => wanted(join(folder, name))));
  return names.filter((_, i) => fits[i]);
}

const filesIn = async (folder) => (await entries(folder, isFile)).map((name) => join(folder, name));
const isFolder = (path) => stat(path).then((found) => found.isDirectory(), () => false);
/** Also a link to nothing: it is named when it cannot be opened. */
const isFile = (path) => stat(path).then((found) => found.isFile(), () => lstat(path).then((found) => found.isSymbolicLink(), () => false));

const mayRead = (path) => access(path, constants.R_OK).then(() => true, () => false);
const below = (folder, path) => path.subarray(Buffer.byteLength(folder) + 1);

/** The files that can be opened; the others are named, by their paths below the folder if there is one. */
async function openable(files, folder) {
  const found = [];
  for (const file of files) {
    if (await mayRead(file)) found.push(file);
    else print(process.stderr, folder ? below(folder, file) : file, ': Cannot be opened; check that it exists and that you may read it.');
  }
  return found;
}

/** The files that an argument names: Node has replaced the bytes that are not UTF-8, so what is there is compared likewise. */
async function named(path) {
  if (await isFolder(path)) return filesIn(path);
  if (!path.includes('\ufffd') || (await isFile(path))) return [Buffer.from(path)];
  const there = await filesIn(dirname(path)).catch(() => []);
  const meant = there.filter((file) => basename(file.toString()) === basename(path));
  return meant.length > 0 ? meant : [Buffer.from(path)];
}

/** Prints a line of strings and Buffers; tabs and line breaks in Buffers are written as \t and \n, so that a line stays a line. */
function print(stream, ...parts) {
  const shown = (part) => Buffer.from(part.toString('latin1').replace(/\t/g, '\\t').replace(/\r/g, '\\r').replace(/\n/g, '\\n'), 'latin1');
  stream.write(Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? shown(part) : Buffer.from(part))), Buffer.from('\n')]));
}

/** Waits as long as the host asks, or longer each time. */
const pause = (attempt, asked) => sleep(1000 * Math.min(30, /^\d+$/.test(asked ?? '') ? Number(asked) : 2 ** (attempt - 1)));

/** The object of a JSON text, or null. */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** All files of a folder and its folders, without links back to a folder above; folders that cannot be opened are among them. */
async function filesBelow(folder, above = []) {
  if (!(await mayRead(folder))) return [Buffer.from(folder)];
  const here = await realpath(folder, 'latin1');
  if (above.includes(here)) return [];
  const files = [await filesIn(folder)];
  for (const name of await entries(folder, isFolder)) files.push(await filesBelow(join(folder, name), [...above, here]));
  return files.flat();
}

/** Writes a zip archive of stored files, which need no compressing: APPNOTE 4.3.7, 4.3.12 and 4.3.16, with names in UTF-8. */
async function zip(folder, files, into) {
  const nameOf = (file) => Buffer.from(below(folder, file).toString()); // the bytes that are not UTF-8 are replaced
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const whole = files.reduce((sum, file, i) => sum + sizes[i] + 76 + 2 * nameOf(file).length, 22);
  if (files.length > 0xffff || whole > 0xffffffff || sizes.some((size) => size > 0x7fffffff)) {
    throw new Failed(`${folder} has more than 65,535 files, more than 4 GiB or a file of 2 GiB, too much for this program; use one of the `
      + 'other clients.');
  }
  const out = await open(into, 'w');
  const directory = [];
  let at = 0;
  for (const file of files) {
    const name = nameOf(file);
    const bytes = await readFile(file);
    const about = Buffer.alloc(26);
    about.writeUInt16LE(20, 0); // version 2.0
    about.writeUInt16LE(0x800, 2); // the name is UTF-8
    about.writeUInt16LE(0x21, 8); // 1 January 1980
    about.writeUInt32LE(zlib.crc32(bytes), 10);
    about.writeUInt32LE(bytes.length, 14);
    about.writeUInt32LE(bytes.length, 18);
    about.writeUInt16LE(name.length, 22);
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(at, 12);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), about, entry.subarray(2), name);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), about, name]);
    await out.writeFile(local);
    await out.writeFile(bytes);
    at += local.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  await out.writeFile(list);
  await out.writeFile(end);
  await out.close();
}

async function train(api, [folder], { name, kind }) {
  if (!(await isFolder(folder))) throw new Failed(`The folder ${folder} does not exist.`);
  if (kind === 'detection') return trainDetector(api, folder, name);
  const categories = await entries(folder, isFolder);
  if (categories.length < 2) throw new Failed(`${folder} has ${categories.length} folders; it needs at least two, one for each category.`);
  name ??= basename(resolve(folder));
  const model = (await api.named(name)) ?? (await api.json('POST', '/models', { name }, { once: true }));
  const path = `/models/${model.id}`;
  console.log(`Model ${model.name} ${model.id}`);
  let leftOut = 0;
  for (const category of categories) {
    const files = await filesIn(join(folder, category));
    const sent = await openable(files, folder);
    leftOut += files.length - sent.length;
    await upload(api, path, category, sent);
  }
  return (await learn(api, path)) || Math.min(1, leftOut);
}

/** Sends the folder as it is; the host finds out which annotations have the boxes. */
async function trainDetector(api, folder, name) {
  name ??= basename(resolve(folder));
  const model = (await api.named(name)) ?? (await api.json('POST', '/models', { name, kind: 'objectDetection' }, { once: true }));
  const path = `/models/${model.id}`;
  console.log(`Model ${model.name} ${model.id}`);
  const files = await filesBelow(folder);
  const sent = await openable(files, folder);
  const work = await mkdtemp(resolve(tmpdir(), 'headstart-'));
  const clean = () => rmSync(work, { recursive: true, force: true });
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    process.once(signal, () => {
      clean();
      process.exit(code);
    });
  }
  let done;
  try {
    await zip(folder, sent, `${work}/folder.zip`);
    const headers = { 'Content-Type': 'application/zip', 'Idempotency-Key': randomUUID() };
    done = await api.call('POST', `${path}/imports/archive`, { body: await openAsBlob(`${work}/folder.zip`), headers });
  } finally {
    clean();
  }
  while (['queued', 'running'].includes(done.state)) {
    await sleep(1000);
    done = await api.call('GET', `${path}/imports/${done.id}`);
  }
  const { items } = await api.call('GET', `${path}/imports/${done.id}/rejections?limit=100`);
  for (const file of items) print(process.stderr, Buffer.from(file.fileName), `: ${file.detail}`);
  done.notices.forEach((notice) => console.error(notice));
  if (done.state !== 'succeeded') throw new Failed(done.error ?? `The import was ${done.state}.`);
  console.log(`${done.accepted} of ${done.total} files taken`);
  return (await learn(api, path)) || (sent.length < files.length ? 1 : 0);
}

async function learn(api, path) {
  let run = await api.newestRun(path);
  if (!['queued', 'running'].includes(run?.state)) {
    run = await api.json('POST', `${path}/training-runs`, {}, { headers: { 'Idempotency-Key': randomUUID() } });
  }
  return follow(api, path, run);
}

async function upload(api, path, category, files) {
  for (let start = 0; start < files.length; start += BATCH) {
    const batch = files.slice(start, start + BATCH);
    const answer = await api.files(`${path}/images`, [['category', category.toString()]], batch, [422]);
    if (!answer.rejected) throw new Failed(answer.detail);
    for (const file of answer.rejected) print(process.stderr, category, `/${file.fileName}: ${file.detail}`);
    print(process.stdout, category, `: ${start + batch.length} of ${files.length} sent`);
  }
}

async function follow(api, path, run) {
  for (let said; ['queued', 'running'].includes(run.state); run = await api.call('GET', `${path}/training-runs/${run.id}`)) {
    const left = run.secondsLeft ? `, about ${Math.round(run.secondsLeft)} s left` : '';
    const line = `${run.stage ?? run.state}, ${Math.round(100 * run.progress)}%${left}${run.detail ? `: ${run.detail}` : ''}`;
    if (line !== said) console.log((said = line));
    await sleep(1000);
  }
  run.notices.forEach((notice) => console.error(notice));
  if (run.state !== 'succeeded') throw new Failed(run.error ?? `The training run was ${run.state}.`);
  const version = await api.call('GET', `${path}/versions/${run.version}`);
  const report = await api.call('GET', `${path}/versions/${run.version}/report`);
  const [low, high] = version.accuracyInterval ?? [];
  const accuracy = version.accuracyInterval ? `accuracy ${percent(version.accuracy)} (${percent(low)} to ${percent(high)})` : 'accuracy unknown';
  console.log(`Version ${version.number}: ${accuracy}, with ${version.backbone}`);
  console.log(report.sentence);
  return 0;
}

async function watch(api, [name]) {
  const path = await api.pathOf(name);
  const run = await api.newestRun(path);
  if (!run) throw new Failed('The model has no training run yet.');
  return follow(api, path, run);
}

async function predict(api, [name, ...paths]) {
  let files = [];
  for (const path of new Set(paths)) files = files.concat(await named(path));
  if (files.length === 0) throw new Failed('There are no files to predict.');
  for (const file of files) if (!(await isFile(file))) throw new Failed(`The file ${file} does not exist.`);
  const path = `${await api.pathOf(name)}/predictions?top=${MOST}`;
  const sent = await openable(files);
  let failed = files.length - sent.length;
  for (let start = 0; start < sent.length; start += BATCH) {
    const batch = sent.slice(start, start + BATCH);
    const answer = await api.files(path, [], batch, [422]);
    if (!answer.predictions) throw new Failed(answer.detail);
    answer.predictions.forEach(({ labels: [best], objects, unknown, error }, i) => {
      if (error) {
        failed++;
        print(process.stderr, batch[i], `: ${error}`);
      } else if (objects) {
        if (objects.length === 0) print(process.stdout, batch[i], '');
        for (const { label, probability, pixels: { x, y, width, height } } of objects) {
          print(process.stdout, batch[i], ['', label, probability.toFixed(4), x, y, width, height].join('\t'));
        }
      } else {
        print(process.stdout, batch[i], ['', best.label, best.probability.toFixed(4), unknown ? 'unknown' : 'known'].join('\t'));
      }
    });
  }
  return failed ? 1 : 0;
}

function usage(problem) {
  console.error(problem + '\n' + HELP);
  return 2;
}

async function main() {
  let given;
  try {
    const text = { type: 'string' };
    given = parseArgs({ allowPositionals: true, options: { url: text, key: text, name: text, kind: text, help: { type: 'boolean' } } });
  } catch (error) {
    return usage(error.message);
  }
  const { url = process.env.HEADSTART_URL || 'http://localhost:8080', key = process.env.HEADSTART_KEY, kind = 'classification', name, help } = given.values;
  const [command, ...rest] = given.positionals;
  if (help) return console.log(HELP);
  const [verb, least, most] = { train: [train, 1, 1], watch: [watch, 1, 1], predict: [predict, 2, Infinity] }[command] ?? [];
  if (!verb || rest.length < least || rest.length > most) return usage('Unknown command, or wrong arguments.');
  if (!['classification', 'detection'].includes(kind)) return usage('--kind is classification or detection.');
  if (!key) return usage('No API key: set HEADSTART_KEY or use --key.');
  try {
    if (!/^https?:\/\//.test(url)) throw new Failed(`${url} is not a URL that begins with http:// or https://.`);
    return await verb(new Headstart(url, key), rest, { name, kind });
  } catch (error) {
    if (!(error instanceof Failed || error.syscall)) throw error; // others are faults of this program
    console.error(error.message);
    return 1;
  }
}

process.exitCode = await main();
