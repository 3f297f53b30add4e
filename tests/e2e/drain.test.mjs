/*
 * The end of a server in order: who is told what, that every on_close runs, and that nobody, peer
 * or script, can keep it longer than drain.timeout.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { alone, binary, hold, Project, refused, Server, start, within } from './harness.mjs';
import { Wire } from './wire.mjs';

const room = `
    local M = {}
    function M.on_message(conn, data) conn:send(data) end
    function M.on_close(conn, code, reason, info)
      log.info("end", { code = code, cause = info.cause })
    end
    return M`;

const get = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const together = (count, make) => Promise.all(Array.from({ length: count }, make));

/* "server is stopping;retry=4-6" */
function slot({ code, reason }) {
    const found = /^(server is \w+);retry=(\d+)(?:-(\d+))?$/.exec(reason);
    assert.ok(found, reason);
    return { code, text: found[1], after: Number(found[2]), latest: Number(found[3] ?? found[2]) };
}

/* A command about a server's folder: its first words, and how it has ended. */
function command(...args) {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stderr.on('data', (data) => { err += data; });
    const said = new Promise((resolve) =>
        child.stdout.on('data', (data) => { out += data; resolve(); }));
    const ended = new Promise((resolve) =>
        child.on('close', (code) => resolve({ code, out, err })));
    return { said: within(Promise.race([said, ended]), () => `a word of ${args.join(' ')}`), ended };
}

const run = (...args) => within(command(...args).ended, () => args.join(' '));

test('300 clients: not ready first, a grace, then each its own slot and its on_close', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room },
        { env: { ...alone, MOONWIRE_DRAIN_GRACE: '2' } });
    const peers = await together(299, () => server.connect('/room'));
    const probe = new Wire(server.port);
    probe.send(get('/readyz'));
    assert.equal((await probe.answer()).status, 200);
    server.process.kill('SIGTERM');
    const told = await server.log({ msg: 'draining' });
    assert.deepEqual([told.connections, told.code, told.rate, told.grace, told.timeout],
        [299, 1001, 500, 2, 25]);
    probe.send(get('/readyz'));
    const ready = await probe.answer();
    assert.deepEqual([ready.status, JSON.parse(ready.body).cause], [503, 'drain']);
    const late = await server.connect('/room');
    assert.equal(await late.ask('still served'), 'still served');
    const ends = (await Promise.all([...peers, late].map((peer) => peer.seen()))).map(slot);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    for (const end of ends) assert.deepEqual([end.code, end.text], [1001, 'server is stopping']);
    /* One each: client i comes back between i / 500 and (i + 1) / 500 seconds. */
    assert.deepEqual(ends.map((end) => [end.after, end.latest]).sort((a, b) => a[0] - b[0]),
        Array.from({ length: 300 }, (_, i) => [i * 2, i * 2 + 2]));
    assert.ok(ends.some((end, i) => i && end.after < ends[i - 1].after), 'not in order of age');
    assert.equal(server.all({ msg: 'end', code: 1001, cause: 'drain' }).length, 300);
    const { told: all, clean, unanswered, cut, owed } = server.all({ msg: 'drained' })[0];
    assert.deepEqual([all, clean, unanswered, cut, owed], [300, 300, 0, 0, 0]);
    probe.drop();
});

test('what is queued arrives before the Close frame', async (t) => {
    const server = await start(t, { 'scripts/flood.lua': `
        local big = string.rep("x", 100000)
        return { compression = false, limits = { queue = 1e7 }, on_message = function(conn)
          for i = 1, 40 do conn:send(big) end
          log.info("flooded")
        end }` }, { env: { MOONWIRE_SCRIPT_CPU: '20000' } }); /* 4 MB are no matter of time here */
    const peer = await server.connect('/flood');
    peer.socket._socket.pause();
    peer.send('go');
    await server.log({ msg: 'flooded' });
    const stopped = server.stop();
    await server.log({ msg: 'draining' });
    peer.socket._socket.resume();
    assert.equal((await peer.seen()).code, 1001);
    assert.equal(peer.unread.length, 40);
    assert.equal((await stopped).code, 0);
});

const short = { env: { MOONWIRE_DRAIN_TIMEOUT: '6' } };

