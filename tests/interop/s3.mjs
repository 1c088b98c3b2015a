// S3 and what speaks like it: @aws-sdk/client-s3 against AWS, MinIO and JD Cloud as simulated, and against moto's server, which is somebody else's idea of S3.
import assert from 'node:assert/strict';
import { check, load, onlyRefusedWrites, recorded, versionOf } from './harness.mjs';

const {
  S3Client, CreateBucketCommand, PutBucketEncryptionCommand, GetBucketEncryptionCommand, DeleteBucketEncryptionCommand,
  GetBucketLocationCommand, GetBucketTaggingCommand, ListBucketsCommand, paginateListBuckets,
} = load('@aws-sdk/client-s3');
const bucket = 'interop-bucket';
const key = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

function client(endpoint, region, more = {}) {
  return new S3Client({ endpoint, region, credentials: { accessKeyId: 'interop-id', secretAccessKey: 'interop-secret' }, maxAttempts: 1, ...more });
}

const put = (to, algorithm, { key: kmsKey, bucketKey, ...more } = {}) => to.send(new PutBucketEncryptionCommand({
  Bucket: bucket,
  ServerSideEncryptionConfiguration: {
    Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: algorithm, KMSMasterKeyID: kmsKey }, BucketKeyEnabled: bucketKey }],
  },
  ...more,
}));
const get = async (from, more = {}) => (await from.send(new GetBucketEncryptionCommand({ Bucket: bucket, ...more }))).ServerSideEncryptionConfiguration.Rules[0];
const remove = async (from) => (await from.send(new DeleteBucketEncryptionCommand({ Bucket: bucket }))).$metadata.httpStatusCode;

const tags = async (from) => (await from.send(new GetBucketTaggingCommand({ Bucket: bucket }))).TagSet;
const location = async (from) => (await from.send(new GetBucketLocationCommand({ Bucket: bucket }))).LocationConstraint;
const list = async (from, more = {}) => (await from.send(new ListBucketsCommand(more))).Buckets;

async function refused(call, status, code) {
  const error = await call.then(() => undefined, (e) => e);
  assert.ok(error, `expected ${code}, got success`);
  assert.deepEqual([error.$metadata?.httpStatusCode, error.name], [status, code], error.message);
  return error;
}

/**
 * What every S3 does, whoever made it.
 * @param absent What a bucket has without a configuration: a rule (AWS), or null: 404.
 * @param bucketKey What becomes of BucketKeyEnabled: true.
 */
async function common(run, make, { absent, bucketKey }) {
  const nothing = () => absent
    ? get(make()).then((rule) => assert.deepEqual(rule, absent))
    : refused(get(make()), 404, 'ServerSideEncryptionConfigurationNotFoundError');

  await run('get without a configuration', nothing);
  await run('put AES256, get', async () => {
    await put(make(), 'AES256');
    assert.equal((await get(make())).ApplyServerSideEncryptionByDefault.SSEAlgorithm, 'AES256');
  });
  await run('put aws:kms with key and bucket key, get', async () => {
    await put(make(), 'aws:kms', { key, bucketKey: true });
    const rule = await get(make());
    assert.deepEqual(rule.ApplyServerSideEncryptionByDefault, { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key });
    assert.equal(rule.BucketKeyEnabled, bucketKey);
  });
  await run('delete, get, delete again', async () => {
    assert.equal(await remove(make()), 204);
    await nothing();
    assert.equal(await remove(make()), 204);
  });
  await run('missing bucket', () => refused(get(make(), { Bucket: 'no-such-bucket' }), 404, 'NoSuchBucket'));
}

/**
 * The list of buckets, tags and location.
 * @param name What the store calls the region.
 */
async function account(run, make, admin, name) {
  await run('list: the buckets of the account', async () => {
    await admin('PUT', 'buckets/interop-two', { region: 'eu-north-1' });
    await admin('PUT', 'buckets/not-ours', { owner: '210987654321' });
    assert.deepEqual((await list(make())).map(({ Name }) => Name), [bucket, 'interop-two']);
  });
  await run('tags: none, two', async () => {
    await refused(tags(make()), 404, 'NoSuchTagSet');
    await admin('PUT', `buckets/${bucket}/tags`, { team: 'finance', stage: 'live' });
    assert.deepEqual(await tags(make()), [{ Key: 'stage', Value: 'live' }, { Key: 'team', Value: 'finance' }]);
  });
  await run('location', async () => assert.equal((await location(make())) || undefined, name));
}

