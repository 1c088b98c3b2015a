// The key services: @alicloud/kms20160120, @aws-sdk/client-kms, jdcloud-sdk-js, and huaweicloud-sdk-core (Huawei has no KMS client for npm: its core signs and sends). MinIO has no
// client for this question at npm: the signer of AWS's clients signs it, as MinIO takes S3's signature there.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import { check, load, recorded, versionOf } from './harness.mjs';

const { default: Alibaba, DescribeKeyRequest } = load('@alicloud/kms20160120');
const { Config: AlibabaConfig } = load('@alicloud/rpc-client');
const { CreateKeyCommand, DescribeKeyCommand, DisableKeyCommand, KMSClient, ScheduleKeyDeletionCommand } = load('@aws-sdk/client-kms');
const { BasicCredentials } = load('@huaweicloud/huaweicloud-sdk-core');
const { ClientBuilder } = load('@huaweicloud/huaweicloud-sdk-core/ClientBuilder');
// Two of the clients log every request, with headers.
load('log4js').configure({ appenders: { console: { type: 'console' } }, categories: { default: { appenders: ['console'], level: 'off' } } });
const JDCloud = load('jdcloud-sdk-js/src/services/kms');
load('jdcloud-sdk-js/src/lib/core').config.logger = () => {};
const { SignatureV4 } = load('@smithy/signature-v4');

const key = '0d0466b0-e727-4d9c-b35d-f84bb474a37f';
const deletionDate = '2026-12-24T08:30:00Z';
const states = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'];

async function prepare({ admin }) {
  await admin('POST', 'reset');
  await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  await admin('PUT', 'accounts/other-id', { secret: 'other-secret', owner: '210987654321' });
  await admin('PUT', 'accounts/sts-id', { secret: 'sts-secret', securityToken: 'the+token/with=signs' });
  await admin('PUT', `kms/${key}`, { aliases: ['alias/finance'] });
}

/** What must hold whatever the vendor: every state, what is not there, what is denied, and the requests are counted apart. */
async function common(run, { admin }, describe, { state, stateOf, gone, denied, skewed, broken, wrong }) {
  for (const name of states.filter((name) => state[name] !== undefined)) {
    await run(`state ${name}`, async () => {
      await admin('PUT', `kms/${key}`, { state: name, aliases: ['alias/finance'], ...(name === 'PendingDeletion' && { deletionDate }) });
      assert.deepEqual(stateOf(await describe(key)), state[name]);
    });
  }

  const refused = async (call, wanted) => {
    const error = await call.then((answer) => assert.fail(`expected ${wanted}, got ${JSON.stringify(answer)}`), (e) => e);
    assert.deepEqual(error.seen, wanted, error.stack);
  };
  await admin('PUT', `kms/${key}`, { aliases: ['alias/finance'] });
  if (gone) {
    await run('no such key', async () => {
      await admin('DELETE', 'kms/00000000-0000-0000-0000-000000000000');
      await refused(describe('00000000-0000-0000-0000-000000000000'), gone);
    });
    await run('a key of another account', () => refused(describe(key, { id: 'other-id', secret: 'other-secret' }), gone));
  }

  await run('denied: by the key, by a rule', async () => {
    await admin('PUT', `kms/${key}`, { mayDescribe: ['somebody'] });
    await refused(describe(key), denied);
    await admin('PUT', `kms/${key}`, {});
    const { id } = await admin('POST', 'deny', { operations: ['DescribeKey'], kmsKey: key });
    await refused(describe(key), denied).finally(() => admin('DELETE', `deny/${id}`));
  });
  await run('wrong secret', () => refused(describe(key, { secret: 'wrong' }), wrong));
  await run('clock 16 minutes off', async () => {
    await admin('PUT', 'settings', { clockOffsetSeconds: 960 });
    await refused(describe(key), skewed).finally(() => admin('PUT', 'settings', {}));
  });
  await run('an injected error', async () => {
    await admin('POST', 'faults', { action: 'error', operations: ['DescribeKey'], status: broken[0], code: broken[1] });
    await refused(describe(key), broken).finally(() => admin('DELETE', 'faults'));
  });
  await run('a page, and half a body', async () => {
    for (const fault of [{ action: 'page' }, { action: 'cut' }]) {
      await admin('POST', 'faults', { operations: ['DescribeKey'], ...fault });
      const answer = await describe(key).then(stateOf, (e) => e).finally(() => admin('DELETE', 'faults'));
      assert.notDeepEqual(answer, state.Enabled);
    }
  });
  await run('counted apart from the store', async () => {
    await admin('DELETE', 'counters');
    await describe(key);
    await describe(key);
    const { total, kmsKeys } = await admin('GET', 'counters');
    assert.equal(total.received, 0);
    assert.equal(kmsKeys[key].DescribeKey.succeeded, 2);
  });
}

