/* Static files as browsers, downloads and caches ask for them, and health as balancers do. */
import assert from 'node:assert/strict';
import { symlinkSync, truncateSync, utimesSync } from 'node:fs';
import { after, test } from 'node:test';
import { Project, start } from './harness.mjs';
import { Wire, http, upgraded } from './wire.mjs';

const ten = '0123456789';
const large = Array.from({ length: 300_000 }, (_, i) => String(i % 10)).join('');

const contents = {
    'secret.txt': 'SECRET',
    'scripts/secret.lua': '-- SECRET\nreturn {}',
    'scripts/echo.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'scripts/healthz.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'public/index.html': '<!doctype html><title>home</title>',
    'public/app.js': 'export {};',
    'public/style.css': 'p {}',
    'public/data.json': '{}',
    'public/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'public/module.wasm': '\0asm',
    'public/font.woff2': 'wOF2',
    'public/film.webm': 'film',
    'public/site.webmanifest': '{}',
    'public/unknown.zzz': 'z',
    'public/empty.txt': '',
    'public/ten.txt': ten,
    'public/with space ü.txt': 'found',
    'public/docs/index.html': 'the docs',
    'public/no-index/a.txt': 'a',
    'public/large.bin': large,
    'public/shrinks.bin': 'x'.repeat(5_000_000),
    'public/readyz': 'a file',
    'public/.env': 'SECRET',
    'public/.git/config': 'SECRET',
    'public/docs/.htpasswd': 'SECRET',
    'public/docs/.well-known/a.txt': 'SECRET',
    'public/.well-known/security.txt': 'Contact: mailto:a@b.example',
};
const project = new Project(contents);
symlinkSync('../secret.txt', project.path('public/leak.txt'));
symlinkSync('..', project.path('public/up'));
symlinkSync('loop', project.path('public/loop'));
symlinkSync('app.js', project.path('public/alias.js'));

