// Alibaba Cloud OSS: ali-oss, with signatures V4 and V1, at an IP address, a public, an internal and a dual-stack endpoint, and at a domain of the owner's.
import assert from 'node:assert/strict';
import { check, load, onlyRefusedWrites, recorded, versionOf } from './harness.mjs';

const OSS = load('ali-oss');

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

async function aliOss(simulator, version, region, where) {
  const { admin } = simulator;
  const name = `ali-oss ${versionOf('ali-oss')} ${version} ${where}`;
  const run = (what, test) => check(name, what, test);
  const client = (more = {}) => new OSS({
    endpoint: simulator.at(where),
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
  await run('list, in pages', async () => {
    await admin('PUT', 'buckets/interop-two', { region: 'cn-beijing' });
    await admin('PUT', 'buckets/not-ours', { region: 'cn-hangzhou', owner: '210987654321' });
    const first = await client().listBuckets({ 'max-keys': 1 });
    assert.deepEqual([first.buckets.map(({ name, region }) => `${name} ${region}`), first.isTruncated, first.nextMarker], [[`${bucket} oss-cn-hangzhou`], true, bucket]);
    const second = await client().listBuckets({ 'max-keys': 1, marker: first.nextMarker });
    assert.deepEqual([second.buckets.map(({ name, region }) => `${name} ${region}`), second.isTruncated], [['interop-two oss-cn-beijing'], false]);
  });
  await run('list denied', async () => {
    const { id } = await admin('POST', 'deny', { operations: ['ListBuckets'] });
    await refused(() => client().listBuckets({}), 'AccessDenied', 403).finally(() => admin('DELETE', `deny/${id}`));
  });
  await run('tags: none, two', async () => {
    assert.deepEqual((await client().getBucketTags(bucket)).tag, {});
    await admin('PUT', `buckets/${bucket}/tags`, { team: 'finance', stage: 'live' });
    assert.deepEqual((await client().getBucketTags(bucket)).tag, { stage: 'live', team: 'finance' });
  });
  await run('location', async () => assert.equal((await client().getBucketLocation(bucket)).location, 'oss-cn-hangzhou'));
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
    await onlyRefusedWrites(admin, bucket, ['SignatureDoesNotMatch', 'InvalidEncryptionAlgorithmError', 'InvalidArgument']);
  });
  await run('sends what is recorded', () => recorded(admin, `alibaba-ali-oss-${version.toLowerCase()}-${where.replace(/[0-9.]+$/, 'ip')}`, async () => {
    await client().putBucketEncryption(bucket, { SSEAlgorithm: 'KMS', KMSMasterKeyID: '9468da86-3509-4f8d-a61e-6eab1eac0001' });
    await client().getBucketEncryption(bucket);
    await client().deleteBucketEncryption(bucket);
    await client().listBuckets({ 'max-keys': 1000 });
    await client().getBucketTags(bucket);
    await client().getBucketLocation(bucket);
  }));
}

/** A domain of the owner's: the bucket is neither in the host nor in the path, and is signed all the same. */
async function cname(simulator, version) {
  await check(`ali-oss ${versionOf('ali-oss')} ${version} CNAME`, 'put, get, delete', async () => {
    await simulator.admin('POST', 'reset');
    await simulator.admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
    await simulator.admin('PUT', 'buckets/interop-bucket', { region: 'cn-hangzhou', customDomain: 'files.example' });
    const client = new OSS({
      endpoint: simulator.at('files.example'),
      cname: true,
      bucket: 'interop-bucket',
      region: 'oss-cn-hangzhou',
      accessKeyId: 'interop-id',
      accessKeySecret: 'interop-secret',
      authorizationV4: version === 'V4',
    });
    await client.putBucketEncryption('interop-bucket', { SSEAlgorithm: 'AES256' });
    assert.deepEqual((await client.getBucketEncryption('interop-bucket')).encryption, { SSEAlgorithm: 'AES256' });
    assert.equal((await client.deleteBucketEncryption('interop-bucket')).status, 204);
    const hosts = (await simulator.admin('GET', 'requests')).map((request) => request.host);
    assert.deepEqual(hosts, Array(3).fill(`files.example:${simulator.port}`));
  });
}

/** On a CloudBox the scope names the box in the region's place, and oss-cloudbox as the product. */
async function cloudBox(simulator) {
  await check(`ali-oss ${versionOf('ali-oss')} V4 CloudBox`, 'put, get, delete; KMS is refused', async () => {
    await simulator.admin('POST', 'reset');
    await simulator.admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
    await simulator.admin('PUT', 'buckets/interop-bucket', { region: 'cn-hangzhou', cloudBoxId: 'cb-123' });
    const client = new OSS({
      endpoint: simulator.at('cb-123.cn-hangzhou.oss-cloudbox-control.aliyuncs.com'),
      region: 'cn-hangzhou',
      cloudBoxId: 'cb-123',
      accessKeyId: 'interop-id',
      accessKeySecret: 'interop-secret',
      authorizationV4: true,
    });
    await client.putBucketEncryption('interop-bucket', { SSEAlgorithm: 'AES256' });
    assert.deepEqual((await client.getBucketEncryption('interop-bucket')).encryption, { SSEAlgorithm: 'AES256' });
    await refused(() => client.putBucketEncryption('interop-bucket', { SSEAlgorithm: 'KMS' }), 'InvalidArgument', 400);
    assert.equal((await client.deleteBucketEncryption('interop-bucket')).status, 204);
    const scopes = (await simulator.admin('GET', 'requests')).map(({ headers }) => headers.find((header) => header.key === 'authorization').value);
    assert.ok(scopes.every((scope) => scope.includes('/cb-123/oss-cloudbox/')), scopes[0]);
  });
}

/** @param simulator Alibaba's store. */
export async function alibaba(simulator) {
  for (const version of ['V4', 'V1']) {
    // With an IP endpoint ali-oss connects there and names bucket and region in Host all the same.
    await aliOss(simulator, version, 'oss-cn-hangzhou', '127.0.0.1');
    await aliOss(simulator, version, 'oss-cn-hangzhou', 'oss-cn-hangzhou.aliyuncs.com');
    await cname(simulator, version);
  }

  await cloudBox(simulator);
  await aliOss(simulator, 'V4', 'cn-hangzhou', 'oss-cn-hangzhou-internal.aliyuncs.com');
  await aliOss(simulator, 'V4', 'oss-cn-hangzhou', 'cn-hangzhou.oss.aliyuncs.com');
}
