/*
 * Peers that are slow on purpose: heads and frames that trickle, pings that nobody answers, answers
 * that nobody reads. Each is ended at its limit, none costs more memory than it sends, and who is
 * not slow is served meanwhile. How long anything takes is not asserted.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { start } from './harness.mjs';
import { BINARY, CLOSE, PING, Wire, frame, upgradeText, upgraded } from './wire.mjs';

const EACH = 75, TRICKLE_MS = 200;

/* ThreadSanitizer has several bytes of its own for each: nothing to be measured there. */
const isMeasured = !process.env.MOONWIRE_SANITIZE?.includes('thread');

const ended = (more) => `
    local M = { ${more} }
    function M.on_close(conn, code, reason, info)
      log.info("end", { code = code, cause = info.cause, reason = reason })
    end
    function M.on_message(conn, data) conn:send(data) end
    return M`;

const server = await start({ after }, {
    'moonwire.lua': 'return { script = { string = 16 * 1024 * 1024 } }',
    'scripts/frames.lua': ended('limits = { message = 16 * 1024 * 1024, pong = 1 }'),
    'scripts/pings.lua': ended('limits = { ping = 1, pong = 1 }'),
    'scripts/idle.lua': ended('limits = { idle = 1 }'),
    'scripts/quick.lua': ended(''),
}, { env: { MOONWIRE_LOG_LEVEL: 'info' } });

const memory = () => Number(/VmRSS:\s+(\d+)/.exec(
    readFileSync(`/proc/${server.process.pid}/status`))[1]) / 1024;

const many = (make) => Promise.all(Array.from({ length: EACH }, make));

/* One byte now and then for as long as the stream lasts. */
function trickle(wire, bytes) {
    let at = 0;
    const timer = setInterval(() => wire.send(Buffer.of(bytes[at++ % bytes.length])), TRICKLE_MS);
    wire.ended.then(() => clearInterval(timer));
}

async function slowHead() {
    const wire = new Wire(server.port);
    wire.send(upgradeText('/quick').slice(0, -2));
    trickle(wire, Buffer.from('X-Slow: yes\r\n'));
    const { status } = await wire.answer();
    assert.equal(status, 408);
    await wire.ends();
    wire.drop();
}

/* 16 MiB are promised; what comes is a byte now and then. */
async function slowFrame() {
    const wire = await upgraded(server, '/frames');
    wire.send(frame(BINARY, '', { length: 16 << 20 }));
    trickle(wire, Buffer.from('x'));
    assert.deepEqual(await wire.closing(), { code: 3008, reason: 'a frame came too slowly' });
    await wire.ends();
    wire.drop();
}

/* Takes what comes, and answers no ping. */
async function silent() {
    const wire = await upgraded(server, '/pings');
    assert.equal((await wire.frame()).opcode, PING);
    assert.equal((await wire.closing()).code, 3008);
    await wire.ends();
    wire.drop();
}

/* Pings and pongs are no messages. */
async function idle() {
    const wire = await upgraded(server, '/idle');
    wire.send(frame(BINARY, 'half a message', { fin: false }));
    trickle(wire, frame(PING, ''));
    assert.equal((await wire.closing()).code, 3008);
    wire.send(frame(CLOSE, ''));
    await wire.ends();
    wire.drop();
}

/* The ordinary client, all the while. */
async function serveOthers(until) {
    let over = false, answers = 0;
    until.finally(() => { over = true; });
    const peer = await server.connect('/quick');
    while (!over) {
        assert.equal(await peer.ask(`message ${answers}`), `message ${answers}`);
        answers++;
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await peer.close(1000);
    return answers;
}

test(`${4 * EACH} slow peers are each ended at their limit, in little memory`, async (t) => {
    const before = memory();
    let most = before;
    const watch = setInterval(() => { most = Math.max(most, memory()); }, 100);
    const all = Promise.all([slowHead, slowFrame, silent, idle].map(many));
    const answers = await serveOthers(all);
    await all;
    clearInterval(watch);
    const causes = { ping_timeout: EACH, idle_timeout: 2 * EACH };
    for (const [cause, count] of Object.entries(causes)) {
        await server.log({ msg: 'end', cause }, count); /* a peer may see its end before the log does */
        assert.equal(server.all({ msg: 'end', cause }).length, count, cause);
    }
    const kib = ((most - before) * 1024) / (4 * EACH);
    t.diagnostic(`${kib.toFixed(1)} KiB a peer, ${answers} answers meanwhile`);
    assert.ok(!isMeasured || most - before < 48, `${before} MiB became ${most}`);
});