const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
const dates = [date, 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'];
const earlier = 'Sun, 06 Nov 1994 08:49:36 GMT';
const age = (name) => utimesSync(project.path(name), 784111777, 784111777);
Object.keys(contents).forEach(age);

const server = await start({ after }, project);
const get = (target, fields = '', method = 'GET') =>
    `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n`;

/* ---- which file ---- */

const files = [
    ['/', /^text\/html; charset=utf-8$/, /home/],
    ['/index.html', /^text\/html; charset=utf-8$/, /home/],
    ['/app.js', /^text\/javascript; charset=utf-8$/, /export/],
    ['/app.js?v=3', /^text\/javascript/, /export/],
    ['/style.css', /^text\/css; charset=utf-8$/, /p/],
    ['/data.json', /^application\/json$/, /\{\}/],
    ['/logo.svg', /^image\/svg\+xml$/, /svg/],
    ['/module.wasm', /^application\/wasm$/, /asm/],
    ['/font.woff2', /^font\/woff2$/, /wOF2/],
    ['/film.webm', /^video\/webm$/, /film/],
    ['/site.webmanifest', /^application\/manifest\+json$/, /\{\}/],
    ['/unknown.zzz', /^application\/octet-stream$/, /z/],
    ['/empty.txt', /^text\/plain; charset=utf-8$/, /^$/],
    ['/with%20space%20%C3%BC.txt', /^text\/plain/, /found/],
    ['/%61pp.js', /^text\/javascript/, /export/],
    ['/docs/', /^text\/html/, /the docs/],
    ['/docs/../app.js', /^text\/javascript/, /export/],
    ['/alias.js', /^text\/javascript/, /export/],
    ['/.well-known/security.txt', /^text\/plain/, /Contact/],
    ['/large.bin', /./, /^(0123456789){30000}$/],
];

for (const [target, type, body] of files) {
    test(`GET and HEAD ${target}`, async () => {
        const got = await http(server, get(target));
        assert.equal(got.status, 200);
        assert.match(got.headers['content-type'], type);
        assert.match(got.body, body);
        assert.equal(got.headers['x-content-type-options'], 'nosniff');
        const head = await http(server, get(target, '', 'HEAD'), { body: false });
        assert.equal(head.headers['content-length'], String(Buffer.byteLength(got.body)));
        delete head.headers.date;
        delete got.headers.date;
        assert.deepEqual([head.status, head.headers], [got.status, got.headers]);
    });
}

const missing = [
    '/nope', '/docs/nope.html', '/app.js/', '/app.js/.', '/app.js/more', '/public/app.js',
    '/no-index/', '/../secret.txt', '/./../secret.txt', '//secret.txt', '/..%2fsecret.txt',
    '/%2e%2e/secret.txt', '/docs/..%2f..%2fsecret.txt', '/docs/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/%252e%252e/secret.txt', '/..%5csecret.txt', '/..%255csecret.txt', '/..\\secret.txt',
    '/leak.txt', '/up/secret.txt', '/up/public/app.js/../../secret.txt', '/loop',
    '/scripts/secret.lua', '/secret.lua', '/%00', '/app.js%00.html', '/%ff', '/%zz', '/...',
    '/.env', '/%2eenv', '/%2Eenv', '//.env', '/docs/../.env', '/.git', '/.git/', '/.git/config',
    '/docs/.htpasswd', '/docs/.well-known/a.txt', '/.well-known/../.env', '/.well-known/.env',
    `/${'a/'.repeat(1500)}`,
];

for (const target of missing) {
    test(`there is nothing at ${target.slice(0, 60)}`, async () => {
        const got = await http(server, get(target));
        assert.ok([400, 404].includes(got.status), String(got.status));
        assert.ok(!got.body.includes('SECRET'));
    });
}

const redirects = [
    ['/docs', '/docs/'], ['/docs?a=1&b', '/docs/?a=1&b'], ['//docs', '/docs/'],
    ['/no-index', '/no-index/'], ['//evil.example/%2e%2e/docs', '/docs/'],
    ['/\\evil.example/%2e%2e/docs', '/docs/'], ['http://evil.example/docs', '/docs/'],
];

for (const [target, location] of redirects) {
    test(`a folder without its slash is a redirect: ${target}`, async () => {
        const { status, headers } = await http(server, get(target));
        assert.deepEqual([status, headers.location], [301, location]);
    });
}

/* ---- conditions and ranges ---- */

const tag = (await http(server, get('/ten.txt'))).headers.etag;
assert.match(tag, /^"[0-9a-f.-]+"$/);

/* Fields, then status and body (of a 200 or 206). */
const conditions = [
    ['If-None-Match: *', 304],
    [`If-None-Match: ${tag}`, 304],
    [`If-None-Match: "a", W/${tag}`, 304],
    [`If-None-Match: "a"\r\nIf-None-Match: ${tag}`, 304],
    ['If-None-Match: "a"', 200, ten],
    [`If-None-Match: "a"\r\nIf-Modified-Since: ${date}`, 200, ten],
    ...dates.map((text) => [`If-Modified-Since: ${text}`, 304]),
    [`If-Modified-Since: ${earlier}`, 200, ten],
    ['If-Modified-Since: 06.11.1994', 200, ten],
    ['If-Match: *', 200, ten],
    [`If-Match: "a", ${tag}`, 200, ten],
    [`If-Match: W/${tag}`, 412],
    ['If-Match: "a"', 412],
    [`If-Match: "a"\r\nIf-None-Match: ${tag}`, 412],
    ...dates.map((text) => [`If-Unmodified-Since: ${text}`, 200, ten]),
    [`If-Unmodified-Since: ${earlier}`, 412],
    [`If-Match: ${tag}\r\nIf-Unmodified-Since: ${earlier}`, 200, ten],
    ['Range: bytes=0-0', 206, '0', '0-0'],
    ['Range: bytes=2-4', 206, '234', '2-4'],
    ['Range: bytes=7-', 206, '789', '7-9'],
    ['Range: bytes=-2', 206, '89', '8-9'],
    ['Range: bytes=-99', 206, ten, '0-9'],
    ['Range: bytes=5-99999999999999999999', 206, '56789', '5-9'],
    ['Range: bytes=10-', 416, '', '*'],
    ['Range: bytes=-0', 416, '', '*'],
    ['Range: bytes=4-2', 200, ten],
    ['Range: bytes=x', 200, ten],
    ['Range: pages=1-2', 200, ten],
    ['Range: bytes=0-1,3-4', 200, ten],
    [`Range: bytes=${'0-,'.repeat(1000)}`, 200, ten],
    [`Range: bytes=2-4\r\nIf-Range: ${tag}`, 206, '234', '2-4'],
    [`Range: bytes=2-4\r\nIf-Range: ${date}`, 206, '234', '2-4'],
    [`Range: bytes=2-4\r\nIf-Range: W/${tag}`, 200, ten],
    ['Range: bytes=2-4\r\nIf-Range: "a"', 200, ten],
    [`Range: bytes=99-\r\nIf-None-Match: ${tag}`, 304],
    ['Range: bytes=2-4\r\nIf-Match: "a"', 412],
];

for (const [fields, status, body, range] of conditions) {
    const what = fields.replace(/\r\n/g, ' and ').slice(0, 80);
    test(`${what} leads to ${status}`, async () => {
        const got = await http(server, get('/ten.txt', `${fields}\r\n`),
            { body: status !== 304 });
        assert.equal(got.status, status, got.body);
        if (status < 300) assert.equal(got.body, body);
        assert.equal(got.headers['content-range'], range && `bytes ${range}/10`);
        assert.match(got.headers.date, /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/);
        if (status === 304) {
            assert.deepEqual(Object.keys(got.headers).sort(),
                ['cache-control', 'date', 'etag', 'server']);
        }
    });
}

test('a part of a large file is that part, wherever the pieces end', async () => {
    const spans = [[0, 65535], [65535, 65536], [65536, 131072], [1, 299998], [299999, 299999]];
    const wire = new Wire(server.port);
    for (const [from, to] of spans) wire.send(get('/large.bin', `Range: bytes=${from}-${to}\r\n`));
    for (const [from, to] of spans) {
        const got = await wire.answer();
        assert.equal(got.status, 206);
        assert.ok(got.body === large.slice(from, to + 1), `${from}-${to}`);
    }
    wire.drop();
});

test('a download that goes on, goes on only with the file that it began', async () => {
    project.write('public/download.bin', 'first version');
    age('public/download.bin');
    const first = await http(server, get('/download.bin', 'Range: bytes=0-4\r\n'));
    assert.deepEqual([first.status, first.body], [206, 'first']);
    const rest = get('/download.bin', `Range: bytes=5-\r\nIf-Range: ${first.headers.etag}\r\n`);
    assert.equal((await http(server, rest)).body, ' version');
    project.write('public/download.bin', 'second version');
    const other = await http(server, rest);
    assert.deepEqual([other.status, other.body], [200, 'second version']);
});

test('of a file that shrinks no part is taken for the whole', async () => {
    const wire = new Wire(server.port);
    wire.socket.pause();
    wire.send(get('/shrinks.bin'));
    await new Promise((resolve) => { wire.socket.once('readable', resolve); });
    truncateSync(project.path('public/shrinks.bin'), 10);
    wire.socket.resume();
    await assert.rejects(wire.answer(), /before an HTTP body/);
    wire.drop();
});

/* ---- one connection ---- */

const refusal = (error, detail, status) =>
    `${JSON.stringify({ error, detail, status, cause: null, retry: false })}\n`;
const changed = refusal('precondition_failed', 'the file is not as the request wants it to be', 412);
const outside = refusal('range_not_satisfiable', 'the file has no such bytes', 416);

test('answers with and without bodies follow each other on one connection', async () => {
    const asked = [
        [get('/ten.txt'), 200, ten],
        [get('/ten.txt', '', 'HEAD'), 200],
        [get('/ten.txt', 'If-None-Match: *\r\n'), 304],
        [get('/ten.txt', 'Range: bytes=3-5\r\n'), 206, '345'],
        [get('/ten.txt', 'If-None-Match: *\r\n', 'HEAD'), 304],
        [get('/docs'), 301, ''],
        [get('/ten.txt', 'If-Match: "another"\r\n'), 412, changed],
        [get('/ten.txt', 'If-Match: "another"\r\n', 'HEAD'), 412],
        [get('/ten.txt', 'Range: bytes=10-\r\n'), 416, outside],
        [get('*', '', 'OPTIONS'), 204],
        [get('/nope', '', 'OPTIONS'), 204],
        [get('/healthz'), 200, '{"status":"ok"}\n'],
        [get('/readyz', '', 'HEAD'), 200],
        [get('/empty.txt'), 200, ''],
        [get('/large.bin', 'Range: bytes=-100000\r\n'), 206, large.slice(-100000)],
    ];
    for (const together of [true, false]) {
        const wire = new Wire(server.port);
        const rounds = [...asked, ...asked, ...asked];
        if (together) wire.send(rounds.map(([text]) => text).join(''));
        for (const [text, status, body] of rounds) {
            if (!together) wire.send(text);
            const got = await wire.answer({ body: body !== undefined });
            assert.equal(got.status, status);
            assert.equal(got.headers.connection, undefined);
            assert.ok(got.headers.date);
            assert.ok(got.body === (body ?? ''), text);
        }
        wire.drop();
    }
});

test('HTTP/1.0 is told what becomes of its connection', async () => {
    const closing = new Wire(server.port);
    closing.send('GET /ten.txt HTTP/1.0\r\n\r\n');
    const last = await closing.answer();
    assert.deepEqual([last.body, last.headers.connection], [ten, 'close']);
    assert.equal(await closing.ends(), 'fin');
    const keeping = new Wire(server.port);
    for (let i = 0; i < 3; i++) {
        keeping.send('GET /ten.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
        const got = await keeping.answer();
        assert.deepEqual([got.body, got.headers.connection], [ten, 'keep-alive']);
    }
    keeping.drop();
    closing.drop();
});

/* ---- methods and health ---- */

test('OPTIONS names the methods, and is no leave for other origins', async () => {
    const { status, headers } = await http(server,
        get('/ten.txt', 'Origin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n',
            'OPTIONS'), { body: false });
    assert.deepEqual([status, headers.allow], [204, 'GET, HEAD, OPTIONS']);
    assert.ok(!Object.keys(headers).some((name) => name.startsWith('access-control-')));
});

test('health goes before a file, and a script has the sockets of that path', async () => {
    const ready = await http(server, get('/readyz'));
    assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { status: 'ready', scripts: 3 }]);
    assert.equal(ready.headers['cache-control'], 'no-store');
    (await upgraded(server, '/healthz')).drop();
});

