// All calls of the Open Inference Protocol with gRPC's own client for Node: node client.mjs PROTO HOST:PORT KEY MODEL PHOTOGRAPH
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { readFileSync } from "node:fs";

const [proto, target, key, model, photograph] = process.argv.slice(2);
const { inference } = loadPackageDefinition(loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true }));
const client = new inference.GRPCInferenceService(target, credentials.createInsecure());
const metadata = new Metadata();
metadata.set("authorization", `Bearer ${key}`);
const call = (method, request) => new Promise((done, failed) =>
  client[method](request, metadata, (error, answer) => error ? failed(error) : done(answer)));

const image = readFileSync(photograph);
const length = Buffer.alloc(4);
length.writeUInt32LE(image.length);
const input = { name: "image", datatype: "BYTES", shape: [1] };

console.log("live", (await call("ServerLive", {})).live, "ready", (await call("ServerReady", {})).ready);
console.log((await call("ServerMetadata", {})).name, "ready", (await call("ModelReady", { name: model })).ready);
console.log((await call("ModelMetadata", { name: model })).outputs.map(output => output.name).join(" "));
console.log((await call("ModelConfig", { name: model })).config.input[0].data_type);
console.log((await call("RepositoryIndex", { ready: true })).models.map(one => one.state).join(" "));
const raw = await call("ModelInfer",
  { model_name: model, id: "7", inputs: [input], raw_input_contents: [Buffer.concat([length, image])] });
console.log(raw.id, raw.raw_output_contents[0].subarray(4).toString());
const typed = await call("ModelInfer", { model_name: model, inputs: [{ ...input, contents: { bytes_contents: [image] } }] });
console.log(typed.outputs[0].contents.bytes_contents[0].toString());
console.log(await call("ModelReady", { name: "größer" }).catch(error => `${error.code} ${error.details}`));
client.ModelReady({ name: model }, new Metadata(), error => {
  console.log(`${error.code} ${error.details}`);
  client.close();
});