test('a peer that reads nothing is cut in time, and its on_close runs', async (t) => {
    const server = await start(t, { 'scripts/flood.lua': `
        local big = string.rep("x", 1000000)
        return { compression = false, limits = { queue = 1e9 }, on_message = function(conn)
          for i = 1, 40 do conn:send(big) end
          log.info("flooded")
        end, on_close = function() log.info("end") end }` },
    { env: { ...short.env, MOONWIRE_SCRIPT_CPU: '20000' } }); /* 40 MB are no matter of time here */
    const peer = await server.connect('/flood');
    peer.socket._socket.pause();
    peer.send('go');
    await server.log({ msg: 'flooded' });
    assert.equal((await server.stop()).code, 0);
    assert.equal(server.all({ msg: 'end' }).length, 1);
    const { cut, cut_unread, level } = server.all({ msg: 'drained' })[0];
    assert.deepEqual([cut, cut_unread, level], [1, 1, 'warn']);
    peer.socket.terminate();
});

test('a peer that never answers, one in a request, one in a handshake are cut in time', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room }, { env: { ...alone, ...short.env } });
    const silent = await server.connect('/room');
    silent.socket._socket.pause();
    const asking = new Wire(server.port);
    asking.send('GET / HTTP/1.1\r\nHost: ');
    const probe = new Wire(server.port);
    probe.send(get('/readyz')); /* when this is answered, the other one's bytes are there too */
    await probe.answer();
    assert.equal((await server.stop()).code, 0);
    const { told, clean, cut, cut_unanswered, cut_request } = server.all({ msg: 'drained' })[0];
    assert.deepEqual([told, clean, cut, cut_unanswered, cut_request], [1, 0, 2, 1, 1]);
    assert.equal(server.all({ msg: 'end', cause: 'drain' }).length, 1);
    silent.socket.terminate();
    asking.drop();
    probe.drop();
});

test('a handshake of TLS that is never finished keeps nobody', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room },
        { verb: 'dev', args: ['--listen', '127.0.0.1:0', '--tls'] });
    const half = new Wire(server.port);
    half.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await server.connect('/room', { rejectUnauthorized: false }).catch(() => {});
    assert.equal((await server.stop()).code, 0);
    half.drop();
});

test('a script that uses up its time in every on_close keeps nobody', async (t) => {
    const server = await start(t, { 'scripts/hog.lua': `
        return { on_close = function() while true do end end, on_stop = function() while true do end end }`,
    'scripts/room.lua': room }, { env: { MOONWIRE_DRAIN_TIMEOUT: '4', MOONWIRE_SCRIPT_CPU: '50' } });
    const hogs = await together(60, () => server.connect('/hog'));
    const peers = await together(20, () => server.connect('/room'));
    assert.equal((await server.stop()).code, 0);
    for (const peer of [...hogs, ...peers]) assert.equal((await peer.seen()).code, 1001);
    assert.equal(server.all({ msg: 'end', script: 'room.lua' }).length, 20, 'others are not harmed');
    assert.ok(server.all({ msg: 'drained' })[0].owed > 0);
    assert.ok(server.all({ msg: 'on_close was not called' })[0].owed > 0);
});

/* A quarter of it is kept for the end, which a machine that stands still for a second must not miss. */
const TWO_SECONDS_FOR_THE_END = { MOONWIRE_DRAIN_TIMEOUT: '8' };

test('a script that is slow, but never stopped, is told of as many ends as there is time for', async (t) => {
    const server = await start(t, { 'scripts/slow.lua': `
        return { on_close = function() local t = os.clock() while os.clock() - t < 0.02 do end end }` },
    { env: { ...alone, ...TWO_SECONDS_FOR_THE_END, MOONWIRE_SCRIPT_CPU: '60000' } });
    const peers = await together(500, () => server.connect('/slow'));
    assert.equal((await server.stop()).code, 0);
    for (const peer of peers) assert.equal((await peer.seen()).code, 1001);
    const { owed } = server.all({ msg: 'drained' })[0];
    assert.ok(owed > 0 && owed < 500, String(owed));
});

test('ends that a script is owed are told before the process ends', async (t) => {
    const server = await start(t, { 'scripts/slow.lua': `
        return { on_close = function() local t = os.clock() while os.clock() - t < 0.03 do end log.info("end") end }` });
    const peers = await together(60, () => server.connect('/slow'));
    assert.equal((await server.stop()).code, 0);
    await Promise.all(peers.map((peer) => peer.seen()));
    assert.equal(server.all({ msg: 'end' }).length, 60);
    assert.equal(server.all({ msg: 'drained' })[0].owed, 0);
});

