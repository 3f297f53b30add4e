/* Group 7: the closing handshake: codes, reasons, what comes before and behind. */
import { SENDABLE, UNSENDABLE } from '../harness.mjs';
import { CLOSE, TEXT, closeBody, frame } from '../wire.mjs';
import { begin, close, last, ping, text } from './talk.mjs';

const hex = (digits) => Buffer.from(digits, 'hex');
const body = (code, reason) => frame(CLOSE, Buffer.concat([closeBody(code), reason]));
/* The client says the Close itself, in the midst of what it sends. */
const says_close = true;

const handshakes = [
    { name: 'close without a body', closes: [] },
    { name: 'close with a code', closes: [1000] },
    { name: 'close with a code and a reason', closes: [1000, 'done'] },
    { name: 'close with the longest reason', closes: [1000, 'x'.repeat(123)] },
    { name: 'close with a reason in UTF-8', closes: [1001, 'ciao κόσμε 😀'] },
    { name: 'a message, and close', say: [text('last words')], echoes: [[TEXT, 'last words']] },
    { name: 'messages, and close', say: Array(20).fill(text('again')),
        echoes: Array(20).fill([TEXT, 'again']) },
    { name: 'a ping, and close', say: [ping('p')], pongs: ['p'] },
    { name: 'close inside a message', say: [begin(TEXT, 'never whole')] },
    { name: 'close inside a message, with a ping before it', say: [begin(TEXT, 'a'), ping('p')],
        pongs: ['p'] },
    { name: 'close inside a character of a text', say: [begin(TEXT, hex('e282'))] },
    { name: 'a message behind the close', say: [close(1000), text('late')], says_close },
    { name: 'a ping behind the close', say: [close(1000), ping('late')], says_close },
    { name: 'a second close', say: [close(1000), close(1001)], says_close },
    { name: 'rubbish behind the close', say: [close(1000), hex('ffffffffffff')], says_close },
    { name: 'much behind the close', say: [close(1000), text('x'.repeat(262144))], says_close },
    { name: 'the rest of a message behind the close',
        say: [begin(TEXT, 'a'), close(1000), last('b')], says_close },
].map((row) => ({ say: [], ...row }));

const code = 'RFC 6455 7.4', reason = 'RFC 6455 5.5.1';
const refused = [
    { name: 'close with half a code', say: [frame(CLOSE, hex('03'))], fails: [1002, reason] },
    { name: 'close of 126 bytes', say: [frame(CLOSE, Buffer.alloc(126))],
        fails: [1002, 'RFC 6455 5.5'] },
    { name: 'close with a reason that is no UTF-8', say: [body(1000, hex('ff'))],
        fails: [1007, reason] },
    { name: 'close with a reason that ends inside a character', say: [body(1000, hex('61e282'))],
        fails: [1007, reason] },
    { name: 'close with an overlong reason', say: [body(1000, hex('c0af'))], fails: [1007, reason] },
    { name: 'close with a surrogate as its reason', say: [body(1001, hex('eda080'))],
        fails: [1007, reason] },
    { name: 'close with a long reason that is wrong at its end',
        say: [body(1000, Buffer.concat([Buffer.alloc(122, 'x'), hex('c3')]))], fails: [1007, reason] },
];

export const closing = [
    ...handshakes,
    ...refused,
    ...SENDABLE.map((n) => ({ name: `code ${n} may be sent`, say: [], closes: [n] })),
    ...SENDABLE.map((n) => ({
        name: `code ${n} may be sent with a reason`, say: [], closes: [n, 'because'] })),
    ...UNSENDABLE.map((n) => ({
        name: `code ${n} may not`, say: [frame(CLOSE, closeBody(n))], fails: [1002, code] })),
    ...UNSENDABLE.map((n) => ({
        name: `code ${n} may not, with a reason`, say: [frame(CLOSE, closeBody(n, 'because'))],
        fails: [1002, code] })),
];
