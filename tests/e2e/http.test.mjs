/* HTTP on the same port: refusals, and the upgrade with what scripts say to it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Project, refused, start } from './harness.mjs';
import { Wire, http, upgradeText, upgraded } from './wire.mjs';

const pick = (route, word) =>
    `return { route = "${route}", on_open = function(conn) conn:send(${word}) end }`;

const project = new Project({
    'public/app.js': 'export {};',
    'public/style.css': 'p {}',
    'public/data.json': '{}',
    'public/docs/index.html': 'the docs',
    'scripts/echo.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'scripts/index.lua': 'return { on_open = function(conn) conn:send("root") end }',
    'scripts/listed.lua': 'return { origins = { "https://app.example" } }',
    'scripts/any.lua': 'return { origins = { "*" } }',
    'scripts/room.lua': `
        local M = { route = "/room/:name/seat/:seat" }
        function M.on_open(conn, req)
          conn:send {
            path = req.path, target = req.target, params = req.params, query = req.query,
            query_all = req.query_all, headers = req.headers, cookies = req.cookies,
            ip = req.ip, id = req.id,
            conn = { path = conn.path, params = conn.params, ip = conn.ip, state = conn.state },
          }
        end
        return M`,
    'scripts/literal.lua': pick('/pick/this', '"literal"'),
    'scripts/param.lua': pick('/pick/:one', '"param " .. conn.params.one'),
    'scripts/rest.lua': pick('/pick/*all', '"rest " .. conn.params.all'),
    'scripts/gate.lua': `
        local answers = {
          plain = function() return false end,
          status = function() return false, 404 end,
          body = function() return false, 429, "slow down" end,
          code = function() return false, 4001, "say who you are" end,
          policy = function() return false, 1008 end,
          late = function() sleep(0.02) return false, 4002, "after a while" end,
          accept_late = function() sleep(0.02) end,
          error = function() error("broken gate") end,
          unsendable = function() return false, 1006 end,
          nonsense = function() return false, 200 end,
        }
        return { route = "/gate/:how",
                 on_open = function(conn) return answers[conn.params.how]() end,
                 on_message = function(conn, data) conn:send(data) end,
                 on_close = function() log.info("end of one that was accepted") end }`,
});
const server = await start({ after }, project);
const get = (target, fields = '', method = 'GET') =>
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n`;

/* ---- requests that are answered without a file ---- */

