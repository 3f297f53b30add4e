/*
 * The memory that an idle connection costs the server, as a table: how much more of its own memory
 * (RssAnon) it has with so many connections than without, divided by them. A server of its own for
 * each row; what the kernel holds for a socket is not in it.
 *
 *   ./dev bench idle [CONNECTIONS]
 */
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { folderOf, heapBytes, makeCertificate, startMoonwire, stop } from './lab.mjs';

const [connections = 5000] = process.argv.slice(2).map(Number);
const AT_ONCE = 50;
/* After the last byte, for buffers to go to sleep. */
const SETTLE_MS = 5000;
const MASK = Buffer.of(1, 2, 3, 4);

function frame(first, payload) {
    const body = payload.map((byte, i) => byte ^ MASK[i % 4]);
    const length = payload.length < 126 ? [0x80 | payload.length]
        : [0x80 | 126, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.of(first, ...length), MASK, body]);
}

const text = Buffer.from('what is said once, and echoed; '.repeat(20));
const packed = deflateRawSync(text, { windowBits: 12, finishFlush: constants.Z_SYNC_FLUSH });
const plain = frame(0x81, text);
const compressed = frame(0xc1, packed.subarray(0, -4)); /* RFC 7692 7.2.1 */
const offer = 'permessage-deflate; client_max_window_bits';

const rows = [
    { name: 'plain, silent' },
    { name: 'plain, one message echoed', says: plain },
    { name: 'compression agreed on, silent', offers: offer },
    { name: 'compression agreed on, one message echoed', offers: offer, says: compressed },
    { name: 'TLS 1.2, silent', tls: 'TLSv1.2' },
    { name: 'TLS 1.2, one message echoed', tls: 'TLSv1.2', says: plain },
    { name: 'TLS 1.3, silent', tls: 'TLSv1.3' },
    { name: 'TLS 1.3, one message echoed', tls: 'TLSv1.3', says: plain },
];

const folder = folderOf({
    'scripts/echo.lua': `
        return { limits = { ping = 0 }, on_message = function(conn, data) conn:send(data) end }`,
});
const { cert, key } = makeCertificate(folder);

/* The next bytes that come; a short answer comes whole. */
function came(socket) {
    return new Promise((resolve, reject) => {
        socket.once('data', resolve);
        socket.once('close', () => reject(new Error('the server has closed')));
    });
}

async function dial(port, { tls, offers, says }) {
    const where = { port, host: '127.0.0.1' };
    const socket = tls
        ? connectTls({ ...where, rejectUnauthorized: false, minVersion: tls, maxVersion: tls })
        : createConnection(where);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    const extension = offers ? `Sec-WebSocket-Extensions: ${offers}\r\n` : '';
    socket.write('GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n' +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extension}\r\n`);
    const answer = String(await came(socket));
    if (!answer.startsWith('HTTP/1.1 101')) throw new Error(answer);
    if (offers && !/permessage-deflate/.test(answer)) throw new Error('no compression');
    if (says) {
        socket.write(says);
        await came(socket);
    }
    return socket;
}

async function measure(row) {
    const options = ['--compression-memory', String(1 << 30)];
    if (row.tls) options.push('--tls-cert', cert, '--tls-key', key);
    const server = await startMoonwire(folder, ...options);
    (await dial(server.port, row)).destroy(); /* what is made once is not the connections' */
    await sleep(1000);
    const before = heapBytes(server.pid);
    const sockets = [];
    while (sockets.length < connections)
        sockets.push(...await Promise.all(Array.from({ length: AT_ONCE }, () =>
            dial(server.port, row))));
    const awake = heapBytes(server.pid) - before;
    await sleep(SETTLE_MS);
    const asleep = heapBytes(server.pid) - before;
    for (const socket of sockets) socket.destroy();
    await stop(server);
    return [awake, asleep].map((bytes) => Math.round(bytes / sockets.length));
}

console.log(`bytes per connection, of ${connections}`);
console.log(`${'at once'.padStart(52)}${`${SETTLE_MS / 1000} s later`.padStart(12)}`);
for (const row of rows) {
    const [awake, asleep] = await measure(row);
    console.log(`${row.name.padEnd(42)}${String(awake).padStart(10)}${String(asleep).padStart(12)}`);
}
