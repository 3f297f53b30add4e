/* permessage-deflate with npm ws in every combination of parameters, by hand, and what it must bear. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { start } from './harness.mjs';
import { BINARY, CLOSE, TEXT, frame, upgraded } from './wire.mjs';

const MIB = 1024 * 1024;
const ECHO = 'function M.on_message(conn, data, kind) conn:send(data, kind) end return M';
const files = {
    'moonwire.lua': 'return { script = { string = 17 * 1024 * 1024 } }',
    'scripts/echo.lua': `
        local M = { limits = { message = 17 * 1024 * 1024, queue = 64 * 1024 * 1024 } } ${ECHO}`,
    'scripts/small.lua': `
        local M = { limits = { message = 100000, inflated = 1000 } }
        function M.on_close(conn, code, reason, info)
          log.info("small", { code = code, cause = info.cause, rule = info.rule })
        end
        ${ECHO}`,
    'scripts/bombed.lua': `
        local M = {}
        function M.on_close(conn, code, reason, info) log.info("bombed", { cause = info.cause }) end
        ${ECHO}`,
    'scripts/off.lua': `local M = { compression = false } ${ECHO}`,
    'scripts/topic.lua': `
        local M = {}
        function M.on_open(conn) conn:subscribe("all") end
        function M.on_message(conn, data) publish("all", data) end
        return M`,
};
const server = await start({ after }, files);
const echoOnly = { 'moonwire.lua': files['moonwire.lua'], 'scripts/echo.lua': files['scripts/echo.lua'] };

/* JSON that a real application could send: much in it comes again, but no line twice. */
const talk = (lines) => Array.from({ length: lines }, (_, i) =>
    JSON.stringify({ id: i, user: `user${i % 7}`, text: `line ${i * 7919} of a talk` })).join('\n');
const noise = (size) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 13 & 255));

/* ---- npm ws ---- */

const bits = [undefined, 9, 12, 15];
const combinations = bits.flatMap((serverMaxWindowBits) => [undefined, true, 8, 10].flatMap(
    (clientMaxWindowBits) => [false, true].flatMap((serverNoContextTakeover) =>
        [false, true].map((clientNoContextTakeover) => ({ serverMaxWindowBits,
            clientMaxWindowBits, serverNoContextTakeover, clientNoContextTakeover })))));

test(`ws talks with all of ${combinations.length} combinations of parameters`, async () => {
    for (const parameters of combinations) {
        const perMessageDeflate = { ...parameters, threshold: 0 };
        const peer = await server.connect('/echo', { perMessageDeflate, maxPayload: 0 });
        assert.match(peer.socket.extensions, /^permessage-deflate/);
        for (const text of ['', 'x', talk(3), talk(3), talk(100), talk(2000)])
            assert.ok(await peer.ask(text) === text, JSON.stringify(parameters));
        for (const bytes of [noise(500), noise(70_000)])
            assert.ok((await peer.ask(bytes)).equals(bytes), JSON.stringify(parameters));
        peer.send(talk(50).slice(0, 1000), { fin: false });
        peer.send(talk(50).slice(1000), { fin: true });
        assert.ok(await peer.next() === talk(50));
        assert.deepEqual(await peer.close(1000), { code: 1000, reason: '' });
    }
});

test('what ws and the server send is really compressed', async () => {
    const peer = await server.connect('/echo', { perMessageDeflate: { threshold: 0 } });
    const text = talk(2000);
    const { bytesRead, bytesWritten } = peer.socket._socket;
    assert.ok(await peer.ask(text) === text);
    assert.ok(peer.socket._socket.bytesRead - bytesRead < text.length / 3);
    assert.ok(peer.socket._socket.bytesWritten - bytesWritten < text.length / 3);
    await peer.close();
});

test('16 MiB go through and back', async () => {
    const peer = await server.connect('/echo', { perMessageDeflate: true, maxPayload: 0 });
    const text = talk(300_000).slice(0, 16 * MIB);
    assert.ok(await peer.ask(text) === text);
    await peer.close();
});

/* ---- offers, by hand ---- */

