// What all checks need: the matrix, the simulator's admin API, recordings, and names that lead to loopback whatever they are.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { pathToFileURL } from 'node:url';

// The packages live outside the checkout (run.sh), so that they are looked for from there.
const modules = process.env.INTEROP_MODULES ?? new URL('.', import.meta.url).pathname;
export const load = createRequire(pathToFileURL(`${modules}/`));
export const versionOf = (name) => JSON.parse(readFileSync(`${modules}/node_modules/${name}/package.json`, 'utf8')).version;

// Clients are given the vendors' own host names, as their signatures depend on them; nothing may leave the machine.
dns.lookup = (host, options, callback) => {
  const done = callback ?? options;
  const address = net.isIP(host) ? host : '127.0.0.1';
  return process.nextTick(() => (options?.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)));
};

export const rows = [];

/** Runs one check of the matrix. It fails when the test throws. */
export async function check(client, name, test) {
  const started = performance.now();
  let failure;
  try {
    await test();
  } catch (e) {
    failure = e;
  }

  rows.push({ client, name, failure, milliseconds: performance.now() - started });
}

/** One store of the simulator's: its port, and its admin API. */
export function store(url) {
  const admin = async (method, path, body) => {
    const response = await fetch(`${url}/_admin/${path}`, {
      method,
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return response.headers.get('content-type')?.includes('json') ? response.json() : response.text();
  };
  return { url, port: new URL(url).port, at: (host) => `http://${host}:${new URL(url).port}`, admin };
}

/** Compares what was refused with what had to be: nothing that was refused may have been written. */
export async function onlyRefusedWrites(admin, bucket, codes) {
  const { writes } = await admin('GET', 'counters');
  assert.deepEqual(writes.filter((write) => !write.accepted).map((write) => write.code), codes);
  assert.equal((await admin('GET', 'buckets')).find((b) => b.name === bucket).encryption, undefined);
}

const changing = ['date', 'x-sdk-date', 'x-jdcloud-date', 'x-jdcloud-nonce', 'x-oss-date', 'x-amz-date', 'user-agent', 'x-amz-user-agent', 'amz-sdk-invocation-id'];

export function asText(request) {
  // connection depends on the version of node, and no store cares.
  const headers = request.headers.filter(({ key }) => key !== 'connection').map(({ key, value }) => {
    const shown = changing.includes(key) ? '*' : value.replace(/:\d+$/, ':PORT').replace(/\/\d{8}\//, '/DATE/');
    return `${key}: ${shown}`;
  });
  // An RPC service has time and nonce among its parameters.
  const target = request.target.replace(/([?&](?:Timestamp|SignatureNonce)=)[^&]*/g, '$1*');
  return [`# ${request.operation}: ${request.status}`, `${request.method} ${target}`, ...headers, ...(request.body ? ['', request.body] : [])].join('\n');
}

/**
 * Writes down what a client sends, one request after the other, times and ports left out, and compares it with recorded/NAME.txt: that is what a request of anybody
 * else for the same vendor is laid beside. INTEROP_RECORD=1 writes the files anew.
 */
export async function recorded(admin, name, run) {
  await admin('DELETE', 'requests');
  await run();
  const text = `${(await admin('GET', 'requests')).map(asText).join('\n\n')}\n`;
  const file = new URL(`recorded/${name}.txt`, import.meta.url);
  if (process.env.INTEROP_RECORD) {
    writeFileSync(file, text);
  }

  assert.equal(text, readFileSync(file, 'utf8'));
}
