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

/** Put, get, delete, list, tags and location by the operator's own code; fails unless it reads what it has put, and finds the bucket in the list. */
const send = (args, proxy) => promisify(execFile)('dotnet', [program, ...args], { env: { ...process.env, http_proxy: proxy, no_proxy: '' } });

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

/** First column of the table: `part`, or several. */
function named(vendor) {
  const page = readFileSync(new URL(`../../docs/vendors/${vendor}.md`, import.meta.url), 'utf8');
  const section = /\n## Beside the vendor's client\n(.*?)(?=\n## |$)/s.exec(page)?.[1] ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)].map((match) => match[1]));
}

/** Prints the requests of one vendor side by side, and holds them against the vendor's page. */
export async function operator(simulator, vendor, region) {
  const { admin } = simulator;
  const listed = named(vendor);
  const seen = new Set();
  for (const [recording, args] of Object.entries(pairs[vendor])) {
    await check(`the operator beside ${recording}`.slice(0, 54), 'differs as docs/vendors says', async () => {
      await admin('POST', 'reset');
      await admin('PUT', 'accounts/interop-id', { secret: 'interop-secret' });
      await admin('PUT', 'buckets/interop-bucket', { region, tags: { team: 'finance' } });
      await send(args.map((arg) => (arg === 'SIMULATOR' ? simulator.url : arg)), simulator.url);
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

  await check(`the operator at ${vendor}`, 'docs/vendors names no difference that is none', () => assert.deepEqual(listed.filter((part) => !seen.has(part)), []));
}

/** Somebody else's idea of S3 takes our requests, too. The bucket is there: its own client made it. */
export async function operatorAtMoto(url) {
  await check('the operator at moto', 'put, get, delete, list, tags, location', () => send(['S3', url, 'us-east-1', 'Path', awsKey, 'bucketKey=true'], ''));
}
