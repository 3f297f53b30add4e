/* What a reload keeps, what it ends, and what a broken one says. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { alone, refused, start } from './harness.mjs';

const loaded = (server, script, nth) => server.log({ msg: 'loaded', script }, nth);
const reloaded = (server, script, nth) => server.log({ msg: 'reloaded', script }, nth);
const refusal = (server, script, nth) => server.log({ msg: 'reload refused', script }, nth);

/* A script that says its name and nothing else. */
const says = (word) => `return { on_message = function(conn) conn:send("${word}") end }`;

/* ---- a broken save ---- */

/* what, the text, the line that is named (if any), the error, what the source frame shows (if any) */
const broken = [
    ['a syntax error', 'local M = {}\nfunction M.on_message(conn)\n  conn:send(\nend\nreturn M',
        4, /expected|unexpected/, 'end'],
    ['an error as it loads', 'local M = {}\nlocal n = nil + 1\nreturn M',
        2, /arithmetic/, 'local n = nil + 1'],
    ['an undeclared global', 'local M = {}\ncounter = 1\nreturn M', 2, /counter/, 'counter = 1'],
    ['a missing library', 'local x = require "rooms"\nreturn {}', 1, /rooms/, 'require "rooms"'],
    ['no module', 'local M = {}', null, /return/],
    ['a handler that is no function', 'return { on_message = "hi" }', null, /on_message.*function/],
    ['a route that is none', 'return { route = "chat" }', null, /route/],
    ['an empty file', '', null, /return/],
    ['bytecode', '\x1bLua', null, /./],
];

test('a broken save keeps the old version and says where it broke', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('whole') });
    const peer = await server.connect('/chat');
    let n = 0;
    for (const [what, text, line, error, frame] of broken) {
        server.project.write('scripts/chat.lua', text);
        const said = await refusal(server, 'chat.lua', ++n);
        assert.equal(said.level, 'error', what);
        assert.match(said.error, error, what);
        if (line) assert.deepEqual([said.file, said.line], ['chat.lua', line], what);
        if (frame) assert.ok(said.frame.includes(frame), `${what}: ${said.frame}`);
        assert.equal(said.v, 1, `${what}: the version that goes on`);
        assert.equal(await peer.ask('?'), 'whole', what);
    }
    server.project.write('scripts/chat.lua', says('mended'));
    const { from, kept, dropped } = await reloaded(server, 'chat.lua');
    assert.deepEqual([from, kept, dropped], [1, 1, 0]);
    assert.equal(await peer.ask('?'), 'mended');
    await peer.close();
});

test('what is broken at first start answers 503 until it is mended; the others run', async (t) => {
    const server = await start(t, {
        'scripts/chat.lua': 'return {', 'scripts/other.lua': says('other'),
        'scripts/handler.lua': 'return { on_open = {} }',
    });
    assert.equal((await refused(server, '/chat')).status, 503);
    assert.equal((await refused(server, '/handler')).status, 503);
    const other = await server.connect('/other');
    assert.equal(await other.ask('?'), 'other');
    server.project.write('scripts/chat.lua', says('mended'));
    await loaded(server, 'chat.lua');
    const peer = await server.connect('/chat');
    assert.equal(await peer.ask('?'), 'mended');
    await peer.close();
    await other.close();
});

/* ---- what stays ---- */

const room = (word) => `
    local M = {}
    local locals = 0
    state.seen = state.seen or 0
    function M.on_open(conn) conn.data.opened = "${word}"; conn:subscribe("room") end
    function M.on_message(conn, data)
      locals, state.seen = locals + 1, state.seen + 1
      publish("room", { word = "${word}", v = conn.version, opened = conn.data.opened,
                        seen = state.seen, locals = locals, id = conn.id })
    end
    return M`;

test('state, conn.data, ids and subscriptions survive; file-level locals do not', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room('one') }, { env: alone });
    const [a, b] = [await server.connect('/room'), await server.connect('/room')];
    a.send('first');
    const before = await b.nextJson();
    await a.next();
    server.project.write('scripts/room.lua', room('two'));
    const said = await reloaded(server, 'room.lua');
    assert.deepEqual([said.from, said.v, said.kept, said.dropped], [1, 2, 2, 0]);
    a.send('second');
    const after = { ...before, word: 'two', v: 2, opened: 'one', seen: 2, locals: 1 };
    assert.deepEqual(await b.nextJson(), after);
    await a.close();
    await b.close();
});

