/*
 * The sideband as a client speaks it (docs/running.md, "The client's sideband"), by npm ws: the
 * hello, probes, what scripts see of it, who floods, and the question after a refusal.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { administer, refused, root, start } from './harness.mjs';
import { CLOSE, TEXT, closeBody, frame, upgraded } from './wire.mjs';

const server = await start({ after }, {
    'scripts/talk.lua': `
        local M = { limits = { ping = 3, pong = 7 } }
        function M.on_open(conn, req)
          if req.query.no then return false, 403, "not you" end
          if req.query.slow then sleep(0.05) end
          conn.data.seen = { query = req.query, all = req.query_all, target = req.target }
          conn:send("first of the script")
        end
        function M.on_message(conn, data)
          if data == "seen" then return conn:send(json.encode(conn.data.seen)) end
          if data == "nap" then sleep(5) end
          conn:send("echo " .. data)
        end
        return M`,
    'scripts/rated.lua': `
        local M = { limits = { rate = 1, burst = 3 } }
        function M.on_message(conn, data) conn:send("echo " .. data) end
        return M`,
    'scripts/deaf.lua': `
        local M = { limits = { ping = 1, pong = 1 } }
        function M.on_message(conn, data) sleep(30) end
        return M`,
});

const newMark = () => randomBytes(16).toString('base64url'); /* 22 characters */

const withMark = (path, mark) => `${path}${path.includes('?') ? '&' : '?'}moonwire=${mark}`;

async function open(path, { mark = newMark(), ...options } = {}) {
    const peer = await server.connect(withMark(path, mark), options);
    const text = await peer.next();
    assert.ok(text.startsWith(`${mark}{`), text);
    return { peer, mark, hello: JSON.parse(text.slice(mark.length)) };
}

async function facts(id) {
    const { code, out, err } = await administer(server, 'why', id, '--json');
    assert.equal(code, 0, err);
    return JSON.parse(out).conns[0];
}

async function why(mark, options) {
    const response = await fetch(`http://127.0.0.1:${server.port}/_moonwire/why/${mark}`, options);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
}

test('the hello comes first, with id and times', async () => {
    for (const path of ['/talk', '/talk?slow=1']) {
        const { peer, hello } = await open(path);
        assert.deepEqual({ ...hello, id: '' }, { v: 1, id: '', ping: 3, pong: 7 });
        assert.equal(await peer.next(), 'first of the script');
        assert.equal((await facts(hello.id)).path, '/talk');
        await peer.close(1000);
    }
});

test('an ordinary client hears nothing of it', async () => {
    for (const path of ['/talk', '/talk?moonwire', '/talk?moonwire=short',
        `/talk?moonwire=${'x'.repeat(33)}`, `/talk?moonwire=${newMark().slice(1)}%41`]) {
        const peer = await server.connect(path);
        assert.equal(await peer.next(), 'first of the script', path);
        assert.equal(await peer.ask('?'), 'echo ?');
        await peer.close(1000);
    }
});

test('the script sees the parameter in the target alone', async () => {
    const { peer, mark } = await open('/talk?room=1&x=a');
    await peer.next();
    peer.send('seen');
    assert.deepEqual(await peer.nextJson(), {
        query: { room: '1', x: 'a' },
        all: { room: ['1'], x: ['a'] },
        target: `/talk?room=1&x=a&moonwire=${mark}`,
    });
    await peer.close(1000);
});

