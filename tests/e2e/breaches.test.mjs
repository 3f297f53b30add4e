/* Peers that break the protocol: each is told so by a Close frame that really arrives. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { UNSENDABLE, start } from './harness.mjs';
import {
    BINARY, CLOSE, PING, PONG, TEXT, Wire, closeBody, frame, upgradeText, upgraded,
} from './wire.mjs';

const MIB = 1024 * 1024;

const server = await start({ after }, {
    'scripts/strict.lua': `
        -- No pings: byte by byte on a busy machine a message takes longer than a ping waits.
        local M = { route = "/strict/:tag", limits = { message = 65536, fragments = 100, ping = 0 } }
        function M.on_message(conn, data) conn:send(data) end
        function M.on_close(conn, code, reason, info)
          log.info("end", { tag = conn.params.tag, code = code, who = info.who, cause = info.cause,
                            rule = info.rule })
        end
        return M`,
    'scripts/watched.lua': `
        local M = { limits = { ping = 1, pong = 1 } }
        function M.on_close(conn, code, reason, info)
          log.info("end", { tag = "watched", code = code, who = info.who, cause = info.cause,
                            unanswered = info.pings_unanswered })
        end
        return M`,
});

const end = (tag) => server.log({ msg: 'end', tag });
const bad = Buffer.of(0xc0, 0xaf); /* an overlong '/' */
const begun = (opcode, payload) => frame(opcode, payload, { fin: false });