test('versions count up and stand in each line that a script logs', async (t) => {
    const script = (n) => `
        local M = {}
        function M.on_message(conn, data)
          log.info("said " .. data)
          conn:send("${n} " .. conn.id)
        end
        return M`;
    const server = await start(t, { 'scripts/logger.lua': script(1) });
    const peer = await server.connect('/logger');
    for (let v = 1; v <= 4; v++) {
        if (v > 1) {
            server.project.write('scripts/logger.lua', script(v));
            const said = await reloaded(server, 'logger.lua', v - 1);
            assert.deepEqual([said.from, said.v], [v - 1, v]);
        }
        const [n, id] = (await peer.ask(String(v))).split(' ');
        assert.equal(n, String(v));
        const line = await server.log({ msg: `said ${v}` });
        assert.deepEqual([line.script, line.v, line.conn], ['logger.lua', v, id]);
    }
    await peer.close(1000);
    assert.equal((await server.log({ msg: 'closed', script: 'logger.lua' })).v, 4);
});

test('handlers that the new version lacks are gone', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('old') });
    const peer = await server.connect('/chat');
    assert.equal(await peer.ask('?'), 'old');
    server.project.write('scripts/chat.lua', 'return {}');
    await reloaded(server, 'chat.lua', 1);
    peer.send('into the void');
    server.project.write('scripts/chat.lua', says('new'));
    await reloaded(server, 'chat.lua', 2);
    assert.equal(await peer.ask('?'), 'new');
    await peer.close();
});

/* ---- timers and suspended calls ---- */

const clock = (word) => `
    local M = {}
    function M.on_open(conn) conn:subscribe("clock") end
    function M.beat() publish("clock", "beat ${word}") end
    function M.on_message(conn, data)
      if data == "start" then
        timer.every("beat", 0.05, "beat")
        timer.after(0.4, function() conn:send("closure ${word}") end)
        timer.every("mine", 0.4, function() conn:send("closure ${word}") end)
        conn:send("started")
      else
        timer.after(0.6, function() conn:send("fence ${word}") end)
      end
    end
    return M`;

test('timers of the old version die with it, a named one calls the new handler', async (t) => {
    const server = await start(t, { 'scripts/clock.lua': clock('old') });
    const peer = await server.connect('/clock');
    assert.equal(await peer.ask('start'), 'started');
    assert.equal(await peer.next(), 'beat old');
    server.project.write('scripts/clock.lua', clock('new'));
    await reloaded(server, 'clock.lua');
    peer.send('fence'); /* due after what the old version had still planned */
    const heard = [];
    const goesOn = () => heard.filter((word) => word === 'beat new').length > 1;
    while (!heard.includes('fence new') || !goesOn()) heard.push(await peer.next());
    const after = heard.slice(heard.indexOf('beat new'));
    assert.deepEqual(after.filter((word) => !/^(beat|fence) new$/.test(word)), [], 'all else is gone');
    await peer.close();
});

const sleeper = (word) => `
    local function finish(conn, data) conn:send("${word} ended " .. data) end
    local M = {}
    function M.on_reload(s) s.is_reloaded = true end
    function M.on_message(conn, data)
      conn:send("${word} began " .. data)
      repeat sleep(data == "long" and 0.5 or 0.01) until data ~= "until" or state.is_reloaded
      finish(conn, data)
    end
    return M`;

test('a call that sleeps ends on the version in which it began', async (t) => {
    const server = await start(t, { 'scripts/sleeper.lua': sleeper('old') });
    const peer = await server.connect('/sleeper');
    assert.equal(await peer.ask('until'), 'old began until');
    peer.send('short');
    server.project.write('scripts/sleeper.lua', sleeper('new'));
    await reloaded(server, 'sleeper.lua');
    assert.equal(await peer.next(), 'old ended until');
    assert.equal(await peer.next(), 'new began short');
    assert.equal(await peer.next(), 'new ended short');
    await peer.close();
});

test('two messages of one connection never overlap, those of two connections may', async (t) => {
    const server = await start(t, { 'scripts/sleeper.lua': sleeper('it') });
    const [a, b] = [await server.connect('/sleeper'), await server.connect('/sleeper')];
    for (let i = 0; i < 20; i++) a.send(String(i));
    a.send('long');
    a.send('last');
    assert.equal(await b.ask('b'), 'it began b');
    assert.equal(await b.next(), 'it ended b');
    for (const i of [...Array(20).keys(), 'long', 'last']) {
        assert.equal(await a.next(), `it began ${i}`);
        assert.equal(await a.next(), `it ended ${i}`);
    }
    await a.close();
    await b.close();
});

/* ---- libraries, new files, files that go ---- */