test('a script has the last word, as long as there is time', async (t) => {
    const server = await start(t, {
        'scripts/own.lua': `
            return { decide_close = function(conn, cause)
              if cause == "drain" then return 4010, "moved", { after = 7 } end end }`,
        'scripts/slow.lua': `
            return { advise_reconnect = function() local t = os.clock() while os.clock() - t < 0.02 do end
              return { after = 9 } end }`,
    }, { env: { ...alone, ...TWO_SECONDS_FOR_THE_END, MOONWIRE_SCRIPT_CPU: '60000' } });
    const own = await server.connect('/own');
    const slow = await together(500, () => server.connect('/slow'));
    assert.equal((await server.stop()).code, 0);
    assert.deepEqual(await own.seen(), { code: 4010, reason: 'moved;retry=7000' });
    const ends = await Promise.all(slow.map((peer) => peer.seen()));
    assert.ok(ends.every(({ code }) => code === 1001));
    assert.ok(ends.some(({ reason }) => reason === 'server is stopping;retry=9000'));
    assert.ok(ends.some((end) => slot(end).after < 9000), 'the rest goes by its slot');
});

test('handlers that sleep end', async (t) => {
    const server = await start(t, { 'scripts/sleepy.lua': `
        return { on_message = function(conn) sleep(3600) conn:send("never") end,
          on_close = function() log.info("end") sleep(3600) end }` });
    const peer = await server.connect('/sleepy');
    peer.send('x');
    const probe = await server.connect('/sleepy');
    probe.send('x');
    assert.equal((await server.stop()).code, 0);
    assert.equal((await peer.seen()).code, 1001);
    await probe.seen();
    assert.equal(server.all({ msg: 'end' }).length, 2);
});

test('after the grace an upgrade is refused with the time after the last slot', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room },
        { env: { ...alone, MOONWIRE_DRAIN_RATE: '1', MOONWIRE_DRAIN_TIMEOUT: '8' } });
    const peers = await together(3, () => server.connect('/room'));
    const asking = new Wire(server.port);
    asking.send('GET /room HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    const probe = new Wire(server.port);
    probe.send(get('/readyz')); /* when this is answered, the other one's bytes are there too */
    await probe.answer();
    const stopped = server.stop();
    assert.equal(await probe.ends(), 'fin');
    asking.send('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    const got = await asking.answer();
    const { error, cause, retry } = JSON.parse(got.body);
    assert.deepEqual([got.status, got.headers['retry-after'], error, cause], [503, '3', 'drain', 'drain']);
    assert.equal(retry.after, 3);
    const ends = (await Promise.all(peers.map((peer) => peer.seen()))).map(slot);
    assert.deepEqual(ends.map((end) => end.after).sort(), [0, 1000, 2000]);
    assert.equal((await stopped).code, 0);
    asking.drop();
});

for (const workers of ['1', '4'])
    test(`who waits to be accepted when the grace ends is told when to come back: ${workers} worker(s)`,
        async (t) => {
            const env = { MOONWIRE_DRAIN_GRACE: '2', MOONWIRE_WORKERS: workers };
            const server = await start(t, { 'scripts/room.lua': room }, { env });
            server.process.kill('SIGTERM');
            await server.log({ msg: 'draining' });
            const graceIsOver = new Promise((resolve) => setTimeout(resolve, 2100));
            const held = await hold(server); /* so that nobody is accepted until then */
            const late = Array.from({ length: 20 }, () => new Wire(server.port));
            for (const wire of late)
                wire.send('GET /room HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
                    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
            const silent = new Wire(server.port);
            await Promise.all([...late, silent].map(({ socket }) =>
                socket.connecting && new Promise((resolve) => socket.once('connect', resolve))));
            await graceIsOver;
            held.go();
            for (const wire of late) {
                const { status, body } = await wire.answer();
                assert.deepEqual([status, JSON.parse(body).error], [503, 'drain']);
                wire.drop();
            }
            assert.equal(await silent.ends(), 'fin');
            silent.drop();
            assert.deepEqual(await server.exited, { code: 0, signal: null });
        });

test('moonwire drain --restart --wait says what will happen and how it went', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room }, { env: alone });
    const peers = await together(5, () => server.connect('/room'));
    const asked = run('drain', server.project.dir, '--restart', '--wait');
    const ends = (await Promise.all(peers.map((peer) => peer.seen()))).map(slot);
    for (const end of ends) assert.deepEqual([end.code, end.text], [1012, 'server is restarting']);
    /* Not before the server can be there again: the code's own least. */
    assert.deepEqual(ends.map((end) => end.after).sort(), [5000, 5002, 5004, 5006, 5008]);
    const { code, out, err } = await asked;
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^draining: 5 connections, .*closed with 1012, .* 500 a second; .*25 s at the latest\n/);
    assert.match(out, /\ndrained in [\d.]+ s: 5 told, 5 closed cleanly, 0 did not answer\n$/);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
});

