/* What a page sees of the client, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket, World, watched } from './world.mjs';

const open = async (world) => { world.last.accept(); await world.pass(0); };

test('it looks like a WebSocket', async () => {
    const world = new World();
    const { socket } = watched('/chat', { protocols: ['v2', 'v1'] });
    assert.ok(socket instanceof EventTarget);
    assert.deepEqual([Socket.CONNECTING, Socket.OPEN, Socket.CLOSING, Socket.CLOSED], [0, 1, 2, 3]);
    assert.deepEqual([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED], [0, 1, 2, 3]);
    assert.deepEqual([socket.readyState, socket.binaryType, socket.protocol, socket.extensions],
        [0, 'blob', '', '']);
    assert.deepEqual(world.last.protocols, ['v2', 'v1']);
    socket.binaryType = 'arraybuffer';
    world.last.protocol = 'v2';
    world.last.extensions = 'permessage-deflate';
    await open(world);
    assert.equal(world.last.binaryType, 'arraybuffer');
    socket.binaryType = 'blob';
    world.last.say('x');
    assert.equal(world.last.binaryType, 'blob');
    assert.deepEqual([socket.readyState, socket.protocol, socket.extensions],
        [1, 'v2', 'permessage-deflate']);
    socket.close(1000, 'done');
    assert.deepEqual([socket.readyState, world.last.closedWith], [2, [1000, 'done']]);
    await world.last.end(1000, 'done');
    assert.equal(socket.readyState, 3);
});

test('what comes second may be the subprotocols', () => {
    const world = new World();
    watched('/', {}).socket.close();
    for (const protocols of ['v1', ['v1', 'v2']]) {
        new Socket('/', protocols).close();
        assert.deepEqual(world.last.protocols, protocols);
    }
});

test('handlers and listeners, and one that throws does no harm', async (t) => {
    const world = new World();
    const { socket, messages } = watched();
    const said = [];
    const thrown = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error.message));
    t.after(() => {
        process.removeAllListeners('uncaughtException');
        for (const other of others) process.on('uncaughtException', other);
    });
    socket.onopen = function ({ target }) {
        said.push(this === socket, target === socket);
        throw new Error('oops');
    };
    socket.onmessage = ({ data }) => said.push(data);
    socket.onclose = ({ code }) => said.push(code);
    socket.send('kept');
    await open(world);
    assert.deepEqual(world.last.sent, ['kept']);
    world.last.say('a');
    await world.last.end(1006);
    assert.deepEqual(said, [true, true, 'a', 1006]);
    assert.deepEqual(messages, ['a']);
    await world.pass(0);
    assert.deepEqual(thrown, ['oops']);
    socket.close();
});

for (const [url, wanted] of [
    ['/chat', 'ws://page.test/chat'],
    ['chat?a=1', 'ws://page.test/dir/chat?a=1'],
    ['https://other.test:81/x', 'wss://other.test:81/x'],
    ['wss://other.test/x?b=%20~', 'wss://other.test/x?b=%20~'],
    [new URL('http://u.test/y'), 'ws://u.test/y'],
]) {
    test(`${url} is ${wanted}, and a mark goes with it`, () => {
        const world = new World();
        const { socket } = watched(url);
        assert.equal(socket.url, wanted);
        assert.equal(world.last.url, `${wanted}${wanted.includes('?') ? '&' : '?'}moonwire=${world.last.mark}`);
        assert.match(world.last.mark, /^[A-Za-z0-9_-]{16,32}$/);
        socket.close();
    });
}

test('a mark is new for each attempt, and none where it is not wanted', async () => {
    const world = new World();
    const { socket } = watched();
    await world.last.end();
    await world.pass(250);
    const [one, two] = world.sockets.map(({ mark }) => mark);
    assert.notEqual(one, two);
    socket.close();
    watched('/', { sideband: false }).socket.close();
    assert.equal(world.last.mark, null);
});

test('a mark that the page has put there itself is not doubled, and its own to speak by', () => {
    const world = new World();
    const { socket, messages } = watched('/?moonwire=1');
    assert.equal(world.last.url, 'ws://page.test/?moonwire=1');
    world.last.accept();
    world.last.say('1{}');
    world.last.say('100');
    assert.deepEqual(messages, ['1{}', '100']);
    socket.close();
});

test('an address that is none throws at once', () => {
    new World();
    assert.throws(() => new Socket('http://'), TypeError);
});

test('the address may be a function, asked for each attempt', async () => {
    const world = new World();
    let n = 0;
    const { socket, closes } = watched(async () => {
        if (++n == 2) throw new Error('no token');
        return `/t${n}`;
    });
    await world.pass(0);
    assert.equal(socket.url, 'ws://page.test/t1');
    await world.last.end();
    await world.pass(250);
    assert.deepEqual([closes.at(-1).code, closes.at(-1).explain], [1006, 'Error: no token']);
    await world.pass(250);
    assert.equal(socket.url, 'ws://page.test/t3');
    socket.close();
});

test('closed while it asks for its address: stays closed', async () => {
    const world = new World();
    let give;
    const { socket, closes } = watched(() => new Promise((resolve) => { give = resolve; }));
    socket.close();
    give('/late');
    await world.pass(1e6);
    assert.deepEqual([world.sockets.length, socket.state, closes.length], [0, 'closed', 1]);
});

test('a connection that does not come is given up', async () => {
    const world = new World();
    const { socket, closes, messages } = watched('/', { connectTimeout: 3000 });
    await world.pass(2999);
    assert.equal(closes.length, 0);
    await world.pass(1);
    assert.deepEqual([closes[0].code, closes[0].opened, closes[0].explain], [1006, false, 'No answer']);
    assert.equal(world.last.readyState, 2, 'and ended');
    await world.pass(250);
    assert.equal(world.sockets.length, 2);
    world.sockets[0].accept();
    world.sockets[0].say('of yesterday');
    assert.deepEqual([socket.state, messages], ['connecting', []]);
    socket.close();
});

test('states, and when it comes back', async () => {
    const world = new World();
    const { socket, states } = watched();
    assert.equal(socket.state, 'connecting');
    await open(world);
    await world.pass(60e3);
    await world.last.end(1001, 'bye;retry=2000-2400');
    await world.pass(2000);
    await open(world);
    socket.close();
    await world.last.end(1005);
    assert.deepEqual(states, [['open', null], ['waiting', 2000], ['connecting', null],
        ['open', null], ['closed', null]]);
});

test('a close says all that is known', async () => {
    const world = new World();
    const { socket, closes } = watched();
    await open(world);
    world.last.hello('100000007');
    await world.pass(1000);
    world.last.say('x');
    await world.pass(3000);
    await world.last.end(1012, 'new version;retry=2000-2400');
    const { code, reason, wasClean, explain, advice, retryIn, resume, opened, lasted, silent, id } = closes[0];
    assert.deepEqual({ code, reason, wasClean, explain, advice, retryIn, resume, opened, lasted, silent, id }, {
        code: 1012, reason: 'new version', wasClean: true,
        explain: 'Service Restart', advice: { retry: [2000, 2400], resume: true },
        retryIn: 2000, resume: true, opened: true, lasted: 4000, silent: 3000, id: '100000007',
    });
    assert.ok(closes[0] instanceof Event);
    socket.close();
});

test('its own close stays closed, wherever it is', async () => {
    const world = new World();
    for (const prepare of [
        async () => {}, /* connecting */
        async () => open(world),
        async () => world.last.end(), /* waiting */
        async () => { world.network(false); await world.last.end(); }, /* offline */
    ]) {
        const { socket, closes, states } = watched();
        await prepare();
        const { length } = closes;
        socket.close();
        if (world.last.readyState == 2) await world.last.end(1005);
        await world.pass(1e6);
        assert.equal(socket.state, 'closed');
        assert.equal(closes.length, Math.max(1, length));
        const { length: turns } = states;
        socket.close();
        assert.equal(states.length, turns, 'once is enough');
        assert.equal(world.timers, 0);
        world.network(true);
    }
    assert.equal(world.sockets.length, 4);
});

