/*
 * A server with four workers: what one can see of them from outside, and that everything which is
 * of the server, not of a worker, is one: versions, reports, counters, certificates, its end.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificate } from './certificates.mjs';
import { parseExposition, sumOf } from './exposition.mjs';
import { administer, refused, start, within } from './harness.mjs';

const WORKERS = 4;
const COUNT = 64; /* of connections: that one of the workers gets none is as good as impossible */
const four = (env = {}) => ({ env: { MOONWIRE_WORKERS: String(WORKERS), ...env } });

const room = (version) => `
    local M = {}
    function M.on_start() log.info("started here") end
    function M.on_open(conn)
      state.count = (state.count or 0) + 1
      conn:send { id = conn.id, count = state.count }
    end
    function M.on_message(conn, data) conn:send("${version}:" .. data) end
    return M`;

/* The worker's number is in the top byte of an id. */
const workerOf = (id) => Number(BigInt(`0x${id}`) >> 56n);

async function crowd(server, count = COUNT, path = '/room') {
    const peers = await Promise.all(Array.from({ length: count }, () => server.connect(path)));
    for (const peer of peers) {
        peer.hello = await peer.nextJson();
        peer.worker = workerOf(peer.hello.id);
    }
    return peers;
}

const oneOfEach = (peers) => Array.from({ length: WORKERS }, (_, number) =>
    peers.find((peer) => peer.worker === number));

test('connections are spread over all workers, and state is of each', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') }, four());
    const peers = await crowd(server);
    assert.equal(server.all({ msg: 'started here' }).length, WORKERS);
    assert.equal(server.all({ msg: 'loaded', script: 'room.lua' }).length, 1);
    for (let number = 0; number < WORKERS; number++) {
        const own = peers.filter((peer) => peer.worker === number);
        assert.ok(own.length > 0, `worker ${number} has none`);
        assert.deepEqual(own.map((peer) => peer.hello.count).sort((a, b) => a - b),
            own.map((_, i) => i + 1));
    }
});

test('a reload is one transaction and one line, whoever the connections are with', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') }, four());
    const peers = await crowd(server);
    server.project.write('scripts/room.lua', room('two'));
    const { v, kept, dropped } = await server.log({ msg: 'reloaded', script: 'room.lua' });
    assert.deepEqual([v, kept, dropped], [2, COUNT, 0]);
    for (const peer of peers) assert.equal(await peer.ask('x'), 'two:x');
    server.project.write('scripts/room.lua', 'return {');
    await server.log({ msg: 'reload refused', script: 'room.lua' });
    for (const peer of oneOfEach(peers)) assert.equal(await peer.ask('y'), 'two:y');
    server.project.write('scripts/room.lua', room('three'));
    await server.log({ msg: 'reloaded', script: 'room.lua', v: 3 });
    for (const peer of peers) assert.equal(await peer.ask('z'), 'three:z');
    assert.equal(server.outcomes('room.lua').length, 3);
    const { code } = await administer(server, 'rollback', 'room.lua');
    assert.equal(code, 0);
    for (const peer of peers) assert.equal(await peer.ask('back'), 'two:back');
});

test('a library that all use is found by all, and changes with all', async (t) => {
    const uses = `
        local words = require("words")
        return { on_message = function(conn) conn:send(words.hello) end,
                 on_open = function(conn) conn:send { id = conn.id } end }`;
    const server = await start(t, {
        'scripts/room.lua': uses,
        'scripts/lib/words.lua': 'return { hello = "one" }',
    }, four());
    const peers = await crowd(server);
    server.project.write('scripts/lib/words.lua', 'return { hello = "two" }');
    await server.log({ msg: 'reloaded', script: 'room.lua', v: 2 });
    for (const peer of peers) assert.equal(await peer.ask('?'), 'two');
});

test('why, close and the list of last ends know the connections of every worker', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') }, four());
    const picked = oneOfEach(await crowd(server));
    for (const peer of picked) {
        const { code, out } = await administer(server, 'why', peer.hello.id, '--json');
        assert.equal(code, 0);
        assert.match(out, new RegExp(`"conn":"${peer.hello.id}"`));
    }
    for (const peer of picked) {
        await peer.close(4000 + peer.worker);
        await server.log({ msg: 'closed', conn: peer.hello.id });
    }
    const { out } = await administer(server, 'why', '--last', '3', '--json');
    const ids = [...out.matchAll(/"conn":"([0-9a-f]+)"/g)].map(([, id]) => id);
    assert.deepEqual([...new Set(ids)], picked.slice(1).reverse().map((peer) => peer.hello.id));
    const unknown = await administer(server, 'why', `9${picked[3].hello.id.slice(1)}`);
    assert.match(unknown.err + unknown.out, /there has been no connection/);
});

test('metrics are of all workers, over HTTP and over the socket', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') },
        four({ MOONWIRE_METRICS_PATH: '/metrics' }));
    const peers = await crowd(server);
    for (let i = 0; i < 8; i++) { /* whoever is asked */
        const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`,
            { headers: { connection: 'close' } });
        const metrics = parseExposition(await answer.text());
        assert.equal(sumOf(metrics, 'moonwire_connections', { script: 'room.lua' }), COUNT);
        for (let worker = 0; worker < WORKERS; worker++)
            assert.equal(sumOf(metrics, 'moonwire_worker_connections', { worker: String(worker) }),
                peers.filter((peer) => peer.worker === worker).length);
        assert.equal(sumOf(metrics, 'moonwire_script_reloads_total', { result: 'loaded' }), 1);
    }
    const { out } = await administer(server, 'metrics');
    assert.equal(sumOf(parseExposition(out), 'moonwire_connections', {}), COUNT);
    const status = await administer(server, 'status');
    assert.match(status.out, new RegExp(`\\n {2}${COUNT} connections `));
});

test('what a refused handshake was told is known to whoever is asked', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') }, four());
    const mark = 'abcdefghijklmnopqrstuv';
    await refused(server, `/nowhere?moonwire=${mark}`);
    for (let i = 0; i < 12; i++) {
        const answer = await fetch(`http://127.0.0.1:${server.port}/_moonwire/why/${mark}`,
            { headers: { connection: 'close' } });
        assert.equal((await answer.json()).status, 404);
    }
});