function withSeen(call, seen) {
  return call.catch((e) => {
    e.seen = seen(e);
    throw e;
  });
}

/** @param simulator Alibaba Cloud's store. */
export async function alibabaKms(simulator) {
  const { admin } = simulator;
  for (const host of ['127.0.0.1', 'kms.cn-hangzhou.aliyuncs.com', 'kms-vpc.cn-hangzhou.aliyuncs.com']) {
    const run = (what, test) => check(`@alicloud/kms20160120 ${versionOf('@alicloud/kms20160120')} ${host}`, what, test);
    const describe = (name, { id = 'interop-id', secret = 'interop-secret', token } = {}) => {
      const client = new Alibaba(new AlibabaConfig({
        accessKeyId: id, accessKeySecret: secret, securityToken: token, regionId: 'cn-hangzhou', protocol: 'http', endpoint: `${host}:${simulator.port}`,
      }));
      return withSeen(client.describeKey(new DescribeKeyRequest({ keyId: name })), (e) => [e.data?.HttpStatus, e.data?.Code]);
    };
    await prepare(simulator);
    await common(run, simulator, describe, {
      state: Object.fromEntries(states.map((name) => [name, [name, name === 'PendingDeletion' ? deletionDate : '']])),
      stateOf: ({ keyMetadata }) => keyMetadata && [keyMetadata.keyState, keyMetadata.deleteDate],
      gone: [404, 'Forbidden.KeyNotFound'],
      denied: [403, 'Forbidden.NoPermission'],
      wrong: [400, 'SignatureDoesNotMatch'],
      skewed: [400, 'IllegalTimestamp'],
      broken: [503, 'ServiceUnavailableTemporary'],
    });
    const code = async (call) => call.then(() => 'success', (e) => e.seen[1]);
    await run('by alias, by ARN, and by one that is not there', async () => {
      await admin('PUT', `kms/${key}`, { aliases: ['alias/finance'] });
      await admin('DELETE', `kms/${encodeURIComponent('alias/none')}`);
      assert.equal((await describe('alias/finance')).keyMetadata.keyId, key);
      assert.equal((await describe(`acs:kms:cn-hangzhou:123456789012:key/${key}`)).keyMetadata.keyId, key);
      assert.equal(await code(describe('alias/none')), 'Forbidden.AliasNotFound');
    });
    await run('temporary key with its token, without, with another', async () => {
      const sts = { id: 'sts-id', secret: 'sts-secret' };
      assert.equal(await code(describe(key, { ...sts, token: 'the+token/with=signs' })), 'success');
      assert.equal(await code(describe(key, sts)), 'InvalidAccessKeyId.NotFound');
      assert.equal(await code(describe(key, { ...sts, token: 'other' })), 'InvalidSecurityToken.MismatchWithAccessKey');
    });
    if (host.startsWith('kms.')) {
      await run('a key of another region', async () => {
        await admin('PUT', `kms/${key}`, { region: 'cn-shanghai' });
        assert.equal(await code(describe(key)), 'Forbidden.KeyNotFound');
        await admin('PUT', `kms/${key}`, {});
      });
    }

    await run('sends what is recorded', () => recorded(admin, `kms-alibaba-${host}`, () => describe(key)));
  }
}