test('a close code that pages may not send throws and changes nothing', async () => {
    const world = new World();
    const { socket } = watched();
    await open(world);
    assert.throws(() => socket.close(1001));
    await world.last.end(1006);
    assert.equal(socket.state, 'waiting');
    socket.close();
});

test('open() in a handler of `closed`: followed by nothing of the end before', async () => {
    const world = new World();
    const { socket, states, drops } = watched('/', { random: () => 1 });
    socket.send('of before');
    socket.onstate = ({ state }) => {
        if (state != 'closed') return;
        socket.onstate = null;
        socket.open();
        socket.send('of now');
    };
    await world.last.end(1008);
    assert.deepEqual([world.sockets.length, socket.state, drops], [2, 'connecting', ['of before']]);
    await open(world);
    assert.deepEqual(world.last.sent, ['of now']);
    await world.last.end(1005);
    await world.network(false);
    assert.deepEqual(states.at(-1)[0], 'offline', 'it still hears of the network');
    socket.close();
});

test('closed in a handler of `connecting`: nothing is left behind', async () => {
    const world = new World();
    const { socket } = watched();
    await world.last.end();
    socket.onstate = ({ state }) => state == 'connecting' && socket.close();
    await world.pass(250);
    assert.deepEqual([socket.state, world.sockets.length, world.timers], ['closed', 1, 0]);
});

