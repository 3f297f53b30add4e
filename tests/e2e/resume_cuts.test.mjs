/*
 * Sessions over a network that breaks, by real sockets: some hundred cuts at any byte in both
 * directions, while messages are published and sent. Each side gets the other's messages once and
 * in order, or is told of the gap.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './harness.mjs';
import { Network, SessionPeer, chance } from './session_peer.mjs';

const PEERS = 20;

/*
 * Each connection hears its own numbers, those that somebody publishes, and echoes. on_message
 * writes down what is out of order, which the test then finds.
 */
const SCRIPT = `
    local M = { resume = 60 }
    function M.on_start()
      timer.every("tick", 0.01, "tick")
    end
    function M.tick()
      for conn in connections() do
        conn.data.n = conn.data.n + 1
        conn:send("n" .. conn.data.n)
      end
    end
    function M.on_open(conn, req)
      conn.data.heard, conn.data.n = 0, 0
      conn:subscribe("news")
    end
    function M.on_message(conn, data)
      if data:sub(1, 1) == "p" then return publish("news", data) end
      conn.data.heard = conn.data.heard + 1
      if tonumber(data) ~= conn.data.heard then
        log.error("out of order", { got = data, want = conn.data.heard })
      end
      conn:send("echo " .. data)
    end
    function M.on_close(conn, code, reason, info)
      log.info("over", { code = code, heard = conn.data.heard, resumed = conn.resumed })
    end
    return M`;

/* Each number follows the one before it, or a gap that was told of exactly as long. */
function assertWhole(heard, prefix, isGapAllowed) {
    let next = 0, missed = 0;
    for (const item of heard) {
        if (typeof item === 'object') {
            assert.ok(isGapAllowed && item.missed > 0, JSON.stringify(item));
            missed += item.missed;
        } else if (item.startsWith(prefix)) {
            const number = Number(item.slice(prefix.length));
            if (next && !missed) assert.equal(number, next, `${prefix} in order`);
            next = number + 1;
        }
    }
    return Math.max(next - 1, 0); /* the last one */
}

async function run(t, cuts, options, scheme = 'ws') {
    const seed = Number(process.env.MOONWIRE_SEED ?? 20261121);
    const random = chance(seed);
    const server = await start(t, { 'scripts/talk.lua': SCRIPT }, options);
    const network = await new Network(server.port, random).listen();
    const peers = Array.from({ length: PEERS }, () =>
        new SessionPeer(`${scheme}://127.0.0.1:${network.port}/talk`, {
            silence_ms: 400, delay_ms: () => random() * 30, rejectUnauthorized: false }));
    const sent = peers.map(() => 0);
    let published = 0;
    const publisher = new SessionPeer(`${scheme}://127.0.0.1:${server.port}/talk`,
        { rejectUnauthorized: false });
    await publisher.ready();
    const talk = setInterval(() => {
        publisher.send(`p${++published}`);
        const i = Math.floor(random() * PEERS);
        if (peers[i].fresh) peers[i].send(String(++sent[i]));
    }, 3);
    try {
        while (network.total < cuts) await new Promise((resolve) => setTimeout(resolve, 20));
        clearInterval(talk);
        network.isSound = true;
        await Promise.all(peers.map((peer, i) => peer.until(
            ({ heard }) => sent[i] === 0 || heard.lastIndexOf(`echo ${sent[i]}`) >= 0,
            `the last echo, ${sent[i]}`)));
        /* Longer than the silence after which a peer leaves a line that had fallen silent. */
        const before = peers.map(({ heard }) => heard.length);
        await Promise.all(peers.map((peer, i) => peer.until(
            ({ heard }) => heard.length > before[i] + 100, 'a sound line')));
        for (const [i, peer] of peers.entries()) {
            assert.equal(assertWhole(peer.heard, 'echo '), sent[i]);
            assertWhole(peer.heard, 'n');
            assertWhole(peer.heard, 'p');
            assert.equal(peer.fresh, 1, 'no session was lost');
        }
        assert.deepEqual(server.all({ msg: 'out of order' }), []);
        await Promise.all(peers.map((peer) => peer.close()));
        const returns = peers.reduce((sum, peer) => sum + peer.returns, 0);
        t.diagnostic(`seed ${seed}: ${network.total} cuts (${JSON.stringify(network.cuts)}), `
            + `${returns} returns, ${sent.reduce((a, b) => a + b)} messages of clients`);
        assert.ok(returns > cuts / 20, `${returns} returns`); /* most cuts are in handshakes */
        for (const { hello } of peers) await server.log({ msg: 'over', conn: hello.id });
        for (const { hello } of peers)
            assert.equal(server.all({ msg: 'over', conn: hello.id }).length, 1, 'on_close, once');
    } finally {
        clearInterval(talk);
        for (const peer of peers) peer.stay();
        publisher.stay();
        network.close();
    }
}

test('over a network that breaks nothing is lost and nothing comes twice', (t) => run(t, 300));

test('over TLS as well', (t) => run(t, 100, {
    verb: 'dev', args: ['--listen', '127.0.0.1:0', '--tls', '--log-format', 'json'] }, 'wss'));

test('the same with four workers, whichever of them a return comes to', (t) => run(t, 200, {
    args: ['--listen', '127.0.0.1:0', '--workers', '4'] }));

test('what script.queued has no room for while a client is away is a hole that it is told of', async (t) => {
    const server = await start(t, { 'scripts/big.lua': `
        local M = { resume = 30, limits = { queue = 4000000 } }
        function M.on_message(conn)
          for other in connections() do
            if other.state == "away" then
              other:send(string.rep("b", 300000))
              local _, why = other:send(string.rep("x", 900000))
              other:send("after")
              log.info("sent", { why = why, dropped = other.dropped })
            end
          end
        end
        return M` }, { env: { MOONWIRE_SCRIPT_QUEUED: '1048576' } });
    const peer = new SessionPeer(`ws://127.0.0.1:${server.port}/big`);
    await peer.ready();
    peer.stay();
    await server.log({ msg: 'away' });
    (await server.connect('/big')).send('go');
    const { why, dropped } = await server.log({ msg: 'sent' });
    assert.deepEqual([why, dropped], ['dropped', 1]);
    await peer.back();
    await peer.until(({ heard }) => heard.includes('after'), 'what came after the hole');
    assert.deepEqual(peer.heard.map((one) => one.length ?? one), [300000, { missed: 1 }, 5]);
    await peer.close();
});
