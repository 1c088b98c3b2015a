// The operator's own requests, sent to the same simulator by its own code and laid beside what the vendor's client was recorded to send (recorded/). What differs is in the table
// "Beside the vendor's client" of docs/vendors/VENDOR.md, with the reason; a difference that is not, and a line there that is none any more, fail.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { asText, check } from './harness.mjs';

const program = process.env.OPERATOR_DLL;
const bodyDigests = ['content-length', 'content-md5', 'x-amz-content-sha256', 'x-amz-checksum-crc32'];
const xmlDeclaration = /^<\?xml[^>]*\?>\s*/;

const ossKey = 'key=9468da86-3509-4f8d-a61e-6eab1eac0001';
const obsKey = 'key=4f1cd4de-ab64-4807-920a-47fc42e7f0d0';
const awsKey = 'key=arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const [oss, jd] = ['AlibabaOSS', 'JDCloudOSS'];

/** Which recordings have a request of ours beside them. ali-oss at an IP address has no counterpart (ours has the bucket in the path there), nor has OBS with AWS's signatures. */
export const pairs = {
  alibaba: {
    'alibaba-ali-oss-v4-oss-cn-hangzhou.aliyuncs.com': [oss, 'http://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', ossKey],
    'alibaba-ali-oss-v4-oss-cn-hangzhou-internal.aliyuncs.com': [oss, 'http://oss-cn-hangzhou-internal.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', ossKey],
    'alibaba-ali-oss-v4-cn-hangzhou.oss.aliyuncs.com': [oss, 'http://cn-hangzhou.oss.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', ossKey],
    'alibaba-ali-oss-v1-oss-cn-hangzhou.aliyuncs.com': [oss, 'http://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', ossKey, 'signature=V1'],
  },
  huawei: {
    'huawei-esdk-obs-virtual-host': ['HuaweiOBS', 'http://obs.cn-north-4.myhuaweicloud.com', 'cn-north-4', 'VirtualHost', obsKey],
  },
  jdcloud: {
    'jdcloud-aws-sdk-virtual-host': [jd, 'http://s3.cn-north-1.jdcloud-oss.com', 'cn-north-1', 'VirtualHost'],
    'jdcloud-aws-sdk-path': [jd, 'http://s3.cn-north-1.jdcloud-oss.com', 'cn-north-1', 'Path'],
  },
  s3: {
    's3-aws-sdk-virtual-host': ['S3', 'http://s3.eu-west-1.amazonaws.com', 'eu-west-1', 'VirtualHost', awsKey, 'bucketKey=true'],
    's3-aws-sdk-path': ['S3', 'SIMULATOR', 'eu-west-1', 'Path', awsKey, 'bucketKey=true'],
  },
};

const kmsKey = 'key=0d0466b0-e727-4d9c-b35d-f84bb474a37f';

/** The same for the key services. */
export const keyPairs = {
  alibaba: {
    'kms-alibaba-kms.cn-hangzhou.aliyuncs.com': [oss, 'http://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', kmsKey, 'kms=http://kms.cn-hangzhou.aliyuncs.com'],
    'kms-alibaba-kms-vpc.cn-hangzhou.aliyuncs.com': [oss, 'http://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', kmsKey, 'kms=http://kms-vpc.cn-hangzhou.aliyuncs.com'],
    'kms-alibaba-127.0.0.1': [oss, 'http://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'VirtualHost', kmsKey, 'kms=SIMULATOR'],
  },
  huawei: {
    'kms-huawei-kms.cn-north-4.myhuaweicloud.com': ['HuaweiOBS', 'http://obs.cn-north-4.myhuaweicloud.com', 'cn-north-4', 'VirtualHost', kmsKey, 'project=p-1', 'kms=http://kms.cn-north-4.myhuaweicloud.com'],
  },
  jdcloud: {
    'kms-jdcloud-kms.jdcloud-api.com': [jd, 'http://s3.cn-north-1.jdcloud-oss.com', 'cn-north-1', 'VirtualHost', kmsKey, 'kms=http://kms.jdcloud-api.com'],
  },
  s3: {
    'kms-aws-kms.eu-west-1.amazonaws.com': ['S3', 'http://s3.eu-west-1.amazonaws.com', 'eu-west-1', 'VirtualHost', kmsKey, 'kms=http://kms.eu-west-1.amazonaws.com'],
    'kms-aws-127.0.0.1': ['S3', 'http://s3.eu-west-1.amazonaws.com', 'eu-west-1', 'VirtualHost', kmsKey, 'kms=SIMULATOR'],
  },
  minio: {
    'kms-minio': ['S3', 'SIMULATOR', 'us-east-1', 'Path', kmsKey, 'kms=SIMULATOR'],
  },
};

/** Put, get, delete, list, tags and location by the operator's own code; fails unless it reads what it has put, and finds the bucket in the list. Or the key service's question. */
export const send = (args, proxy) => promisify(execFile)('dotnet', [program, ...args], { env: { ...process.env, http_proxy: proxy, no_proxy: '' } });

/** Recorded text → for each operation its parts: status, method, path, query, each header, XML declaration, namespace, body. */
function parts(text) {
  return Object.fromEntries(text.trim().split(/\n\n(?=# )|\n(?=# )/).map((request) => {
    const [head, ...rest] = request.split('\n\n');
    const [title, line, ...headers] = head.split('\n');
    const [, operation, status] = /^# (\w+): (\d+)$/.exec(title);
    const [method, target] = line.split(' ');
    const [path, query] = target.replace(/^http:\/\/[^/]+/, '').split('?'); // through a proxy the target has the host, too
    const body = rest.join('\n\n').trim();
    const fields = { status, method, path, query };
    for (const header of headers) {
      const [, key, value] = /^([^:]+): (.*)$/.exec(header);
      // What follows from the body, or from which other headers there are, differs when they do: that it is there is what counts.
      fields[key] = bodyDigests.includes(key) ? '(as the body)' : value.replace(/:PORT$/, '').replace(/SignedHeaders=[^,]*/, 'SignedHeaders=(as sent)');
    }

    if (body) {
      fields['XML declaration'] = xmlDeclaration.test(body) ? 'yes' : undefined;
      fields.namespace = / xmlns="([^"]*)"/.exec(body)?.[1];
      fields.body = body.replace(xmlDeclaration, '').replace(/ xmlns="[^"]*"/, '');
    }

    return [operation, fields];
  }));
}

