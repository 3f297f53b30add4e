/*
 * Topics over several workers: one order for everybody, histories, members, and connections that a
 * script of another worker speaks to. Which worker a client comes to is the kernel's choice; its id
 * tells, so clients connect until each worker has some.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './harness.mjs';

const room = `
    local M = { format = "json", limits = { queue = 65536 },
                topics = { ["kept:*"] = { history = 1000, ttl = 60 } } }
    function M.on_open(conn, req)
      if req.query.hello then publish(req.query.hello, "hello") end
      conn.data.bye = req.query.bye
      conn:send { id = conn.id }
    end
    function M.on_close(conn) if conn.data.bye then publish(conn.data.bye, "bye") end end
    local act = {}
    function act.subscribe(conn, m) return { conn:subscribe(m.topic, m.opts) } end
    function act.publish(conn, m) return { publish(m.topic, m.data) } end
    function act.binary(conn, m) return { publish(m.topic, "\\0\\255\\1", "binary") } end
    function act.shout(conn, m) return { conn:publish(m.topic, m.data) } end
    function act.members(conn, m) return { members(m.topic) } end
    function act.count(conn, m) local list, n = members(m.topic) return { #list, n } end
    function act.send(conn, m)
      local other = connection(m.to)
      return { other and other.remote, other and other:send(m.data), other and other.id, other and other.ip or "none" }
    end
    function act.kick(conn, m) return { connection(m.to):close(4001, "out") } end
    function act.ping(conn, m) return { pcall(function() connection(m.to):ping() end) } end
    function act.mix(conn, m)
      local _, before = publish(m.topic, "1")
      publish(m.topic, "2")
      local new, info = conn:subscribe(m.topic, { since = before })
      publish(m.topic, "3")
      return { info }
    end
    function act.flood(conn, m)
      for i = 1, m.count do publish(m.topic, conn.id .. " " .. i) end
      return {}
    end
    function M.on_message(conn, m) conn:send { answer = act[m.act](conn, m) } end
    return M`;

const other = 'return { on_open = function(conn) conn:send(conn.id) end }';

const workerOf = (id) => Number(BigInt(`0x${id}`) >> 56n);

/* A client: what is published to it apart from answers. */
async function join(server, query = '') {
    const peer = await server.connect(`/room${query}`);
    const { id } = await peer.nextJson();
    const client = { peer, id, worker: workerOf(id), heard: [] };
    client.ask = async (act, more = {}) => {
        peer.send(JSON.stringify({ act, ...more }));
        for (;;) {
            const text = await peer.next();
            if (typeof text === 'string' && text.startsWith('{"answer"')) return JSON.parse(text).answer;
            client.heard.push(text);
        }
    };
    client.hear = async (count) => {
        while (client.heard.length < count) client.heard.push(await peer.next());
        return client.heard.splice(0);
    };
    return client;
}

/* One for each worker, and `more` beside. */
async function crowd(server, workers, more = 0) {
    const found = [], rest = [];
    while (found.filter(Boolean).length < workers || rest.length < more) {
        const client = await join(server);
        if (found[client.worker]) rest.push(client);
        else found[client.worker] = client;
    }
    return [...found, ...rest.slice(0, more)];
}

const serve = (t, workers, files = {}) =>
    start(t, { 'scripts/room.lua': room, 'scripts/other.lua': other, ...files },
        { args: ['--listen', '127.0.0.1:0', '--workers', `${workers}`] });

