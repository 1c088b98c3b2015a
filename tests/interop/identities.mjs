// Token services: @aws-sdk/client-sts and @alicloud/sts20150401 assume roles and trade tokens at the simulated services; then the operator's own requests are laid beside theirs.
// What differs is in the table "Beside the vendors' clients" of docs/credentials.md; a difference that is not, and a line there that is none any more, fail.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { check, load, versionOf } from './harness.mjs';
import { send } from './operator.mjs';

const { STSClient, AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } = load('@aws-sdk/client-sts');
const { default: Sts, AssumeRoleRequest } = load('@alicloud/sts20150401');
const { Config } = load('@alicloud/openapi-core').$OpenApiUtil ?? load('@alicloud/openapi-client');

const iam = (name) => `arn:aws:iam::123456789012:role/${name}`;
const ram = (name) => `acs:ram::123:role/${name}`;
const session = 'oss@team';

const changing = ['Signature', 'SignatureNonce', 'Timestamp', 'authorization', 'content-length', 'date', 'user-agent', 'x-amz-date', 'x-amz-user-agent', 'amz-sdk-invocation-id'];
const hopByHop = ['connection', 'host', 'accept'];

/** Every part of a request, name → value: method, path, query and form by parameter, headers. What changes each time is a star. */
function partsOf({ method, target, headers, body }) {
  const [path, query] = target.replace(/^http:\/\/[^/]+/, '').split('?');
  const parts = { method, path };
  for (const [where, text] of [['query', query], ['form', body]]) {
    for (const [name, value] of new URLSearchParams(text ?? '')) {
      parts[`${where} ${name}`] = changing.includes(name) ? '*' : value;
    }
  }

  for (const { key, value } of headers) {
    if (key === 'authorization') {
      parts['signed headers'] = /SignedHeaders=([^,]*)/.exec(value)?.[1];
      parts.scope = /Credential=([^,]*)/.exec(value)?.[1].replace(/\/\d{8}\//, '/DATE/');
    } else if (!hopByHop.includes(key)) {
      parts[`header ${key}`] = changing.includes(key) ? '*' : value;
    }
  }

  return parts;
}

const asked = async (admin) => (await admin('GET', 'requests')).filter(({ operation }) => operation === 'AssumeRole').map(partsOf);

function listed() {
  const page = readFileSync(new URL('../../docs/credentials.md', import.meta.url), 'utf8');
  const section = /\n## Beside the vendors' clients\n(.*?)(?=\n## |$)/s.exec(page)?.[1] ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)].map((match) => match[1]));
}

async function prepare({ admin }, role, oidcProviderArn) {
  await admin('POST', 'reset');
  await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
  await admin('PUT', 'identity', {
    roleArn: role('web'), oidcProviderArn, oidcToken: 'good-token',
    roles: [
      { arn: role('hub'), by: ['interop-id'] },
      { arn: role('spoke'), by: [role('hub')], externalId: 'team/oss' },
    ],
  });
  await admin('DELETE', 'requests');
}

/** What the client sends is what was recorded, and the operator's own request differs from it as the page says. */
async function besides(simulator, name, protocol, role, region, theirs, seen) {
  const file = new URL(`recorded/${name}.json`, import.meta.url);
  await check(name, 'sends what is recorded', async () => {
    await theirs();
    const parts = (await asked(simulator.admin)).at(-1);
    if (process.env.INTEROP_RECORD) {
      writeFileSync(file, `${JSON.stringify(parts, null, 2)}\n`);
    }

    assert.deepEqual(parts, JSON.parse(readFileSync(file, 'utf8')));
  });
  await check(`the operator beside ${name}`, 'differs as docs/credentials says', async () => {
    await simulator.admin('DELETE', 'requests');
    await send(['AssumeRole', protocol, simulator.url, region, role('hub')], '');
    const [theirParts, ourParts] = [JSON.parse(readFileSync(file, 'utf8')), (await asked(simulator.admin)).at(-1)];
    const found = [...new Set([...Object.keys(theirParts), ...Object.keys(ourParts)])].filter((part) => theirParts[part] !== ourParts[part]);
    for (const part of found) {
      console.log(`      ${name.padEnd(22)} ${part.padEnd(28)} ${(theirParts[part] ?? '-').padEnd(34)} | ${ourParts[part] ?? '-'}`);
      seen.add(part);
    }

    assert.deepEqual(found.filter((part) => !listed().includes(part)), [], 'not in docs/credentials.md');
  });
}

async function refused(call, status, code) {
  const error = await call.then(() => undefined, (e) => e);
  assert.ok(error, `expected ${code}, got success`);
  assert.deepEqual([error.$metadata?.httpStatusCode ?? error.statusCode, error.Code ?? error.code], [status, code], error.message);
}

async function aws(simulator, seen) {
  const who = `@aws-sdk/client-sts ${versionOf('@aws-sdk/client-sts')}`;
  const run = (what, test) => check(who, what, test);
  const client = (credentials, more = {}) => new STSClient({ endpoint: simulator.url, region: 'eu-west-1', maxAttempts: 1, credentials, ...more });
  const base = { accessKeyId: 'interop-id', secretAccessKey: 'interop-secret' };
  const assume = async (credentials, name, more = {}, options) => {
    const { Credentials: key } = await client(credentials, options).send(new AssumeRoleCommand({ RoleArn: iam(name), RoleSessionName: session, DurationSeconds: 3600, ...more }));
    return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey, sessionToken: key.SessionToken };
  };
  await prepare(simulator, iam);
  await run('two roles, external id and tags on the last', async () => {
    const hub = await assume(base, 'hub');
    await assume(hub, 'spoke', { ExternalId: 'team/oss', Tags: [{ Key: 'team', Value: 'a b' }] });
    await refused(assume(hub, 'spoke', { ExternalId: 'team/other' }), 403, 'AccessDenied');
    await refused(assume(hub, 'spoke'), 403, 'AccessDenied');
    await refused(assume(base, 'spoke', { ExternalId: 'team/oss' }), 403, 'AccessDenied');
    await refused(assume(hub, 'spoke', { ExternalId: 'team/oss', DurationSeconds: 3601 }), 400, 'ValidationError');
    await refused(assume({ ...hub, sessionToken: 'other' }, 'spoke', { ExternalId: 'team/oss' }), 403, 'InvalidClientTokenId');
  });
  await run('wrong secret, unknown key, wrong clock', async () => {
    await refused(assume({ ...base, secretAccessKey: 'wrong' }, 'hub'), 403, 'SignatureDoesNotMatch');
    await refused(assume({ ...base, accessKeyId: 'nobody' }, 'hub'), 403, 'InvalidClientTokenId');
    await refused(assume(base, 'hub', {}, { systemClockOffset: 6 * 60 * 1000 }), 403, 'SignatureDoesNotMatch');
  });
  await run('a token for a role', async () => {
    const trade = (token) => client().send(new AssumeRoleWithWebIdentityCommand({ RoleArn: iam('web'), RoleSessionName: session, WebIdentityToken: token }));
    assert.ok((await trade('good-token')).Credentials.SessionToken);
    await refused(trade('bad-token'), 400, 'InvalidIdentityToken');
  });
  await besides(simulator, 'sts-aws-sdk', 'Query', iam, 'eu-west-1', () => assume(base, 'hub'), seen);
}

