/* Groups 9 and 10: large messages, in frames and fragments of all sizes. No time is measured. */
import { BINARY, TEXT, frame } from '../wire.mjs';
import { fragments } from './talk.mjs';

const KIB = 1024, MIB = 1024 * KIB;
const kinds = { text: TEXT, binary: BINARY };

/* Text of characters of one to four bytes, or bytes of all values. */
export function payload(kind, size) {
    if (kind === 'binary') return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
    const characters = 'aé€😀 {"id": 12345}, ';
    const whole = Buffer.from(characters.repeat(Math.ceil(size / Buffer.byteLength(characters)) + 1));
    let end = size;
    while ((whole[end] & 0xc0) === 0x80) end--;
    return Buffer.concat([whole.subarray(0, end), Buffer.alloc(size - end, '.')]);
}

const name = (size) => (size >= MIB ? `${size / MIB} MiB` : size >= KIB ? `${size / KIB} KiB` : `${size} B`);
/* With compression agreed each megabyte is deflated and inflated; group 12 does that. */
const large = (size) => ({ cuts: false, plain: size > 256 * KIB });

const row = (kind, size, how, say) => ({
    name: `${kind} of ${name(size)}${how}`, say, ...large(size),
    echoes: [[kinds[kind], payload(kind, size)]] });

const whole = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
const pieces = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];

export const sizes = Object.entries(kinds).flatMap(([kind, opcode]) => [
    ...whole.map((size) => row(kind, size, '', [frame(opcode, payload(kind, size))])),
    ...pieces.map((piece) => row(kind, 4 * MIB, ` in fragments of ${name(piece)}`,
        fragments(opcode, payload(kind, 4 * MIB), piece))),
    row(kind, 16 * MIB, ` in fragments of ${name(MIB)}`,
        fragments(opcode, payload(kind, 16 * MIB), MIB)),
    row(kind, 65537, ' in 65 537 fragments', fragments(opcode, payload(kind, 65537), 1)),
    row(kind, 64 * KIB, ' in fragments of 1300 bytes', fragments(opcode, payload(kind, 64 * KIB), 1300)),
    ...[0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB].map((size) => ({
        name: `100 messages of ${name(size)}, ${kind}`, cuts: false,
        say: Array(100).fill(frame(opcode, payload(kind, size))),
        echoes: Array(100).fill([opcode, payload(kind, size)]) })),
]);
