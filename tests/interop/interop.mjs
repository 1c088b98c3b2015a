// The vendors' own clients against the object store simulator: its signature checks and answers are right if and only if clients that were written by somebody
// else, and that real stores take, get on with it. Usage: node interop.mjs ALIBABA HUAWEI JDCLOUD S3 MINIO [MOTO], each http://127.0.0.1:PORT
import { alibaba } from './alibaba.mjs';
import { rows, store } from './harness.mjs';
import { huawei } from './huawei.mjs';
import { identities } from './identities.mjs';
import { alibabaKms, awsKms, awsKmsAtMoto, huaweiKms, jdcloudKms, minioKms } from './kms.mjs';
import { operator, operatorAtMinio, operatorAtMoto } from './operator.mjs';
import { aws, jdcloud, minio, moto } from './s3.mjs';

const urls = process.argv.slice(2);
if (urls.length < 5) {
  console.error('usage: node interop.mjs ALIBABA HUAWEI JDCLOUD S3 MINIO [MOTO], each http://127.0.0.1:PORT');
  process.exit(2);
}

// The clients advise to refresh tokens and to update node; it is not about that here.
console.warn = () => {};
process.removeAllListeners('warning');

await alibaba(store(urls[0]));
await huawei(store(urls[1]));
await jdcloud(store(urls[2]));
await aws(store(urls[3]));
await minio(store(urls[4]));
await alibabaKms(store(urls[0]));
await huaweiKms(store(urls[1]));
await jdcloudKms(store(urls[2]));
await awsKms(store(urls[3]));
await minioKms(store(urls[4]));
if (urls[5]) {
  await moto(urls[5]);
  await operatorAtMoto(urls[5], await awsKmsAtMoto(urls[5]));
}

await identities(store(urls[0]), store(urls[3]));
await operator(store(urls[0]), 'alibaba', 'cn-hangzhou');
await operator(store(urls[1]), 'huawei', 'cn-north-4');
await operator(store(urls[2]), 'jdcloud', 'cn-north-1');
await operator(store(urls[3]), 's3', 'eu-west-1');
await operatorAtMinio(store(urls[4]));

for (const { client, name, failure, milliseconds } of rows) {
  console.log(`${failure ? 'FAIL' : 'ok  '}  ${client.padEnd(54)} ${name.padEnd(44)} ${milliseconds.toFixed(0).padStart(5)} ms`);
  if (failure) {
    console.log(`      ${failure.stack ?? failure}`);
  }
}

const failed = rows.filter((row) => row.failure).length;
console.log(`interop: ${rows.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