async function alibaba(simulator, seen) {
  const who = `@alicloud/sts20150401 ${versionOf('@alicloud/sts20150401')}`;
  const run = (what, test) => check(who, what, test);
  const assume = async (credentials, name, more = {}) => {
    const client = new Sts(new Config({ ...credentials, endpoint: new URL(simulator.url).host, protocol: 'http', signatureAlgorithm: 'v2' }));
    const request = new AssumeRoleRequest({ roleArn: ram(name), roleSessionName: session, durationSeconds: 3600, ...more });
    const { body: { credentials: key } } = await client.assumeRole(request);
    return { accessKeyId: key.accessKeyId, accessKeySecret: key.accessKeySecret, securityToken: key.securityToken };
  };
  const base = { accessKeyId: 'interop-id', accessKeySecret: 'interop-secret' };
  await prepare(simulator, ram, 'acs:ram::123:oidc-provider/p');
  await run('two roles, external id on the last', async () => {
    const hub = await assume(base, 'hub');
    await assume(hub, 'spoke', { externalId: 'team/oss' });
    await refused(assume(hub, 'spoke', { externalId: 'team/other' }), 403, 'NoPermission');
    await refused(assume(base, 'other'), 404, 'EntityNotExist.Role');
  });
  await run('wrong secret, unknown key', async () => {
    await refused(assume({ ...base, accessKeySecret: 'wrong' }, 'hub'), 400, 'SignatureDoesNotMatch');
    await refused(assume({ ...base, accessKeyId: 'nobody' }, 'hub'), 404, 'InvalidAccessKeyId.NotFound');
  });
  await besides(simulator, 'sts-alicloud', 'Rpc', ram, 'cn-hangzhou', () => assume(base, 'hub'), seen);
}

/** @param alibabas Alibaba's store, and its token service. @param amazons AWS's. */
export async function identities(alibabas, amazons) {
  const seen = new Set();
  await aws(amazons, seen);
  await alibaba(alibabas, seen);
  await check('the operator at the token services', 'docs/credentials names no difference that is none', () => assert.deepEqual(listed().filter((part) => !seen.has(part)), []));
}
