/*
 * The limits of the whole process: descriptors, connections, connections of one address, the rate of
 * new ones, memory. Each is told by name to who is refused, in the log and in the metrics; who is in
 * stays in, and when there is room again the next one gets in.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { parseExposition, sumOf } from './exposition.mjs';
import { Peer, administer, refused, start, within } from './harness.mjs';
import { SessionPeer } from './session_peer.mjs';
import { TEXT, frame, upgraded } from './wire.mjs';

const ECHO = 'return { on_message = function(conn, data) conn:send(data) end }';
const files = { 'scripts/echo.lua': ECHO };
const args = (...more) => ({ args: ['--listen', '127.0.0.1:0', ...more] });

async function counted(server) {
    const { out } = await administer(server, 'metrics');
    return parseExposition(out);
}

async function refusals(server, error) {
    return sumOf(await counted(server), 'moonwire_handshakes_refused_total', { error });
}

/* The answer to one that is refused, which has to say why in its body and when to come back. */
async function told(server, status, error) {
    const answer = await refused(server, '/echo');
    const body = JSON.parse(answer.body);
    assert.deepEqual([answer.status, body.error], [status, error]);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.ok(body.retry.after >= 0 && body.retry.spread > 0);
    await server.log({ msg: 'handshake refused', error });
    return body;
}

test('connections: one more is 503 by name; when one leaves the next gets in', async (t) => {
    const server = await start(t, files, args('--connections', '3'));
    const peers = [];
    for (let i = 0; i < 3; i++) peers.push(await server.connect('/echo'));
    await told(server, 503, 'too_many_connections');
    assert.match((await administer(server, 'status')).out, /^3 of 3 connections$/m);
    assert.equal(await peers[0].ask('still here'), 'still here');
    await peers[1].close();
    await server.log({ msg: 'closed' });
    await (await server.connect('/echo')).close();
    assert.equal(await refusals(server, 'too_many_connections'), 1);
});

test('connections_per_ip: 429 by name, for that address alone', async (t) => {
    const server = await start(t, files, args('--connections-per-ip', '2'));
    const mine = [await server.connect('/echo'), await server.connect('/echo')];
    await told(server, 429, 'too_many_from_address');
    const other = await server.connect('/echo', { localAddress: '127.0.0.2' });
    assert.equal(await other.ask('hello'), 'hello');
    await mine[0].close();
    await server.log({ msg: 'closed' });
    await (await server.connect('/echo')).close();
});

test('connections_per_ip behind a trusted proxy is of the client that it names', async (t) => {
    const server = await start(t, files,
        args('--connections-per-ip', '1', '--trusted-proxies', '127.0.0.1'));
    const from = (ip) => ({ headers: { 'X-Forwarded-For': ip } });
    await server.connect('/echo', from('203.0.113.1'));
    await server.connect('/echo', from('203.0.113.2'));
    await server.connect('/echo', from('2001:db8:1:2::1'));
    for (const ip of ['203.0.113.1', '2001:db8:1:2:ffff::9']) {
        const answer = await refused(server, '/echo', from(ip));
        assert.equal(JSON.parse(answer.body).error, 'too_many_from_address');
    }
});

/* ---- the rate ---- */

const RATE = 50, STORM = 300;

/* Says when it let each one in, by its own clock. */
const clocked = { 'scripts/echo.lua': `
    return { on_open = function(conn) conn:send(tostring(monotonic())) end }` };

/* Comes until it is let in, as each answer advises; `at` is the moment by the server's clock. */
async function comeAsTold(server) {
    for (let tries = 1;; tries++) {
        const peer = new Peer(`ws://127.0.0.1:${server.port}/echo`);
        const answer = new Promise((resolve) =>
            peer.socket.on('unexpected-response', (request, response) => {
                let body = '';
                response.on('data', (chunk) => { body += chunk; });
                response.on('end', () => { request.destroy(); resolve(JSON.parse(body)); });
            }));
        const body = await Promise.race([peer.opened.then(() => undefined, () => answer), answer]);
        if (!body) return { peer, tries, at: Number(await peer.next()) };
        assert.equal(body.error, 'accept_rate');
        const wait_ms = (body.retry.after + Math.random() * body.retry.spread) * 1000;
        await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
}

test('accept.rate: after kill -9 a storm of clients comes back no faster than it', async (t) => {
    const options = ['--accept-rate', String(RATE)];
    const first = await start(t, clocked, args());
    const peers = await Promise.all(Array.from({ length: STORM }, () => first.connect('/echo')));
    first.finish = () => {}; /* it is to leave no traces in order */
    first.process.kill('SIGKILL');
    await Promise.all(peers.map((peer) => peer.seen()));

    const second = await start(t, first.project, args(...options));
    const back = await within(Promise.all(Array.from({ length: STORM }, () => comeAsTold(second))),
        () => 'the storm to come in', () => second.tail());
    const times = back.map(({ at }) => at).sort((a, b) => a - b);
    /* A second of slack: the script's clock runs on within a turn, that of the rate does not. */
    const least_s = (STORM - RATE / 4) / RATE - 1;
    assert.ok(times.at(-1) - times[0] >= least_s, `${STORM} in ${times.at(-1) - times[0]} s`);
    const inAtOnce = back.filter(({ tries }) => tries === 1).map(({ at }) => at);
    const span_s = Math.max(...inAtOnce) - Math.min(...inAtOnce);
    assert.ok(inAtOnce.length <= RATE * (span_s + 2), `${inAtOnce.length} in ${span_s} s`);
    assert.equal(await refusals(second, 'accept_rate'),
        back.reduce((sum, { tries }) => sum + tries - 1, 0));
    for (const { peer } of back) peer.socket.terminate();
});

test('a session that comes back has its place, whatever the rate and the limits are', async (t) => {
    const script = 'return { resume = 30, on_message = function(conn, data) conn:send(data) end }';
    const server = await start(t, { 'scripts/echo.lua': script },
        args('--accept-rate', '0.01', '--connections', '1', '--connections-per-ip', '1'));
    const peer = new SessionPeer(`ws://127.0.0.1:${server.port}/echo`);
    await peer.ready();
    await told(server, 503, 'too_many_connections');
    peer.cut();
    await peer.until(({ returns }) => returns === 1);
    assert.equal(peer.fresh, 1);
    await peer.close();
});

/* ---- descriptors ---- */

/* What the handshake was answered with: 101 or a refusal's status. */
const statusOf = (peer) => within(new Promise((resolve) => {
    peer.opened.then(() => resolve(101), () => {});
    peer.socket.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode);
    });
}), () => 'an answer to a handshake');

