/*
 * Crowds that say as little as keeps them from being silent: one byte at a time of a handshake, or
 * of a frame. They are gone when the limit is over, hold little memory until then, and everybody
 * else is served.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { start, within } from './harness.mjs';
import { BINARY, Wire, frame, upgradeText, upgraded } from './wire.mjs';

const CROWD = 500;
/* With a sanitizer's margins and all; a release takes far less. */
const MAX_BYTES_EACH = 65536;

/* ThreadSanitizer has several bytes of its own for each: nothing to be measured there. */
const isMeasured = !process.env.MOONWIRE_SANITIZE?.includes('thread');

/* What is freed is memory that others may have, also where a sanitizer would keep it for a while. */
const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };

const files = {
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

const drips = [
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

for (const { what, dial, text, end, told } of drips) {
    test(`${CROWD} who drip ${what} are told and gone, and others are served`, async (t) => {
        const server = await start(t, files, { env });
        const other = await server.connect('/echo');
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
            await (await server.connect('/echo')).close(1000);
            served++;
        }
        await within(Promise.all(gone), () => 'the crowd to be gone');
        assert.deepEqual(new Set(await Promise.all(ends)), new Set([told]));
        if (isMeasured) assert.ok(peak < CROWD * MAX_BYTES_EACH, `${peak} bytes for ${CROWD}`);
        t.diagnostic(`${Math.round(peak / CROWD)} bytes each; ${served} served meanwhile`);
        await other.close(1000);
    });
}
