/* Scripts that are stopped: what their clients see, when they are paused, how they go on. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { alone, binary, start } from './harness.mjs';

const QUICK = { env: { ...alone, MOONWIRE_SCRIPT_CPU: '30' } }; /* each worker counts stops */
const STOPS = 5;

const stopped = (server, nth) => server.log({ msg: 'script error', error: /CPU/ }, nth);
const paused = (server, nth) => server.log({ msg: 'script paused' }, nth);
const resumed = (server, nth) => server.log({ msg: 'script resumed' }, nth);

/* Says what it is told; "loop" never ends; on_close leaves a line in the log. */
const talks = (word) => `
    local M = {}
    state.closed = state.closed or 0
    function M.on_open(conn) conn.data.name = "nobody" end
    function M.on_message(conn, data)
      if data == "loop" then while true do end end
      if data:find("^name ") then conn.data.name = data:sub(6) end
      if data == "sleep" then sleep(0.05) end
      conn:send("${word} " .. data)
    end
    function M.on_close(conn, code, reason, info)
      state.closed = state.closed + 1
      log.info("gone " .. conn.data.name .. " " .. code .. " " .. info.cause .. " " .. state.closed)
    end
    timer.every("beat", 0.01, function() log.debug("beat ${word}") end)
    return M`;

async function pauseBy(server, peer) {
    for (let i = 0; i < STOPS; i++) peer.send('loop');
    return paused(server);
}

test('a message that is stopped is dropped and its connection stays', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': talks('one') }, QUICK);
    const peer = await server.connect('/chat');
    peer.send('loop');
    assert.equal(await peer.ask('hello'), 'one hello');
    const said = await stopped(server);
    assert.deepEqual([said.script, said.v, said.route, said.handler, said.file, said.line],
        ['chat.lua', 1, '/chat', 'on_message', 'chat.lua', 6]);
    assert.ok(said.conn);
    await peer.close();
});

test('after five stops the script is paused, and the next save goes on with all of it', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': talks('one') }, QUICK);
    const [bad, good, leaver] = [await server.connect('/chat'), await server.connect('/chat'),
        await server.connect('/chat')];
    assert.equal(await leaver.ask('name leaver'), 'one name leaver');
    assert.equal(await good.ask('name good'), 'one name good');
    const said = await pauseBy(server, bad);
    assert.match(said.so, /save/);
    assert.match(said.trace + said.file, /chat\.lua/);
    const beats = server.all({ msg: 'beat one' }).length;

    const late = await server.connect('/chat');
    assert.deepEqual(await late.seen(),
        { code: 1013, reason: 'the script is paused;retry=5000-30000' });
    await server.log({ msg: 'closed', cause: 'script_paused' });
    const answer = await fetch(`http://127.0.0.1:${server.port}/chat`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.equal((await answer.json()).error, 'script_paused');

    bad.send('kept');
    for (let i = 0; i < 3; i++) good.send(`held ${i}`);
    await leaver.close(1000); /* both Close frames go through; its on_close waits */
    await server.log({ msg: 'closed', cause: 'peer_close' });
    const pong = new Promise((resolve) => good.socket.once('pong', resolve));
    good.socket.ping();
    await pong;
    assert.deepEqual(good.unread, []);
    assert.equal(server.all({ msg: 'beat one' }).length, beats, 'no timer rings');
    assert.equal(server.all({ msg: /^gone/ }).length, 0);

    server.project.write('scripts/chat.lua', talks('two'));
    const { v, waited } = await resumed(server);
    assert.deepEqual([v, waited], [2, 2]);
    for (let i = 0; i < 3; i++) assert.equal(await good.next(), `two held ${i}`);
    assert.equal(await bad.next(), 'two kept');
    await server.log({ msg: 'gone leaver 1000 peer_close 1' });
    await server.log({ msg: 'beat two' });
    const fresh = await server.connect('/chat');
    assert.equal(await fresh.ask('hello'), 'two hello');
    for (const peer of [fresh, good, bad]) await peer.close();
    await server.log({ msg: 'gone good 1005 peer_close 3' });
    assert.equal(server.all({ msg: /^gone leaver/ }).length, 1);
});

test('what is more than the server holds waits in the line, and none of it is lost', async (t) => {
    const MESSAGES = 400;
    const server = await start(t, { 'scripts/chat.lua': talks('one') }, QUICK);
    const [bad, good] = [await server.connect('/chat'),
        await server.connect('/chat', { perMessageDeflate: false })];
    await pauseBy(server, bad);
    const filler = 'x'.repeat(2000);
    for (let i = 0; i < MESSAGES; i++) good.send(`${i} ${filler}`);
    server.project.write('scripts/chat.lua', talks('two'));
    await resumed(server);
    for (let i = 0; i < MESSAGES; i++) assert.equal(await good.next(), `two ${i} ${filler}`);
    await good.close();
    await bad.close();
});