/* Which bytes (one frame or several), and which section of RFC 6455 the reason names. */
const breaches = {
    1002: [
        ['an unmasked frame', frame(TEXT, 'hi', { masked: false }), /5\.1/],
        ['an unmasked close', frame(CLOSE, closeBody(1000), { masked: false }), /5\.1/],
        ['RSV1 without an extension', frame(TEXT, 'hi', { rsv: 4 }), /5\.2/],
        ['RSV2', frame(TEXT, 'hi', { rsv: 2 }), /5\.2/],
        ['RSV3', frame(TEXT, 'hi', { rsv: 1 }), /5\.2/],
        ['opcode 3', frame(3, 'hi'), /5\.2/],
        ['opcode 11', frame(11, 'hi'), /5\.2/],
        ['a fragmented ping', begun(PING, 'hi'), /5\.5/],
        ['a ping of 126 bytes', frame(PING, 'x'.repeat(126)), /5\.5/],
        ['a continuation of nothing', frame(0, 'hi'), /5\.4/],
        ['a message in a message', [begun(TEXT, 'a'), frame(TEXT, 'b')], /5\.4/],
        ['5 bytes as a 16-bit length', frame(TEXT, 'short', { wide: 2 }), /5\.2/],
        ['5 bytes as a 64-bit length', frame(TEXT, 'short', { wide: 8 }), /5\.2/],
        ['a length with the top bit', frame(BINARY, '', { length: 1n << 63n, wide: 8 }), /5\.2/],
        ['a close body of one byte', frame(CLOSE, 'x'), /5\.5\.1/],
        ['plain HTTP on the WebSocket', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /plain HTTP/],
        ['an answer of a proxy on the WebSocket', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', /plain HTTP/],
        ...UNSENDABLE.map((code) => [`close code ${code}`, frame(CLOSE, closeBody(code)), /7\.4/]),
    ],
    1007: [
        ['a reason that is no UTF-8', frame(CLOSE, Buffer.concat([closeBody(1000), bad])), /5\.5\.1/],
        ['text that is no UTF-8', frame(TEXT, bad), /8\.1/],
        ['text that ends inside a character', frame(TEXT, Buffer.of(0xe2, 0x82)), /8\.1/],
        ['bad text in an unfinished message', begun(TEXT, bad), /8\.1/],
        ['a surrogate in text', frame(TEXT, Buffer.of(0xed, 0xa0, 0x80)), /8\.1/],
    ],
    1008: [
        ['too many fragments', [begun(TEXT, ''), ...Array(100).fill(begun(0, ''))], /7\.4\.1/],
    ],
    1009: [
        ['a message over the limit', frame(BINARY, Buffer.alloc(65537)), /7\.4\.1/],
        ['fragments over the limit',
            [begun(BINARY, Buffer.alloc(60000)), frame(0, Buffer.alloc(6000))], /7\.4\.1/],
    ],
};
const causes = {
    1002: 'protocol_error', 1007: 'bad_utf8', 1008: 'too_many_fragments', 1009: 'message_too_big',
};
const rows = Object.entries(breaches)
    .flatMap(([code, table]) => table.map((row) => [Number(code), ...row]));

for (const [code, what, bytes, rule] of rows) {
    test(`${what} is refused with ${code}`, async () => {
        const tag = what.replace(/\W+/g, '_');
        const wire = await upgraded(server, `/strict/${tag}`);
        for (const piece of [bytes].flat()) wire.send(piece);
        /* Bytes that nobody will read must not turn the code into a reset (the lingering close). */
        wire.send(frame(BINARY, Buffer.alloc(MIB)));
        const got = await wire.closing();
        assert.equal(got.code, code);
        assert.match(got.reason, rule, 'the reason names the section');
        assert.equal(await wire.ends(), 'fin');
        wire.drop();
        const seen = await end(tag);
        assert.deepEqual([seen.code, seen.who], [code, 'server']);
        const isHttp = rule.source === 'plain HTTP';
        assert.equal(seen.cause, isHttp ? 'http_on_websocket' : causes[code]);
        assert.match(seen.rule, rule);
    });
}

test('a message too big is refused while it is still being sent, by its header alone', async () => {
    const wire = await upgraded(server, '/strict/declared');
    wire.send(frame(BINARY, 'only the beginning', { length: 1 << 30 }));
    assert.equal((await wire.closing()).code, 1009);
    wire.drop();
    assert.equal((await end('declared')).cause, 'message_too_big');
});

test('a client in the middle of a large upload reads 1009', async () => {
    const peer = await server.connect('/strict/upload');
    peer.send(Buffer.alloc(32 * MIB));
    assert.equal((await peer.seen()).code, 1009);
});

test('the limit itself is allowed: 65 536 bytes, 100 fragments', async () => {
    const wire = await upgraded(server, '/strict/allowed');
    wire.send(frame(BINARY, Buffer.alloc(65536)));
    for (let i = 0; i < 100; i++) wire.send(frame(i ? 0 : TEXT, 'x', { fin: i === 99 }));
    assert.equal((await wire.frame()).payload.length, 65536);
    assert.equal((await wire.frame()).payload.toString(), 'x'.repeat(100));
    wire.drop();
});

test('frames cut at every byte are the same frames', async () => {
    const wire = await upgraded(server, '/strict/bytes');
    const words = [begun(TEXT, 'Ü'), frame(PING, 'p'), frame(0, 'ber')];
    for (const byte of Buffer.concat([...words, frame(CLOSE, closeBody(4000))])) {
        wire.send(Buffer.of(byte));
        await new Promise(setImmediate);
    }
    const [pong, text, close] = [await wire.frame(), await wire.frame(), await wire.frame()];
    assert.deepEqual([pong.opcode, pong.payload.toString()], [PONG, 'p']);
    assert.deepEqual([text.opcode, text.payload.toString()], [TEXT, 'Über']);
    assert.deepEqual([close.opcode, close.payload.readUInt16BE(0)], [CLOSE, 4000]);
    const odd = [pong, text, close].filter((got) => got.masked || got.rsv || !got.fin);
    assert.deepEqual(odd, [], 'a server masks nothing');
    assert.equal(await wire.ends(), 'fin');
    wire.drop();
});

test('the first frames may come with the handshake', async () => {
    const wire = new Wire(server.port);
    wire.send(Buffer.concat([Buffer.from(upgradeText('/strict/eager')), frame(TEXT, 'early')]));
    assert.equal((await wire.answer()).status, 101);
    assert.equal((await wire.frame()).payload.toString(), 'early');
    wire.drop();
});

test('a pong that nobody asked for is nothing', async () => {
    const wire = await upgraded(server, '/strict/pong');
    wire.send(frame(PONG, 'unasked'));
    wire.send(frame(TEXT, 'still here'));
    assert.equal((await wire.frame()).payload.toString(), 'still here');
    wire.drop();
});

/* ---- ends that the network makes ---- */

const cuts = [
    ['a FIN without a Close frame', 'fin', (wire) => wire.socket.end(), 'peer_fin'],
    ['a reset', 'reset', (wire) => wire.reset(), 'peer_reset'],
    ['a FIN inside a frame', 'half',
        (wire) => wire.socket.end(frame(TEXT, 'half', { length: 100 })), 'peer_fin'],
];

for (const [what, tag, cut, cause] of cuts) {
    test(`${what} is 1006, ${cause}`, async () => {
        const wire = await upgraded(server, `/strict/${tag}`);
        cut(wire);
        const seen = await end(tag);
        assert.deepEqual([seen.code, seen.who, seen.cause], [1006, 'network', cause]);
        wire.drop();
    });
}

test('a peer that answers no ping is left with 3008 tried on the wire', async () => {
    const wire = await upgraded(server, '/watched');
    assert.equal((await wire.frame()).opcode, PING);
    assert.equal((await wire.closing()).code, 3008);
    wire.drop();
    const { code, who, cause, unanswered } = await end('watched');
    assert.deepEqual([code, who, cause, unanswered], [1006, 'network', 'ping_timeout', 1]);
});

test('an answer that was given before the Close arrives before its echo', async () => {
    const wire = await upgraded(server, '/strict/answer');
    const questions = [frame(TEXT, 'one'), frame(TEXT, 'two')];
    wire.send(Buffer.concat([...questions, frame(CLOSE, closeBody(1000))]));
    const got = [await wire.frame(), await wire.frame(), await wire.frame()];
    assert.deepEqual(got.map(({ opcode }) => opcode), [TEXT, TEXT, CLOSE]);
    wire.drop();
});

test('nothing follows a Close frame of the server', async () => {
    const wire = await upgraded(server, '/strict/after');
    const late = [frame(TEXT, 'too late'), frame(PING, 'too late')];
    wire.send(Buffer.concat([frame(CLOSE, closeBody(1000)), ...late]));
    assert.equal((await wire.frame()).opcode, CLOSE);
    assert.equal(await wire.ends(), 'fin');
    wire.drop();
});