/** What only a store that looks at signatures does. */
async function signatures(run, make, admin) {
  await run('wrong secret', () => refused(put(make({ credentials: { accessKeyId: 'interop-id', secretAccessKey: 'wrong' } }), 'aws:kms', { key }), 403, 'SignatureDoesNotMatch'));
  await run('wrong key id', () => refused(get(make({ credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } })), 403, 'InvalidAccessKeyId'));
  await run('clock 16 minutes off', () => refused(get(make({ systemClockOffset: 16 * 60 * 1000 })), 403, 'RequestTimeTooSkewed'));
  await run('denied', async () => {
    const { id } = await admin('POST', 'deny', { operations: ['GetBucketEncryption'] });
    await refused(get(make()), 403, 'AccessDenied').finally(() => admin('DELETE', `deny/${id}`));
  });
  await run('another region in the scope', async () => {
    await refused(get(make({ region: 'us-west-2' })), 400, 'AuthorizationHeaderMalformed');
  });
}

async function tokens(run, make) {
  const sts = { accessKeyId: 'sts-id', secretAccessKey: 'sts-secret' };
  await run('temporary key with its token', async () => assert.equal(await remove(make({ credentials: { ...sts, sessionToken: 'the+token/with=signs' } })), 204));
  await run('temporary key without its token', () => refused(get(make({ credentials: sts })), 403, 'InvalidAccessKeyId'));
  await run('temporary key with a wrong token', () => refused(get(make({ credentials: { ...sts, sessionToken: 'other' } })), 400, 'InvalidToken'));
}

async function prepare({ admin }, region) {
  await admin('POST', 'reset');
  await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  await admin('PUT', 'accounts/sts-id', { secret: 'sts-secret', securityToken: 'the+token/with=signs' });
  await admin('PUT', `buckets/${bucket}`, { region });
}

const calls = (make, options, listed) => async () => {
  await put(make(), 'aws:kms', options);
  await get(make());
  await remove(make());
  await list(make(), listed);
  await tags(make());
  await location(make());
};

const who = (where) => `@aws-sdk/client-s3 ${versionOf('@aws-sdk/client-s3')} ${where}`;

/** @param simulator AWS's store. */
export async function aws(simulator) {
  const { admin } = simulator;
  for (const [style, host, forcePathStyle] of [['virtual-host', 's3.eu-west-1.amazonaws.com', false], ['path', '127.0.0.1', true]]) {
    const run = (what, test) => check(who(`AWS ${style}`), what, test);
    const make = (more) => client(simulator.at(host), 'eu-west-1', { forcePathStyle, ...more });
    await prepare(simulator, 'eu-west-1');
    await common(run, make, { absent: { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: false }, bucketKey: true });
    await signatures(run, make, admin);
    await tokens(run, make);
    await account(run, make, admin, 'eu-west-1');
    await run('list, in pages, with regions', async () => {
      const found = [];
      for await (const { Buckets: page } of paginateListBuckets({ client: make(), pageSize: 1 }, {})) {
        found.push(page.map(({ Name, BucketRegion }) => `${Name} ${BucketRegion}`));
      }

      assert.deepEqual(found, [[`${bucket} eu-west-1`], ['interop-two eu-north-1']]);
    });
    await run('list denied', async () => {
      const { id } = await admin('POST', 'deny', { operations: ['ListBuckets'] });
      await refused(list(make()), 403, 'AccessDenied').finally(() => admin('DELETE', `deny/${id}`));
    });
    await run('unknown algorithm', () => refused(put(make(), 'ROT13'), 400, 'MalformedXML'));
    await run('key with AES256', () => refused(put(make(), 'AES256', { key }), 400, 'InvalidArgument'));
    await run('expected owner, right and wrong', async () => {
      await put(make(), 'AES256', { ExpectedBucketOwner: '123456789012' });
      await refused(get(make(), { ExpectedBucketOwner: '210987654321' }), 403, 'AccessDenied');
      await remove(make());
    });
    await run('nothing was written that was refused', () => onlyRefusedWrites(admin, bucket, ['SignatureDoesNotMatch', 'MalformedXML', 'InvalidArgument']));
    await run('sends what is recorded', () => recorded(admin, `s3-aws-sdk-${style}`, calls(make, { key, bucketKey: true }, forcePathStyle ? {} : { MaxBuckets: 1000 })));
  }

  await check(who('AWS virtual-host'), 'bucket in another region', async () => {
    const there = client(simulator.at('s3.us-west-2.amazonaws.com'), 'us-west-2');
    const error = await refused(get(there), 301, 'PermanentRedirect');
    assert.equal(error.Endpoint, `${bucket}.s3.eu-west-1.amazonaws.com`);
    assert.equal(error.$response.headers['x-amz-bucket-region'], 'eu-west-1');
  });
}