const answers = [
    ['POST to a file', get('/app.js', 'Content-Length: 0\r\n', 'POST'), 405, { allow: /^GET, HEAD, OPTIONS$/ }],
    ['DELETE', get('/app.js', '', 'DELETE'), 405, { allow: /HEAD/ }],
    ['a script route without an upgrade', get('/echo'), 426, { upgrade: /websocket/i }],
    ['a target of 9 000 bytes', get(`/${'x'.repeat(9000)}`), 414, {}],
    ['a head of 20 000 bytes', get('/', `X-Large: ${'x'.repeat(20000)}\r\n`), 431, {}],
    ['200 headers', get('/', 'X-Many: x\r\n'.repeat(200)), 431, {}],
    ['no HTTP', 'hello\r\n\r\n', 400, {}],
    ['a header without a colon', get('/', 'broken\r\n'), 400, {}],
    ['a blank before the colon', get('/', 'Name : x\r\n'), 400, {}],
    ['a bare LF', 'GET / HTTP/1.1\nHost: x\n\n', 400, {}],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, {}],
    ['two Hosts', get('/', 'Host: other\r\n'), 400, {}],
    ['two lengths', get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), 400, {}],
    ['length and chunks',
        get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n', 'POST'), 400, {}],
    ['HTTP/2 in plain text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505], {}],
    ['an upgrade without a key', upgradeText('/echo', { 'Sec-WebSocket-Key': null }), 400, {}],
    ['an upgrade with a short key', upgradeText('/echo', { 'Sec-WebSocket-Key': 'AAAA' }), 400, {}],
    ['an upgrade of version 8',
        upgradeText('/echo', { 'Sec-WebSocket-Version': '8' }), 426,
        { 'sec-websocket-version': /^13$/ }],
    ['an upgrade without a version',
        upgradeText('/echo', { 'Sec-WebSocket-Version': null }), [400, 426], {}],
    ['an upgrade by POST', upgradeText('/echo', {}, 'POST /echo HTTP/1.1'), [400, 405], {}],
    ['an upgrade by HTTP/1.0', upgradeText('/echo', {}, 'GET /echo HTTP/1.0'), [400, 426, 505], {}],
    ['an upgrade without Connection', upgradeText('/echo', { Connection: null }), [400, 426], {}],
    ['an upgrade to nowhere', upgradeText('/nowhere'), 404, {}],
];

for (const [what, text, status, headers] of answers) {
    test(`${what} is answered with ${status}`, async () => {
        const got = await http(server, text);
        assert.ok([status].flat().includes(got.status), `${got.status} ${got.body}`);
        for (const name in headers) assert.match(got.headers[name] ?? '', headers[name]);
        assert.ok(got.body.length > 0, 'and a word about it');
    });
}

test('a connection is kept for the next request, and requests may come together', async () => {
    const wire = new Wire(server.port);
    wire.send(get('/app.js'));
    assert.match((await wire.answer()).body, /export/);
    wire.send(get('/style.css') + get('/docs/') + get('/data.json', 'Connection: close\r\n'));
    assert.match((await wire.answer()).body, /p/);
    assert.match((await wire.answer()).body, /docs/);
    const last = await wire.answer();
    assert.deepEqual([last.body, last.headers.connection], ['{}', 'close']);
    assert.equal(await wire.ends(), 'fin');
    wire.drop();
});

test('a refusal says that it ends the connection, and does', async () => {
    const wire = new Wire(server.port);
    wire.send(get('/%zz'));
    const { status, headers } = await wire.answer();
    assert.deepEqual([status, headers.connection], [400, 'close']);
    assert.equal(await wire.ends(), 'fin');
    wire.drop();
});

test('a request byte by byte is a request', async () => {
    const wire = new Wire(server.port);
    for (const byte of Buffer.from(get('/data.json'))) {
        wire.send(Buffer.of(byte));
        await new Promise(setImmediate);
    }
    assert.equal((await wire.answer()).status, 200);
    wire.drop();
});

/* ---- handshakes ---- */

const handshakes = [
    ['lists, in any case', { Connection: 'keep-alive, upgrade', Upgrade: 'WebSocket' }],
    ['offers of extensions that nobody knows', { 'Sec-WebSocket-Extensions': 'x-a; b="c", x-d' }],
    ['a subprotocol that nobody speaks', { 'Sec-WebSocket-Protocol': 'soap' }],
];

for (const [what, changes] of handshakes) {
    test(`the handshake allows ${what}`, async () => {
        const wire = await upgraded(server, '/echo', changes);
        assert.equal(wire.upgrade.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
        assert.equal(wire.upgrade.headers['sec-websocket-protocol'], undefined);
        assert.equal(wire.upgrade.headers['sec-websocket-extensions'], undefined);
        wire.drop();
    });
}

const origins = [
    ['/echo', null, 101],
    ['/echo', 'http://127.0.0.1', 101],
    ['/echo', 'http://127.0.0.1:81', 403],
    ['/echo', 'https://evil.example', 403],
    ['/echo', 'null', 403],
    ['/listed', 'https://app.example', 101],
    ['/listed', 'https://APP.example', 101],
    ['/listed', 'https://app.example.evil', 403],
    ['/listed', 'http://app.example', 403],
    ['/any', 'https://evil.example', 101],
];

for (const [path, origin, status] of origins) {
    test(`origin ${origin} on ${path}: ${status}`, async () => {
        assert.equal((await http(server, upgradeText(path, { Origin: origin }))).status, status);
    });
}

test('on_open sees the whole request', async () => {
    const peer = await server.connect('/room/caf%C3%A9/seat/7?user=Ann%20B&tag=a&tag=b&empty=&flag', {
        headers: { Cookie: 'sid=abc; theme=dark', 'X-Twice': ['one', 'two'], 'User-Agent': 'tester' },
    });
    const seen = await peer.nextJson();
    assert.equal(seen.path, '/room/café/seat/7');
    assert.equal(seen.target, '/room/caf%C3%A9/seat/7?user=Ann%20B&tag=a&tag=b&empty=&flag');
    assert.deepEqual(seen.params, { name: 'café', seat: '7' });
    assert.deepEqual(seen.query, { user: 'Ann B', tag: 'b', empty: '', flag: '' });
    assert.deepEqual(seen.query_all.tag, ['a', 'b']);
    assert.deepEqual(seen.cookies, { sid: 'abc', theme: 'dark' });
    assert.equal(seen.headers['x-twice'], 'one, two');
    assert.equal(seen.headers['user-agent'], 'tester');
    assert.equal(seen.ip, '127.0.0.1');
    assert.ok(seen.id.length > 0);
    const { path, params, ip } = seen;
    assert.deepEqual(seen.conn, { path, params, ip, state: 'opening' });
    await peer.close();
});

const routes = [
    ['/pick/this', 'literal'],
    ['/pick/th%69s', 'literal'],
    ['/pick/that', 'param that'],
    ['/pick/a/b/c', 'rest a/b/c'],
    ['/', 'root'],
];

for (const [path, word] of routes) {
    test(`the most specific route wins: ${path} is ${word}`, async () => {
        const peer = await server.connect(path);
        assert.equal(await peer.next(), word);
        await peer.close();
    });
}

/* ---- refusals by on_open ---- */

const http_refusals = [['plain', 403, /./], ['status', 404, /./], ['body', 429, /slow down/]];

for (const [how, status, body] of http_refusals) {
    test(`on_open refuses by HTTP: ${how} is ${status}`, async () => {
        const got = await refused(server, `/gate/${how}`);
        assert.equal(got.status, status);
        assert.match(got.body, body);
    });
}

const close_refusals = [
    ['code', 4001, 'say who you are'], ['policy', 1008, ''], ['late', 4002, 'after a while'],
    ['error', 1011, /^/], ['unsendable', 1011, /^/], ['nonsense', 1011, /^/],
];

for (const [how, code, reason] of close_refusals) {
    test(`on_open upgrades and closes: ${how} is ${code}`, async () => {
        const peer = await server.connect(`/gate/${how}`);
        const seen = await peer.seen();
        assert.equal(seen.code, code);
        assert.match(seen.reason, reason instanceof RegExp ? reason : new RegExp(`^${reason}$`));
    });
}

test('on_open may wait before it accepts; messages wait for it', async () => {
    const peer = await server.connect('/gate/accept_late');
    assert.equal(await peer.ask('hello'), 'hello');
    await peer.close();
    await server.log({ msg: 'end of one that was accepted' });
    assert.equal(server.all({ msg: 'end of one that was accepted' }).length, 1, 'of all these');
});

test('an error in on_open is logged with file and line', async () => {
    const said = await server.log({ level: 'error', script: 'gate.lua', error: /broken gate/ });
    assert.deepEqual([said.file, said.line], ['gate.lua', 10]);
});