test('open() begins anew after it was closed, and does not wait', async () => {
    const world = new World();
    const { socket, states } = watched();
    await world.last.end(1008);
    assert.equal(socket.state, 'closed');
    socket.open();
    socket.open();
    assert.equal(world.sockets.length, 2);
    await open(world);
    await world.last.end(1013);
    assert.equal(socket.state, 'waiting');
    socket.open();
    assert.equal(world.sockets.length, 3);
    assert.equal(states.at(-1)[0], 'connecting');
    await world.pass(7000);
    assert.equal(world.sockets.length, 3, 'the wait is over');
    socket.close();
});

test('without reconnect it ends once', async () => {
    const world = new World();
    const { socket, closes } = watched('/', { reconnect: false });
    await world.last.end();
    assert.deepEqual([socket.state, closes[0].retryIn, world.timers], ['closed', null, 0]);
});

test('floor, cap and minUptime', async () => {
    const world = new World();
    const { socket, closes } = watched('/', { floor: 400, cap: 3000, minUptime: 100, random: () => 1 });
    for (const wanted of [1000, 2000, 3000, 3000]) {
        await world.last.end();
        assert.equal(closes.at(-1).retryIn, wanted);
        await world.pass(wanted);
    }
    await open(world);
    await world.pass(100);
    await world.last.end(1001, ';retry=0');
    assert.equal(closes.at(-1).retryIn, 400);
    socket.close();
});

/* ---- messages ---- */

test('messages wait for the connection, in order, so many of them', async () => {
    const world = new World();
    const { socket, drops } = watched('/', { queue: 2 });
    socket.onopen = () => socket.send('first');
    for (const text of ['a', 'é', 'c']) socket.send(text);
    assert.deepEqual([drops, socket.bufferedAmount], [['c'], 3]);
    world.last.bufferedAmount = 10;
    assert.equal(socket.bufferedAmount, 13);
    await open(world);
    assert.deepEqual(world.last.sent, ['first', 'a', 'é']);
    await world.last.end();
    socket.send('later');
    await world.pass(250);
    socket.onopen = null;
    await open(world);
    assert.deepEqual(world.last.sent, ['later']);
    socket.close();
});

test('what nobody will take is dropped, not lost in silence', async () => {
    const world = new World();
    const { socket, drops } = watched();
    socket.send('a');
    await world.last.end(1008);
    socket.send('b');
    assert.deepEqual(drops, ['a', 'b']);
    socket.open();
    await open(world);
    socket.close();
    socket.send('c');
    assert.deepEqual(drops, ['a', 'b', 'c']);
});

test('what is said while the server closes waits for the next connection', async () => {
    const world = new World();
    const { socket, drops } = watched();
    await open(world);
    world.last.readyState = 2;
    socket.send('a');
    await world.last.end(1001);
    await world.pass(1000);
    await open(world);
    assert.deepEqual([world.last.sent, drops], [['a'], []]);
    socket.close();
});

test('what waited and a handler of `open` that closes: told', async () => {
    const world = new World();
    const { socket, drops } = watched();
    socket.send('a');
    socket.onopen = () => socket.close();
    await open(world);
    assert.deepEqual([world.last.sent, drops], [[], ['a']]);
    await world.last.end(1005);
});

test('json', async () => {
    const world = new World();
    const { socket, messages } = watched('/', { json: true });
    await open(world);
    world.last.hello();
    socket.send({ type: 'say', text: 'hi' });
    assert.deepEqual(world.last.sent, ['{"type":"say","text":"hi"}']);
    world.last.say('{"n":1}');
    world.last.say('no JSON');
    const bytes = new ArrayBuffer(3);
    world.last.say(bytes);
    assert.deepEqual(messages, [{ n: 1 }, 'no JSON', bytes]);
    socket.close();
});

/* ---- the sideband ---- */

