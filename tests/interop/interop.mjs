// The vendors' own clients against the object store simulator: the simulator's signature checks and answers are right if and only if clients
// that were written by somebody else, and that real stores take, get on with it. Usage: node interop.mjs http://127.0.0.1:PORT
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The packages live outside the checkout (run.sh), so that they are looked for from there.
const modules = process.env.INTEROP_MODULES ?? new URL('.', import.meta.url).pathname;
const OSS = createRequire(pathToFileURL(`${modules}/`))('ali-oss');

const simulator = process.argv[2];
if (!simulator) {
  console.error('usage: node interop.mjs http://127.0.0.1:PORT');
  process.exit(2);
}

// ali-oss advises to refresh STS tokens on every new client that has one.
console.warn = () => {};

const rows = [];

async function admin(method, path, body) {
  const response = await fetch(`${simulator}/_admin/${path}`, {
    method,
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.headers.get('content-type')?.includes('json') ? response.json() : response.text();
}

async function check(client, name, test) {
  const started = performance.now();
  let failure;
  try {
    await test();
  } catch (e) {
    failure = e;
  }

  rows.push({ client, name, failure, milliseconds: performance.now() - started });
}

/** Expects a refusal by the store itself, with this code, status and, where given, number (EC). */
async function refused(call, code, status, ec) {
  const error = await call().then(() => undefined, (e) => e);
  assert.ok(error, `expected ${code}, got success`);
  assert.equal(error.code, code, `${error.code}: ${error.message}`);
  assert.equal(error.status, status);
  if (ec) {
    assert.equal(error.ecCode, ec);
  }

  assert.match(error.requestId ?? '', /^[0-9A-F]{24}$/);
}

async function aliOss(version, region) {
  const name = `ali-oss 6.23.0 ${version} ${region}`;
  const run = (what, test) => check(name, what, test);
  const client = (more = {}) => new OSS({
    endpoint: simulator,
    region,
    accessKeyId: 'interop-id',
    accessKeySecret: 'interop-secret',
    authorizationV4: version === 'V4',
    ...more,
  });
  await admin('POST', 'reset');
  await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  await admin('PUT', 'accounts/STS.interop', { secret: 'sts-secret', securityToken: 'the+token/with=signs' });
  await admin('PUT', 'accounts/STS.expired', { secret: 'sts-secret', securityToken: 'old', tokenExpiresAt: '2020-01-01T00:00:00Z' });
  await admin('PUT', 'buckets/interop-bucket', { region: 'cn-hangzhou' });
  const bucket = 'interop-bucket';

  await run('get without a rule', () => refused(() => client().getBucketEncryption(bucket), 'NoSuchServerSideEncryptionRule', 404));
  await run('put AES256, get', async () => {
    const put = await client().putBucketEncryption(bucket, { SSEAlgorithm: 'AES256' });
    assert.equal(put.status, 200);
    const get = await client().getBucketEncryption(bucket);
    assert.equal(get.status, 200);
    assert.deepEqual(get.encryption, { SSEAlgorithm: 'AES256' });
  });
  await run('put KMS with key, get', async () => {
    await client().putBucketEncryption(bucket, { SSEAlgorithm: 'KMS', KMSMasterKeyID: '9468da86-3509-4f8d-a61e-6eab1eac0001' });
    const { encryption } = await client().getBucketEncryption(bucket);
    assert.deepEqual(encryption, { SSEAlgorithm: 'KMS', KMSMasterKeyID: '9468da86-3509-4f8d-a61e-6eab1eac0001' });
  });
  await run('put KMS without key, get', async () => {
    await client().putBucketEncryption(bucket, { SSEAlgorithm: 'KMS', KMSMasterKeyID: '' });
    assert.deepEqual((await client().getBucketEncryption(bucket)).encryption, { SSEAlgorithm: 'KMS' });
  });
  await run('put SM4, get', async () => {
    await client().putBucketEncryption(bucket, { SSEAlgorithm: 'SM4' });
    assert.deepEqual((await client().getBucketEncryption(bucket)).encryption, { SSEAlgorithm: 'SM4' });
  });
  await run('bucket info tells the rule', async () => {
    const { bucket: info } = await client().getBucketInfo(bucket);
    assert.equal(info.Name, bucket);
    assert.equal(info.ServerSideEncryptionRule.SSEAlgorithm, 'SM4');
  });
  await run('delete, get, delete again', async () => {
    assert.equal((await client().deleteBucketEncryption(bucket)).status, 204);
    await refused(() => client().getBucketEncryption(bucket), 'NoSuchServerSideEncryptionRule', 404);
    assert.equal((await client().deleteBucketEncryption(bucket)).status, 204);
  });
  await run('STS key with its token', async () => {
    const sts = client({ accessKeyId: 'STS.interop', accessKeySecret: 'sts-secret', stsToken: 'the+token/with=signs' });
    await sts.putBucketEncryption(bucket, { SSEAlgorithm: 'AES256' });
    assert.deepEqual((await sts.getBucketEncryption(bucket)).encryption, { SSEAlgorithm: 'AES256' });
    await sts.deleteBucketEncryption(bucket);
  });
  await run('STS key without its token', () => refused(
    () => client({ accessKeyId: 'STS.interop', accessKeySecret: 'sts-secret' }).getBucketEncryption(bucket), 'InvalidAccessKeyId', 403));
  await run('STS key with a wrong token', () => refused(
    () => client({ accessKeyId: 'STS.interop', accessKeySecret: 'sts-secret', stsToken: 'other' }).getBucketEncryption(bucket), 'InvalidSecurityToken', 403));
  await run('STS key with an expired token', () => refused(
    () => client({ accessKeyId: 'STS.expired', accessKeySecret: 'sts-secret', stsToken: 'old' }).getBucketEncryption(bucket), 'SecurityTokenExpired', 403, '0002-00000007'));
  await run('wrong secret', () => refused(
    () => client({ accessKeySecret: 'wrong' }).putBucketEncryption(bucket, { SSEAlgorithm: 'AES256' }), 'SignatureDoesNotMatch', 403));
  await run('wrong key id', () => refused(
    () => client({ accessKeyId: 'nobody' }).getBucketEncryption(bucket), 'InvalidAccessKeyId', 403, '0002-00000902'));
  await run('missing bucket', () => refused(() => client().getBucketEncryption('no-such-bucket'), 'NoSuchBucket', 404, '0015-00000101'));
  await run('unknown algorithm', () => refused(
    () => client().putBucketEncryption(bucket, { SSEAlgorithm: 'ROT13' }), 'InvalidEncryptionAlgorithmError', 400, '0005-00000003'));
  await run('key with AES256', () => refused(
    () => client().putBucketEncryption(bucket, { SSEAlgorithm: 'AES256', KMSMasterKeyID: 'key' }), 'InvalidArgument', 400));
  await run('clock 16 minutes off', () => refused(
    () => client({ amendTimeSkewed: 16 * 60 * 1000 }).getBucketEncryption(bucket), 'RequestTimeTooSkewed', 403, '0002-00000504'));
  if (version === 'V4') {
    await run('bucket in another region', async () => {
      await admin('PUT', 'buckets/far-bucket', { region: 'cn-beijing' });
      // The host names cn-hangzhou and the scope says so too: the signature is right, the place is wrong.
      await refused(() => client().getBucketEncryption('far-bucket'), 'AccessDenied', 403);
    });
  }

  await run('error in x-oss-err, empty body', async () => {
    // Not a 404: ali-oss takes an empty 404 for a missing object before it looks at x-oss-err.
    await admin('PUT', 'settings', { emptyErrorBodies: true });
    await refused(() => client({ accessKeyId: 'nobody' }).getBucketEncryption(bucket), 'InvalidAccessKeyId', 403, '0002-00000902')
      .finally(() => admin('PUT', 'settings', {}));
  });
  await run('nothing was written that was refused', async () => {
    const { writes } = await admin('GET', 'counters');
    const refusedWrites = writes.filter((write) => !write.accepted).map((write) => write.code);
    assert.deepEqual(refusedWrites, ['SignatureDoesNotMatch', 'InvalidEncryptionAlgorithmError', 'InvalidArgument']);
    assert.deepEqual((await admin('GET', 'buckets')).find((b) => b.name === bucket).encryption, undefined);
  });
}

await aliOss('V4', 'oss-cn-hangzhou');
await aliOss('V4', 'cn-hangzhou');
await aliOss('V1', 'oss-cn-hangzhou');

for (const { client, name, failure, milliseconds } of rows) {
  console.log(`${failure ? 'FAIL' : 'ok  '}  ${client.padEnd(34)} ${name.padEnd(40)} ${milliseconds.toFixed(0).padStart(5)} ms`);
  if (failure) {
    console.log(`      ${failure.stack ?? failure}`);
  }
}

const failed = rows.filter((row) => row.failure).length;
console.log(`interop: ${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
