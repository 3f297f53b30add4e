/*
 * Crowds that say as little as keeps them from being silent: one byte at a time of a hello of TLS, a
 * handshake, or a frame. They are gone when the limit is over, hold little memory until then, and everybody
 * else is served.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { certificate } from './certificates.mjs';
import { Peer, start, within } from './harness.mjs';
import { BINARY, Wire, frame, upgradeText, upgraded } from './wire.mjs';

const CROWD = 500;
/* With a sanitizer's margins and all; a release takes far less. */
const MAX_BYTES_EACH = 65536;

/* ThreadSanitizer has several bytes of its own for each: nothing to be measured there. */
const isMeasured = !process.env.MOONWIRE_SANITIZE?.includes('thread');

/* What is freed is memory that others may have, also where a sanitizer would keep it for a while. */
const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };

const { cert, key } = certificate('localhost');
const files = {
    'a.pem': cert,
    'a.key': key,
    'scripts/echo.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'scripts/frames.lua': 'return { limits = { ping = 1, pong = 1 } }',
};

function residentBytes(server) {
    const text = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)[1]) * 1024;
}

/* Sends the bytes of `text`, one every 100 ms, until the socket is closed. */
function drip(wire, text) {
    const bytes = Buffer.from(text);
    let at = 0;
    const next = () => { at = (at + 1) % bytes.length; return bytes.subarray(at, at + 1); };
    wire.send(bytes.subarray(0, 1));
    const dripping = setInterval(() => wire.send(next()), 100);
    return new Promise((resolve) => wire.socket.once('close', resolve))
        .finally(() => clearInterval(dripping));
}

const tls = ['--listen', '127.0.0.1:0', '--tls-cert', 'a.pem', '--tls-key', 'a.key'];

/* The header of a record (RFC 8446 5.1) of 4096 bytes, and of a hello that is as long (4). */
const hello = Buffer.concat([Buffer.from([22, 3, 1, 16, 0, 1, 0, 15, 252]), Buffer.alloc(4087, 1)]);

async function connect(server) {
    const peer = new Peer(`${server.url.replace(/^http/, 'ws')}echo`, { ca: cert });
    await within(peer.opened, () => 'another client', () => server.tail());
    return peer;
}

const drips = [
    {
        what: 'a hello of TLS', end: (wire) => wire.ends(), told: 'fin', args: tls,
        dial: async (server) => new Wire(server.port), text: hello,
    },
    {
        what: 'a request head', end: async (wire) => (await wire.answer()).status, told: 408,
        dial: async (server) => new Wire(server.port),
        text: upgradeText('/echo', { 'X-Long': 'x'.repeat(1000) }),
    },
    {
        what: 'a frame', end: async (wire) => (await wire.closing()).code, told: 3008,
        dial: (server) => upgraded(server, '/frames'),
        text: frame(BINARY, '', { length: 60000 }),
    },
];

for (const { what, dial, text, end, told, args } of drips) {
    test(`${CROWD} who drip ${what} are told and gone, and others are served`, async (t) => {
        const server = await start(t, files, { env, args });
        const other = await connect(server);
        const before = residentBytes(server);
        const crowd = [];
        for (let i = 0; i < CROWD; i++) crowd.push(await dial(server));
        let left = CROWD, served = 0;
        const gone = crowd.map((wire) => drip(wire, text).then(() => left--));
        const ends = crowd.map(end);
        let peak = 0;
        while (left > 0) {
            peak = Math.max(peak, residentBytes(server) - before);
            assert.equal(await other.ask('still there?'), 'still there?');
            await (await connect(server)).close(1000);
            served++;
        }
        await within(Promise.all(gone), () => 'the crowd to be gone');
        assert.deepEqual(new Set(await Promise.all(ends)), new Set([told]));
        if (isMeasured) assert.ok(peak < CROWD * MAX_BYTES_EACH, `${peak} bytes for ${CROWD}`);
        t.diagnostic(`${Math.round(peak / CROWD)} bytes each; ${served} served meanwhile`);
        await other.close(1000);
    });
}