/** @param simulator AWS's store. */
export async function awsKms(simulator) {
  const { admin } = simulator;
  for (const host of ['127.0.0.1', 'kms.eu-west-1.amazonaws.com']) {
    const run = (what, test) => check(`@aws-sdk/client-kms ${versionOf('@aws-sdk/client-kms')} ${host}`, what, test);
    const describe = (name, { id = 'interop-id', secret = 'interop-secret', token, region = 'eu-west-1' } = {}) => {
      const client = new KMSClient({
        endpoint: simulator.at(host), region, maxAttempts: 1, credentials: { accessKeyId: id, secretAccessKey: secret, sessionToken: token },
      });
      return withSeen(client.send(new DescribeKeyCommand({ KeyId: name })), (e) => [e.$metadata?.httpStatusCode, e.name]);
    };
    await prepare(simulator);
    await common(run, simulator, describe, {
      state: Object.fromEntries(states.map((name) => [name, [name, name === 'Enabled', name === 'PendingDeletion' ? deletionDate : undefined]])),
      stateOf: ({ KeyMetadata }) => KeyMetadata && [KeyMetadata.KeyState, KeyMetadata.Enabled, KeyMetadata.DeletionDate?.toISOString().replace('.000', '')],
      gone: [400, 'NotFoundException'],
      denied: [400, 'AccessDeniedException'],
      wrong: [400, 'InvalidSignatureException'],
      skewed: [400, 'InvalidSignatureException'],
      broken: [500, 'KMSInternalException'],
    });
    const code = async (call) => call.then(() => 'success', (e) => e.seen[1]);
    await run('states of AWS alone, usage, spec, origin, manager', async () => {
      for (const state of ['Creating', 'PendingReplicaDeletion', 'Unavailable', 'Updating']) {
        await admin('PUT', `kms/${key}`, { state, usage: 'SIGN_VERIFY', spec: 'RSA_2048', origin: 'EXTERNAL', managed: true, multiRegion: true });
        const { KeyMetadata: m } = await describe(key);
        assert.deepEqual([m.KeyState, m.KeyUsage, m.KeySpec, m.Origin, m.KeyManager, m.MultiRegion], [state, 'SIGN_VERIFY', 'RSA_2048', 'EXTERNAL', 'AWS', true]);
      }
    });
    await run('by alias, by ARN, of another region, of another account', async () => {
      await admin('PUT', `kms/${key}`, { aliases: ['alias/finance'], region: 'eu-west-1' });
      const arn = (region) => `arn:aws:kms:${region}:123456789012:key/${key}`;
      assert.equal((await describe('alias/finance')).KeyMetadata.KeyId, key);
      assert.equal((await describe(arn('eu-west-1'))).KeyMetadata.Arn, arn('eu-west-1'));
      assert.equal(await code(describe(arn('us-east-1'))), 'NotFoundException');
      assert.equal(await code(describe('arn:nonsense')), 'InvalidArnException');
      assert.equal(await code(describe(arn('eu-west-1'), { id: 'other-id', secret: 'other-secret' })), 'AccessDeniedException');
    });
    await run('temporary key with its token, without, with another; a scope of another region', async () => {
      const sts = { id: 'sts-id', secret: 'sts-secret' };
      assert.equal(await code(describe(key, { ...sts, token: 'the+token/with=signs' })), 'success');
      assert.equal(await code(describe(key, sts)), 'UnrecognizedClientException');
      assert.equal(await code(describe(key, { ...sts, token: 'other' })), 'UnrecognizedClientException');
      assert.equal(await code(describe(key, { region: 'us-east-1' })), host.startsWith('kms') ? 'InvalidSignatureException' : 'NotFoundException');
    });
    await run('sends what is recorded', () => recorded(admin, `kms-aws-${host}`, () => describe(key)));
  }
}

