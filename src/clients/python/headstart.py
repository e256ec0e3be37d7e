#!/usr/bin/env python3
"""Headstart from a terminal: train a folder of photographs, watch it, predict. Python 3.8 or later, nothing else.

  headstart.py [--url URL] [--key KEY] train FOLDER [--name NAME]   each folder in FOLDER is a category
  headstart.py [--url URL] [--key KEY] train FOLDER --kind detection [--name NAME]   photographs with COCO, VOC or YOLO beside them
  headstart.py [--url URL] [--key KEY] watch MODEL                  the model's id or name
  headstart.py [--url URL] [--key KEY] predict MODEL PATH...        files, or folders of files

HEADSTART_URL (default http://localhost:8080) and HEADSTART_KEY replace the options. You can interrupt train and start it again: images are
not stored twice, and a run in progress is watched. predict prints one line per file: file, label, probability, known or unknown, separated
by tabs; tabs and line breaks in names are printed as \\t and \\n. Put -- before files whose names begin with a dash. The exit code
is 0 for success, 1 for an error, 2 for a wrong command line.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

MOST = 100  # labels or objects of a file
BATCH = 20
TRIES = 6
SILENCE = 300  # seconds


class Failed(Exception):
    """An error message for the user."""


class Headstart:
    """The calls of /api/v1 that the commands need."""

    def __init__(self, url, key):
        self.root = url.rstrip('/') + '/api/v1'
        self.key = key
        self.reached = False

    def call(self, method, path, body=None, content_type=None, headers=None, accept=(), once=False):
        """The parsed answer. Repeats the request if the host is busy or, once the host has answered, if the connection is lost, unless it
        may be sent only once; any other error status not in accept fails with its detail."""
        headers = {'Authorization': 'Bearer ' + self.key, **({'Content-Type': content_type} if content_type else {}), **(headers or {})}
        for attempt in range(1, TRIES + 1):
            if hasattr(body, 'seek'):
                body.seek(0)
            try:
                status, retry_after, text = send(urllib.request.Request(self.root + path, body, headers, method=method))
            except (OSError, http.client.HTTPException, ValueError) as error:
                if self.reached and not once and attempt < TRIES:
                    pause(attempt)
                    continue
                raise Failed(f'Cannot reach {self.root}: {getattr(error, "reason", error)}')
            self.reached = True
            if status == 503 and attempt < TRIES:
                pause(attempt, retry_after)
                continue
            answer = parse(text)
            if answer and (status < 300 or status in accept):
                return answer
            raise Failed(f'{self.root} answered with something other than the Headstart API; check the URL.' if status < 300
                         else answer.get('detail') or f'{self.root} answered with status {status}.')

    def json(self, method, path, value, **more):
        return self.call(method, path, json.dumps(value).encode(), 'application/json', **more)

    def files(self, path, fields, files, accept=()):
        """Sends a form with the fields before the files; file names in any script, with quotes or blanks, arrive unchanged."""
        boundary = uuid.uuid4().hex
        body = b''
        for name, value in fields:
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + os.fsencode(value) + b'\r\n'
        for file in files:
            name = urllib.parse.quote(readable(os.path.basename(file)), safe='')
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename*=UTF-8\'\'{name}\r\n\r\n'.encode()
            with open(file, 'rb') as stream:
                body += stream.read() + b'\r\n'
        return self.call('POST', path, body + f'--{boundary}--\r\n'.encode(), f'multipart/form-data; boundary={boundary}', accept=accept)

    def named(self, name):
        """The model with this id or this name, or None. The host compares names, so that é is é however it was typed."""
        found = self.call('GET', '/models?named=' + urllib.parse.quote(readable(name), safe=''))['items']
        return found[0] if found else None

    def find(self, name):
        """The model with this id or this name."""
        found = self.named(name)
        if not found:
            raise Failed(f'Your account has no model "{name}".')
        return found


def send(request):
    """The status of the answer, its Retry-After and its text."""
    try:
        with urllib.request.urlopen(request, timeout=SILENCE) as response:
            return response.status, None, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get('Retry-After'), error.read()


def pause(attempt, asked=None):
    """As long as the host asks, or longer each time."""
    time.sleep(min(30, int(asked) if re.fullmatch('[0-9]+', asked or '') else 2 ** (attempt - 1)))


def readable(name):
    """A name of a file without the bytes that are not UTF-8."""
    return os.fsencode(name).decode('utf-8', 'replace')


def shown(name):
    """Without tabs and line breaks, so that a line stays a line."""
    return name.replace('\t', '\\t').replace('\r', '\\r').replace('\n', '\\n')


def parse(text):
    try:
        value = json.loads(text)
        return value if isinstance(value, dict) else {}
    except ValueError:
        return {}


def is_file(path):
    """Also a link to nothing: it is named when it cannot be opened."""
    return os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))


def files_in(folder):
    return sorted(entry.path for entry in os.scandir(folder) if is_file(entry.path) and not entry.name.startswith('.'))


def openable(files, folder=None):
    """The files that can be opened; the others are named, by their paths below the folder if there is one."""
    found = []
    for file in files:
        if os.access(file, os.R_OK):
            found.append(file)
        else:
            name = shown(os.path.relpath(file, folder) if folder else file)
            print(f'{name}: Cannot be opened; check that it exists and that you may read it.', file=sys.stderr)
    return found


def files_below(folder):
    """All files of a folder and its folders, without links back to a folder above; folders that cannot be opened are among them."""
    found = []
    for root, folders, files in os.walk(folder, followlinks=True, onerror=lambda error: found.append(error.filename)):
        here = os.path.join(os.path.realpath(root), '')
        folders[:] = sorted(below for below in folders if not below.startswith('.')
                            and not here.startswith(os.path.join(os.path.realpath(os.path.join(root, below)), '')))
        found += (os.path.join(root, file) for file in sorted(files) if not file.startswith('.') and is_file(os.path.join(root, file)))
    return found


def train(api, folder, name, kind):
    if not os.path.isdir(folder):
        raise Failed(f'The folder {folder} does not exist.')
    if kind == 'detection':
        return train_detector(api, folder, name)
    categories = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith('.'))
    if len(categories) < 2:
        raise Failed(f'{folder} has {len(categories)} folders; it needs at least two, one for each category.')
    name = name or os.path.basename(os.path.abspath(folder))
    model = api.named(name) or api.json('POST', '/models', {'name': readable(name)}, once=True)
    path = f'/models/{model["id"]}'
    print(f'Model {model["name"]} {model["id"]}', flush=True)
    left_out = 0
    for category in categories:
        files = files_in(os.path.join(folder, category))
        sent = openable(files, folder)
        left_out += len(files) - len(sent)
        upload(api, path, category, sent)
    return learn(api, path) or min(1, left_out)


def train_detector(api, folder, name):
    """Sends the folder as it is; the host finds out which annotations have the boxes."""
    name = name or os.path.basename(os.path.abspath(folder))
    model = api.named(name) or api.json('POST', '/models', {'name': readable(name), 'kind': 'objectDetection'}, once=True)
    path = f'/models/{model["id"]}'
    print(f'Model {model["name"]} {model["id"]}', flush=True)
    files = files_below(folder)
    sent = openable(files, folder)
    with tempfile.TemporaryFile() as archive:
        with zipfile.ZipFile(archive, 'w') as zipped:
            for file in sent:
                entry = zipfile.ZipInfo(readable(os.path.relpath(file, folder)))
                entry.file_size = os.path.getsize(file)
                with open(file, 'rb') as stream, zipped.open(entry, 'w') as into:
                    shutil.copyfileobj(stream, into)
        headers = {'Content-Length': str(archive.seek(0, os.SEEK_END)), 'Idempotency-Key': str(uuid.uuid4())}
        done = api.call('POST', f'{path}/imports/archive', archive, 'application/zip', headers)
    while done['state'] in ('queued', 'running'):
        time.sleep(1)
        done = api.call('GET', f'{path}/imports/{done["id"]}')
    for file in api.call('GET', f'{path}/imports/{done["id"]}/rejections?limit=100')['items']:
        print(f'{shown(file["fileName"])}: {file["detail"]}', file=sys.stderr)
    for notice in done['notices']:
        print(notice, file=sys.stderr)
    if done['state'] != 'succeeded':
        raise Failed(done['error'] or f'The import was {done["state"]}.')
    print(f'{done["accepted"]} of {done["total"]} files taken', flush=True)
    return learn(api, path) or int(len(sent) < len(files))


def learn(api, path):
    run = newest(api, path)
    if not run or run['state'] not in ('queued', 'running'):
        run = api.json('POST', f'{path}/training-runs', {}, headers={'Idempotency-Key': str(uuid.uuid4())})
    return follow(api, path, run)


def upload(api, path, category, files):
    for start in range(0, len(files), BATCH):
        batch = files[start:start + BATCH]
        answer = api.files(f'{path}/images', [('category', category)], batch, accept=(422,))
        if 'rejected' not in answer:
            raise Failed(answer['detail'])
        for file in answer['rejected']:
            print(f'{shown(category)}/{file["fileName"]}: {file["detail"]}', file=sys.stderr)
        print(f'{shown(category)}: {start + len(batch)} of {len(files)} sent', flush=True)


def newest(api, path):
    runs = api.call('GET', f'{path}/training-runs?limit=1')['items']
    return runs[0] if runs else None


def follow(api, path, run):
    said = None
    while run['state'] in ('queued', 'running'):
        left = f', about {run["secondsLeft"]:.0f} s left' if run['secondsLeft'] else ''
        line = f'{run["stage"] or run["state"]}, {run["progress"]:.0%}{left}' + (f': {run["detail"]}' if run['detail'] else '')
        if line != said:
            print(line, flush=True)
            said = line
        time.sleep(1)
        run = api.call('GET', f'{path}/training-runs/{run["id"]}')
    for notice in run['notices']:
        print(notice, file=sys.stderr)
    if run['state'] != 'succeeded':
        raise Failed(run['error'] or f'The training run was {run["state"]}.')
    version = api.call('GET', f'{path}/versions/{run["version"]}')
    report = api.call('GET', f'{path}/versions/{run["version"]}/report')
    accuracy = 'accuracy unknown'
    if version['accuracyInterval']:
        low, high = version['accuracyInterval']
        accuracy = f'accuracy {version["accuracy"]:.1%} ({low:.1%} to {high:.1%})'
    print(f'Version {version["number"]}: {accuracy}, with {version["backbone"]}')
    print(report['sentence'])
    return 0


def watch(api, named):
    path = f'/models/{api.find(named)["id"]}'
    run = newest(api, path)
    if not run:
        raise Failed('The model has no training run yet.')
    return follow(api, path, run)


def predict(api, named, paths):
    files = [file for path in paths for file in (files_in(path) if os.path.isdir(path) else [path])]
    if not files:
        raise Failed('There are no files to predict.')
    missing = next((file for file in files if not is_file(file)), None)
    if missing:
        raise Failed(f'The file {missing} does not exist.')
    path = f'/models/{api.find(named)["id"]}/predictions?top={MOST}'
    sent = openable(files)
    failed = len(files) - len(sent)
    for start in range(0, len(sent), BATCH):
        batch = sent[start:start + BATCH]
        answer = api.files(path, [], batch, accept=(422,))
        if 'predictions' not in answer:
            raise Failed(answer['detail'])
        for file, prediction in zip(batch, answer['predictions']):
            if prediction['error']:
                failed += 1
                print(f'{shown(file)}: {prediction["error"]}', file=sys.stderr)
            elif 'objects' in prediction:
                if not prediction['objects']:
                    print(shown(file), flush=True)
                for found in prediction['objects']:
                    sides = [found['pixels'][side] for side in ('x', 'y', 'width', 'height')]
                    print(shown(file), found['label'], f'{found["probability"]:.4f}', *sides, sep='\t', flush=True)
            else:
                best = prediction['labels'][0]
                print(shown(file), best['label'], f'{best["probability"]:.4f}', 'unknown' if prediction['unknown'] else 'known', sep='\t', flush=True)
    return 1 if failed else 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--url', default=os.environ.get('HEADSTART_URL') or 'http://localhost:8080')
    options.add_argument('--key', default=os.environ.get('HEADSTART_KEY'))
    commands = options.add_subparsers(dest='command', required=True)
    training = commands.add_parser('train')
    training.add_argument('folder')
    training.add_argument('--name', help="name of the model; the folder's name by default")
    training.add_argument('--kind', choices=['classification', 'detection'], default='classification')
    commands.add_parser('watch').add_argument('model')
    predicting = commands.add_parser('predict')
    predicting.add_argument('model')
    predicting.add_argument('paths', nargs='+')
    given = options.parse_args()
    if not given.key:
        options.error('No API key: set HEADSTART_KEY or use --key.')
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', errors='surrogateescape')
    api = Headstart(given.url, given.key)
    try:
        if not re.match('https?://', given.url):
            raise Failed(f'{given.url} is not a URL that begins with http:// or https://.')
        return (train(api, given.folder, given.name, given.kind) if given.command == 'train'
                else watch(api, given.model) if given.command == 'watch'
                else predict(api, given.model, given.paths))
    except (Failed, OSError) as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