test('a probe is answered, however it comes, and counts nowhere', async () => {
    for (const options of [{ perMessageDeflate: false },
        { perMessageDeflate: { threshold: 0 } }]) {
        const { peer, mark, hello } = await open('/talk', options);
        await peer.next();
        const { _socket: socket } = peer.socket;
        socket.cork(); /* the second one comes within a second, and within a read */
        peer.send(`${mark}?`);
        peer.send(`${mark}{"later":1}`);
        peer.send(`${mark}?`);
        peer.send('one');
        socket.uncork();
        assert.deepEqual([await peer.next(), await peer.next()], [`${mark}!`, 'echo one']);
        const { sent, received, flight } = await facts(hello.id);
        assert.deepEqual({ sent, received }, { sent: 2, received: 1 });
        assert.ok(flight.some(({ what }) => what === 'aside'), JSON.stringify(flight));
        const { out } = await administer(server, 'why', hello.id);
        assert.match(out, /a text of the client's sideband/);
        await peer.close(1000);
    }
});

test('a probe in fragments is one', async () => {
    const mark = newMark();
    const wire = await upgraded(server, withMark('/talk', mark));
    await wire.frame();
    await wire.frame();
    const halves = [mark.slice(0, 9), `${mark.slice(9)}?`];
    wire.send(frame(TEXT, halves[0], { fin: false }));
    wire.send(frame(0, halves[1]));
    assert.equal((await wire.frame()).payload.toString(), `${mark}!`);
    wire.send(frame(CLOSE, closeBody(1000)));
    await wire.ends();
    wire.drop();
});

test('a probe is answered while a handler waits', async () => {
    const { peer, mark } = await open('/talk');
    await peer.next();
    peer.send('nap');
    assert.equal(await peer.ask(`${mark}?`), `${mark}!`);
    peer.socket.terminate();
});

test('a mark of another connection is a message like any other', async () => {
    const { peer } = await open('/talk');
    await peer.next();
    const other = newMark();
    assert.equal(await peer.ask(`${other}?`), `echo ${other}?`);
    await peer.close(1000);
});

test('a flood of probes gets few answers, takes no rate and leaves others in peace', async () => {
    const other = await server.connect('/rated');
    const { peer, mark } = await open('/rated', { perMessageDeflate: false });
    for (let i = 0; i < 20_000; i++) peer.send(`${mark}?`);
    assert.equal(await other.ask('hi'), 'echo hi');
    peer.send('done');
    let answers = 0;
    for (let text; (text = await peer.next()) !== 'echo done'; answers++)
        assert.equal(text, `${mark}!`);
    assert.ok(answers < 1000, /* one a second */ `${answers} answers`);
    await peer.close(1000);
    await other.close(1000);
});

test('what begins with a mark and is no aside takes of the rate: it may be large, and inflate', async () => {
    const { peer, mark } = await open('/rated', { perMessageDeflate: { threshold: 0 } });
    for (let i = 0; i < 100; i++) peer.send(`${mark}${'x'.repeat(500_000)}`);
    const { code } = await peer.seen();
    assert.equal(code, 1008);
});

/* Its probes are not read any more: the backlog of the script is full. */
test('who is not read hears of the server all the same', async () => {
    const { peer, mark } = await open('/deaf', { perMessageDeflate: false });
    for (let i = 0; i < 2000; i++) peer.send('x'.repeat(1000));
    for (let i = 0; i < 3; i++) assert.equal(await peer.next(), `${mark}!`);
    peer.socket.terminate();
});

test('why: what the refusal said, for pages of any origin', async () => {
    const refusals = [
        ['/talk?no=1', {}, 403, { error: 'refused', cause: 'script_close', retry: false, text: 'not you' }],
        ['/none', {}, 404, { error: 'no_route', cause: null, retry: false, text: '/none' }],
        ['/talk', { origin: 'https://elsewhere.example' }, 403, { error: 'origin', cause: null, retry: false }],
        ['/talk', { headers: { 'X-Long': 'x'.repeat(17_000) } }, 431, { error: 'head_too_large' }],
    ];
    for (const [path, options, status, told] of refusals) {
        const mark = newMark();
        const answer = await refused(server, withMark(path, mark), options);
        assert.equal(answer.status, status);
        const { status: found, headers, text } = await why(mark, { headers: { Origin: 'https://a.example' } });
        assert.equal(found, 200, text);
        assert.equal(headers.get('access-control-allow-origin'), '*');
        assert.equal(headers.get('cache-control'), 'no-store');
        const said = JSON.parse(text), body = JSON.parse(answer.body);
        assert.deepEqual({ ...said, ...told, status }, said);
        assert.equal(said.text, body.detail);
    }
});

test('why: a mark that nobody knows', async () => {
    const { peer, mark } = await open('/talk');
    for (const asked of [mark, newMark(), 'x', '%00', '..%2f..', 'x'.repeat(2000)]) {
        const { status, text } = await why(asked);
        assert.ok(status === 404 || status === 400, `${asked}: ${status}`);
        assert.ok(['unknown_mark', 'bad_target', 'not_found'].includes(JSON.parse(text).error), text);
    }
    await peer.close(1000);
});

test('the log keeps marks to itself', () => {
    assert.doesNotMatch(JSON.stringify(server.lines), /moonwire=/);
});

test('the client for pages is in the program', async () => {
    const url = `http://127.0.0.1:${server.port}/_moonwire/client.js`;
    const wanted = readFileSync(`${root}/client/dist/moonwire.js`, 'utf8');
    const packed = await fetch(url); /* fetch takes gzip, and unpacks it */
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.equal(await packed.text(), wanted);
    const plain = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await plain.text(), wanted);
    const again = await fetch(url, { headers: { 'If-None-Match': packed.headers.get('etag') } });
    assert.equal(again.status, 304);
});