const offered = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
const offers = [
    { offer: 'permessage-deflate',
        answer: 'permessage-deflate; client_no_context_takeover' },
    { offer: 'permessage-deflate; client_max_window_bits',
        answer: 'permessage-deflate; client_max_window_bits=12' },
    { offer: 'permessage-deflate; server_max_window_bits=8, x-other, permessage-deflate; ' +
        'server_no_context_takeover; server_max_window_bits=10',
    answer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=10' },
    { offer: 'permessage-deflate; server_max_window_bits=8', answer: undefined },
    { offer: 'permessage-deflate; nonsense', answer: undefined },
    { offer: 'x-webkit-deflate-frame', answer: undefined },
    { path: '/off', offer: 'permessage-deflate', answer: undefined },
];

for (const { path = '/echo', offer, answer } of offers) {
    test(`the answer on ${path} to "${offer}" is ${answer ?? 'none'}`, async () => {
        const wire = await upgraded(server, path, { 'Sec-WebSocket-Extensions': offer });
        assert.equal(wire.upgrade.headers['sec-websocket-extensions'], answer);
        wire.send(frame(TEXT, talk(100)));
        const got = await wire.frame();
        assert.equal(got.rsv, answer ? 4 : 0);
        const tail = Buffer.of(0, 0, 0xff, 0xff);
        const plain = answer ? inflateRawSync(Buffer.concat([got.payload, tail]),
            { finishFlush: constants.Z_SYNC_FLUSH }) : got.payload;
        assert.equal(plain.toString(), talk(100));
        wire.drop();
    });
}

test('without --compression-memory each message stands alone', async (t) => {
    const alone = await start(t, echoOnly,
        { args: ['--listen', '127.0.0.1:0', '--compression-memory', '0'] });
    const wire = await upgraded(alone, '/echo', offered);
    assert.equal(wire.upgrade.headers['sec-websocket-extensions'],
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'client_max_window_bits=12');
    wire.drop();
    const peer = await alone.connect('/echo', { perMessageDeflate: true });
    for (let i = 0; i < 3; i++) assert.equal(await peer.ask(talk(200)), talk(200));
    await peer.close();
});

test('twenty connections with a cap of one context get all their messages', async (t) => {
    const tight = await start(t, echoOnly,
        { args: ['--listen', '127.0.0.1:0', '--compression-memory', '1'] });
    const peers = await Promise.all(Array.from({ length: 20 }, () =>
        tight.connect('/echo', { perMessageDeflate: { threshold: 0 } })));
    for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(peers.map((peer, i) => peer.ask(talk(10 + i))));
        answers.forEach((answer, i) => assert.equal(answer, talk(10 + i)));
    }
    for (const peer of peers) await peer.close();
});

/* ---- what it must bear ---- */

const compressed = (data) => deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH })
    .subarray(0, -4);
/* The most memory that the server has ever held, in MiB. */
const peak = () => Number(/VmHWM:\s+(\d+)/.exec(
    readFileSync(`/proc/${server.process.pid}/status`))[1]) / 1024;

test('a bomb is refused with 1009 while it is inflated, and takes no memory', async () => {
    const bomb = frame(BINARY, compressed(Buffer.alloc(256 * MIB)), { rsv: 4 });
    assert.ok(bomb.length < MIB);
    const before = peak();
    for (let i = 0; i < 4; i++) {
        const wire = await upgraded(server, '/bombed', offered);
        wire.send(bomb);
        assert.equal((await wire.closing()).code, 1009);
        wire.drop();
        assert.equal((await server.log({ msg: 'bombed' }, i + 1)).cause, 'inflated_too_big');
    }
    assert.ok(peak() - before < 48, `${before} MiB became ${peak()}`);
});

const breaches = [
    { name: 'more than limits.inflated', bytes: compressed('y'.repeat(1001)), rsv: 4,
        code: 1009, cause: 'inflated_too_big' },
    { name: 'bad data', bytes: Buffer.of(0xff, 0xff), rsv: 4, code: 1007,
        cause: 'bad_compression' },
    { name: 'bad text inside', bytes: compressed(Buffer.of(0x61, 0xff)), rsv: 4, code: 1007,
        cause: 'bad_utf8' },
    { name: 'RSV2', bytes: compressed('x'), rsv: 2, code: 1002, cause: 'protocol_error' },
];

for (const { name, bytes, rsv, code, cause } of breaches) {
    test(`${name} ends with ${code} and cause ${cause}`, async () => {
        const nth = server.all({ msg: 'small', cause }).length + 1;
        const wire = await upgraded(server, '/small', offered);
        wire.send(frame(TEXT, bytes, { rsv }));
        assert.equal((await wire.closing()).code, code);
        wire.drop();
        assert.equal((await server.log({ msg: 'small', cause }, nth)).code, code);
    });
}

test('limits.inflated is reached exactly', async () => {
    const wire = await upgraded(server, '/small', offered);
    wire.send(frame(TEXT, compressed('y'.repeat(1000)), { rsv: 4 }));
    assert.notEqual((await wire.frame()).opcode, CLOSE);
    wire.drop();
});

/* ---- topics ---- */

test('a topic of compressed and plain subscribers says the same to all', async () => {
    const ways = [false, true, { serverNoContextTakeover: true }, { serverNoContextTakeover: true },
        { serverNoContextTakeover: true, serverMaxWindowBits: 9 }];
    const peers = await Promise.all(ways.map((perMessageDeflate) =>
        server.connect('/topic', { perMessageDeflate })));
    const read = peers.map((peer) => peer.socket._socket.bytesRead);
    const said = ['tiny', talk(4), talk(200), talk(200), noise(3000).toString('hex'), talk(1000)];
    for (const text of said) peers[0].send(text);
    for (const peer of peers)
        for (const text of said) assert.ok(await peer.next() === text);
    const total = said.join('').length;
    peers.forEach((peer, i) => {
        const bytes = peer.socket._socket.bytesRead - read[i];
        assert.ok(ways[i] ? bytes < total / 2 : bytes > total, `${bytes} of ${total}`);
    });
    for (const peer of peers) await peer.close();
});
