/*
 * Sessions that come back (docs/scripting.md), case by case: what stays, who may return, what
 * ends a session, and what nobody may learn or take by a wrong token.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { administer, alone, start } from './harness.mjs';
import { SessionPeer } from './session_peer.mjs';

const TALK = `
    local M = { resume = 30, route = "/talk/:room" }
    function M.on_open(conn, req)
      conn.data.opened = true
      conn:subscribe("room:" .. conn.params.room)
      if req.query.early then conn:send("early") end
    end
    function M.on_resume(conn, req)
      local how = req.query.how
      if how == "status" then return false, 401, "sign in" end
      if how == "code" then return false, 4001, "signed out" end
      if how == "fail" then error("no luck") end
      if how == "wait" then sleep(0.1) end
      if how == "wait-code" then sleep(0.1) return false, 4002, "late" end
      if how == "close" then conn:close(4006, "not you") end
      if how == "wait-close" then sleep(0.1) conn:close(4007, "not now") end
      log.info("resumed", { missed = req.resume.missed, replayed = req.resume.replayed,
                            state = conn.state, opened = conn.data.opened, resumed = conn.resumed })
    end
    function M.on_message(conn, data)
      local verb, rest = data:match("^(%S+) ?(.*)$")
      if verb == "nap" then sleep(tonumber(rest)) conn:send("woke") end
      if verb == "echo" then conn:send(rest) end
      if verb == "spin" then while true do end end
      if verb == "say" then publish("room:" .. conn.params.room, rest) end
      if verb == "many" then
        for i = 1, tonumber(rest) do publish("room:" .. conn.params.room, "m" .. i) end
      end
      if verb == "facts" then
        conn:send({ state = conn.state, resumed = conn.resumed, opened = conn.data.opened,
                    topics = conn:topics(), id = conn.id })
      end
      if verb == "end" then
        for other in connections() do
          if other.state == "away" then other:close(4005, rest) end
        end
      end
      if verb == "states" then
        local states = {}
        for other in connections() do states[#states + 1] = other.state end
        table.sort(states)
        conn:send(table.concat(states, " "))
      end
    end
    function M.on_close(conn, code, reason, info)
      log.info("over", { code = code, reason = reason, cause = info.cause, who = info.who,
                         resumed = conn.resumed })
    end
    return M`;

const files = () => ({
    'scripts/talk.lua': TALK,
    'scripts/other.lua': 'return { resume = 30 }',
    'scripts/short.lua': TALK.replace('resume = 30, route = "/talk/:room"', 'resume = 0.2, route = "/short/:room"'),
    'scripts/small.lua': TALK.replace('resume = 30, route = "/talk/:room"',
        'resume = 30, route = "/small/:room", limits = { queue = 1024 }'),
    'scripts/plain.lua': 'return { on_message = function(conn, data) conn:send(data) end }',
});

/* Some look at connections(), which are those of one worker; tests of several: workers, resume_cuts. */
const server = await start({ after }, files(), { env: alone });

const peerOf = (path, options, { port } = server) =>
    new SessionPeer(`ws://127.0.0.1:${port}${path}`, options);

async function open(path, options, where = server) {
    const peer = peerOf(path, options, where);
    await peer.ready();
    return peer;
}

/* Cut off, and the server knows. */
async function cut(peer, where = server) {
    peer.stay();
    const { id } = peer.hello;
    await where.log({ msg: 'away', conn: id }, where.all({ msg: 'away', conn: id }).length || 1);
    return peer;
}

const over = (peer, where = server) => where.log({ msg: 'over', conn: peer.hello.id });

test('what was sent meanwhile comes in order, and then what is new', async () => {
    const peer = await open('/talk/a?early=1'), other = await open('/talk/a');
    await cut(peer);
    other.send('many 20');
    other.send('states');
    await other.until(({ heard }) => heard.includes('away open'));
    await peer.back();
    other.send('say new');
    await peer.until(({ heard }) => heard.includes('new'));
    assert.deepEqual(peer.heard,
        ['early', ...Array.from({ length: 20 }, (_, i) => `m${i + 1}`), 'new']);
    const told = await server.log({ msg: 'resumed', conn: peer.hello.id });
    assert.deepEqual([told.missed, told.replayed, told.state, told.opened, told.resumed],
        [0, 20, 'away', true, true]);
    peer.send('facts');
    const facts = await peer.until(({ heard }) => heard.at(-1).startsWith('{'));
    assert.deepEqual(JSON.parse(facts.heard.at(-1)), { state: 'open', resumed: true, opened: true,
        topics: ['room:a'], id: peer.hello.id });
    for (const each of [peer, other]) await each.close();
    assert.equal((await over(peer)).cause, 'peer_close');
});

test('without a message in either direction it comes back all the same', async () => {
    const peer = await open('/talk/zero');
    for (let i = 1; i <= 3; i++) {
        await cut(peer);
        await peer.back();
        assert.equal(peer.returns, i);
        assert.deepEqual([peer.hello.resume.got, peer.hello.resume.missed], [0, 0]);
    }
    assert.equal(peer.fresh, 1);
    await peer.close();
    assert.equal((await over(peer)).resumed, true);
});

