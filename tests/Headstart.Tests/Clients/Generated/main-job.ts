// The main job with a client that openapi-typescript makes of the OpenAPI document: node main-job.js URL KEY FOLDER
import createClient from "openapi-fetch";
import { openAsBlob, readdirSync } from "node:fs";
import type { paths } from "./api";

const [address, key, photographs] = process.argv.slice(2);
const api = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });
const filesOf = async (category: string) => Promise.all(readdirSync(`${photographs}/${category}`)
  .map(async name => new File([await openAsBlob(`${photographs}/${category}/${name}`)], name)));
const form = (files: File[], category: string[]) => ({
  body: { file: files as unknown as string[], category },
  bodySerializer: () => [...category.map(c => ["category", c] as const), ...files.map(f => ["file", f] as const)]
    .reduce((data, [name, value]) => (data.append(name, value), data), new FormData()),
});

const { data: model } = await api.POST("/api/v1/models", { body: { name: "TypeScript", categories: ["cats", "dogs"] } });
const path = { id: model!.id };
for (const category of ["cats", "dogs"]) {
  const { data } = await api.POST("/api/v1/models/{id}/images", { params: { path }, ...form(await filesOf(category), [category]) });
  console.log(`${data!.accepted.length} ${category}`);
}

let { data: run } = await api.POST("/api/v1/models/{id}/training-runs", { params: { path }, body: { backbone: "headstart-small" } });
while (run!.state === "queued" || run!.state === "running") {
  await new Promise(done => setTimeout(done, 200));
  ({ data: run } = await api.GET("/api/v1/models/{id}/training-runs/{runId}", { params: { path: { ...path, runId: run!.id } } }));
}

const { data: answer } = await api.POST("/api/v1/models/{id}/predictions",
  { params: { path }, ...form((await filesOf("cats")).slice(0, 1), []) });
const { data: images } = await api.GET("/api/v1/models/{id}/images", { params: { path, query: { limit: 1 } } });
const { data: bytes } = await api.GET("/api/v1/models/{id}/images/{imageId}/content",
  { params: { path: { ...path, imageId: images!.items[0].id } }, parseAs: "arrayBuffer" });
const { data: zip } = await api.GET("/api/v1/models/{id}/versions/{number}/export",
  { params: { path: { ...path, number: 1 } }, parseAs: "arrayBuffer" });
console.log(`${run!.state} ${run!.version}, ${answer!.predictions[0].labels[0].label}, ${new Uint8Array(bytes!)[0]}, ${new Uint8Array(zip!)[0]}`);
