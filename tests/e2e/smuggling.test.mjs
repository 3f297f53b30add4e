/*
 * Requests that two readers might read differently, over real sockets: what the server answers, and
 * that it answers nothing of what stands behind them. And which refusals are harmless enough to
 * keep the connection.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Project, start } from './harness.mjs';
import { Wire, frame, TEXT, upgradeText } from './wire.mjs';

const project = new Project({
    'public/index.html': 'home',
    'public/docs/index.html': 'the docs',
    'public/hidden.txt': 'SMUGGLED',
    'scripts/echo.lua': `
        return { on_open = function() log.info("a handshake came through") end,
                 on_message = function(conn, data) log.info("a message", { data = data }) conn:send(data) end }`,
});
const server = await start({ after }, project);

const HOST = 'Host: 127.0.0.1\r\n';
const BEHIND = `GET /hidden.txt HTTP/1.1\r\n${HOST}\r\n`;
const post = (fields) => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const line = (text) => `${text}\r\n${HOST}\r\n`;
const upgrade = (changes, first) => upgradeText('/echo', changes, first);

/* Every answer here ends the connection. */
const refused = [
    /* lengths and codings */
    ['length and coding', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n'), 400, 'bad_length'],
    ['coding and length', post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n'), 400, 'bad_length'],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 0\r\n'), 400, 'bad_length'],
    ['a list of lengths', post('Content-Length: 0, 0\r\n'), 400, 'bad_length'],
    ['a length with a sign', post('Content-Length: +0\r\n'), 400, 'bad_length'],
    ['an empty length', post('Content-Length:\r\n'), 400, 'bad_length'],
    ['a length in hex', post('Content-Length: 0x0\r\n'), 400, 'bad_length'],
    ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n'), 400, 'bad_length'],
    ['chunked not last', post('Transfer-Encoding: chunked, identity\r\n'), 400, 'bad_length'],
    ['identity', post('Transfer-Encoding: identity\r\n'), 400, 'bad_length'],
    ['another coding', post('Transfer-Encoding: gzip, chunked\r\n'), 501, 'unknown_coding'],
    ['a word that holds chunked', post('Transfer-Encoding: xchunked\r\n'), 400, 'bad_length'],
    ['a tab that is none', post('Transfer-Encoding: \vchunked\r\n'), 400, 'bad_header'],
    ['a blank before the colon', post('Transfer-Encoding : chunked\r\n'), 400, 'bad_header'],
    ['a coding in HTTP/1.0',
        `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`, 400, 'bad_length'],
    /* lines */
    ['a bare LF', `GET / HTTP/1.1\r\n${HOST}X: y\nContent-Length: 6\r\n\r\n`, 400, 'bad_line_end'],
    ['a bare CR', `GET / HTTP/1.1\r\n${HOST}X: y\rContent-Length: 6\r\n\r\n`, 400, 'bad_line_end'],
    ['a fold', `GET / HTTP/1.1\r\n${HOST}X: y\r\n Content-Length: 6\r\n\r\n`, 400, 'bad_header'],
    ['a blank line that is not empty', `GET / HTTP/1.1\r\n${HOST} \r\n\r\n`, 400, 'bad_header'],
    ['a blank before the first header', `GET / HTTP/1.1\r\n ${HOST}\r\n`, 400, 'bad_header'],
    ['NUL in a value', `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, 400, 'bad_header'],
    ['NUL in a name', `GET / HTTP/1.1\r\n${HOST}X\0: a\r\n\r\n`, 400, 'bad_header'],
    ['eight bits in a name', `GET / HTTP/1.1\r\n${HOST}\xe4: a\r\n\r\n`, 400, 'bad_header'],
    ['three empty lines', `\r\n\r\n\r\n${line('GET / HTTP/1.1')}`, 400, 'empty_lines'],
    ['an LF before the request', `\n${line('GET / HTTP/1.1')}`, 400, 'bad_line_end'],
    ['a blank before the request', ` ${line('GET / HTTP/1.1')}`, 400, 'bad_method'],
    ['two blanks in the line', line('GET  / HTTP/1.1'), 400, 'bad_request'],
    ['a blank behind the line', line('GET / HTTP/1.1 '), 400, 'bad_request'],
    ['HTTP/0.9', 'GET /\r\n', 505, 'bad_version'],
    ['HTTP/1.2', line('GET / HTTP/1.2'), 505, 'bad_version'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'http_2'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 400, 'tls_on_plain_port'],
    ['a PROXY line', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 400, 'proxy_not_trusted'],
    ['a PROXY header', '\r\n\r\n\0\r\nQUIT\n', 400, 'proxy_not_trusted'],
    ['another protocol', 'hello\r\n\r\n', 400, 'bad_method'],
    ['an unknown method', line('BREW / HTTP/1.1'), 501, 'unknown_method'],
    /* targets and hosts */
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad_host'],
    ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, 'bad_host'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'bad_host'],
    ['a user in the target', line('GET http://user@127.0.0.1/ HTTP/1.1'), 400, 'bad_target'],
    ['another scheme', line('GET ftp://127.0.0.1/ HTTP/1.1'), 400, 'bad_target'],
    ['a star by GET', line('GET * HTTP/1.1'), 400, 'bad_target'],
    ['CONNECT', line('CONNECT 127.0.0.1:80 HTTP/1.1'), 405, 'method_not_allowed'],
    ['CONNECT to a path', line('CONNECT / HTTP/1.1'), 400, 'bad_target'],
    ['a NUL as an escape', line('GET /%00 HTTP/1.1'), 400, 'bad_target'],
    ['dots as escapes, above the root', line('GET /%2e%2e/hidden.txt HTTP/1.1'), 400, 'bad_target'],
    ['an overlong slash', line('GET /docs%c0%af..%c0%afhidden.txt HTTP/1.1'), 400, 'bad_target'],
    ['half an escape', line('GET /%4 HTTP/1.1'), 400, 'bad_target'],
    /* bodies that nobody reads */
    ['a body', `${post(`Content-Length: ${BEHIND.length}\r\n`)}`, 405, 'method_not_allowed'],
    ['a body in chunks', `${post('Transfer-Encoding: chunked\r\n')}0\r\n\r\n`, 405, 'method_not_allowed'],
    /* handshakes */
    ['a body on a handshake', upgrade({ 'Content-Length': BEHIND.length }), 400, 'has_body'],
    ['a coding on a handshake', upgrade({ 'Transfer-Encoding': 'chunked' }), 400, 'has_body'],
    ['a handshake without a key', upgrade({ 'Sec-WebSocket-Key': null }), 400, 'bad_key'],
    ['a key with odd bits', upgrade({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' }), 400, 'bad_key'],
    ['a handshake of version 8', upgrade({ 'Sec-WebSocket-Version': '8' }), 426, 'bad_websocket_version'],
    ['two versions', upgrade({ 'Sec-WebSocket-Version': '13\r\nSec-WebSocket-Version: 13' }), 426,
        'bad_websocket_version'],
    ['two Origins', upgrade({ Origin: 'http://127.0.0.1\r\nOrigin: http://127.0.0.1' }), 400, 'bad_origin'],
    ['a foreign Origin', upgrade({ Origin: 'http://elsewhere' }), 403, 'origin'],
    ['a handshake by POST', upgrade({}, 'POST /echo HTTP/1.1'), 405, 'bad_method'],
    ['a handshake to nowhere', upgradeText('/nowhere'), 404, 'no_route'],
    /* limits */
    ['a long target', line(`GET /${'x'.repeat(8192)} HTTP/1.1`), 414, 'target_too_long'],
    ['a long head', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(16384)}\r\n\r\n`, 431, 'head_too_large'],
    ['many headers', `GET / HTTP/1.1\r\n${HOST}${'X: y\r\n'.repeat(100)}\r\n`, 431, 'too_many_headers'],
];