test('a later connection takes the session from an earlier one', async () => {
    const peer = await open('/talk/over');
    peer.send('echo one');
    await peer.until(({ heard }) => heard.length === 1);
    const earlier = peer.socket;
    await peer.back();
    peer.send('echo two');
    await peer.until(({ heard }) => heard.includes('two'));
    assert.equal(peer.returns, 1);
    assert.notEqual(peer.socket, earlier);
    await peer.close();
    await over(peer);
    assert.equal(server.all({ msg: 'over', conn: peer.hello.id }).length, 1);
});

test('a token of nobody, of another script or path, or an old one begins a new session', async () => {
    const peer = await open('/talk/token');
    const { token } = peer;
    await cut(peer);
    await peer.back();
    peer.ask();
    await cut(peer);
    const good = peer.token, count = peer.count;
    const wrong = [
        ['/talk/token', randomBytes(24).toString('base64url'), 0],
        ['/talk/token', good.slice(0, 31) + (good[31] === 'A' ? 'B' : 'A'), count],
        ['/talk/token', good, count + 1],
        ['/talk/elsewhere', good, count],
        ['/other', good, count],
    ];
    for (const [path, wrongToken, wrongCount] of wrong) {
        const thief = peerOf(path, { token: wrongToken, count: wrongCount });
        await thief.ready();
        assert.deepEqual([thief.fresh, thief.returns], [1, 0], path);
        assert.notEqual(thief.hello.id, peer.hello.id);
        await thief.close();
    }
    await peer.back();
    assert.equal(peer.fresh, 1, 'the session has not noticed');
    assert.ok(token);
    await peer.close();
    assert.equal(server.lines.some((line) => JSON.stringify(line).includes(good)), false);
});

test('on_resume refuses with a status or a code, and that is the end', async () => {
    const cases = [['status', 1008, 'sign in'], ['code', 4001, 'signed out'],
        ['fail', 1011, /on_resume failed/], ['wait-code', 4002, 'late'],
        ['close', 4006, 'not you'], ['wait-close', 4007, 'not now']];
    for (const [how, code, reason] of cases) {
        const peer = await open('/talk/refused');
        await cut(peer);
        peer.url += `?how=${how}`;
        const { id } = peer.hello;
        peer.isOver = false;
        peer.back().catch(() => {});
        await peer.until(({ closed, status }) => status || closed.code !== 1006, 'a refusal');
        peer.isOver = true;
        if (how === 'status') assert.equal(peer.status, 401);
        else assert.equal(peer.closed.code, code);
        const end = await server.log({ msg: 'over', conn: id });
        assert.equal(end.code, code);
        assert.match(end.reason, reason instanceof RegExp ? reason : new RegExp(`^${reason}`));
        peer.stay();
    }
});

test('on_resume may wait', async () => {
    const peer = await open('/talk/wait'), other = await open('/talk/wait');
    await cut(peer);
    peer.url += '?how=wait';
    const back = peer.back();
    other.send('many 5');
    await back;
    await peer.until(({ heard }) => heard.length === 5);
    assert.deepEqual(peer.heard, ['m1', 'm2', 'm3', 'm4', 'm5']);
    for (const each of [peer, other]) await each.close();
});

test('who comes back while a handler waits is let in behind it', async () => {
    const peer = await open('/talk/nap');
    peer.send('nap 0.3');
    peer.send('echo second');
    peer.ask();
    await peer.until(({ acked }) => acked === 2, 'that both were received');
    await cut(peer);
    await peer.back();
    await peer.until(({ heard }) => heard.includes('second'));
    assert.deepEqual(peer.heard, ['woke', 'second']);
    await peer.close();
});

test('when the time is over on_close comes, once, with what the cut was', async () => {
    const peer = await open('/short/a');
    await cut(peer);
    const end = await over(peer);
    assert.deepEqual([end.code, end.cause, end.who], [1006, end.cause, 'network']);
    assert.match(end.cause, /^peer_(fin|reset)$/);
    await server.log({ msg: 'closed', conn: peer.hello.id, cause: end.cause });
    await peer.back();
    assert.deepEqual([peer.fresh, peer.returns], [2, 0], 'it is nobody any more');
    assert.equal(server.all({ msg: 'over', conn: end.conn }).length, 1);
    await peer.close();
});

test('beyond limits.queue the oldest messages go, and their number is told', async () => {
    const peer = await open('/small/a'), other = await open('/small/a');
    await cut(peer);
    other.send('many 100');
    await other.until(({ heard }) => heard.includes('m100') || heard.length > 50);
    await peer.back();
    await peer.until(({ heard }) => heard.includes('m100'));
    const [{ missed }, ...rest] = peer.heard;
    assert.ok(missed > 0 && missed < 100);
    assert.deepEqual(rest, Array.from({ length: 100 - missed }, (_, i) => `m${missed + i + 1}`));
    for (const each of [peer, other]) each.stay();
});