const greeter = `
    local words = require "words"
    return { on_message = function(conn) conn:send(words.hello) end }`;

test('a change in lib/ reloads those that use it, and nobody else', async (t) => {
    const server = await start(t, {
        'scripts/lib/words.lua': 'return { hello = "hello" }',
        'scripts/a.lua': greeter, 'scripts/b.lua': greeter, 'scripts/c.lua': says('c'),
    });
    const [a, b, c] = await Promise.all(['/a', '/b', '/c'].map((path) => server.connect(path)));
    server.project.write('scripts/lib/words.lua', 'return { hello = "good day" }');
    await reloaded(server, 'a.lua');
    await reloaded(server, 'b.lua');
    for (const peer of [a, b]) assert.equal(await peer.ask('?'), 'good day');
    assert.equal(await c.ask('?'), 'c');

    server.project.write('scripts/lib/words.lua', 'return { hello = }');
    const said = await refusal(server, 'a.lua');
    assert.deepEqual([said.file, said.line], ['lib/words.lua', 1]);
    await refusal(server, 'b.lua');
    assert.deepEqual([await a.ask('?'), await b.ask('?')], ['good day', 'good day']);
    assert.deepEqual(server.outcomes('c.lua'), []);
    for (const peer of [a, b, c]) await peer.close();
});

test('a library changes for all who use it or for nobody', async (t) => {
    const server = await start(t, {
        'scripts/lib/words.lua': 'return { hello = "hello", bye = "bye" }',
        'scripts/a.lua': greeter,
        'scripts/b.lua': 'local words = require "words"\nlocal n = #words.bye\nreturn {}',
    });
    const a = await server.connect('/a');
    server.project.write('scripts/lib/words.lua', 'return { hello = "good day" }');
    const said = await refusal(server, 'b.lua');
    assert.deepEqual([said.file, said.line], ['b.lua', 2]);
    assert.equal(await a.ask('?'), 'hello');
    await a.close();
});

test('a new file is a new route, in a new folder too', async (t) => {
    const server = await start(t, { 'scripts/old.lua': says('old') });
    for (const path of ['fresh', 'game/room']) {
        assert.equal((await refused(server, `/${path}`)).status, 404);
        server.project.write(`scripts/${path}.lua`, says(path));
        await loaded(server, `${path}.lua`);
        const peer = await server.connect(`/${path}`);
        assert.equal(await peer.ask('?'), path);
        await peer.close();
    }
});

test('a deleted file closes its connections with 1001, and no others', async (t) => {
    const server = await start(t, {
        'scripts/stays.lua': says('stays'), 'scripts/goes.lua': says('goes'),
    });
    const [stays, goes] = [await server.connect('/stays'), await server.connect('/goes')];
    rmSync(server.project.path('scripts/goes.lua'));
    assert.equal((await goes.seen()).code, 1001);
    const said = await server.log({ msg: 'closed', script: 'goes.lua' });
    assert.deepEqual([said.code, said.who, said.cause], [1001, 'server', 'script_removed']);
    assert.equal((await refused(server, '/goes')).status, 404);
    assert.equal(await stays.ask('?'), 'stays');

    server.project.write('scripts/goes.lua', says('is back'));
    await loaded(server, 'goes.lua', 2);
    const back = await server.connect('/goes');
    assert.equal(await back.ask('?'), 'is back');
    await back.close();
    await stays.close();
});

test('a route can move with a reload; who is connected stays', async (t) => {
    const script = (route) => `
        return { route = "${route}", on_message = function(conn) conn:send("${route}") end }`;
    const server = await start(t, { 'scripts/chat.lua': script('/here') });
    const peer = await server.connect('/here');
    server.project.write('scripts/chat.lua', script('/there'));
    await reloaded(server, 'chat.lua');
    assert.equal(await peer.ask('?'), '/there');
    assert.equal((await refused(server, '/here')).status, 404);
    await (await server.connect('/there')).close();
    await peer.close();
});

test('a reload that would take the route of another script is refused and names it', async (t) => {
    const server = await start(t, { 'scripts/a.lua': says('a'), 'scripts/b.lua': says('b') });
    server.project.write('scripts/b.lua', 'return { route = "/a" }');
    const said = await refusal(server, 'b.lua');
    assert.match(`${said.error} ${said.hint}`, /a\.lua/);
    const [a, b] = [await server.connect('/a'), await server.connect('/b')];
    assert.deepEqual([await a.ask('?'), await b.ask('?')], ['a', 'b']);
    await a.close();
    await b.close();
});