const raw = (text) => Buffer.from(text, 'latin1');

async function answerTo(send) {
    const wire = new Wire(server.port);
    await send(wire);
    const answer = await wire.answer();
    assert.equal(await wire.ends(), 'fin');
    await assert.rejects(wire.answer(), /ended \(fin\) before/, 'nothing behind it is answered');
    wire.drop();
    return answer;
}

async function bytewise(wire, bytes) {
    for (const byte of bytes) {
        wire.send(Buffer.of(byte));
        await new Promise(setImmediate);
    }
}

for (const [what, text, status, error] of refused) {
    test(`${what}: ${status} ${error}, and no more`, async () => {
        const bytes = Buffer.concat([raw(text), raw(BEHIND), frame(TEXT, 'hello')]);
        const ways = [(wire) => wire.send(bytes)];
        if (bytes.length < 1000) ways.push((wire) => bytewise(wire, bytes));
        for (const way of ways) {
            const got = await answerTo(way);
            const told = JSON.parse(got.body);
            assert.deepEqual([got.status, told.error, told.status], [status, error, status]);
            assert.match(got.headers['content-type'], /^application\/json$/);
            assert.match(got.headers.connection, /^close/);
            assert.ok(told.detail.length > 0, 'and a word about it');
            if (status === 426) {
                assert.equal(got.headers['sec-websocket-version'], '13');
                assert.equal(got.headers.upgrade, 'websocket');
                assert.match(got.headers.connection, /upgrade/i);
            }
            if (status === 405) assert.match(got.headers.allow, /GET/);
        }
    });
}

