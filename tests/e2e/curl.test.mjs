/*
 * curl as a real client of plain HTTP: ranges, resumed downloads, conditions, one connection. And of
 * WebSockets, where it was built with them.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Project, start } from './harness.mjs';

const large = Array.from({ length: 1_000_000 }, (_, i) => String(i % 10)).join('');
const project = new Project({
    'scripts/echo.lua': 'return {}',
    'scripts/greet.lua': `
        local M = {}
        function M.on_open(conn) conn:send("hello ") conn:send("curl") conn:close(1000) end
        return M`,
    'public/ten.txt': '0123456789',
    'public/large.bin': large,
    'public/docs/index.html': 'the docs',
    'here/kept': '', /* what curl writes is beside it */
});
for (const name of ['ten.txt', 'large.bin'])
    utimesSync(project.path(`public/${name}`), 784111777, 784111777);
const server = await start({ after }, project);

/* -q: whatever ~/.curlrc says. What comes back is the body, and what -w adds to it. */
async function curl(...args) {
    const own = ['-q', '-sS', '--noproxy', '*', '--max-time', '30'];
    const { stdout } = await promisify(execFile)('curl', [...own, ...args],
        { cwd: project.path('here'), maxBuffer: 10_000_000 });
    return stdout;
}
const url = (path) => `http://127.0.0.1:${server.port}${path}`;
const facts = ['-w', '|%{http_code} %{size_download}'];

const asked = [
    ['-r 0-4', '/ten.txt', '01234|206 5'],
    ['-r 5-', '/ten.txt', '56789|206 5'],
    ['-r -3', '/ten.txt', '789|206 3'],
    ['-r 0-1,4-5', '/ten.txt', '0123456789|200 10'],
    ['-z 6-Nov-1994', '/ten.txt', '0123456789|200 10'], /* saved in the morning of that day */
    ['-z 7-Nov-1994', '/ten.txt', '|304 0'],
    ['--compressed', '/ten.txt', '0123456789|200 10'],
    ['-0', '/ten.txt', '0123456789|200 10'],
    ['--http2', '/ten.txt', '0123456789|200 10'], /* an offer of h2c, passed over */
    ['-L', '/docs', 'the docs|200 8'],
    ['--path-as-is', '/docs/../ten.txt', '0123456789|200 10'],
    ['-X OPTIONS', '/ten.txt', '|204 0'],
    ['', '/healthz', '{"status":"ok"}\n|200 16'],
];

for (const [args, path, want] of asked) {
    test(`curl ${args} ${path}`, async () => {
        const list = args.split(' ').filter(Boolean);
        assert.equal(await curl(...list, ...facts, url(path)), want);
    });
}

test('curl -I is told what GET would get', async () => {
    const head = await curl('-I', url('/large.bin'));
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(head, /\r\nContent-Length: 1000000\r\n/);
    assert.match(head, /\r\nAccept-Ranges: bytes\r\n/);
    assert.match(head, /\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n/);
});

test('curl -R -z: a copy has the date of the file, and is not fetched twice', async () => {
    const fetch = ['-R', '-o', 'copy', '-w', '%{http_code}', url('/large.bin')];
    assert.equal(await curl(...fetch), '200');
    assert.equal(await curl('-z', 'copy', ...fetch), '304');
    assert.ok(readFileSync(project.path('here/copy'), 'utf8') === large);
});

test('curl -C -: a download goes on where it was cut', async () => {
    writeFileSync(project.path('here/part'), large.slice(0, 400_001));
    assert.equal(await curl('-C', '-', '-o', 'part', ...facts, url('/large.bin')), '|206 599999');
    assert.ok(readFileSync(project.path('here/part'), 'utf8') === large);
});

test('curl --etag-compare: what has not changed does not come again', async () => {
    const once = ['--etag-save', 'tag', ...facts, url('/ten.txt')];
    assert.equal(await curl(...once), '0123456789|200 10');
    assert.equal(await curl('--etag-compare', 'tag', ...facts, url('/ten.txt')), '|304 0');
});

test('curl keeps one connection for many requests', async () => {
    const paths = ['/ten.txt', '/docs', '/healthz', '/docs/', '/large.bin', '/ten.txt'];
    const all = paths.flatMap((path) => ['-o', '/dev/null', url(path)]);
    assert.equal(await curl(...all, '-w', '%{num_connects}'), '100000');
    assert.equal(await curl('-I', ...all, '-w', '%{num_connects}'), '100000');
});

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='].flatMap((field) => ['-H', field]);

test('curl -i upgrades by hand', async () => {
    const answer = await curl('-i', ...upgrade, url('/greet'));
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.match(answer, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
});

const speaksWs = /^Protocols:.* ws( |$)/m.test(await curl('--version'));

test('curl ws://', { skip: speaksWs ? false : 'this curl has no ws://' }, async () => {
    /* Behind the message curl prints the body of the Close frame: 1000. */
    const told = await curl(url('/greet').replace('http', 'ws'));
    assert.match(told, /^hello curl(\x03.)?$/);
});