/** Somebody else's idea of AWS KMS: where it agrees with the simulator, the simulator's is not only ours. moto checks no signatures. Returns a key to ask for. */
export async function awsKmsAtMoto(url) {
  const client = new KMSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1, credentials: { accessKeyId: 'interop-id', secretAccessKey: 'interop-secret' } });
  const describe = async (KeyId) => (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
  let made;
  await check(`@aws-sdk/client-kms ${versionOf('@aws-sdk/client-kms')} moto`, 'enabled, disabled, pending deletion, no such key', async () => {
    made = (await client.send(new CreateKeyCommand({}))).KeyMetadata.KeyId;
    assert.deepEqual([(await describe(made)).KeyState, (await describe(made)).Enabled], ['Enabled', true]);
    await client.send(new DisableKeyCommand({ KeyId: made }));
    assert.deepEqual([(await describe(made)).KeyState, (await describe(made)).Enabled], ['Disabled', false]);
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: made, PendingWindowInDays: 7 }));
    const { KeyState, DeletionDate, KeySpec } = await describe(made);
    assert.deepEqual([KeyState, DeletionDate instanceof Date, KeySpec], ['PendingDeletion', true, 'SYMMETRIC_DEFAULT']);
    await assert.rejects(describe('00000000-0000-0000-0000-000000000000'), (e) => e.name === 'NotFoundException' && e.$metadata.httpStatusCode === 400);
  });
  return made;
}

/** @param simulator Huawei Cloud's store. */
export async function huaweiKms(simulator) {
  const { admin } = simulator;
  for (const host of ['127.0.0.1', 'kms.cn-north-4.myhuaweicloud.com']) {
    const run = (what, test) => check(`huaweicloud-sdk-core ${versionOf('@huaweicloud/huaweicloud-sdk-core')} ${host}`, what, test);
    const describe = (name, { id = 'interop-id', secret = 'interop-secret', token, project = 'p-1' } = {}) => {
      const credential = new BasicCredentials().withAk(id).withSk(secret).withProjectId(project);
      // The core reads the code of {"error_code"} and {"error": {"code"}}, not of KMS's {"error": {"error_code"}}: that is read here.
      let told;
      const transformResponse = (text) => {
        try {
          return told = JSON.parse(text);
        } catch {
          return text;
        }
      };
      const client = new ClientBuilder((hc) => hc).withCredential(token ? credential.withSecurityToken(token) : credential).withEndpoint(simulator.at(host)).withOptions({ axiosRequestConfig: { transformResponse } }).build();
      const call = client.sendRequest({
        method: 'POST', url: '/v1.0/{project_id}/kms/describe-key', contentType: 'application/json', headers: {}, queryParams: {}, pathParams: { project_id: project }, data: { key_id: name },
      });
      return withSeen(call, (e) => [e.httpStatusCode, e.errorCode ?? told?.error?.error_code]);
    };
    await prepare(simulator);
    await common(run, simulator, describe, {
      state: { Enabled: ['2', ''], Disabled: ['3', ''], PendingDeletion: ['4', `${Date.parse(deletionDate)}`], PendingImport: ['5', ''] },
      stateOf: ({ key_info: info }) => info && [info.key_state, info.scheduled_deletion_date],
      gone: [404, 'KMS.0207'],
      denied: [403, 'KMS.0306'],
      wrong: [401, 'APIGW.0301'],
      skewed: [401, 'APIGW.0301'],
      broken: [503, 'KMS.0104'],
    });
    const code = async (call) => call.then(() => 'success', (e) => e.seen[1]);
    await run('bad id, another project, default key', async () => {
      await admin('PUT', `kms/${key}`, { projectId: 'p-1', managed: true });
      assert.equal(await code(describe('short')), 'KMS.0205');
      assert.equal(await code(describe(key, { project: 'p-2' })), 'KMS.0207');
      assert.equal((await describe(key)).key_info.default_key_flag, '1');
    });
    await run('temporary key with its token, without', async () => {
      const sts = { id: 'sts-id', secret: 'sts-secret' };
      assert.equal(await code(describe(key, { ...sts, token: 'the+token/with=signs' })), 'success');
      assert.equal(await code(describe(key, sts)), 'APIGW.0301');
    });
    await run('sends what is recorded', () => recorded(admin, `kms-huawei-${host}`, () => describe(key)));
  }
}