/** @param simulator MinIO's store. */
export async function minio(simulator) {
  const { admin } = simulator;
  const run = (what, test) => check(who('MinIO path'), what, test);
  const make = (more) => client(simulator.url, 'us-east-1', { forcePathStyle: true, ...more });
  await prepare(simulator, 'us-east-1');
  await common(run, make, { absent: null, bucketKey: undefined });
  await signatures(run, make, admin);
  await tokens(run, make);
  await account(run, make, admin, undefined);
  await run('list denied: shortened without a word', async () => {
    await admin('POST', 'deny', { operations: ['ListBuckets'] });
    await admin('POST', 'deny', { operations: ['GetBucketLocation'], bucket: 'interop-two' });
    assert.deepEqual((await list(make())).map(({ Name }) => Name), [bucket]);
    await admin('POST', 'deny', { operations: ['GetBucketLocation'] });
    await refused(list(make()), 403, 'AccessDenied').finally(() => admin('DELETE', 'deny'));
  });
  await run('aws:kms without a key', () => refused(put(make(), 'aws:kms'), 400, 'MalformedXML'));
  await run('a key that does not exist', async () => {
    await admin('PUT', 'settings', { kmsKeys: ['my-key'] });
    await refused(put(make(), 'aws:kms', { key: 'other' }), 400, 'KMS.NotFoundException').finally(() => admin('PUT', 'settings', {}));
  });
  await run('no KMS at all', async () => {
    await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret', kmsEnabled: false });
    await refused(put(make(), 'AES256'), 501, 'NotImplemented');
  });
}

/** @param simulator JD Cloud's store. */
export async function jdcloud(simulator) {
  const { admin } = simulator;
  for (const [style, host, forcePathStyle] of [['virtual-host', 's3.cn-north-1.jdcloud-oss.com', false], ['path', 's3.cn-north-1.jdcloud-oss.com', true]]) {
    const run = (what, test) => check(who(`JD Cloud ${style}`), what, test);
    const make = (more) => client(simulator.at(host), 'cn-north-1', { forcePathStyle, ...more });
    await prepare(simulator, 'cn-north-1');
    await run('get without a configuration', () => refused(get(make()), 404, 'ServerSideEncryptionConfigurationNotFoundError'));
    await run('put aws:kms, get, delete', async () => {
      await put(make(), 'aws:kms');
      assert.deepEqual(await get(make()), { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } });
      assert.equal(await remove(make()), 200);
    });
    await signatures(run, make, admin);
    await account(run, make, admin, 'huabei');
    await run('AES256', () => refused(put(make(), 'AES256'), 400, 'InvalidEncryptionAlgorithmError'));
    await run('bucket key', () => refused(put(make(), 'aws:kms', { bucketKey: true }), 400, 'MalformedXML'));
    await run('missing bucket', () => refused(get(make(), { Bucket: 'no-such-bucket' }), 404, 'NoSuchBucket'));
    await run('nothing was written that was refused', () => onlyRefusedWrites(admin, bucket, ['SignatureDoesNotMatch', 'InvalidEncryptionAlgorithmError', 'MalformedXML']));
    await run('sends what is recorded', () => recorded(admin, `jdcloud-aws-sdk-${style}`, calls(make)));
  }
}

/** The same common checks against moto: where the two agree, the simulator's S3 is not only ours. moto checks no signatures. */
export async function moto(url) {
  const make = (more) => client(url, 'us-east-1', { forcePathStyle: true, ...more });
  await make().send(new CreateBucketCommand({ Bucket: bucket }));
  await common((what, test) => check(who('moto'), what, test), make, { absent: null, bucketKey: true });
}