test('asides of the server never reach the page', async () => {
    const world = new World();
    const { socket, messages } = watched();
    await open(world);
    world.last.hello();
    for (const aside of ['!', '~later', '']) world.last.say(world.last.mark + aside);
    world.last.say('!');
    world.last.say(new ArrayBuffer(1));
    assert.deepEqual(messages, ['!', new ArrayBuffer(1)]);
    socket.close();
});

test('odd greetings: no error, no second watch, no rush', async () => {
    const world = new World();
    const { socket, messages, closes } = watched();
    await open(world);
    const { last } = world;
    for (const odd of ['{garbage', 'null', '5', '[]', '{}', '"x"']) last.say(last.mark + odd);
    assert.deepEqual([socket.id, messages, world.timers], [null, [], 0]);
    for (const [ping, pong] of [['x', 20], [25, 0], [25, null], [-1, 5], [{}, []]]) {
        last.hello('7', ping, pong);
        assert.deepEqual([socket.id, world.timers], ['7', 0], `${ping} ${pong}`);
    }
    last.hello();
    last.hello();
    assert.equal(world.timers, 1);
    await last.end(1005);
    assert.deepEqual([closes.length, world.timers], [1, 1], 'that of the return');
    socket.close();
});

test('a server that does not greet is never asked', async () => {
    const world = new World();
    const { socket } = watched();
    await open(world);
    await world.pass(1e7);
    assert.deepEqual([world.last.sent, socket.id, socket.state], [[], null, 'open']);
    socket.close();
});

test('nor is one whose pings are off', async () => {
    const world = new World();
    const { socket } = watched();
    await open(world);
    world.last.hello('5', 0, 0);
    await world.pass(1e7);
    assert.deepEqual([world.last.sent, socket.id], [[], '5']);
    socket.close();
});

test('a silent server is asked, and one that does not answer is left', async () => {
    const world = new World();
    const { socket, closes } = watched();
    await open(world);
    const { last } = world;
    last.hello();
    const probe = last.mark + '?';
    await world.pass(24e3);
    last.say('a message');
    await world.pass(24_999);
    assert.deepEqual(last.sent, []);
    await world.pass(1);
    assert.deepEqual(last.sent, [probe]);
    await world.pass(100);
    last.say(last.mark + '!');
    await world.pass(25e3);
    assert.deepEqual(last.sent, [probe, probe]);
    await world.pass(19_999);
    assert.equal(closes.length, 0);
    await world.pass(1);
    assert.deepEqual([closes[0].code, closes[0].wasClean, closes[0].explain, closes[0].silent],
        [4000, false, 'Was silent for 45 s', 45e3]);
    assert.equal(last.readyState, 2);
    assert.equal(closes[0].retryIn, 1000);
    await world.pass(1000);
    assert.equal(world.sockets.length, 2);
    socket.close();
});

test('a machine that slept asks before it judges', async () => {
    const world = new World();
    const { socket, closes } = watched();
    await open(world);
    const { last } = world;
    last.hello();
    world.sleep(3600e3);
    await world.pass(0);
    assert.deepEqual([last.sent.length, closes.length], [1, 0], 'asleep before the question');
    world.sleep(3600e3);
    await world.pass(0);
    assert.deepEqual([last.sent.length, closes.length], [2, 0], 'and between it and the answer');
    last.say(last.mark + '!');
    await world.pass(24e3);
    assert.equal(closes.length, 0);
    socket.close();
});

/* ---- refusals ---- */

test('why it was refused, asked by the mark of the attempt', async () => {
    const world = new World();
    const { socket, closes } = watched('wss://far.test/deep/path');
    world.answer = { status: 403, error: 'refused', cause: 'script_close', retry: false, text: 'not you' };
    const { mark } = world.last;
    await world.last.end();
    assert.deepEqual(world.asked, [`https://far.test/_moonwire/why/${mark}`]);
    assert.deepEqual([closes[0].refused, closes[0].explain, closes[0].retryIn, socket.state],
        [world.answer, 'not you', null, 'closed']);
});

test('of a series one attempt in eight is asked about, and the answer holds for the others', async () => {
    const world = new World();
    const { socket, closes } = watched('/', { random: () => 0 });
    world.answer = { status: 503, error: 'x', cause: 'x', retry: { after: 40, spread: 5 }, text: 'full' };
    for (let n = 0; n < 17; n++) {
        await world.last.end();
        assert.equal(closes.at(-1).retryIn, 40e3);
        await world.pass(40e3);
    }
    assert.equal(world.asked.length, 3);
    await open(world);
    await world.last.end();
    assert.equal(closes.at(-1).advice, null, 'what was told is over');
    assert.equal(world.asked.length, 3, 'it was no refusal');
    socket.close();
});

