/*
 * Group 6: text is UTF-8 (RFC 3629), at every place of a message, and what is not is refused at the
 * byte that shows it, without waiting for the rest.
 */
import { TEXT, frame } from '../wire.mjs';
import { begin, fragments, last, text } from './talk.mjs';

const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const GOOD = 'κόσμε ';

const right = {
    'one byte, the lowest': '00', 'one byte, the highest': '7f',
    'two bytes, the lowest': 'c2 80', 'two bytes, the highest': 'df bf',
    'three bytes, the lowest': 'e0 a0 80', 'three bytes, the highest': 'ef bf bf',
    'four bytes, the lowest': 'f0 90 80 80', 'four bytes, the highest': 'f4 8f bf bf',
    'below the surrogates': 'ed 9f bf', 'above the surrogates': 'ee 80 80',
    'the replacement character': 'ef bf bd', 'a byte order mark': 'ef bb bf',
    'noncharacter FFFE': 'ef bf be', 'noncharacter FDD0': 'ef b7 90',
    'noncharacter 1FFFE': 'f0 9f bf be', 'noncharacter 10FFFF': 'f4 8f bf bf',
    'each length in turn': '24 c2 a2 e2 82 ac f0 90 8d 88',
    'Greek': 'ce ba ce bb', 'Chinese': 'e4 b8 ad e6 96 87', 'a face': 'f0 9f 98 80',
    'a face of several characters': 'f0 9f 91 a9 e2 80 8d f0 9f 92 bb',
};

/* The last byte of each shows that it is wrong. */
const wrong = {
    'a lone continuation byte, the lowest': '80', 'a lone continuation byte, the highest': 'bf',
    'byte C0': 'c0', 'byte C1': 'c1', 'byte F5': 'f5', 'byte F7': 'f7', 'byte F8': 'f8',
    'byte FB': 'fb', 'byte FC': 'fc', 'byte FD': 'fd', 'byte FE': 'fe', 'byte FF': 'ff',
    'an overlong slash of three bytes': 'e0 80', 'an overlong slash of four bytes': 'f0 80',
    'the highest overlong of three bytes': 'e0 9f', 'the highest overlong of four bytes': 'f0 8f',
    'surrogate D800': 'ed a0', 'surrogate DB7F': 'ed ad', 'surrogate DBFF': 'ed af',
    'surrogate DC00': 'ed b0', 'surrogate DFFF': 'ed bf',
    'just above 10FFFF': 'f4 90', 'far above 10FFFF': 'f4 bf',
    'two bytes, the second no continuation': 'c3 28', 'two bytes, the second begins another': 'c3 c3',
    'three bytes, the second no continuation': 'e2 28', 'three bytes, the third no continuation': 'e2 82 28',
    'three bytes, the third begins another': 'e2 82 e2',
    'four bytes, the second no continuation': 'f0 28', 'four bytes, the third no continuation': 'f0 9f 28',
    'four bytes, the fourth no continuation': 'f0 9f 98 28',
    'four bytes, the fourth begins another': 'f0 9f 98 f0',
    'one continuation too many': 'ce ba 80', 'Latin 1': 'e4 f6',
};

/* Right as far as they go, and the message ends. */
const unfinished = {
    'one of two bytes': 'c3', 'one of three bytes': 'e2', 'two of three bytes': 'e2 82',
    'one of four bytes': 'f0', 'two of four bytes': 'f0 9f', 'three of four bytes': 'f0 9f 98',
};

const each = (bytes) => fragments(TEXT, bytes, 1);
const rows = (table, make) =>
    Object.entries(table).flatMap(([name, digits]) => make(name, hex(digits)));

const ok = (name, say, message) => ({ name, say, echoes: [[TEXT, message]] });
export const valid = rows(right, (name, bytes) => {
    const long = join(GOOD.repeat(40), bytes, GOOD);
    return [
        ok(`${name}: alone`, [text(bytes)], bytes),
        ok(`${name}: each byte a fragment`, each(bytes), bytes),
        ok(`${name}: in a long text`, [text(long)], long),
        ok(`${name}: in a long text in fragments of 7 bytes`, fragments(TEXT, long, 7), long),
    ];
});

const bad = (name, say) => ({ name, say, fails: [1007, 'RFC 6455 8.1'] });
export const invalid = [
    ...rows(wrong, (name, bytes) => {
        const behind = join(GOOD, bytes);
        return [
            bad(`${name}: alone`, [text(bytes)]),
            bad(`${name}: between good text`, [text(join(GOOD, bytes, GOOD))]),
            bad(`${name}: each byte a fragment`, each(join('a', bytes, 'b'))),
            bad(`${name}: in a frame whose rest never comes`, [text(behind, { length: 5000 })]),
            bad(`${name}: in a fragment behind which nothing comes`, [begin(TEXT, behind)]),
            bad(`${name}: in a second fragment whose rest never comes`,
                [begin(TEXT, GOOD), frame(0, bytes, { length: 100 })]),
        ];
    }),
    ...rows(unfinished, (name, bytes) => [
        bad(`${name}: alone`, [text(bytes)]),
        bad(`${name}: behind good text`, [text(join(GOOD, bytes))]),
        bad(`${name}: each byte a fragment`, each(bytes)),
        bad(`${name}: ended by an empty fragment`, [begin(TEXT, bytes), last('')]),
        bad(`${name}: followed by a letter in the next fragment`,
            [begin(TEXT, bytes), begin(0, 'a')]),
    ]),
    { name: 'bytes need not be text', say: [frame(2, hex('c0 80 ff ed a0 80'))],
        echoes: [[2, hex('c0 80 ff ed a0 80')]] },
];
