/* Conversations with npm ws, the WebSocket library that most of Node uses. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SENDABLE, UNSENDABLE, refused, start, within } from './harness.mjs';

const MIB = 1024 * 1024;

const server = await start({ after }, {
    'moonwire.lua': 'return { script = { string = 17 * 1024 * 1024 } }',
    'scripts/echo.lua': `
        local M = { limits = { message = 17 * 1024 * 1024, queue = 64 * 1024 * 1024 } }
        function M.on_message(conn, data, kind)
          conn:send(data, kind == "binary" and "binary" or nil)
        end
        return M`,
    'scripts/length.lua': `
        return { on_message = function(conn, data, kind) conn:send(kind .. " " .. #data) end }`,
    'scripts/spoken.lua': `
        local M = { protocols = { "v2.chat", "v1.chat" } }
        function M.on_open(conn) conn:send(conn.protocol or "none") end
        return M`,
    'scripts/pinged.lua': `
        local M = {}
        function M.on_message(conn, data)
          if data == "ping" then conn:ping() else conn:send(conn.rtt and "rtt" or "no rtt") end
        end
        return M`,
    'scripts/kept.lua': `
        local M = { limits = { ping = 1 } }
        function M.on_message(conn, data) conn:send(data) end
        return M`,
    'scripts/ends.lua': `
        local M = { route = "/ends/:tag" }
        function M.on_open(conn)
          if conn.params.tag:match("^at_once") then conn:close(4321, "no room") end
        end
        function M.on_message(conn, data)
          local code, reason = data:match("^(%d+) ?(.*)$")
          if not code then return conn:send(data) end
          local ok, answer, why = pcall(function() return conn:close(tonumber(code), reason) end)
          if not ok then conn:send(answer) end
        end
        function M.on_close(conn, code, reason, info)
          log.info("end", { tag = conn.params.tag, code = code, reason = reason, who = info.who,
                            cause = info.cause, clean = info.clean, received = info.received })
        end
        return M`,
});

const end = (tag) => server.log({ msg: 'end', tag });

/* ---- what goes in comes out ---- */

const sizes = [0, 1, 125, 126, 127, 65535, 65536, 65537, MIB, 16 * MIB];

for (const size of sizes) {
    test(`echo of ${size} bytes, text and binary`, async () => {
        const peer = await server.connect('/echo', { maxPayload: 0 });
        const text = '€'.repeat(size / 3) + 'x'.repeat(size % 3); /* that many bytes of UTF-8 */
        assert.ok(await peer.ask(text) === text, 'the text comes back as it was');
        const bytes = Buffer.alloc(size, 'Moonwire\0\xff', 'latin1');
        const answer = await peer.ask(bytes);
        assert.ok(Buffer.isBuffer(answer) && answer.equals(bytes), 'and so do the bytes');
        assert.deepEqual(await peer.close(1000), { code: 1000, reason: '' });
    });
}

test('1 000 messages come back in order, whatever their sizes', async () => {
    const peer = await server.connect('/echo');
    const message = (i) => `${i} ${'x'.repeat((i * 7919) % 3000)}`;
    for (let i = 0; i < 1000; i++) peer.send(message(i));
    for (let i = 0; i < 1000; i++) assert.equal(await peer.next(), message(i));
    await peer.close();
});

const fragmented = [
    { name: 'two halves', parts: ['half and ', 'half'] },
    { name: 'empty fragments', parts: ['', 'a', '', 'b', ''] },
    { name: 'a character cut in two', parts: [Buffer.of(0xe2, 0x82), Buffer.of(0xac)], whole: '€' },
    { name: '10 000 single bytes', parts: Array(10_000).fill('z') },
    { name: 'large fragments', parts: Array(5).fill('m'.repeat(MIB)) },
];

for (const { name, parts, whole = parts.join('') } of fragmented) {
    test(`a message in fragments is one message: ${name}`, async () => {
        const peer = await server.connect('/echo', { maxPayload: 0 });
        parts.forEach((part, i) => {
            peer.send(part, { fin: i === parts.length - 1, binary: false });
            if (i === 1) peer.socket.ping('between');
        });
        assert.ok(await peer.next() === whole);
        await peer.close();
    });
}

test('an empty message is a message', async () => {
    const peer = await server.connect('/length');
    assert.equal(await peer.ask(''), 'text 0');
    assert.equal(await peer.ask(Buffer.alloc(0)), 'binary 0');
    await peer.close();
});

/* ---- subprotocols ---- */

const offers = [
    { offered: ['v1.chat'], chosen: 'v1.chat' },
    { offered: ['v1.chat', 'v2.chat'], chosen: 'v2.chat' }, /* the script's preference */
    { offered: ['v3.chat', 'v1.chat'], chosen: 'v1.chat' },
    { offered: [], chosen: '' },
];

for (const { offered, chosen } of offers) {
    test(`of the subprotocols [${offered}] the answer is "${chosen}"`, async () => {
        const peer = await server.connect('/spoken', { protocols: offered });
        assert.equal(peer.socket.protocol, chosen);
        assert.equal(await peer.next(), chosen || 'none');
        await peer.close();
    });
}

