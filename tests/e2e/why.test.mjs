/*
 * Each way to end, by a peer that provokes it: `moonwire why` says which it was, from outside, while
 * the server runs; and `moonwire close` ends one.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { administer, start } from './harness.mjs';
import { BINARY, CLOSE, TEXT, closeBody, frame, upgraded } from './wire.mjs';

const server = await start({ after }, {
    'scripts/talk.lua': `
        local M = { route = "/talk/:tag", limits = { queue = 65536 } }
        function M.on_message(conn, data)
          if data == "boom" then error("no such room") end
          if data == "id" then return conn:send(conn.id) end
          if data == "leave" then return conn:close(4001, "kicked") end
          if data == "flood" then
            for _ = 1, 1000 do conn:send(string.rep("x", 60000)) end
            return
          end
          conn:send(data)
        end
        return M`,
    'scripts/fussy.lua': `
        local M = {}
        function M.on_open() error("no table") end
        return M`,
    'scripts/watched.lua': 'return { limits = { ping = 1, pong = 1 } }',
    'scripts/jam.lua': 'return { format = "json", on_message = function() end }',
});

const cli = (verb, ...words) => administer(server, verb, ...words);

/* The same by the socket itself: one request, one answer. */
function ask(request) {
    return new Promise((resolve, reject) => {
        const socket = connect(server.project.path('data/moonwire.sock'));
        let text = '';
        socket.on('data', (bytes) => { text += bytes; });
        socket.on('end', () => resolve(JSON.parse(text)));
        socket.on('error', reject);
        socket.end(`${JSON.stringify(request)}\n`);
    });
}

const closed = (path) => server.log({ msg: 'closed', path });

async function why(path) {
    const { conn } = await closed(path);
    const text = await cli('why', conn), json = await cli('why', conn, '--json');
    assert.equal(text.code, 0, text.err);
    return { conn, text: text.out, facts: JSON.parse(json.out).conns[0] };
}

const say = (text) => (wire) => wire.send(frame(TEXT, text));

const ends = [
    ['fin', (wire) => wire.socket.end(), 'peer_fin', 'network', 1006,
        /no message has come or gone/],
    ['half', (wire) => wire.socket.end(frame(TEXT, 'half', { length: 100 })), 'peer_fin', 'network',
        1006, /in the middle of a frame: 10 of 106 bytes/],
    ['reset', (wire) => wire.reset(), 'peer_reset', 'network', 1006, /The connection was reset/],
    ['rsv', (wire) => wire.send(frame(TEXT, 'x', { rsv: 2 })), 'protocol_error', 'server', 1002,
        /bytes {7}a1/],
    ['left', (wire) => wire.send(frame(CLOSE, closeBody(4007))), 'peer_close', 'client', 4007,
        /The client closed/],
    ['script', say('leave'), 'script_close', 'server', 4001, /out {4}close 4001/],
    ['big', (wire) => wire.send(frame(BINARY, '', { length: 1 << 30 })), 'message_too_big',
        'server', 1009, /limits\.message was 1048576 bytes/],
    ['slow', say('flood'), 'slow_consumer', 'server', 1013, /limits\.queue was 65536 bytes/],
];

for (const [tag, act, cause, who, code, more] of ends) {
    test(`${cause} (${tag}) is told as it was`, async () => {
        const path = `/talk/${tag}`;
        const wire = await upgraded(server, path);
        if (tag === 'slow') wire.socket.pause();
        act(wire);
        const told = await why(path);
        assert.deepEqual([told.facts.cause, told.facts.who, told.facts.code, told.facts.live],
            [cause, who, code, false]);
        assert.match(told.text, new RegExp(`^${code} .*: ${cause}, by the ${who}\n`));
        assert.match(told.text, more);
        assert.match(told.text, /what to do\n/);
        wire.drop();
    });
}

test('a ping timeout, a script that fails in on_open and bad JSON are told', async () => {
    const watched = await upgraded(server, '/watched');
    const fussy = await upgraded(server, '/fussy');
    await fussy.closing();
    const jam = await upgraded(server, '/jam');
    jam.send(frame(TEXT, '{'));
    await jam.closing();
    for (const wire of [fussy, jam]) wire.drop();
    const open = await why('/fussy');
    assert.equal(open.facts.cause, 'script_error');
    assert.match(open.text, /error {7}on_open, fussy\.lua:3: no table/);
    const bad = await why('/jam');
    assert.equal(bad.facts.cause, 'bad_json');
    assert.match(bad.text, /was not called: the message is no JSON/);
    const silent = await why('/watched');
    assert.equal(silent.facts.cause, 'ping_timeout');
    assert.match(silent.text, /It did not answer pings/);
    watched.drop();
});

test('an error before the end, and the last frames, are in the verdict', async () => {
    const wire = await upgraded(server, '/talk/boom');
    wire.send(frame(TEXT, 'hello'));
    await wire.frame();
    wire.send(frame(TEXT, 'boom'));
    await server.log({ msg: 'script error' });
    wire.socket.end();
    const { text, facts } = await why('/talk/boom');
    assert.match(text, /error {7}on_message, talk\.lua:4: no such room/);
    assert.deepEqual(facts.flight.map(({ what, frame, result }) => frame ?? result ?? what),
        ['text', 'text', 'text', 'failed']);
    wire.drop();
});