test('a session that is away can be looked at, and closed', async () => {
    const peer = await open('/talk/admin'), script = await open('/talk/admin2');
    await cut(peer);
    const { out } = await administer(server, 'why', peer.hello.id, '--json');
    const [facts] = JSON.parse(out).conns;
    assert.match(facts.state, /^away/);
    const closed = await administer(server, 'close', peer.hello.id, '4004');
    assert.equal(closed.code, 0, closed.err);
    const end = await over(peer);
    assert.deepEqual([end.code, end.cause, end.who], [4004, 'admin_close', 'server']);

    const another = await cut(await open('/talk/admin'));
    script.send('end by the script');
    const given = await over(another);
    assert.deepEqual([given.code, given.reason, given.cause],
        [4005, 'by the script', 'script_close']);
    await script.close();
});

test('who asks for no session, or where there are none, gets none', async () => {
    const peer = await open('/plain');
    assert.equal(peer.hello.resume, undefined);
    await peer.close();
    const ordinary = await server.connect('/talk/ordinary');
    ordinary.socket.terminate();
    const end = await server.log({ msg: 'closed', path: '/talk/ordinary' });
    assert.equal(end.who, 'network');
});

test('metrics tell of those that are away and of returns', async () => {
    const peer = await cut(await open('/talk/metrics'));
    const { out } = await administer(server, 'metrics');
    const number = (name, labels) => Number(new RegExp(
        `^${name}\\{[^}]*script="talk.lua"${labels}[^}]*\\} (\\d+)$`, 'm').exec(out)[1]);
    assert.ok(number('moonwire_sessions_away', '') >= 1);
    assert.ok(number('moonwire_session_returns_total', ',outcome="whole"') >= 1);
    assert.ok(number('moonwire_session_returns_total', ',outcome="refused"') >= 4);
    peer.stay();
});

/* ---- what happens to the script ---- */

test('a reload keeps sessions that are away; resume = 0 ends them', async (t) => {
    const own = await start(t, files());
    const peer = await cut(await open('/talk/a', {}, own), own);
    own.project.write('scripts/talk.lua', `${TALK}\n-- again`);
    await own.log({ msg: 'reloaded', script: 'talk.lua' });
    await peer.back();
    assert.equal(peer.returns, 1);
    await cut(peer, own);
    own.project.write('scripts/talk.lua', TALK.replace('resume = 30', 'resume = 0'));
    assert.equal((await over(peer, own)).who, 'network');
    await peer.back();
    assert.equal(peer.hello.resume, undefined);
    await peer.close();
});

test('a paused script keeps its sessions, through the rebuild that ends the pause', async (t) => {
    const own = await start(t, files(), /* each worker counts stops */
        { env: { ...alone, MOONWIRE_SCRIPT_CPU: '20' } });
    const peer = await cut(await open('/talk/a', {}, own), own), other = await open('/talk/a', {}, own);
    for (let i = 1; i <= 5; i++) other.send('spin');
    await own.log({ msg: 'script paused' });
    peer.back().catch(() => {});
    await peer.until(({ status }) => status === 503, 'a refusal over HTTP');
    assert.equal(own.all({ msg: 'over' }).length, 0);
    own.project.write('scripts/talk.lua', `${TALK}\n-- mended`);
    await own.log({ msg: 'reloaded', script: 'talk.lua' });
    await peer.until(({ returns }) => returns === 1, 'the return');
    other.send('say again');
    await peer.until(({ heard }) => heard.includes('again'));
    peer.send('facts');
    await peer.until(({ heard }) => heard.at(-1).startsWith('{'));
    const { opened, topics, resumed } = JSON.parse(peer.heard.at(-1));
    assert.deepEqual([opened, topics, resumed], [true, ['room:a'], true]);
    for (const each of [peer, other]) await each.close();
});

test('with its file the sessions of a script end', async (t) => {
    const own = await start(t, files());
    const peer = await cut(await open('/talk/a', {}, own), own);
    const { unlinkSync } = await import('node:fs');
    unlinkSync(own.project.path('scripts/talk.lua'));
    const end = await over(peer, own);
    assert.deepEqual([end.code, end.cause], [1001, 'script_removed']);
});

test('a drain ends them, and on_close runs', async (t) => {
    const own = await start(t, files());
    const peers = [];
    for (let i = 0; i < 5; i++) peers.push(await cut(await open('/talk/a', {}, own), own));
    await own.stop();
    for (const peer of peers) assert.equal((await over(peer, own)).cause, 'drain');
});

test('beyond resume.sessions the one that is away the longest ends', async (t) => {
    const own = await start(t, files(), /* those of a worker */
        { env: { ...alone, MOONWIRE_RESUME_SESSIONS: '3' } });
    const peers = [];
    for (let i = 0; i < 5; i++) peers.push(await cut(await open('/talk/a', {}, own), own));
    for (const peer of peers.slice(0, 2)) await over(peer, own);
    await peers[4].back();
    assert.equal(peers[4].returns, 1);
    await own.log({ msg: 'sessions that are away fill resume.sessions' });
    assert.equal(own.all({ msg: 'over' }).length, 2);
    peers[4].stay();
});
