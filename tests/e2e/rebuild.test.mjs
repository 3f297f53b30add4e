/* Scripts whose memory is used up for good: the next save begins afresh, with what can be saved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alone, start } from './harness.mjs';

const MEMORY = 4 * 1024 * 1024;
const SMALL = { env: { ...alone, MOONWIRE_SCRIPT_MEMORY: String(MEMORY),
    MOONWIRE_SCRIPT_CPU: '5000' } };

/* Keeps all that it is told, for ever; counts in `state` and in the data of each connection. */
const leaks = `
    local M = {}
    state.log, state.names, state.count = {}, { lobby = { "ann", "bob" } }, 0
    function M.on_open(conn) conn.data.said = 0 end
    local function cram(into, depth) -- asks for little at a time, to the last
      for i = 1, 4 do
        into[i] = {}
        if depth < 60 then cram(into[i], depth + 1) end
      end
    end
    function M.on_message(conn, data)
      if data == "nap" then sleep(3600) end
      conn.data.said = conn.data.said + 1
      state.count = state.count + 1
      if data == "fill" then
        while true do state.log[#state.log + 1] = { #state.log } end
      end
      if data == "cram" then cram(state.log, 1) end
      conn:send("kept")
    end
    return M`;

/* The same without keeping it: state.log is still named here, and may be gone. */
const mended = `
    local M = {}
    state.log = state.log or {}
    function M.on_reload(s, info) log.info("took over", { count = s.count, from = info.from }) end
    function M.on_message(conn, data)
      conn.data.said = (conn.data.said or 0) + 1
      conn:send(json.encode { count = state.count, said = conn.data.said, log = #state.log,
        names = state.names.lobby })
    end
    function M.on_close(conn) log.info("left", { said = conn.data.said }) end
    return M`;

test('a state that is full is rebuilt by the next save, and what fits of it is there', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': leaks }, SMALL);
    const [filler, other, sleeper] = [await server.connect('/chat'), await server.connect('/chat'),
        await server.connect('/chat')];
    assert.equal(await other.ask('hello'), 'kept');
    sleeper.send('nap');
    filler.send('fill');
    await server.log({ msg: 'script error', error: /not enough memory/ });

    server.project.write('scripts/chat.lua', 'return {');
    await server.log({ msg: 'reload refused' });

    server.project.write('scripts/chat.lua', mended);
    const said = await server.log({ msg: 'reloaded' });
    assert.deepEqual([said.v, said.kept, said.dropped, said.carried_conns, said.carried_keys,
        said.state_keys, said.left_out], [2, 3, 0, 3, 2, 3, 1]);
    await server.log({ msg: /^state\.log is not carried over: there is no memory/ });
    const { count, from } = await server.log({ msg: 'took over' });
    assert.deepEqual([count, from], [2, 1]);
    const names = ['ann', 'bob'];
    assert.deepEqual(JSON.parse(await other.ask('x')), { count: 2, said: 2, log: 0, names });
    assert.deepEqual(JSON.parse(await filler.ask('x')), { count: 2, said: 2, log: 0, names });
    assert.deepEqual(JSON.parse(await sleeper.ask('x')), { count: 2, said: 1, log: 0, names });
    const fresh = await server.connect('/chat');
    assert.deepEqual(JSON.parse(await fresh.ask('x')), { count: 2, said: 1, log: 0, names });
    for (const peer of [fresh, sleeper, filler, other]) await peer.close();
    await server.log({ msg: 'left', said: 1 });
});

test('a script that is paused for its memory is rebuilt as well', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': leaks }, SMALL);
    const peer = await server.connect('/chat');
    for (let i = 0; i < 5; i++) peer.send('cram'); /* each finds room to begin: a stop leaves some */
    await server.log({ msg: 'script paused' });
    peer.send('held');
    server.project.write('scripts/chat.lua', mended);
    const said = await server.log({ msg: 'reloaded' });
    assert.deepEqual([said.carried_conns, said.carried_keys, said.state_keys], [1, 2, 3]);
    await server.log({ msg: 'script resumed' });
    assert.deepEqual(JSON.parse(await peer.next()),
        { count: 5, said: 6, log: 0, names: ['ann', 'bob'] });
    await peer.close();
});

test('a load of a script that is well rebuilds nothing', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': leaks }, SMALL);
    const peer = await server.connect('/chat');
    assert.equal(await peer.ask('hello'), 'kept');
    server.project.write('scripts/chat.lua', mended);
    assert.equal((await server.log({ msg: 'reloaded' })).carried_conns, undefined);
    await peer.close();
});
