// Huawei Cloud OBS: esdk-obs-nodejs by virtual host (its own signature) and by path style, where it falls back to AWS's V2 without saying so.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { check, load, onlyRefusedWrites, recorded, versionOf } from './harness.mjs';

const ObsClient = load('esdk-obs-nodejs');
const bucket = 'interop-bucket';
const key = '4f1cd4de-ab64-4807-920a-47fc42e7f0d0';

const rule = (algorithm, more) => ({ Bucket: bucket, Rule: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm, ...more } } });

/** The client is set up behind its constructor's back: the first call right after `new` would throw. */
async function client(simulator, host, more) {
  const made = new ObsClient({
    access_key_id: 'interop-id',
    secret_access_key: 'interop-secret',
    server: simulator.at(host),
    max_retry_count: 0,
    ...more,
  });
  while (!made.util?.server) {
    await setImmediate();
  }

  return made;
}

async function esdk(simulator, { name, host, kms, refusedWord, options = {} }) {
  const { admin } = simulator;
  const who = `esdk-obs-nodejs ${versionOf('esdk-obs-nodejs')} ${name}`;
  const run = (what, test) => check(who, what, test);
  const call = async (method, parameters = { Bucket: bucket }, more = {}) => {
    const { CommonMsg: message, InterfaceResult: result } = await (await client(simulator, host, { ...options, ...more }))[method](parameters);
    return { status: message.Status, code: message.Code, id: message.RequestId, result };
  };
  const refused = async (answer, status, code) => {
    const { status: saw, code: said } = await answer;
    assert.deepEqual([saw, said], [status, code]);
  };
  await admin('POST', 'reset');
  await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  await admin('PUT', 'accounts/sts-id', { secret: 'sts-secret', securityToken: 'the+token/with=signs' });
  await admin('PUT', `buckets/${bucket}`, { region: 'cn-north-4', customDomain: 'files.example' });

  await run('get without a configuration', () => refused(call('getBucketEncryption'), 404, 'NoSuchEncryptionConfiguration'));
  await run(`put ${kms} with key, get`, async () => {
    assert.equal((await call('setBucketEncryption', rule(kms, { KMSMasterKeyID: key }))).status, 200);
    const { status, id, result } = await call('getBucketEncryption');
    assert.equal(status, 200);
    assert.match(id, /^[0-9A-F]{32}$/);
    assert.deepEqual(result.Rule.ApplyServerSideEncryptionByDefault, { SSEAlgorithm: kms, KMSMasterKeyID: key });
  });
  await run('put AES256, get', async () => {
    assert.equal((await call('setBucketEncryption', rule('AES256'))).status, 200);
    assert.equal((await call('getBucketEncryption')).result.Rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm, 'AES256');
  });
  await run('delete, get, delete again', async () => {
    assert.equal((await call('deleteBucketEncryption')).status, 204);
    await refused(call('getBucketEncryption'), 404, 'NoSuchEncryptionConfiguration');
    assert.equal((await call('deleteBucketEncryption')).status, 204);
  });
  // At a bucket's own domain there is no list, and the client refuses to ask for it.
  if (!options.is_cname) {
    await run('list, with places', async () => {
      await admin('PUT', 'buckets/interop-two', { region: 'cn-east-3', fileSystem: 'unsupported' });
      await admin('PUT', 'buckets/not-ours', { region: 'cn-north-4', owner: '210987654321' });
      const { status, result } = await call('listBuckets', { QueryLocation: true });
      assert.equal(status, 200);
      assert.deepEqual(result.Buckets.map(({ BucketName: name, Location: location }) => `${name} ${location}`), [`${bucket} cn-north-4`, 'interop-two cn-east-3']);
    });
    await run('list, in pages', async () => {
      const { result: first } = await call('listBuckets', { MaxKeys: 1 });
      assert.deepEqual([first.Buckets.map(({ BucketName: name }) => name), first.IsTruncated, first.NextMarker], [[bucket], 'true', bucket]);
      const { result: second } = await call('listBuckets', { MaxKeys: 1, Marker: first.NextMarker });
      assert.deepEqual(second.Buckets.map(({ BucketName: name }) => name), ['interop-two']);
    });
    await run('list, buckets only', async () => {
      assert.deepEqual((await call('listBuckets', { BucketType: 'OBJECT' })).result.Buckets.map(({ BucketName: name }) => name), [bucket]);
    });
    await run('list denied', async () => {
      const { id } = await admin('POST', 'deny', { operations: ['ListBuckets'] });
      await refused(call('listBuckets', {}), 403, 'AccessDenied').finally(() => admin('DELETE', `deny/${id}`));
    });
  }

  await run('tags: none, two', async () => {
    await refused(call('getBucketTagging'), 404, 'NoSuchTagSet');
    await admin('PUT', `buckets/${bucket}/tags`, { team: 'finance', stage: 'live' });
    assert.deepEqual((await call('getBucketTagging')).result.Tags, [{ Key: 'stage', Value: 'live' }, { Key: 'team', Value: 'finance' }]);
  });
  await run('location', async () => assert.equal((await call('getBucketLocation')).result.Location, 'cn-north-4'));
  const sts = { access_key_id: 'sts-id', secret_access_key: 'sts-secret' };
  await run('temporary key with its token', async () => {
    assert.equal((await call('deleteBucketEncryption', undefined, { ...sts, security_token: 'the+token/with=signs' })).status, 204);
  });
  await run('temporary key without its token', () => refused(call('getBucketEncryption', undefined, sts), 403, 'InvalidAccessKeyId'));
  await run('temporary key with a wrong token', () => refused(call('getBucketEncryption', undefined, { ...sts, security_token: 'other' }), 403, 'InvalidSecurityToken'));
  await run('wrong secret', () => refused(call('setBucketEncryption', rule(kms), { secret_access_key: 'wrong' }), 403, 'SignatureDoesNotMatch'));
  await run('wrong key id', () => refused(call('getBucketEncryption', undefined, { access_key_id: 'nobody' }), 403, 'InvalidAccessKeyId'));
  await run(`the other dialect's word: ${refusedWord}`, () => refused(call('setBucketEncryption', rule(refusedWord)), 400, 'InvalidEncryptionAlgorithmError'));
  await run('key with AES256', () => refused(call('setBucketEncryption', rule('AES256', { KMSMasterKeyID: key })), 400, 'InvalidArgument'));
  await run('denied', async () => {
    const { id } = await admin('POST', 'deny', { operations: ['GetBucketEncryption'] });
    await refused(call('getBucketEncryption'), 403, 'AccessDenied').finally(() => admin('DELETE', `deny/${id}`));
  });
  if (!options.is_cname) {
    await run('missing bucket', () => refused(call('getBucketEncryption', { Bucket: 'no-such-bucket' }), 404, 'NoSuchBucket'));
  }

  await run('nothing was written that was refused', () =>
    onlyRefusedWrites(admin, bucket, ['SignatureDoesNotMatch', 'InvalidEncryptionAlgorithmError', 'InvalidArgument']));
  await run('sends what is recorded', () => recorded(admin, `huawei-esdk-obs-${name.split(' ')[0]}`, async () => {
    await call('setBucketEncryption', rule(kms, { KMSMasterKeyID: key }));
    await call('getBucketEncryption');
    await call('deleteBucketEncryption');
    if (!options.is_cname) {
      await call('listBuckets', { QueryLocation: true, BucketType: 'OBJECT' });
    }

    await call('getBucketTagging');
    await call('getBucketLocation');
  }));
}

/** @param simulator Huawei's store. */
export async function huawei(simulator) {
  await esdk(simulator, { name: 'virtual-host (OBS)', host: 'obs.cn-north-4.myhuaweicloud.com', kms: 'kms', refusedWord: 'aws:kms' });
  await esdk(simulator, { name: 'path (AWS V2)', host: '127.0.0.1', kms: 'aws:kms', refusedWord: 'kms' });
  await esdk(simulator, { name: 'custom-domain (AWS V2)', host: 'files.example', kms: 'aws:kms', refusedWord: 'kms', options: { is_cname: true } });
}