function connectSilently(port) {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    return socket;
}

test('out of descriptors: told by name; status, reload and health answer; then it goes on',
    async (t) => {
        const LIMIT = 120, MORE = 160;
        const server = await start(t, files, { by: ['prlimit', `--nofile=${LIMIT}:${LIMIT}`] });
        const peers = [];
        for (let status; status !== 503;) {
            const peer = new Peer(`ws://127.0.0.1:${server.port}/echo`);
            status = await statusOf(peer);
            if (status === 101) peers.push(peer);
            assert.ok(peers.length < LIMIT, 'the last descriptors are kept');
        }
        await told(server, 503, 'out_of_descriptors');
        const health = await fetch(`${server.url}healthz`);
        assert.deepEqual([health.status, health.headers.get('connection')], [200, 'close']);
        await health.text();

        /* Those who say nothing take the rest, up to what is the server's own; others wait outside. */
        const silent = Array.from({ length: MORE }, () => connectSilently(server.port));
        const line = await server.log({ msg: 'not accepting' });
        assert.deepEqual([line.cause, line.descriptors], ['descriptors', LIMIT]);
        assert.match(line.error, /^EMFILE/);
        assert.equal((await administer(server, 'status')).code, 0);
        server.project.write('scripts/echo.lua',
            ECHO.replace('conn:send(data)', 'conn:send(data .. "!")'));
        await server.log({ msg: 'reloaded', script: 'echo.lua' });
        assert.equal(await peers[0].ask('new'), 'new!');

        for (const socket of silent) socket.destroy();
        for (const peer of peers.splice(10)) peer.socket.terminate();
        await server.log({ msg: 'accepting again' });
        /* Those who wait outside come first, and find out that they have gone. */
        for (let status; status !== 101;) {
            const peer = new Peer(`ws://127.0.0.1:${server.port}/echo`);
            status = await statusOf(peer);
            if (status === 101) peers.push(peer);
        }
        for (let i = 0; i < 20; i++) peers.push(await server.connect('/echo'));
        assert.equal(await peers.at(-1).ask('in'), 'in!');
        const pauses = sumOf(await counted(server), 'moonwire_accept_pauses_total',
            { cause: 'descriptors' });
        assert.ok(pauses >= 1 && pauses < 1000, `${pauses} pauses`);
        for (const peer of peers) peer.socket.terminate();
    });

/* ---- memory ---- */

/* Has 24 MiB wait for a client that does not read; what else it says is not read then. */
const GENEROUS = `
    local M = { limits = { queue = 256 * 1024 * 1024 } }
    function M.on_message(conn, data)
      for i = 1, 24 do conn:send(("x"):rep(1024 * 1024 - 100)) end
      log.info("queued")
    end
    return M`;
const READERS = 6, ROOM = 96 * 1024 * 1024;

const resident = (server) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))[1]) * 1024;

test('memory: above the ceiling new ones are 503 by name, below it they get in again', async (t) => {
    const env = { /* else the sanitizer holds back what is freed */
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=0:allocator_release_to_os_interval_ms=0`,
    };
    const project = { 'scripts/echo.lua': GENEROUS };
    const idle = await start(t, project, { env });
    const ceiling = resident(idle) + ROOM;
    const server = await start(t, project, { ...args('--memory', String(ceiling), '--script-cpu', '60000'), env });
    const wires = []; /* all of them are in before the first one costs anything */
    for (let i = 0; i < READERS; i++) wires.push(await upgraded(server, '/echo'));
    for (const wire of wires) {
        wire.socket.pause();
        wire.send(frame(TEXT, 'more'));
    }
    for (let i = 1; i <= READERS; i++) await server.log({ msg: 'queued' }, i); /* each has its time */
    const line = await server.log({ msg: 'memory limit reached' });
    assert.ok(line.resident >= ceiling && line.memory === ceiling);
    assert.equal((await told(server, 503, 'memory_limit')).cause, 'out_of_memory');
    const whole = JSON.parse((await administer(server, 'status', '--json')).out).process;
    assert.ok(whole.short && whole.memory === ceiling && whole.resident > ceiling);
    const health = await fetch(`${server.url}healthz`);
    assert.equal(health.status, 200);
    await health.text();
    for (const wire of wires) wire.drop();
    await server.log({ msg: 'memory is below its limit again' });
    await (await server.connect('/echo')).close();
    assert.equal(sumOf(await counted(server), 'moonwire_memory_limit_bytes'), ceiling);
});
