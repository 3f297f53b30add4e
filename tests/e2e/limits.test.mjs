/* Limits of a script, and the topics that its connections share: what each side sees of them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { alone, start } from './harness.mjs';
import { CLOSE, TEXT, frame, upgraded } from './wire.mjs';

/* A script with these limits that answers each message, and logs how a connection ends. */
const limited = (limits, more = '') => `
    local M = { limits = { ${limits} }, ${more} }
    function M.on_message(conn, data) conn:send("heard") end
    function M.on_close(conn, code, reason, info)
      log.info("end", { code = code, who = info.who, cause = info.cause })
    end
    return M`;

const server = await start({ after }, {
    'scripts/idle.lua': limited('idle = 1'),
    'scripts/age.lua': limited('age = 1'),
    'scripts/rate.lua': limited('rate = 1, burst = 3'),
    'scripts/two.lua': limited('connections = 2'),
    'scripts/json.lua': limited('', 'format = "json"'),
    'scripts/flood.lua': `
        local M = { limits = { queue = 65536 } }
        function M.on_message(conn)
          local sent, why
          for i = 1, 10000 do
            sent, why = conn:send(("x"):rep(10000))
            if not sent then break end
          end
          log.info("flooded", { why = why })
        end
        function M.on_close(conn, code, reason, info)
          log.info("end", { code = code, who = info.who, cause = info.cause })
        end
        return M`,
    'scripts/drain.lua': `
        local M = { limits = { queue = 1048576 } }
        local BYTES = ("x"):rep(100000)
        function M.on_message(conn)
          local count = 0
          repeat conn:send(BYTES); count = count + 1 until conn.queued > 600000
          log.info("more than half full", { count = count })
        end
        function M.on_drain(conn) conn:send("drained") end
        return M`,
    'scripts/topics.lua': `
        local M = {}
        function M.on_open(conn, req)
          conn.data.name = req.query.name
          conn:subscribe("all")
        end
        local on = {}
        function on.all(conn, text) conn:send(publish("all", text) .. " heard it") end
        function on.others(conn, text) conn:send(conn:publish("all", text) .. " heard it") end
        function on.leave(conn) conn:unsubscribe("all"); conn:send(#conn:topics() .. " topics") end
        function on.bytes(conn, text) publish("all", text, "binary") end
        function M.on_message(conn, data)
          local what, text = data:match("^(%a+) ?(.*)$")
          on[what](conn, text)
        end
        return M`,
});

const end = (script) => server.log({ msg: 'end', script });

async function endsWith(script, peer, code, cause) {
    assert.equal((await peer.seen()).code, code);
    const seen = await end(script);
    assert.deepEqual([seen.code, seen.who, seen.cause], [code, 'server', cause]);
}

test('who says nothing for limits.idle is left with 3008', async () => {
    await endsWith('idle.lua', await server.connect('/idle'), 3008, 'idle_timeout');
});

test('who has lived for limits.age is left with 1001', async () => {
    await endsWith('age.lua', await server.connect('/age'), 1001, 'max_age');
});

test('more messages than limits.rate and burst allow are 1008', async () => {
    const peer = await server.connect('/rate');
    for (let i = 0; i < 10; i++) peer.send('more');
    await endsWith('rate.lua', peer, 1008, 'rate_limited');
    assert.ok(peer.unread.length >= 3 && peer.unread.length < 10, `${peer.unread.length} answers`);
});

test('one connection more than limits.connections is 1013; the others stay', async () => {
    const peers = [await server.connect('/two'), await server.connect('/two')];
    assert.equal((await (await server.connect('/two')).seen()).code, 1013);
    for (const peer of peers) {
        assert.equal(await peer.ask('?'), 'heard');
        await peer.close();
    }
    await (await server.connect('/two')).close();
});

test('text that is no JSON is 1007 where the format is JSON', async () => {
    const peer = await server.connect('/json');
    assert.equal(await peer.ask('{"a": [1, 2]}'), 'heard');
    peer.send('{"a": [1, 2}');
    await endsWith('json.lua', peer, 1007, 'bad_json');
});

test('who does not read is left with 1013 when limits.queue is full', async () => {
    const wire = await upgraded(server, '/flood');
    wire.socket.pause();
    wire.send(frame(TEXT, 'go'));
    assert.equal((await server.log({ msg: 'flooded' })).why, 'dropped');
    wire.socket.resume();
    let got;
    do got = await wire.frame(); while (got.opcode !== CLOSE);
    assert.equal(got.payload.readUInt16BE(0), 1013);
    wire.drop();
    assert.equal((await end('flood.lua')).cause, 'slow_consumer');
});

test('on_drain comes when a queue that was more than half full is so no more', async () => {
    const peer = await server.connect('/drain', { perMessageDeflate: false }); /* all its bytes are to wait */
    peer.socket._socket.pause(); /* else the kernel may take them as fast as they come */
    peer.send('go');
    const { count } = await server.log({ msg: 'more than half full' });
    peer.socket._socket.resume();
    for (let i = 0; i < count; i++) assert.equal((await peer.next()).length, 100000);
    assert.equal(await peer.next(), 'drained');
    await peer.close();
});

test('a topic reaches its subscribers, in order, and nobody else', async () => {
    const [ann, bob, cat] = await Promise.all(['ann', 'bob', 'cat'].map((name) =>
        server.connect(`/topics?name=${name}`)));
    const outsider = await server.connect('/json');
    assert.equal(await cat.ask('leave'), '0 topics');
    ann.send('all hello');
    assert.equal(await ann.next(), 'hello');
    assert.equal(await ann.next(), '2 heard it');
    ann.send('others psst');
    assert.equal(await ann.next(), '1 heard it');
    bob.send('bytes \u0001');
    assert.deepEqual([await bob.next(), await bob.next()], ['hello', 'psst']);
    assert.deepEqual([await ann.next(), await bob.next()], [Buffer.of(1), Buffer.of(1)]);
    assert.deepEqual([cat.unread, outsider.unread], [[], []]);
    for (const peer of [ann, bob, cat, outsider]) await peer.close();
});

test('a script sees its connections', async (t) => {
    const own = await start(t, { 'scripts/names.lua': `
        local M = {}
        function M.on_open(conn, req) conn.data.name = req.query.name end
        function M.on_message(conn)
          local names = {}
          for other in connections() do table.insert(names, other.data.name) end
          table.sort(names)
          conn:send(table.concat(names, " "))
        end
        return M` }, { env: alone }); /* those of another worker it does not see */
    const [ann, bob, cat] = await Promise.all(['ann', 'bob', 'cat'].map((name) =>
        own.connect(`/names?name=${name}`)));
    assert.equal(await ann.ask('?'), 'ann bob cat');
    for (const peer of [ann, bob, cat]) await peer.close();
});