test('a connection that lives is told of, and closed by an administrator', async () => {
    const peer = await server.connect('/talk/live');
    await peer.ask('hi');
    const list = JSON.parse((await cli('why', '--last', '200', '--json')).out).conns;
    assert.ok(list.every(({ live }) => !live));
    const { code: none } = await cli('why', 'ffffffff');
    assert.equal(none, 1);
    const live = JSON.parse((await cli('why', await peer.ask('id'), '--json')).out).conns[0];
    assert.equal(live.path, '/talk/live');
    assert.equal(live.state, 'open');
    assert.match((await cli('why', live.conn)).out, /^open\n/);
    assert.equal((await cli('close', live.conn, '1006')).code, 2);
    const said = await cli('close', live.conn, '4005', 'be/gone');
    assert.equal(said.code, 0, said.err);
    assert.deepEqual(await peer.seen(), { code: 4005, reason: 'be/gone' });
    const { facts } = await why('/talk/live');
    assert.deepEqual([facts.cause, facts.who, facts.code], ['admin_close', 'server', 4005]);
    const again = await cli('close', live.conn);
    assert.equal(again.code, 1);
});

test('the last ends are a list, and status counts them', async () => {
    const { out } = await cli('why', '--last', '3');
    assert.equal(out.trim().split('\n').length, 3);
    assert.match((await cli('status')).out, /\d+ connections ended in the last hour/);
});

test('ends are counted by script, code and cause', async () => {
    const { ok, closes, since_s: since } = await ask({ cmd: 'closes' });
    assert.ok(ok && since >= 0 && since <= 3600);
    const row = closes.find(({ cause }) => cause === 'peer_fin');
    assert.deepEqual([row.code, row.who, row.script, row.count], [1006, 'network', 'talk.lua', 3]);
    const sorted = closes.map(({ count }) => count).sort((a, b) => b - a);
    assert.deepEqual(closes.map(({ count }) => count), sorted);
});

test('what cannot be asked is refused by the server as well', async () => {
    for (const [request, error] of [
        [{ cmd: 'why' }, /"id" is missing/],
        [{ cmd: 'why', id: 'x' }, /no connection's id/],
        [{ cmd: 'why', last: 201 }, /from 1 to 200/],
        [{ cmd: 'close', id: '1', code: 1006 }, /1006|never|must not/],
        [{ cmd: 'close', id: '1', code: '4000' }, /has to be a close code/],
        [{ cmd: 'close', id: '1', reason: 7 }, /has to be a text/],
    ]) {
        const answer = await ask(request);
        assert.equal(answer.ok, false);
        assert.match(answer.error, error);
    }
});

test('mistakes are told with what to do', async () => {
    for (const [words, code, text] of [
        [['why', 'zz'], 2, /no connection's id.*--last 20/],
        [['why', '--last', '0'], 2, /from 1 to 200/],
        [['why', '1', '--last', '2'], 2, /not both/],
        [['close'], 2, /which connection\?/],
        [['close', '1', 'soon'], 2, /the code has to be a number/],
        [['close', '1', '4001', 'x'.repeat(124)], 1, /room for 123 bytes/],
        [['why', '1'], 1, /there has been no connection 1 .*\n.*--last 20/],
    ]) {
        const said = await cli(...words);
        assert.equal(said.code, code, words.join(' '));
        assert.match(said.err, text);
    }
});

/* `explain` and docs/close-codes.md name a level; the log had info for all that was not ordinary. */
test('an end is logged on the level that explain names, what was chosen on info at most', async () => {
    for (const [tag, act, level] of [
        ['level-breach', (wire) => wire.send(frame(TEXT, 'x', { rsv: 2 })), 'warn'],
        ['level-fin', (wire) => wire.socket.end(), 'info'],
        ['level-1001', (wire) => wire.send(frame(CLOSE, closeBody(1001))), 'debug'],
        ['level-1011', (wire) => wire.send(frame(CLOSE, closeBody(1011))), 'info'],
    ]) {
        const wire = await upgraded(server, `/talk/${tag}`);
        act(wire);
        const end = await closed(`/talk/${tag}`);
        assert.equal(end.level, level, tag);
        const { out } = await cli('explain', String(end.code), '--json');
        if (tag !== 'level-1011') assert.equal(JSON.parse(out).log_level, level);
        wire.drop();
    }
});

test('what a client says cannot write lines of its own into a verdict', async () => {
    const path = '/talk/a%0a%20%20what%20to%20do%0a', wire = await upgraded(server, path);
    wire.send(frame(CLOSE, closeBody(4000, 'bye\n  what to do\n    - rm -rf /\u202e')));
    const { text } = await why(decodeURIComponent(path));
    assert.equal(text.match(/^ {2}what to do$/gm).length, 1);
    assert.match(text, /reason {6}bye\\x0a {2}what to do\\x0a {4}- rm -rf \/\\xe2\\x80\\xae\n/);
    assert.match((await cli('why', '--last', '1')).out, /^[^\n]*\n$/);
    wire.drop();
});

test('an id of before a restart is not taken for a connection of after it', async (t) => {
    const scripts = { 'scripts/id.lua': `
        return { on_message = function(conn) conn:send(conn.id) end }` };
    const ids = [];
    for (const each of [await start(t, scripts), await start(t, scripts)]) {
        const peer = await each.connect('/id');
        ids.push(await peer.ask('which?'));
        await peer.close(1000);
        await each.log({ msg: 'closed', conn: ids.at(-1) });
        const told = await administer(each, 'why', ids[0]);
        if (ids.length === 1) assert.equal(told.code, 0, told.err);
        else assert.match(told.err, /there has been no connection [0-9a-f]+ since this server started/);
    }
    assert.notEqual(ids[0], ids[1]);
});
