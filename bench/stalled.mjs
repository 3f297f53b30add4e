/*
 * What readers that stall cost the others: so many readers of one topic, of which some do not read,
 * for each policy. Rounds with and without stalled ones take turns, so that what the machine does
 * meanwhile meets both. A delay is from the publisher's send to the reader's receipt, in this
 * process; those of rounds with stalled readers are told as ratios to those without.
 * What is lost by those who read: of `latest`, messages of which two came in one turn; else none.
 *
 *   ./dev bench stalled [READERS [STALLED [SECONDS]]]
 */
import { createConnection } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderOf, heapBytes, startMoonwire, stop } from './lab.mjs';

const [readers = 1000, stalled = 100, seconds = 5] = process.argv.slice(2).map(Number);
const ROUNDS = 3, EVERY_MS = 50, BYTES = 1024, AT_ONCE = 50;
/* More than the kernels keep for a connection over loopback. */
const FILL_BYTES = 65536, FILLS = 160;
const MASK = Buffer.of(1, 2, 3, 4);

const script = (policy, options) => `
    local M = { limits = { queue = 262144, policy = "${policy}", ping = 0 }, compression = false }
    local sum = { dropped = 0, replaced = 0, closed = 0 }
    local fill = ("f"):rep(${FILL_BYTES})
    function M.on_open(conn, req)
      conn:subscribe("all")
      if req.query.stalls then conn:subscribe("fill") end
    end
    function M.on_message(conn, data)
      if data == "fill" then publish("fill", fill, ${options}) return end
      if data ~= "sum" then publish("all", data, ${options}) return end
      local now = { dropped = sum.dropped, replaced = sum.replaced, closed = sum.closed }
      for c in connections() do
        now.dropped = now.dropped + c.dropped
        now.replaced = now.replaced + c.replaced
      end
      conn:send(now)
    end
    function M.on_close(conn, code, reason, info)
      sum.dropped = sum.dropped + conn.dropped
      sum.replaced = sum.replaced + conn.replaced
      if info.cause == "slow_consumer" then sum.closed = sum.closed + 1 end
    end
    return M`;

function frame(text) {
    const body = Buffer.from(text).map((byte, i) => byte ^ MASK[i % 4]);
    const head = body.length < 126 ? [0x81, 0x80 | body.length]
        : [0x81, 0xfe, body.length >> 8, body.length & 255];
    return Buffer.concat([Buffer.of(...head), MASK, body]);
}

/* A connection; onText gets each message that comes. */
function connect(port, path, onText) {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.setNoDelay(true);
    socket.on('error', () => {});
    let rest = Buffer.alloc(0), isOpen = false;
    return new Promise((resolve, reject) => {
        socket.once('close', reject);
        socket.on('data', (bytes) => {
            rest = rest.length ? Buffer.concat([rest, bytes]) : bytes;
            if (!isOpen) {
                const end = rest.indexOf('\r\n\r\n');
                if (end < 0) return;
                rest = rest.subarray(end + 4);
                isOpen = true;
                resolve(socket);
            }
            while (rest.length >= 4) {
                const short = rest[1] & 127, wide = short === 126 ? 2 : short === 127 ? 8 : 0;
                if (rest.length < 2 + wide) return;
                const size = wide === 2 ? rest.readUInt16BE(2)
                    : wide ? Number(rest.readBigUInt64BE(2)) : short;
                if (rest.length < 2 + wide + size) return;
                if ((rest[0] & 15) === 1) onText?.(rest, 2 + wide, size);
                rest = rest.subarray(2 + wide + size);
            }
        });
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n` +
            'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    });
}

async function many(count, make) {
    const all = [];
    while (all.length < count) {
        const some = Math.min(AT_ONCE, count - all.length);
        all.push(...await Promise.all(Array.from({ length: some }, make)));
    }
    return all;
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

async function measure(name, policy, options = '{}') {
    const folder = folderOf({ 'scripts/all.lua': script(policy, options) });
    const server = await startMoonwire(folder);
    let delays = [], got = 0, told = null;
    const hear = (bytes, from, size) => {
        if (size !== BYTES) return;
        got++;
        delays.push(performance.now() - Number(bytes.toString('latin1', from, from + 16)));
    };
    const others = await many(readers - stalled, () => connect(server.port, '/all', hear));
    const teller = await connect(server.port, '/all', (bytes, from, size) => {
        if (size < BYTES) told?.(JSON.parse(bytes.toString('latin1', from, from + size)));
    });
    const ask = () => new Promise((resolve) => { told = resolve; teller.write(frame('sum')); });
    const results = { calm: [], stalled: [] };
    const memory = { calm: 0, stalled: 0 };
    let lost = 0;
    for (let round = 0; round < 2 * ROUNDS; round++) {
        const kind = round % 2 ? 'stalled' : 'calm';
        const path = kind === 'calm' ? '/all' : '/all?stalls=1';
        const some = await many(stalled, () => connect(server.port, path));
        if (kind === 'stalled') {
            for (const socket of some) socket.pause();
            for (let i = 0; i < FILLS; i++) {
                teller.write(frame('fill'));
                await sleep(10);
            }
        }
        await sleep(500);
        delays = results[kind];
        got = 0;
        const count = Math.floor(seconds * 1000 / EVERY_MS);
        for (let i = 0; i < count; i++) {
            teller.write(frame(performance.now().toFixed(6).padStart(16).padEnd(BYTES)));
            await sleep(EVERY_MS);
        }
        memory[kind] = Math.max(memory[kind], heapBytes(server.pid));
        const wanted = count * others.length;
        for (let i = 0; i < 100 && got < wanted; i++) await sleep(100);
        lost += wanted - got;
        for (const socket of some) socket.destroy();
        await sleep(500);
    }
    const sum = await ask();
    const sorted = {};
    for (const kind of ['calm', 'stalled']) sorted[kind] = results[kind].sort((a, b) => a - b);
    const ms = (kind, part) => at(sorted[kind], part);
    const ratio = (part) => (ms('stalled', part) / ms('calm', part)).toFixed(2);
    const mib = (kind) => (memory[kind] / 1048576).toFixed(1);
    console.log([name.padEnd(7), mib('calm').padStart(10), mib('stalled').padStart(10),
        ms('calm', 0.5).toFixed(2).padStart(9), ms('calm', 0.99).toFixed(2).padStart(9),
        ratio(0.5).padStart(9), ratio(0.99).padStart(9), String(sum.dropped).padStart(9),
        String(sum.replaced).padStart(9), String(sum.closed).padStart(7),
        String(lost).padStart(6)].join(' '));
    for (const socket of [...others, teller]) socket.destroy();
    await stop(server);
}

console.log(`${readers} readers, ${stalled} of them stall in each second round; ${BYTES} B every ` +
    `${EVERY_MS} ms, limits.queue 256 KiB; memory in MiB, delays of the others in ms`);
console.log('policy   mem none  mem stall  p50 none  p99 none p50 ratio p99 ratio   dropped  ' +
    'replaced  closed   lost');
await measure('close', 'close');
await measure('drop', 'drop');
await measure('latest', 'close', '{ policy = "latest", key = "k" }');