for (const workers of [1, 4]) {
    const on = `on ${workers} worker${workers > 1 ? 's' : ''}`;

    test(`everybody hears a topic in the same order, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers, 4);
        const COUNT = 40;
        for (const topic of ['news', 'kept:news']) {
            for (const client of clients) await client.ask('subscribe', { topic });
            await Promise.all(clients.map((client) => client.ask('flood', { topic, count: COUNT })));
            const heard = await Promise.all(clients.map((client) => client.hear(COUNT * clients.length)));
            for (const [i, each] of heard.entries()) assert.deepEqual(each, heard[0], `client ${i}`);
            assert.equal(new Set(heard[0]).size, COUNT * clients.length);
            for (const { id } of clients) {
                const own = heard[0].filter((text) => text.startsWith(`${id} `)).map((text) => Number(text.split(' ')[1]));
                assert.deepEqual(own, [...own].sort((a, b) => a - b));
            }
        }
    });

    test(`a topic's history is replayed without hole or duplicate, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers);
        const topic = 'kept:a';
        const [receivers, first] = await clients[0].ask('publish', { topic, data: 'a' });
        assert.equal(receivers, 0);
        for (const [i, text] of ['b', 'c', 'd'].entries())
            assert.deepEqual(await clients[i % workers].ask('publish', { topic, data: text }), [0, first + 1 + i]);
        for (const client of clients) {
            const [isNew, info] = await client.ask('subscribe', { topic, opts: { since: first } });
            assert.equal(isNew, true);
            assert.deepEqual(info, { offset: first + 3, whole: true, replayed: 3 });
            assert.deepEqual(await client.hear(3), ['b', 'c', 'd']);
            assert.deepEqual(await client.ask('subscribe', { topic, opts: { since: first + 3 } }),
                [false, { offset: first + 3, whole: true, replayed: 0 }]);
        }
        await clients[workers - 1].ask('publish', { topic, data: 'e' });
        for (const client of clients) assert.deepEqual(await client.hear(1), ['e']);
        const late = await join(server);
        assert.deepEqual((await late.ask('subscribe', { topic, opts: { last: 2 } }))[1],
            { offset: first + 4, whole: true, replayed: 2 });
        assert.deepEqual(await late.hear(2), ['d', 'e']);
        const unknown = await join(server);
        assert.deepEqual((await unknown.ask('subscribe', { topic, opts: { since: 17 } }))[1],
            { offset: first + 4, whole: false, replayed: 5 });
        const info = (await unknown.ask('subscribe', { topic: 'news', opts: { last: 2 } }))[1];
        assert.deepEqual(info, { whole: false, replayed: 0 }); /* it keeps nothing: no offset */
    });

    test(`what is published around a subscription in one turn comes once, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers);
        for (const client of clients) {
            const [info] = await client.ask('mix', { topic: `kept:${client.id}` });
            assert.equal(info.whole, true);
            assert.equal(info.replayed, 1);
            assert.deepEqual(await client.hear(2), ['2', '3']);
        }
    });

    test(`members are those of all workers, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers, 2);
        for (const [i, client] of clients.entries())
            await client.ask('subscribe', { topic: 'lobby', opts: i ? { presence: { n: i } } : {} });
        const want = clients.map(({ id }, i) => (i ? { id, presence: { n: i } } : { id }))
            .sort((a, b) => (BigInt(`0x${a.id}`) < BigInt(`0x${b.id}`) ? -1 : 1));
        for (const client of clients) {
            assert.deepEqual(await client.ask('members', { topic: 'lobby' }), [want, clients.length]);
            assert.deepEqual(await client.ask('count', { topic: 'nobody' }), [0, 0]);
        }
        const [gone, ...rest] = clients;
        await gone.peer.close(1000);
        for (let n = clients.length; n !== rest.length;) [, n] = await rest[0].ask('count', { topic: 'lobby' });
    });

    test(`who publishes with conn:publish hears nothing of it, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers, 1);
        for (const client of clients) await client.ask('subscribe', { topic: 'talk' });
        await clients[0].ask('shout', { topic: 'talk', data: 'psst' });
        await clients[0].ask('publish', { topic: 'talk', data: 'all' });
        assert.deepEqual(await clients[0].hear(1), ['all']);
        for (const client of clients.slice(1)) assert.deepEqual(await client.hear(2), ['psst', 'all']);
    });

    test(`what is published in on_open and on_close is heard, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers);
        for (const client of clients) await client.ask('subscribe', { topic: 'door' });
        const guest = await join(server, '?hello=door&bye=door');
        for (const client of clients) assert.deepEqual(await client.hear(1), ['hello']);
        await guest.peer.close(1000);
        for (const client of clients) assert.deepEqual(await client.hear(1), ['bye']);
    });

    test(`binary messages are kept as they are, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers);
        await clients[0].ask('binary', { topic: 'kept:b' });
        for (const client of clients) {
            await client.ask('subscribe', { topic: 'kept:b', opts: { last: 1 } });
            assert.deepEqual(await client.hear(1), [Buffer.from([0, 255, 1])]);
        }
    });

    test(`a connection can be sent to and closed from everywhere, ${on}`, async (t) => {
        const server = await serve(t, workers);
        const clients = await crowd(server, workers, 1);
        const target = clients.pop();
        for (const client of clients) {
            const isRemote = client.worker !== target.worker;
            const [remote, sent, id, ip] = await client.ask('send', { to: target.id, data: `from ${client.id}` });
            assert.deepEqual([remote, sent, id, ip], [isRemote, true, target.id, isRemote ? 'none' : '127.0.0.1']);
        }
        const heard = await target.hear(workers);
        assert.deepEqual(heard.sort(), clients.map(({ id }) => `from ${id}`).sort());
        if (workers > 1) {
            const far = clients.find(({ worker }) => worker !== target.worker);
            const [ok, why] = await far.ask('ping', { to: target.id });
            assert.equal(ok, false);
            assert.match(why, /conn:ping: this connection is on another worker/);
        }
        const { ask } = clients.find(({ worker }) => worker !== target.worker) ?? clients[0];
        assert.deepEqual(await ask('kick', { to: target.id }), [true]);
        assert.deepEqual(await target.peer.seen(), { code: 4001, reason: 'out' });
    });
}

test('a connection of another script is not reached from another worker', async (t) => {
    const server = await serve(t, 2);
    const clients = await crowd(server, 2);
    const stranger = await server.connect('/other');
    const to = await stranger.next();
    const from = clients.find(({ worker }) => worker !== workerOf(to));
    assert.deepEqual((await from.ask('send', { to, data: 'psst' })).slice(0, 2), [true, true]);
    await server.log({ msg: 'what another worker sent to a connection found none', script: 'room.lua' });
    assert.deepEqual(stranger.unread, []);
});

test('a replay that does not fit into the queue leaves out the oldest and says so', async (t) => {
    const server = await serve(t, 2);
    const [a, b] = await crowd(server, 2);
    const data = 'x'.repeat(999);
    let first;
    for (let i = 0; i < 100; i++) {
        const [, offset] = await a.ask('publish', { topic: 'kept:large', data: `${data}${i % 10}` });
        first ??= offset;
    }
    const [, info] = await b.ask('subscribe', { topic: 'kept:large', opts: { since: first - 1 } });
    assert.equal(info.whole, false);
    assert.ok(info.replayed > 50 && info.replayed < 66, `${info.replayed} replayed`);
    const heard = await b.hear(info.replayed);
    assert.deepEqual(heard.map((text) => Number(text.at(-1))),
        Array.from({ length: info.replayed }, (_, i) => (100 - info.replayed + i) % 10));
});

test('a reload changes what topics keep', async (t) => {
    const server = await serve(t, 2);
    const [a, b] = await crowd(server, 2);
    const [, first] = await a.ask('publish', { topic: 'kept:r', data: 'a' });
    await b.ask('publish', { topic: 'kept:r', data: 'b' });
    server.project.write('scripts/room.lua', room.replace('history = 1000', 'history = 1'));
    await server.log({ msg: 'reloaded', script: 'room.lua' });
    assert.deepEqual((await b.ask('subscribe', { topic: 'kept:r', opts: { since: first - 1 } }))[1],
        { offset: first + 1, whole: false, replayed: 1 });
    assert.deepEqual(await b.hear(1), ['b']);
    server.project.write('scripts/room.lua', room.replace('kept:*', 'other:*'));
    await server.log({ msg: 'reloaded', script: 'room.lua' }, 2);
    assert.equal((await a.ask('publish', { topic: 'kept:r', data: 'c' })).length, 1);
    assert.deepEqual(await b.hear(1), ['c']);
    server.project.write('scripts/room.lua', room.replace('history = 1000', 'history = 0'));
    const refused = await server.log({ msg: 'reload refused', script: 'room.lua' });
    assert.match(refused.error ?? JSON.stringify(refused), /topics\["kept:\*"\]\.history must be a whole number from 1 to 10000/);
});

test('what all topics keep is bounded', async (t) => {
    const server = await start(t, { 'scripts/room.lua': room },
        { args: ['--listen', '127.0.0.1:0', '--workers', '2', '--topics-memory', '20000'] });
    const [a, b] = await crowd(server, 2);
    const data = 'x'.repeat(1000);
    for (let i = 0; i < 30; i++) await a.ask('publish', { topic: `kept:${i}`, data });
    const [, old] = await b.ask('subscribe', { topic: 'kept:1', opts: { last: 1 } });
    assert.equal(old.replayed, 0);
    const [, young] = await b.ask('subscribe', { topic: 'kept:29', opts: { last: 1 } });
    assert.deepEqual([young.replayed, young.whole], [1, true]);
});
