// The classifier as one would write it with Node, onnxruntime-node and sharp: one photograph as the body, labels and probabilities as JSON.
// PEER_WORKERS=2 makes it a cluster of two, each with one thread for the network, since two of them share the cores.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const { PEER_FOLDER: folder, PEER_BACKBONE: backbone, PEER_PORT: port, PEER_WORKERS: workers = '1' } = process.env;
const size = 224;
const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];

if (cluster.isPrimary && workers !== '1') {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
} else {
  const options = workers === '1' ? {} : { intraOpNumThreads: 1 };
  const session = await ort.InferenceSession.create(backbone, options);
  const { labels, layers } = readHead();
  createServer((request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', async () => {
      try {
        const answer = JSON.stringify({ labels: await classify(Buffer.concat(chunks)) });
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
      } catch (error) {
        response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ error: String(error) }));
      }
    });
  }).listen(Number(port), '127.0.0.1');

  async function classify(body) {
    const pixels = await sharp(body).rotate().resize(size, size, { fit: 'cover' }).removeAlpha().toColourspace('srgb').raw().toBuffer();
    const { features } = await session.run({ input: new ort.Tensor('float32', planes(pixels), [1, 3, size, size]) });
    const probabilities = softmax(layers.reduce(apply, normalise(features.data)));
    return labels.map((label, k) => ({ label, probability: probabilities[k] })).sort((a, b) => b.probability - a.probability);
  }

  function planes(pixels) {
    const plane = size * size;
    const values = new Float32Array(3 * plane);
    for (let c = 0; c < 3; c++) {
      const scale = 1 / (255 * std[c]);
      const shift = -mean[c] / std[c];
      for (let i = 0; i < plane; i++) values[c * plane + i] = pixels[3 * i + c] * scale + shift;
    }
    return values;
  }

  function normalise(raw) {
    const length = Math.sqrt(raw.reduce((sum, value) => sum + Math.abs(value), 0)) || 1;
    return raw.map(value => Math.sign(value) * Math.sqrt(Math.abs(value)) / length);
  }

  function apply(inputs, { weights, bias }, i) {
    const used = i === 0 ? inputs : inputs.map(value => Math.max(0, value));
    return bias.map((b, k) => {
      let sum = b;
      for (let d = 0; d < used.length; d++) sum += weights[k * used.length + d] * used[d];
      return sum;
    });
  }

  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = logits.map(logit => Math.exp(logit - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map(power => power / sum);
  }

  function readHead() {
    const { labels, shapes } = JSON.parse(readFileSync(`${folder}/head.json`, 'utf8'));
    const file = readFileSync(`${folder}/head.bin`);
    const values = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
    const layers = [];
    let at = 0;
    const take = count => values.subarray(at, (at += count));
    for (let i = 0; i < shapes.length; i += 2) {
      const weights = take(shapes[i][0] * shapes[i][1]);
      layers.push({ weights, bias: take(shapes[i + 1][0]) });
    }
    return { labels, layers };
  }
}