test('a drain is one: slots of all workers, one line, one sum', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') },
        four({ MOONWIRE_DRAIN_RATE: '100' }));
    const peers = await crowd(server);
    const waits = administer(server, 'drain', '--wait');
    const ends = await Promise.all(peers.map((peer) => peer.seen()));
    const { code, out } = await waits;
    assert.equal(code, 0);
    assert.match(out, new RegExp(`draining: ${COUNT} connections`));
    assert.match(out, new RegExp(`: ${COUNT} told, ${COUNT} closed cleanly, 0 did not answer`));
    await server.exited;
    assert.deepEqual(server.all({ msg: 'draining' }).map((line) => line.connections), [COUNT]);
    assert.deepEqual(server.all({ msg: 'drained' }).map((line) => line.told), [COUNT]);
    /* 100 a second: a slot is 10 ms, and no span of them holds much more than its share. */
    const slots = ends.map(({ reason }) => Number(/retry=(\d+)/.exec(reason)[1]) / 10);
    assert.ok(Math.max(...slots) < COUNT);
    for (let from = 0; from < COUNT; from += 16) {
        const within16 = slots.filter((slot) => slot >= from && slot < from + 16).length;
        assert.ok(within16 <= 16 + 2 * WORKERS, `${within16} in the slots from ${from} on`);
    }
});

test('a worker that a script holds is named when the time is over', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one'), 'scripts/hold.lua': `
        return { on_open = function(conn) conn:send { id = conn.id } end,
                 on_message = function() log.info("holds"); while true do end end }` },
    four({ MOONWIRE_SCRIPT_CPU: '60000', MOONWIRE_DRAIN_TIMEOUT: '2' }));
    const [held] = await crowd(server, 1, '/hold');
    held.send('!');
    await server.log({ msg: 'holds' });
    server.process.kill('SIGTERM');
    assert.deepEqual(await within(server.exited, () => 'the end'), { code: 1, signal: null });
    const said = `worker ${held.worker} did not stop in time: a script is still running; `
        + 'leaving without it';
    assert.equal(server.all({ msg: said }).length, 1);
    server.finish = async () => server.project.remove();
});

test('other certificates are swapped into every worker', async (t) => {
    const pair = () => {
        const { cert, key } = certificate('a.example');
        return { 'a.pem': cert, 'a.key': key };
    };
    const server = await start(t, { 'scripts/room.lua': room('one'), ...pair() }, {
        ...four(), args: ['--listen', '127.0.0.1:0', '--tls-cert', 'a.pem', '--tls-key', 'a.key'],
    });
    const serial = () => new Promise((resolve, reject) => {
        const socket = connectTls({ port: server.port, rejectUnauthorized: false }, () => {
            resolve(socket.getPeerCertificate().serialNumber);
            socket.destroy();
        });
        socket.on('error', reject);
    });
    const serials = async () => new Set(await Promise.all(Array.from({ length: 32 }, serial)));
    const before = await serials();
    assert.equal(before.size, 1);
    for (const [name, text] of Object.entries(pair())) server.project.write(name, text);
    await server.log({ msg: 'certificates reloaded' });
    const after = await serials();
    assert.equal(after.size, 1);
    assert.notDeepEqual(after, before);
    assert.equal(server.all({ msg: 'certificates reloaded' }).length, 1);
});

/* ---- the death of one is the death of all ---- */

const TGKILL = `
import ctypes, sys
sys.exit(-ctypes.CDLL(None, use_errno=True).tgkill(*map(int, sys.argv[1:])))`;

const threadOf = (pid, name) => readdirSync(`/proc/${pid}/task`).find((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8') === `${name}\n`);

/* Under a sanitizer only ABRT is told by the server: the others are the sanitizer's. */
for (const [name, number] of [['SIGABRT', 6], ['SIGSEGV', 11]]) {
    test(`a worker that dies of ${name} takes the process along, and says who it was`, async (t) => {
        const server = await start(t, { 'scripts/room.lua': room('one') }, four());
        const { pid } = server.process;
        let tid; /* a thread has its name when it has run */
        while (!(tid = threadOf(pid, 'mw-worker-2'))) await sleep(5);
        execFileSync('python3', ['-c', TGKILL, pid, tid, number]);
        const { code, signal } = await within(server.exited, () => 'the end of the process');
        const is_sanitizers = server.noise.some((line) => /Sanitizer/.test(line));
        if (!is_sanitizers) {
            assert.deepEqual([code, signal], [null, name]);
            const [crash] = server.all({ msg: 'crashed' });
            assert.deepEqual([crash.signal, crash.thread], [name, 'mw-worker-2']);
        }
        assert.ok(!is_sanitizers || (name === 'SIGSEGV' && code !== 0));
        server.finish = async () => server.project.remove();
    });
}