test('who asks while the server stops is told so', async (t) => {
    const other = await start(t, { 'scripts/echo.lua': 'return {}' });
    const asking = new Wire(other.port), waiting = new Wire(other.port);
    waiting.send(get('/healthz'));
    assert.equal((await waiting.answer()).status, 200);
    asking.send('GET /readyz HTTP/1.1\r\nHost: x\r\n');
    waiting.send(get('/healthz')); /* when this is answered, the other one's bytes are there too */
    assert.equal((await waiting.answer()).status, 200);
    const stopped = other.stop();
    assert.equal(await waiting.ends(), 'fin');
    asking.send('\r\n');
    const got = await asking.answer();
    assert.deepEqual([got.status, JSON.parse(got.body).cause], [503, 'drain']);
    assert.equal(got.headers.connection, 'close');
    asking.drop();
    waiting.drop();
    await stopped;
});

test('dev without a script is alive and not ready, and then it is', async (t) => {
    const other = await start(t, { 'scripts/echo.lua': 'broken' }, { verb: 'dev' });
    assert.equal((await http(other, get('/healthz'))).status, 200);
    const { status, body } = await http(other, get('/readyz'));
    assert.deepEqual([status, JSON.parse(body).cause], [503, 'no_script']);
    other.project.write('scripts/echo.lua', 'return {}');
    await other.log({ msg: 'loaded' });
    assert.equal((await http(other, get('/readyz'))).status, 200);
});

test('health has the paths that the settings give it', async (t) => {
    const other = await start(t, {
        'scripts/echo.lua': 'return {}',
        'moonwire.lua': 'return { health = { live = "off", ready = "/-/ready" } }',
    });
    const statuses = [];
    for (const path of ['/healthz', '/readyz', '/-/ready'])
        statuses.push((await http(other, get(path))).status);
    assert.deepEqual(statuses, [404, 404, 200]);
});
