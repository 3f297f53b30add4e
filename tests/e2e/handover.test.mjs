/* M.affinity with several workers: who belongs together lives on one of them, plain and over TLS. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { certificate } from './certificates.mjs';
import { administer, Peer, start, within } from './harness.mjs';
import { CLOSE, TEXT, Wire, frame, upgradeText } from './wire.mjs';

/* Counts who is in a room, in a table that only one worker has. */
const room = (affinity) => `
    local M = { route = "/room/:room", ${affinity} }
    state.rooms = state.rooms or {}
    local function add(conn, n)
      local room = conn.params.room
      state.rooms[room] = (state.rooms[room] or 0) + n
    end
    function M.on_open(conn, req)
      if req.query.wait then sleep(0.01) end
      if req.query.refuse then return false, tonumber(req.query.refuse), "no" end
      add(conn, 1)
      conn.data.tls = req.tls and req.tls.version .. " " .. req.tls.sni
      conn.data.cookie = req.headers.cookie
    end
    function M.on_message(conn, data)
      if data == "?" then
        conn:send { id = conn.id, members = state.rooms[conn.params.room], ip = conn.ip,
                    tls = conn.data.tls, cookie = conn.data.cookie, version = conn.version }
      else
        conn:send(#data .. " bytes")
      end
    end
    function M.on_close(conn) add(conn, -1) end
    return M`;
const scripts = {
    'scripts/room.lua': room('affinity = "room",'),
    'scripts/echo.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
    'public/index.html': 'here',
};
const host = certificate('a.example');
const pair = { 'a.pem': host.cert, 'a.key': host.key };
const plain = ['--listen', '127.0.0.1:0', '--workers', '4'];
const tls = [...plain, '--tls-cert', 'a.pem', '--tls-key', 'a.key'];

const workerOf = (id) => parseInt(id.slice(0, 2), 16);
const together = (count, make) => Promise.all(Array.from({ length: count }, (_, i) => make(i)));

/* Opened one by one, so that nobody has to wait behind all the others' handshakes. */
async function enter(server, path, options) {
    const scheme = options?.ca ? 'wss' : 'ws';
    const peer = new Peer(`${scheme}://127.0.0.1:${server.port}${path}`, options);
    await within(peer.opened, () => `the handshake on ${path}`, () => server.tail());
    return peer;
}

async function ask(peer) { return JSON.parse(await peer.ask('?')); }

const secure = (version) => ({ ca: [host.cert], servername: 'a.example', minVersion: version,
    maxVersion: version });

async function meet(t, args, optionsOf) {
    const server = await start(t, { ...scripts, ...pair }, { args });
    const peers = await together(200, (i) => enter(server, `/room/${i % 10}`, optionsOf(i)));
    const seen = await Promise.all(peers.map(ask));
    const owners = new Map();
    for (const [i, { id, members, ip }] of seen.entries()) {
        assert.deepEqual([members, ip], [20, '127.0.0.1']);
        const owner = owners.get(i % 10) ?? workerOf(id);
        assert.equal(workerOf(id), owner, 'a room lives on one worker');
        owners.set(i % 10, owner);
    }
    assert.ok(new Set(owners.values()).size > 1, 'rooms are spread over workers');
    await Promise.all(peers.slice(0, 100).map((peer) => peer.close(1000)));
    const left = await Promise.all(peers.slice(100).map(ask));
    for (const { members } of left) assert.equal(members, 10);
    return { server, seen };
}

test('200 plain connections to 10 rooms: each room has one state', async (t) => {
    await meet(t, plain, () => ({}));
});

test('the same over TLS 1.2 and 1.3, and what was agreed on is known', async (t) => {
    const { seen } = await meet(t, tls, (i) => secure(i % 20 < 10 ? 'TLSv1.2' : 'TLSv1.3'));
    for (const [i, { tls: agreed }] of seen.entries()) {
        assert.equal(agreed, `${i % 20 < 10 ? 'TLSv1.2' : 'TLSv1.3'} a.example`);
    }
});