/** @param simulator JD Cloud's store. */
export async function jdcloudKms(simulator) {
  const { admin } = simulator;
  for (const host of ['127.0.0.1', 'kms.jdcloud-api.com']) {
    const run = (what, test) => check(`jdcloud-sdk-js ${versionOf('jdcloud-sdk-js')} ${host}`, what, test);
    const describe = (name, { id = 'interop-id', secret = 'interop-secret' } = {}) => {
      const client = new JDCloud({ credentials: { accessKeyId: id, secretAccessKey: secret }, endpoint: { host: `${host}:${simulator.port}`, protocol: 'http' } });
      return withSeen(client.describeKey({ keyId: name }), (e) => [e.error?.code, e.error?.status]);
    };
    await prepare(simulator);
    await common(run, simulator, describe, {
      state: { Enabled: [0, undefined], Disabled: [1, undefined], PendingDeletion: [2, '2026-12-24 08:30:00'] },
      stateOf: ({ result }) => result?.keyInfo && [result.keyInfo.keyStatus, result.keyInfo.deleteTime ?? undefined],
      gone: [404, 'NOT_FOUND'],
      denied: [403, 'PERMISSION_DENIED'],
      wrong: [401, 'UNAUTHENTICATED'],
      skewed: [401, 'UNAUTHENTICATED'],
      broken: [500, 'INTERNAL'],
    });
    await run('sends what is recorded', () => recorded(admin, `kms-jdcloud-${host}`, () => describe(key)));
  }
}

/** Sends these headers and no others, which fetch would not. */
const get = (url, headers) => new Promise((resolve, reject) => {
  http.get(url, { headers: { ...headers, 'user-agent': 'interop' } }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => text += part).on('end', () => resolve([answer.statusCode, text])).on('error', reject);
  }).on('error', reject);
});

class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac('sha256', secret) : createHash('sha256');
  }

  update(data) {
    this.hash.update(data);
  }

  async digest() {
    return this.hash.digest();
  }
}

/** @param simulator MinIO's store. */
export async function minioKms(simulator) {
  const { admin } = simulator;
  const run = (what, test) => check(`@smithy/signature-v4 ${versionOf('@smithy/signature-v4')} MinIO`, what, test);
  const describe = async (name, { id = 'interop-id', secret = 'interop-secret' } = {}) => {
    const { hostname, host } = new URL(simulator.url);
    const signer = new SignatureV4({ service: 's3', region: 'us-east-1', sha256: Sha256, uriEscapePath: false, credentials: { accessKeyId: id, secretAccessKey: secret } });
    const path = '/minio/kms/v1/key/status';
    const { headers } = await signer.sign({ method: 'GET', protocol: 'http:', hostname, path, query: { 'key-id': name }, headers: { host } });
    const [status, text] = await get(`${simulator.url}${path}?key-id=${encodeURIComponent(name)}`, headers);
    const body = JSON.parse(text);
    return status === 200 ? body : withSeen(Promise.reject(new Error(body.Message)), () => [status, body.Code]);
  };
  await prepare(simulator);
  await common(run, simulator, describe, {
    state: { Enabled: [key, undefined, undefined] },
    stateOf: (status) => [status['key-id'], status['encryption-error'], status['decryption-error']],
    denied: [403, 'AccessDenied'],
    wrong: [403, 'SignatureDoesNotMatch'],
    skewed: [403, 'RequestTimeTooSkewed'],
    broken: [503, 'ServerNotInitialized'],
  });
  await run('sends what is recorded', () => recorded(admin, 'kms-minio', () => describe(key)));
  await run('200 for a key that fails: encryption, decryption, unknown', async () => {
    await admin('PUT', `kms/${key}`, { encryptionError: 'kms: sealed' });
    assert.equal((await describe(key))['encryption-error'], 'kms: sealed');
    await admin('PUT', `kms/${key}`, { decryptionError: 'kms: no' });
    assert.equal((await describe(key))['decryption-error'], 'kms: no');
    await admin('DELETE', `kms/${key}`);
    assert.match((await describe(key))['encryption-error'], /does not exist/);
  });
  await run('501 without a KMS', async () => {
    await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret', kmsEnabled: false });
    await assert.rejects(describe(key), (e) => e.seen[0] === 501 && e.seen[1] === 'NotImplemented');
    await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  });
}
