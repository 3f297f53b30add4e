/* Groups 1 to 5: frames, pings and pongs, reserved bits, opcodes, fragments. */
import { BINARY, CLOSE, PING, PONG, TEXT, closeBody, frame } from '../wire.mjs';
import { begin, binary, last, more, ping, pong, text } from './talk.mjs';

const X = (n) => 'x'.repeat(n);
const bytes = (n) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 167) & 255));
const echo = (payload) => [TEXT, payload];

/* ---- 1: messages of every length that has a form of its own ---- */

const lengths = [0, 1, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537];
export const messages = [
    ...lengths.map((n) => ({ name: `text of ${n} bytes`, say: [text(X(n))], echoes: [echo(X(n))] })),
    ...lengths.map((n) => ({
        name: `binary of ${n} bytes`, say: [binary(bytes(n))], echoes: [[BINARY, bytes(n)]] })),
    { name: 'messages one behind the other', say: [text('one'), binary(bytes(3)), text('three')],
        echoes: [echo('one'), [BINARY, bytes(3)], echo('three')] },
    { name: 'a length in more bytes than it needs: 2', say: [text('short', { wide: 2 })],
        fails: [1002, 'RFC 6455 5.2'] },
    { name: 'a length in more bytes than it needs: 8', say: [text('short', { wide: 8 })],
        fails: [1002, 'RFC 6455 5.2'] },
    { name: 'a length of 65535 in 8 bytes', say: [text(X(65535), { wide: 8 })],
        fails: [1002, 'RFC 6455 5.2'] },
    { name: 'a length with its top bit', say: [binary('', { length: 1n << 63n, wide: 8 })],
        fails: [1002, 'RFC 6455 5.2'] },
    { name: 'a length of all ones', say: [binary('', { length: (1n << 64n) - 1n, wide: 8 })],
        fails: [1002, 'RFC 6455 5.2'] },
    { name: 'a length over the limit', say: [binary('', { length: 1n << 40n, wide: 8 })],
        fails: [1009, 'RFC 6455 7.4.1'] },
    { name: 'an unmasked text', say: [text('a', { masked: false })], fails: [1002, 'RFC 6455 5.1'] },
    { name: 'an unmasked binary', say: [binary('a', { masked: false })],
        fails: [1002, 'RFC 6455 5.1'] },
    { name: 'an unmasked ping', say: [frame(PING, '', { masked: false })],
        fails: [1002, 'RFC 6455 5.1'] },
    { name: 'an unmasked close', say: [frame(CLOSE, closeBody(1000), { masked: false })],
        fails: [1002, 'RFC 6455 5.1'] },
    { name: 'an unmasked fragment of a masked message',
        say: [begin(TEXT, 'a'), frame(0, 'b', { masked: false })], fails: [1002, 'RFC 6455 5.1'] },
    { name: 'plain HTTP', say: [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
        fails: [1002, 'RFC 6455 5.2'] },
];

/* ---- 2: pings and pongs ---- */

const ten = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
export const pings = [
    { name: 'an empty ping', say: [ping('')], pongs: [''] },
    { name: 'a ping with text', say: [ping('Hello')], pongs: ['Hello'] },
    { name: 'a ping with bytes', say: [ping(bytes(8))], pongs: [bytes(8)] },
    { name: 'a ping of 125 bytes', say: [ping(bytes(125))], pongs: [bytes(125)] },
    { name: 'a ping of 126 bytes', say: [ping(X(126))], fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a pong of 126 bytes', say: [pong(X(126))], fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a ping of 65536 bytes', say: [ping(X(65536))], fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a ping that says a 16-bit length of 5', say: [frame(PING, X(5), { wide: 2 })],
        fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a pong nobody asked for', say: [pong('')] },
    { name: 'a pong with bytes nobody asked for', say: [pong(bytes(125))] },
    { name: 'a pong nobody asked for, and a ping', say: [pong('what?'), ping('p')], pongs: ['p'] },
    { name: 'ten pings', say: ten.map(ping), pongs: ten },
    { name: 'ten pings, and pongs between', say: ten.flatMap((p) => [ping(p), pong(p)]), pongs: ten },
    { name: 'pings between messages', say: [ping('1'), text('a'), ping('2'), text('b')],
        pongs: ['1', '2'], echoes: [echo('a'), echo('b')] },
];

/* ---- 3: reserved bits ---- */

const rsv = (n) => ({ rsv: n });
const reserved = [1, 2, 3, 5, 6, 7].flatMap((n) => [
    { name: `RSV ${n} in a text`, say: [text('a', rsv(n))] },
    { name: `RSV ${n} in an empty text`, say: [text('', rsv(n))] },
    { name: `RSV ${n} in a binary`, say: [binary('a', rsv(n))] },
    { name: `RSV ${n} behind a message`, say: [text('before'), text('a', rsv(n)), ping('after')],
        echoes: [echo('before')] },
    { name: `RSV ${n} in a ping`, say: [frame(PING, 'p', rsv(n))] },
    { name: `RSV ${n} in a close`, say: [frame(CLOSE, closeBody(1000), rsv(n))] },
    { name: `RSV ${n} in a continuation`, say: [begin(TEXT, 'a'), frame(0, 'b', rsv(n))] },
]);
const rsv1 = [
    { name: 'RSV 4 in a text where nothing was agreed', say: [text('a', rsv(4))], plain: true },
    { name: 'RSV 4 in a ping where nothing was agreed', say: [frame(PING, '', rsv(4))], plain: true },
    { name: 'RSV 4 in a continuation where nothing was agreed',
        say: [begin(BINARY, 'a'), frame(0, 'b', rsv(4))], plain: true },
];
export const bits = [...reserved, ...rsv1].map((row) => ({ fails: [1002, 'RFC 6455 5.2'], ...row }));

/* ---- 4: opcodes ---- */

const unknown = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
export const opcodes = unknown.flatMap((n) => [
    { name: `opcode ${n}`, say: [frame(n, '')] },
    { name: `opcode ${n} with a payload`, say: [frame(n, 'payload')] },
    { name: `opcode ${n} as a fragment`, say: [frame(n, 'a', { fin: false })] },
    { name: `opcode ${n} behind a message`, say: [text('a'), frame(n, ''), ping('')],
        echoes: [echo('a')] },
    { name: `opcode ${n} inside a message`, say: [begin(TEXT, 'a'), frame(n, 'b')] },
]).map((row) => ({ fails: [1002, 'RFC 6455 5.2'], ...row }));

/* ---- 5: fragments ---- */

const started = [1002, 'RFC 6455 5.4'];
export const fragmented = [
    { name: 'a fragmented ping', say: [begin(PING, 'a'), last('b')], fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a fragmented pong', say: [begin(PONG, 'a'), last('b')], fails: [1002, 'RFC 6455 5.5'] },
    { name: 'a fragmented close', say: [begin(CLOSE, closeBody(1000))],
        fails: [1002, 'RFC 6455 5.5'] },
    { name: 'two fragments', say: [begin(TEXT, 'one'), last(' two')], echoes: [echo('one two')] },
    { name: 'two fragments of bytes', say: [begin(BINARY, bytes(9)), last(bytes(5))],
        echoes: [[BINARY, Buffer.concat([bytes(9), bytes(5)])]] },
    { name: 'a ping between two fragments', say: [begin(TEXT, 'one'), ping('p'), last(' two')],
        echoes: [echo('one two')], pongs: ['p'] },
    { name: 'a pong between two fragments', say: [begin(TEXT, 'one'), pong('p'), last(' two')],
        echoes: [echo('one two')] },
    { name: 'pings between all of many fragments',
        say: [begin(TEXT, 'a'), ...[...'bcdefgh'].flatMap((c) => [ping(c), more(c)]), last('i')],
        echoes: [echo('abcdefghi')], pongs: [...'bcdefgh'] },
    { name: 'fragments that are all empty', say: [begin(TEXT, ''), more(''), last('')],
        echoes: [echo('')] },
    { name: 'empty fragments around one that is not', say: [begin(TEXT, ''), more('mid'), last('')],
        echoes: [echo('mid')] },
    { name: 'fragmented messages one behind the other',
        say: [begin(TEXT, 'a'), last('b'), begin(BINARY, 'c'), last('d'), text('e')],
        echoes: [echo('ab'), [BINARY, 'cd'], echo('e')] },
    { name: 'a continuation of nothing', say: [last('a')], fails: started },
    { name: 'a continuation of nothing that goes on', say: [more('a')], fails: started },
    { name: 'a continuation of nothing, and a message', say: [last('a'), text('b')], fails: started },
    { name: 'a continuation behind a whole message', say: [text('a'), last('b')],
        echoes: [echo('a')], fails: started },
    { name: 'a continuation behind the last fragment',
        say: [begin(TEXT, 'a'), last('b'), more('c')], echoes: [echo('ab')], fails: started },
    { name: 'a text in a text', say: [begin(TEXT, 'a'), text('b')], fails: started },
    { name: 'a binary in a text', say: [begin(TEXT, 'a'), binary('b')], fails: started },
    { name: 'a text that begins in a text', say: [begin(TEXT, 'a'), begin(TEXT, 'b')],
        fails: started },
    { name: 'a text in an empty text, behind a ping',
        say: [begin(TEXT, ''), ping('p'), text('b')], pongs: ['p'], fails: started },
];