test('without affinity a connection stays with the worker that took it', async (t) => {
    const server = await start(t, { ...scripts, 'scripts/room.lua': room('') }, { args: plain });
    const peers = await together(100, () => enter(server, '/room/one'));
    const workers = new Set((await Promise.all(peers.map(ask))).map(({ id }) => workerOf(id)));
    assert.ok(workers.size > 1);
});

/* Whatever a client may send without waiting for an answer, in pieces of any size. */
async function rush(open, bytes, pieces) {
    const wire = await open();
    const size = Math.ceil(bytes.length / pieces);
    for (let i = 0; i < bytes.length; i += size) wire.send(bytes.subarray(i, i + size));
    return wire;
}

/* A socket that speaks TLS, as much of a Wire as `rush` needs. */
function overTls(server, version) {
    const socket = connectTls({ host: '127.0.0.1', port: server.port, ...secure(version) });
    return within(new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.on('secureConnect', () => resolve({ socket, send: (bytes) => socket.write(bytes) }));
    }), () => 'a handshake of TLS');
}

const handshake = (path, changes) => Buffer.from(upgradeText(path, changes));

test('frames in the packet of the request, and requests before it, arrive', async (t) => {
    const server = await start(t, scripts, { args: plain });
    const get = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const words = Buffer.concat([frame(TEXT, 'one'), frame(TEXT, 'and two'), frame(TEXT, '?')]);
    await together(24, async (i) => {
        const path = `/room/r${i % 6}${i % 4 === 3 ? '?wait=1' : ''}`;
        const bytes = Buffer.concat([...(i % 2 ? [get] : []),
            handshake(path, { Cookie: `n=${i}` }), words]);
        const wire = await rush(async () => new Wire(server.port), bytes, [1, 2, 40, 200][i % 4]);
        if (i % 2) assert.equal((await wire.answer()).body, 'here');
        assert.equal((await wire.answer()).status, 101);
        assert.equal((await wire.frame()).payload.toString(), '3 bytes');
        assert.equal((await wire.frame()).payload.toString(), '7 bytes');
        const { cookie, members } = JSON.parse((await wire.frame()).payload);
        assert.equal(cookie, `n=${i}`);
        assert.ok(members >= 1);
        wire.send(frame(CLOSE));
        await wire.closing();
        wire.drop();
    });
});

test('a message of 1 MiB right behind the request arrives whole', async (t) => {
    const server = await start(t, scripts, { args: plain });
    const message = frame(TEXT, 'm'.repeat(1 << 20));
    await together(16, async (i) => {
        const bytes = Buffer.concat([handshake(`/room/big${i}`), message, frame(TEXT, 'end')]);
        const wire = await rush(async () => new Wire(server.port), bytes, 1 + i % 5);
        assert.equal((await wire.answer()).status, 101);
        assert.equal((await wire.frame()).payload.toString(), `${1 << 20} bytes`);
        assert.equal((await wire.frame()).payload.toString(), '3 bytes');
        wire.drop();
    });
});

test('over TLS as well', async (t) => {
    const server = await start(t, { ...scripts, ...pair }, { args: tls });
    const message = frame(TEXT, 'm'.repeat(1 << 20));
    await together(12, async (i) => {
        const wire = await rush(() => overTls(server, i % 2 ? 'TLSv1.2' : 'TLSv1.3'),
            Buffer.concat([handshake(`/room/big${i}`), message, frame(TEXT, 'end')]), 1 + i % 3);
        let text = '';
        await within(new Promise((resolve) => {
            wire.socket.on('data', (data) => {
                text += data.toString('latin1');
                if (text.endsWith('3 bytes')) resolve();
            });
            wire.socket.on('close', resolve);
        }), () => `the answers, after ${text}`);
        assert.match(text, /^HTTP\/1\.1 101 [^]*1048576 bytes[^]*3 bytes$/);
        wire.socket.destroy();
    });
});

test('a refusal by the other worker reaches its client', async (t) => {
    const server = await start(t, scripts, { args: plain });
    await together(8, async (i) => {
        const wire = new Wire(server.port);
        wire.send(handshake(`/room/r${i}?refuse=${i % 2 ? 404 : 4001}`));
        const answer = await wire.answer();
        if (i % 2) assert.deepEqual([answer.status, JSON.parse(answer.body).detail], [404, 'no']);
        else assert.deepEqual(await wire.closing(), { code: 4001, reason: 'no' });
        wire.drop();
    });
});