/** Every part that differs: {operation, part, theirs, ours}. An operation that only one of them has is one difference. */
function differences(theirs, ours) {
  const found = [];
  for (const operation of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const [a, b] = [theirs[operation], ours[operation]];
    if (!a || !b) {
      found.push({ operation, part: operation, theirs: a ? 'sent' : undefined, ours: b ? 'sent' : undefined });
      continue;
    }

    for (const part of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (a[part] !== b[part]) {
        found.push({ operation, part, theirs: a[part], ours: b[part] });
      }
    }
  }

  return found;
}

/** First column of the table: `part`, or several. The key service has a table of its own, under a heading of its own. */
function named(vendor, ofKeyService) {
  const page = readFileSync(new URL(`../../docs/vendors/${vendor}.md`, import.meta.url), 'utf8');
  const [store, keyService = ''] = (/\n## Beside the vendor's client\n(.*?)(?=\n## |$)/s.exec(page)?.[1] ?? '').split('\n### The key service\n');
  return (ofKeyService ? keyService : store).split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)].map((match) => match[1]));
}

/** Prints the requests of one vendor side by side, and holds them against the vendor's page: the store's, and then the key service's. */
export async function operator(simulator, vendor, region) {
  await beside(simulator, vendor, region, pairs[vendor], named(vendor, false), vendor);
  await beside(simulator, vendor, region, keyPairs[vendor], named(vendor, true), `${vendor}'s key service`);
}

/** MinIO has no client for its key status: what is beside us is the signer of AWS's clients, and there is no table. */
export const operatorAtMinio = (simulator) => beside(simulator, 's3', 'us-east-1', keyPairs.minio, [], "minio's key service");

async function beside(simulator, vendor, region, recordings, listed, where) {
  const { admin } = simulator;
  const seen = new Set();
  for (const [recording, args] of Object.entries(recordings)) {
    await check(`the operator beside ${recording}`.slice(0, 54), 'differs as docs/vendors says', async () => {
      await admin('POST', 'reset');
      await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
      await admin('PUT', 'buckets/interop-bucket', { region, tags: { team: 'finance' } });
      await send(args.map((arg) => arg.replace('SIMULATOR', simulator.url)), simulator.url);
      const ours = parts((await admin('GET', 'requests')).map(asText).join('\n\n'));
      const theirs = parts(readFileSync(new URL(`recorded/${recording}.txt`, import.meta.url), 'utf8'));
      const found = differences(theirs, ours);
      const alike = Object.values(ours).reduce((sum, fields) => sum + Object.keys(fields).length, 0) - found.filter((one) => one.ours !== undefined).length;
      console.log(`${recording} | the operator: ${alike} parts alike, ${found.length} not`);
      for (const { operation, part, theirs: a = '-', ours: b = '-' } of found) {
        console.log(`      ${operation.padEnd(22)} ${part.padEnd(28)} ${a.padEnd(34)} | ${b}`);
        seen.add(part);
      }

      assert.deepEqual(found.filter(({ part }) => !listed.includes(part)), [], `not in docs/vendors/${vendor}.md`);
    });
  }

  await check(`the operator at ${where}`, 'docs/vendors names no difference that is none', () => assert.deepEqual(listed.filter((part) => !seen.has(part)), []));
}

/** Somebody else's idea of S3 takes our requests, too. The bucket is there: its own client made it. */
export async function operatorAtMoto(url, key) {
  await check('the operator at moto', 'put, get, delete, list, tags, location', () => send(['S3', url, 'us-east-1', 'Path', awsKey, 'bucketKey=true'], ''));
  await check('the operator at moto', 'a key that is pending deletion, and one that is not there', async () => {
    const describe = async (id) => (await send(['S3', 'http://s3.us-east-1.amazonaws.com', 'us-east-1', 'Path', `key=${id}`, `kms=${url}`], '')).stdout.trim();
    assert.equal(await describe(key), 'KeyPendingDeletion PendingDeletion');
    assert.equal(await describe('00000000-0000-0000-0000-000000000000'), 'KeyNotFound NotFoundException');
  });
}