const command = async (server, ...args) =>
    (await promisify(execFile)(binary, [args[0], server.project.dir, ...args.slice(1)])).stdout;

test('the status tells of the pause, and a reload by command ends it as well', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': talks('one') }, QUICK);
    const peer = await server.connect('/chat');
    assert.match(await command(server, 'status'), /^chat\.lua v1 {2}\/chat {2}serves\n {2}1 connections/);
    await pauseBy(server, peer);
    const text = await command(server, 'status');
    assert.match(text, /chat\.lua v1 {2}\/chat {2}PAUSED for \d+ s\n/);
    assert.match(text, /stopped 5 for CPU time, 0 for memory\n {2}last: v1 on_message, chat\.lua:6: /);
    const { scripts } = JSON.parse(await command(server, 'status', '--json'));
    assert.deepEqual([scripts[0].stopped_cpu, scripts[0].last.kind, scripts[0].last.line],
        [5, 'cpu', 6]);
    assert.ok(scripts[0].paused_ms >= 0 && scripts[0].calls >= 6);
    await command(server, 'reload', 'chat.lua');
    await resumed(server);
    assert.equal(await peer.ask('again'), 'one again');
    assert.match(await command(server, 'status'), /^chat\.lua v2 {2}\/chat {2}serves/);
    await peer.close();
});

test('a timer that loops pauses its script and nobody else\'s', async (t) => {
    const loops = `local M = {}
        timer.every("loop", 0.01, function() while true do end end)
        return M`;
    const server = await start(t,
        { 'scripts/loop.lua': loops, 'scripts/chat.lua': talks('one') }, QUICK);
    const peer = await server.connect('/chat');
    const { script, handler } = await paused(server);
    assert.deepEqual([script, handler], ['loop.lua', 'timer']);
    assert.equal(await peer.ask('hello'), 'one hello');
    assert.equal(server.all({ msg: 'script error', script: 'loop.lua' }).length, STOPS);
    await peer.close();
});

test('memory stops count as well, and a script that fails to load stays paused', async (t) => {
    const eats = `local M = {}
        function M.on_message(conn) local t = {} while true do t[#t + 1] = ("x"):rep(10000) .. #t end end
        return M`;
    const server = await start(t, { 'scripts/chat.lua': eats },
        { env: { ...alone, MOONWIRE_SCRIPT_MEMORY: '4194304', MOONWIRE_SCRIPT_CPU: '5000' } });
    const peer = await server.connect('/chat');
    for (let i = 0; i < STOPS; i++) peer.send('x');
    await paused(server);
    server.project.write('scripts/chat.lua', 'return {');
    await server.log({ msg: 'reload refused' });
    assert.equal((await (await server.connect('/chat')).seen()).code, 1013);
    server.project.write('scripts/chat.lua', talks('two'));
    await resumed(server);
    assert.equal(await peer.ask('hello'), 'two hello');
    await peer.close();
});

test('an on_open that is stopped closes with 1011 and the cause that fits', async (t) => {
    const server = await start(t, {
        'scripts/loop.lua': 'return { on_open = function() while true do end end }',
        'scripts/fail.lua': 'return { on_open = function() error("no") end }',
        'scripts/eat.lua': `return { on_open = function()
            local t = {} while true do t[#t + 1] = ("x"):rep(10000) .. #t end end }`,
    }, { env: { MOONWIRE_SCRIPT_MEMORY: '4194304', MOONWIRE_SCRIPT_CPU: '400' } });
    for (const [path, cause] of
        [['/loop', 'script_budget'], ['/fail', 'script_error'], ['/eat', 'script_memory']]) {
        assert.equal((await (await server.connect(path)).seen()).code, 1011);
        await server.log({ msg: 'closed', path, cause });
    }
});

test('errors of one kind become one line with a count, and no text can flood the log', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': `local M = {}
        function M.on_message(conn, data)
          if data == "same" then error("no user " .. math.random(1000000)) end
          local letters = {}
          for i = 1, 8 do letters[i] = string.char(96 + math.random(26)) end
          error(table.concat(letters))
        end
        return M` });
    const peer = await server.connect('/chat');
    for (let i = 0; i < 300; i++) peer.send('same');
    const first = await server.log({ msg: 'script errors folded' });
    assert.equal(server.all({ msg: 'script error' }).length, 5);
    assert.deepEqual([first.script, first.file, first.line, first.more], ['chat.lua', 'chat.lua', 3, 295]);
    for (let i = 0; i < 1000; i++) peer.send('different');
    await peer.close(); /* it has been heard */
    const shown = server.all({ msg: 'script error' }).length - 5;
    assert.ok(shown < 200, `${shown} lines`);
});