/* ---- refusals that leave no doubt where the next request begins ---- */

const kept = [
    ['a missing file', line('GET /nope HTTP/1.1'), 404],
    ['a missing file by HEAD', line('HEAD /nope HTTP/1.1'), 404],
    ['a method', post(''), 405],
    ['a method with a body of nothing', post('Content-Length: 0\r\n'), 405],
    ['a folder without its slash', line('GET /docs HTTP/1.1'), 301],
    ['a route without a handshake', line('GET /echo HTTP/1.1'), 426],
    ['an empty line before it', `\r\n${line('GET /nope HTTP/1.1')}`, 404],
];

for (const [what, text, status] of kept) {
    test(`${what} is refused with ${status}, and the connection is kept`, async () => {
        const wire = new Wire(server.port);
        wire.send(text + text);
        for (let i = 0; i < 2; i++) {
            const got = await wire.answer({ body: !text.startsWith('HEAD') });
            assert.equal(got.status, status);
            assert.doesNotMatch(got.headers.connection ?? '', /close/);
        }
        wire.send(BEHIND);
        assert.equal((await wire.answer()).body, 'SMUGGLED');
        wire.drop();
    });
}

test('a refusal that would be kept ends where the client said so', async () => {
    const ending = [
        `GET /nope HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
        `GET /nope HTTP/1.0\r\n${HOST}\r\n`,
    ];
    for (const text of ending) {
        const got = await answerTo((wire) => wire.send(text + BEHIND));
        assert.deepEqual([got.status, got.headers.connection], [404, 'close']);
    }
});

test('of an absolute target the authority counts, not Host', async () => {
    const wire = new Wire(server.port);
    wire.send(upgrade({ Host: 'elsewhere', Origin: 'http://127.0.0.1' },
        'GET http://127.0.0.1/echo HTTP/1.1'));
    assert.equal((await wire.answer()).status, 101);
    wire.drop();
    const got = await answerTo((other) => other.send(
        upgrade({ Origin: 'http://127.0.0.1' }, 'GET http://elsewhere/echo HTTP/1.1')));
    assert.equal(got.status, 403);
});

test('frames behind a handshake that is accepted are its own', async () => {
    const wire = new Wire(server.port);
    wire.send(Buffer.concat([raw(upgrade()), frame(TEXT, 'early')]));
    assert.equal((await wire.answer()).status, 101);
    assert.equal((await wire.frame()).payload.toString(), 'early');
    wire.drop();
});

test('of all the refused ones no handshake came through', async () => {
    const wire = new Wire(server.port);
    wire.send(Buffer.concat([raw(upgrade()), frame(TEXT, 'last')]));
    await server.log({ msg: 'a message', data: 'last' });
    const of = (msg) => server.all({ msg }).length;
    assert.deepEqual([of('a handshake came through'), of('a message')], [3, 2], 'those just above');
    wire.drop();
});
