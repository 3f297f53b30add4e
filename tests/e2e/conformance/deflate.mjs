/*
 * Groups 12 and 13: permessage-deflate (RFC 7692). Messages of all sizes through every set of
 * parameters, each way with the context that was agreed on; then single frames that are right or
 * wrong.
 */
import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { BINARY, CLOSE, PING, TEXT, closeBody, frame, upgraded } from '../wire.mjs';
import { Inflater, begin, hear, last, more, ping, text } from './talk.mjs';
import { payload } from './sizes.mjs';

const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/* What a client offers, and the answer that it gets, word for word. */
export const sets = [
    ['permessage-deflate', 'permessage-deflate; client_no_context_takeover'],
    ['permessage-deflate; client_max_window_bits',
        'permessage-deflate; client_max_window_bits=12'],
    ['permessage-deflate; client_max_window_bits=9; server_max_window_bits=9',
        'permessage-deflate; server_max_window_bits=9; client_max_window_bits=9'],
    ['permessage-deflate; client_max_window_bits=15; server_max_window_bits=15',
        'permessage-deflate; server_max_window_bits=12; client_max_window_bits=12'],
    ['permessage-deflate; server_no_context_takeover; client_max_window_bits',
        'permessage-deflate; server_no_context_takeover; client_max_window_bits=12'],
    ['permessage-deflate; client_no_context_takeover; client_max_window_bits',
        'permessage-deflate; client_no_context_takeover; client_max_window_bits=12'],
    ['permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=9; client_max_window_bits=9',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=9; client_max_window_bits=9'],
];

export const sizes = [0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072];

/* A client's compressor that keeps to what was answered. */
class Deflater {
    #history = Buffer.alloc(0);
    constructor(terms) {
        this.bits = Number(/client_max_window_bits=(\d+)/.exec(terms)?.[1] ?? 15);
        this.alone = terms.includes('client_no_context_takeover');
    }
    take(data) {
        const dictionary = this.#history.length ? this.#history : undefined;
        const packed = deflateRawSync(data, { dictionary, windowBits: this.bits,
            finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
        if (!this.alone)
            this.#history = Buffer.concat([this.#history, data]).subarray(-(1 << this.bits));
        return packed.length ? packed : Buffer.of(0);
    }
}

/* RSV1 on the first frame alone, whatever the number of fragments. */
function compressedFrames(opcode, packed, count) {
    const step = Math.max(1, Math.ceil(packed.length / count)), frames = [];
    for (let at = 0; at < packed.length; at += step)
        frames.push(frame(at ? 0 : opcode, packed.subarray(at, at + step),
            { rsv: at ? 0 : 4, fin: at + step >= packed.length }));
    return frames;
}

/* Ten messages of a size there and back, half of them in fragments; then an orderly close. */
export async function echoAll(server, [offer, terms], kind, size) {
    const wire = await upgraded(server, '/echo', { 'Sec-WebSocket-Extensions': offer });
    assert.equal(wire.upgrade.headers['sec-websocket-extensions'], terms);
    const deflater = new Deflater(terms), opcode = kind === 'text' ? TEXT : BINARY;
    const said = Array.from({ length: 10 }, (_, i) => payload(kind, size + (i % 3 ? 0 : i)));
    said.forEach((data, i) => {
        for (const piece of compressedFrames(opcode, deflater.take(data), i % 2 ? 4 : 1))
            wire.send(piece);
    });
    wire.send(frame(CLOSE, closeBody(1000)));
    const heard = await hear(wire, new Inflater());
    assert.equal(heard.echoes.length, said.length);
    said.forEach((data, i) => assert.ok(
        heard.echoes[i][0] === opcode && heard.echoes[i][1].equals(data), `message ${i}`));
    assert.deepEqual([heard.close, heard.end, heard.unread], [[1000, ''], 'fin', 0]);
    wire.drop();
}

/* ---- single frames, where compression was agreed on ---- */

const HELLO = hex('f248cdc9c90700');
const rsv = { rsv: 4 };
const hello = [[TEXT, 'Hello']];
const fails = (code, section) => ({ fails: [code, `RFC ${section}`] });

export const frames = [
    { name: 'a compressed message', say: [text(HELLO, rsv)], echoes: hello },
    { name: 'a compressed message in fragments',
        say: [text(HELLO.subarray(0, 3), { ...rsv, fin: false }), last(HELLO.subarray(3))],
        echoes: hello },
    { name: 'a ping between compressed fragments', say: [
        text(HELLO.subarray(0, 3), { ...rsv, fin: false }), ping('p'), last(HELLO.subarray(3))],
    echoes: hello, pongs: ['p'] },
    { name: 'empty fragments of a compressed message', say: [
        text('', { ...rsv, fin: false }), more(''), more(HELLO), last('')], echoes: hello },
    { name: 'an empty compressed message', say: [text(hex('00'), rsv)], echoes: [[TEXT, '']] },
    { name: 'a message that refers to the one before',
        say: [text(HELLO, rsv), text(hex('f200110000'), rsv)], echoes: [...hello, ...hello] },
    { name: 'compressed and plain messages in turn',
        say: [text(HELLO, rsv), text('plain'), text(hex('f200110000'), rsv)],
        echoes: [...hello, [TEXT, 'plain'], ...hello] },
    { name: 'a block without compression', say: [text(hex('00 0500 faff 48656c6c6f 00'), rsv)],
        echoes: hello },
    { name: 'a final block', say: [text(hex('f348cdc9c9070000'), rsv)], echoes: hello },
    { name: 'two blocks', say: [text(hex('f2480500 0000ffff cac9c90700'), rsv)], echoes: hello },
    { name: 'RSV1 in a continuation',
        say: [text(HELLO.subarray(0, 3), { ...rsv, fin: false }), frame(0, HELLO.subarray(3), rsv)],
        ...fails(1002, '7692 6') },
    { name: 'RSV1 in a continuation of a plain message',
        say: [begin(TEXT, 'a'), frame(0, 'b', rsv)], ...fails(1002, '7692 6') },
    { name: 'RSV1 in a ping', say: [frame(PING, 'p', rsv)], ...fails(1002, '7692 6') },
    { name: 'RSV1 in a close', say: [frame(CLOSE, closeBody(1000), rsv)], ...fails(1002, '7692 6') },
    { name: 'RSV1 and RSV2', say: [text(HELLO, { rsv: 6 })], ...fails(1002, '6455 5.2') },
    { name: 'no DEFLATE', say: [text(hex('ffff'), rsv)], ...fails(1007, '7692 7.2.2') },
    { name: 'a compressed message of no bytes', say: [text('', rsv)], ...fails(1007, '7692 7.2.2') },
    { name: 'DEFLATE cut off', say: [text(HELLO.subarray(0, 4), rsv)],
        ...fails(1007, '7692 7.2.2') },
    { name: 'a reference to nothing', say: [text(hex('f200110000'), rsv)],
        ...fails(1007, '7692 7.2.2') },
    { name: 'bad text, compressed', say: [text(hex('4a4c4afe0f00'), rsv)],
        ...fails(1007, '6455 8.1') },
    { name: 'bad text, compressed, in a fragment behind which nothing comes',
        say: [text(hex('4a4c4afe0f00'), { ...rsv, fin: false })], ...fails(1007, '6455 8.1') },
    { name: 'a bomb', say: [frame(BINARY, deflateRawSync(Buffer.alloc(24 << 20),
        { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4), rsv)],
    cuts: false, ...fails(1009, '6455 7.4.1') },
].map((row) => ({ ...row, compressed: true }));