/* ---- pings ---- */

test('a ping is answered with its own bytes', async () => {
    const peer = await server.connect('/echo');
    for (const payload of ['', 'still there?', 'x'.repeat(125)]) {
        const pong = new Promise((resolve) => peer.socket.once('pong', resolve));
        peer.socket.ping(payload);
        assert.equal((await within(pong, () => 'a pong')).toString(), payload);
    }
    await peer.close();
});

test('a script pings, and knows the round trip then', async () => {
    const peer = await server.connect('/pinged');
    assert.equal(await peer.ask('rtt?'), 'no rtt');
    const pinged = new Promise((resolve) => peer.socket.once('ping', resolve));
    peer.send('ping');
    await within(pinged, () => 'a ping');
    assert.equal(await peer.ask('rtt?'), 'rtt'); /* npm ws has sent its pong before the event */
    await peer.close();
});

test('the server pings by itself, and keeps a peer that answers', async () => {
    const peer = await server.connect('/kept');
    let pings = 0;
    const pinged = new Promise((resolve) =>
        peer.socket.on('ping', () => ++pings === 3 && resolve()));
    await within(pinged, () => '3 pings');
    assert.equal(await peer.ask('well?'), 'well?');
    await peer.close();
});

/* ---- ends: each side is told what the other said ---- */

for (const code of SENDABLE) {
    test(`close ${code} in both directions`, async () => {
        const leaving = await server.connect(`/ends/from_client_${code}`);
        assert.equal((await leaving.close(code, 'bye')).code, code, 'echoed');
        const mine = await end(`from_client_${code}`);
        assert.deepEqual([mine.code, mine.reason, mine.who, mine.cause, mine.clean],
            [code, 'bye', 'client', 'peer_close', true]);

        const told = await server.connect(`/ends/from_script_${code}`);
        told.send(`${code} enough`);
        assert.deepEqual(await told.seen(), { code, reason: 'enough' });
        const its = await end(`from_script_${code}`);
        assert.deepEqual([its.code, its.reason, its.who, its.cause, its.clean],
            [code, 'enough', 'server', 'script_close', true]);
    });
}

test('a close without a code is 1005, and clean', async () => {
    const peer = await server.connect('/ends/bare');
    assert.deepEqual(await peer.close(), { code: 1005, reason: '' });
    const { code, cause, clean } = await end('bare');
    assert.deepEqual({ code, cause, clean }, { code: 1005, cause: 'peer_close', clean: true });
});

test('a connection that is cut is 1006, by the network', async () => {
    const peer = await server.connect('/ends/cut');
    peer.socket.terminate();
    const { code, who, cause, clean } = await end('cut');
    assert.deepEqual({ code, who, clean }, { code: 1006, who: 'network', clean: false });
    assert.match(cause, /^peer_(fin|reset)$/);
});

for (const code of [...UNSENDABLE, 65536]) {
    test(`a script that closes with ${code} is told why that cannot be`, async () => {
        const peer = await server.connect(`/ends/unsendable_${code}`);
        assert.match(await peer.ask(String(code)), new RegExp(`${code}`));
        assert.deepEqual(await peer.close(1000), { code: 1000, reason: '' });
    });
}

const reasons = [
    { name: '123 bytes whole', given: 'r'.repeat(123), seen: 'r'.repeat(123) },
    { name: '124 bytes cut at 123', given: 'r'.repeat(124), seen: 'r'.repeat(123) },
    { name: 'cut on a code point', given: 'é'.repeat(62), seen: 'é'.repeat(61) },
    { name: 'four-byte characters', given: '😀'.repeat(40), seen: '😀'.repeat(30) },
];

for (const { name, given, seen } of reasons) {
    test(`a reason of the script arrives: ${name}`, async () => {
        const peer = await server.connect('/ends/reason');
        peer.send(`4000 ${given}`);
        assert.deepEqual(await peer.seen(), { code: 4000, reason: seen });
    });
}

test('a reason of the client arrives whole at 123 bytes', async () => {
    const peer = await server.connect('/ends/long_reason');
    const reason = 'ü'.repeat(61) + '!';
    assert.equal((await peer.close(4000, reason)).code, 4000);
    assert.equal((await end('long_reason')).reason, reason);
});

test('a close in on_open comes after the 101, as a code that a client can read', async () => {
    const peer = await server.connect('/ends/at_once');
    assert.deepEqual(await peer.seen(), { code: 4321, reason: 'no room' });
});

test('what was sent before a close arrives before it', async () => {
    const peer = await server.connect('/ends/queued');
    for (let i = 0; i < 100; i++) peer.send(`nothing ${i}`);
    peer.send('1000 done');
    assert.deepEqual(await peer.seen(), { code: 1000, reason: 'done' });
    assert.equal((await end('queued')).received, 101);
});

test('a path without a script is refused with 404', async () => {
    assert.equal((await refused(server, '/nowhere')).status, 404);
});