test('reloads that change the affinity meanwhile: everybody is served', async (t) => {
    const server = await start(t, scripts, { args: plain });
    const texts = [room(''), room('affinity = "room",')];
    let saves = 0, isOver = false;
    const saving = (async () => {
        while (!isOver) {
            server.project.write('scripts/room.lua', texts[saves++ % 2]);
            await administer(server, 'reload');
        }
    })();
    for (let round = 0; round < 5; round++) {
        const peers = await together(40, (i) => enter(server, `/room/${i % 10}`));
        const answers = await Promise.all(peers.map((peer) => peer.ask('hello')));
        assert.ok(answers.every((answer) => answer === '5 bytes'));
        await Promise.all(peers.map((peer) => peer.close(1000)));
    }
    isOver = true;
    await saving;
    assert.ok(saves > 1);
});

test('whoever comes back to a session finds it, whichever worker takes the new socket', async (t) => {
    const server = await start(t, { 'scripts/kept.lua': `
        local M = { resume = 60 }
        function M.on_message(conn, data) conn.data.last = data; conn:send(conn.id) end
        function M.on_close(conn) log.info("end", { last = conn.data.last }) end
        return M` }, { args: plain });
    const mark = 'a-mark-of-16-chars';
    const come = async (session) => {
        const wire = new Wire(server.port);
        wire.send(handshake(`/kept?moonwire=${mark}.${session}`));
        assert.equal((await wire.answer()).status, 101);
        const text = (await wire.frame()).payload.toString();
        return { wire, hello: JSON.parse(text.slice(mark.length)) };
    };
    await together(40, async (i) => {
        const first = await come('');
        first.wire.send(frame(TEXT, `word ${i}`));
        assert.equal((await first.wire.frame()).payload.toString(), first.hello.id);
        first.wire.reset();
        const second = await come(`${first.hello.resume.token}.1`);
        assert.deepEqual([second.hello.id, second.hello.resume.back, second.hello.resume.missed],
            [first.hello.id, true, 0]);
        second.wire.send(frame(CLOSE));
        await second.wire.closing();
        second.wire.drop();
        await server.log({ msg: 'end', last: `word ${i}` });
    });
});

/* Where a socket came too late it was told so, or was cut; and nothing of it stays: see finish(). */
test('a drain in the middle of many hand-overs leaves nothing behind', async (t) => {
    for (const args of [plain, tls]) {
        const server = await start(t, { ...scripts, ...pair }, { args });
        const options = args === tls ? secure('TLSv1.3') : {};
        const coming = together(150, async (i) => {
            const peer = await enter(server, `/room/${i % 10}`, options).catch(() => null);
            if (peer) await peer.seen();
        });
        await enter(server, '/room/first', options).catch(() => null);
        server.process.kill('SIGTERM');
        await coming;
        assert.deepEqual(await server.exited, { code: 0, signal: null });
    }
});

test('descriptors are given back', { skip: process.platform !== 'linux' }, async (t) => {
    const server = await start(t, scripts, { args: plain });
    const count = () => readdirSync(`/proc/${server.process.pid}/fd`).length;
    const least = count() + 4; /* each worker opens one of its own with its first connection */
    for (let round = 0; round < 3; round++) {
        const peers = await together(60, (i) => enter(server, `/room/${round}-${i}`));
        assert.ok(count() >= least - 4 + 60);
        await Promise.all(peers.map((peer) => peer.close(1000)));
    }
    while (count() > least) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('an affinity that the route does not have is refused, with what to do', async (t) => {
    const server = await start(t, { ...scripts, 'scripts/odd.lua': 'return { affinity = "room" }' },
        { args: plain });
    const line = await server.log({ script: 'odd.lua', level: 'error' });
    assert.match(JSON.stringify(line),
        /affinity is \\"room\\", but the route \/odd has no such parameter/);
    assert.match(line.hint, /M\.route = "\/game\/:room"/);
});
