/* A script that does not end its calls: what its own clients see, and what the others do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './harness.mjs';

const hog = `
local M = {}
local function spin() while true do pcall(function() while true do end end) end end
function M.on_open(conn, req) if req.query.spin then spin() end end
function M.on_message(conn, data)
  if data == "spin" then spin() end
  if data == "later" then timer.after(0, spin) return end
  if data == "match" then string.rep("a", 3000):find(("a-"):rep(20) .. "b") end
  if data == "eat" then while true do pcall(string.rep, "x", 2^40) end end
  conn:send(data)
end
return M`;

const echo = 'return { on_message = function(conn, data) conn:send(data) end }';

const project = { 'scripts/hog.lua': hog, 'scripts/echo.lua': echo, 'moonwire.lua': 'return { script = { cpu = 40 } }' };

test('a stopped message is dropped, the connection stays, the next one is answered', async (t) => {
    const server = await start(t, project);
    const peer = await server.connect('/hog');
    for (const what of ['spin', 'match', 'eat']) {
        peer.send(what);
        assert.equal(await peer.ask('still there?'), 'still there?', what);
    }
    const told = await server.log({ msg: 'script error', script: 'hog.lua' });
    assert.match(told.error, /stopped after \d+ ms of CPU time: one call may take 40 ms/);
    assert.deepEqual([told.file, told.line, told.handler, told.v], ['hog.lua', 3, 'on_message', 1]);
    assert.match(told.samples, /^hog\.lua:3 \d+ %/);
    peer.send('later');
    assert.equal((await server.log({ msg: 'script error', handler: 'timer' })).line, 3);
    assert.equal(await peer.ask('and now?'), 'and now?');
    await peer.close();
});

test('a string that is too long ends the call, and its own length of a message is no reason', async (t) => {
    const server = await start(t, {
        'scripts/named.lua': `
            return { on_message = function(conn, data) conn:send("somebody: " .. data) end }`,
        'scripts/doubled.lua': `
            return { on_message = function(conn, data) pcall(function() return data .. data end)
              conn:send("made") end }`,
    });
    const named = await server.connect('/named'), doubled = await server.connect('/doubled');
    const whole = 'x'.repeat(1024 * 1024);
    assert.equal(await named.ask(whole), `somebody: ${whole}`);
    doubled.send(whole);
    assert.equal(await doubled.ask('short'), 'made');
    const told = await server.log({ msg: 'script error', script: 'doubled.lua' });
    assert.equal(told.error,
        'a string of 2097152 bytes is too long: one string may have 1310720 bytes');
    assert.match(told.hint, /script\.string/);
});

test('a stopped on_open closes with 1011', async (t) => {
    const server = await start(t, project);
    const peer = await server.connect('/hog?spin=1');
    assert.equal((await peer.ended).code, 1011);
});

test('others on the same worker go on between the stops', async (t) => {
    const server = await start(t, project);
    const bad = await server.connect('/hog');
    const good = await server.connect('/echo');
    for (let i = 0; i < 4; i++) {
        bad.send('spin');
        for (let n = 0; n < 20; n++) assert.equal(await good.ask(`${i}.${n}`), `${i}.${n}`);
    }
    assert.equal(await bad.ask('here'), 'here');
    await good.close();
});