test('while it drains, who asks why is told, and nothing is changed any more', async (t) => {
    const server = await start(t, { 'scripts/room.lua': `
        local M = {}
        function M.on_message(conn) conn:send(conn.id) end
        return M` });
    const [gone, silent] = await together(2, () => server.connect('/room'));
    const id = await gone.ask('who am I?'), open = await silent.ask('who am I?');
    silent.socket._socket.pause();
    server.process.kill('SIGTERM');
    await gone.seen();
    await server.log({ msg: 'closed', conn: id });
    const dir = server.project.dir;
    const json = async (...args) => JSON.parse((await run(...args, dir, '--json')).out);
    const [ended] = (await json('why', id)).conns, [asked] = (await json('why', open)).conns;
    assert.deepEqual([ended.cause, ended.code, ended.clean], ['drain', 1001, true]);
    assert.match(asked.state, /^closing: a Close frame was sent/);
    const text = await run('why', id, dir);
    assert.match(text.out, /^1001 going away: drain, by the server\n/);
    assert.equal((await json('status')).scripts[0].script, 'room.lua');
    const { code, out } = await run('metrics', dir);
    assert.equal(code, 0);
    assert.match(out, /^moonwire_closes_total\{.*cause="drain"\} 1$/m);
    for (const verb of ['reload', 'close']) {
        const told = await run(...(verb === 'close' ? [verb, open, dir] : [verb, dir]));
        assert.deepEqual([told.code, told.err], [1, 'moonwire: the server is stopping\n'], verb);
    }
    silent.socket._socket.resume();
    await silent.seen();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
});

/* The worker's thread may have ended when the question reaches it. */
test('who asks at the very end gets an answer or no server, and nothing is left', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room });
    const path = server.project.path('data/moonwire.sock');
    const answers = [];
    const asker = connect(path);
    let text = '';
    asker.on('data', (data) => { text += data; });
    const over = new Promise((resolve) => asker.on('close', resolve));
    asker.on('error', () => {});
    const ask = () => {
        if (!asker.writable) return;
        for (let i = 0; i < 20; i++) asker.write('{"cmd":"metrics"}\n{"cmd":"closes"}\n');
        setImmediate(ask);
    };
    server.process.kill('SIGTERM');
    ask();
    await over;
    for (const line of text.split('\n').slice(0, -1)) answers.push(JSON.parse(line));
    assert.ok(answers.every(({ ok, error }) => ok || /stopping|too long/.test(error)), text.slice(-500));
    assert.deepEqual(await server.exited, { code: 0, signal: null });
});

test('moonwire drain --json, and the first TERM after it, are one drain', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room });
    const silent = await server.connect('/room');
    silent.socket._socket.pause();
    const { code, out } = await run('drain', server.project.dir, '--json');
    const answer = JSON.parse(out);
    assert.deepEqual([code, answer.ok, answer.connections, answer.code, answer.timeout_ms],
        [0, true, 1, 1001, 25000]);
    server.process.kill('SIGTERM');
    const again = command('drain', server.project.dir, '--wait', '--json');
    await again.said;
    const told = await run('reload', server.project.dir);
    assert.deepEqual([told.code, told.err], [1, 'moonwire: the server is stopping\n']);
    silent.socket._socket.resume();
    await silent.seen();
    const lines = (await again.ended).out.trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual([lines[0].event, lines[1].ok, lines[1].clean], ['draining', true, 1]);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    const nobody = await run('drain', server.project.dir);
    assert.equal(nobody.code, 69);
});

test('who waits is told nothing of a server that leaves at once, and fails', async (t) => {
    const project = new Project({ 'scripts/room.lua': room });
    const server = new Server(project);
    t.after(() => project.remove());
    await server.ready();
    const silent = await server.connect('/room');
    silent.socket._socket.pause();
    const asked = command('drain', project.dir, '--wait');
    await asked.said;
    server.process.kill('SIGTERM');
    server.process.kill('SIGINT');
    for (const { code } of [await server.exited]) assert.ok([130, 143].includes(code), String(code));
    const { code, err } = await asked.ended;
    assert.deepEqual([code, err],
        [1, 'moonwire: the server is gone without a word of how it went: see its log\n']);
    silent.socket.terminate();
});

test('dev ends without a grace', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room }, { verb: 'dev' });
    assert.equal((await server.stop('SIGINT')).code, 0);
    const { grace, timeout } = server.all({ msg: 'draining' })[0];
    assert.deepEqual([grace, timeout], [0, 5]);
    await assert.rejects(refused(server, '/room'));
});