for (const answer of [
    {}, [], 'ok', 7, null, { error: 'not found' }, { retry: false }, { error: 'x', retry: true },
    { error: 'x', retry: null }, { error: 'x', retry: {} }, { error: 'x', retry: 'no' },
    { error: 'x', retry: { after: 'soon', spread: 1 } }, { error: 'x', retry: { after: 1 } },
    { error: 'x', retry: { after: 3e6, spread: 0 } }, { error: 'x', retry: { after: 1, spread: 3e6 } },
    { error: 'x', retry: { after: -5, spread: 10 } }, { error: 'x', retry: { after: 5, spread: -1 } },
]) {
    test(`no storm, and no staying away for ever, after ${JSON.stringify(answer)} for a reason`, async () => {
        const world = new World();
        const { socket, closes, states } = watched();
        const ok = async () => ({ ok: true, json: async () => answer });
        globalThis.fetch = ok;
        await world.last.end();
        assert.deepEqual([closes[0].refused, closes[0].advice, closes[0].retryIn, states.at(-1)],
            [undefined, null, 250, ['waiting', 250]]);
        await world.pass(249);
        assert.equal(world.sockets.length, 1);
        await world.pass(1);
        assert.equal(world.sockets.length, 2);
        socket.close();
    });
}

test('given up for lack of an answer: asks nothing afterwards', async () => {
    const world = new World();
    const { socket } = watched('/', { connectTimeout: 3000 });
    await world.pass(3000);
    await world.last.end();
    assert.deepEqual(world.asked, []);
    await world.pass(250);
    await world.last.end();
    assert.equal(world.asked.length, 1, 'the first that ended by itself');
    socket.close();
});

test('its own close while it connects does not wait for a question', async () => {
    const world = new World();
    const { socket, closes } = watched();
    world.answer = 'never';
    socket.close();
    await world.last.end();
    assert.deepEqual([world.asked, closes.length, socket.state, world.timers], [[], 1, 'closed', 0]);
});

test('no answer is no news', async () => {
    const world = new World();
    const { socket, closes } = watched();
    world.answer = new Error('network');
    await world.last.end();
    assert.deepEqual([closes[0].refused, closes[0].retryIn], [undefined, 250]);
    await world.pass(250);
    socket.close();
    const mute = watched();
    world.answer = { then() {} }; /* never */
    globalThis.fetch = () => new Promise(() => {});
    await world.last.end();
    assert.equal(mute.closes.length, 0);
    await world.pass(8000);
    assert.equal(mute.closes.length, 1, 'the time of the attempt holds for the question too');
    mute.socket.close();
});

test('closed while it asks why', async () => {
    const world = new World();
    const { socket, closes } = watched();
    globalThis.fetch = () => new Promise(() => {});
    await world.last.end();
    socket.close();
    assert.deepEqual([socket.state, closes.length, closes[0].retryIn], ['closed', 1, null]);
});

/* ---- the console ---- */

for (const [name, play, wanted] of [
    ['an idle limit', async (ws, world) => {
        ws.accept();
        ws.hello('100000003', 0, 0);
        await world.pass(60e3);
        await ws.end();
    }, /^\[moonwire\] closed 1006 .*, silent for 60 s \(idle limit of a proxy\?\), back in 250 ms · moonwire why 100000003$/],
    ['a foreign server', async (ws) => { ws.accept(); await ws.end(1011, 'sorry'); },
        /^\[moonwire\] closed 1011 sorry \(Internal Error\), silent for 0 s, back in 1000 ms · moonwire explain 1011$/],
    ['one that stays', async (ws) => ws.end(1008, 'rules'), /stays · moonwire explain 1008$/],
]) {
    test(`the line about ${name}`, async () => {
        const world = new World();
        const { socket } = watched('/', { dev: true });
        await play(world.last, world);
        assert.equal(world.lines.length, 1);
        assert.match(world.lines[0], wanted);
        socket.close();
    });
}

test('silent in production', async () => {
    const world = new World();
    const { socket } = watched('/', { dev: false });
    await world.last.end();
    assert.deepEqual(world.lines, []);
    socket.close();
});
