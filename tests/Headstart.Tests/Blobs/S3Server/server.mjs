// node server.mjs FOLDER PORT BUCKET: s3rver with what it lacks. As long as the file FOLDER.broken is there it answers 500.
import { existsSync } from 'node:fs';
import S3rver from 's3rver';

const [directory, port, bucket] = process.argv.slice(2);
const server = new S3rver({ directory, port: Number(port), address: '127.0.0.1', silent: true, configureBuckets: [{ name: bucket }] });
let last = Promise.resolve();
server.middleware.unshift((context, next) => {
  if (existsSync(`${directory}.broken`)) {
    context.status = 500;
    context.body = '<Error><Code>InternalError</Code></Error>';
    return undefined;
  }

  // S3 takes encoded slashes too, which the .NET SDK sends.
  const { headers } = context.req;
  if (headers['x-amz-copy-source']) {
    headers['x-amz-copy-source'] = decodeURIComponent(headers['x-amz-copy-source']);
  }

  // An object of S3 is there whole or not at all; s3rver writes its content and its hash one after the other. So: one request at a time.
  const answered = last.then(next);
  last = answered.catch(() => {});
  return answered;
});
await server.run();
