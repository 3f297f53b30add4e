/* `resume: true` as a page sees it, word by word of the wire contract, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, watched } from './world.mjs';

const token = (n) => String(n).padStart(32, 'T');
const session = (n, more) => ({ token: token(n), for: 30, got: 0, ...more });

/* A socket with `resume`, and all that it tells in one list. */
async function begin(url = '/chat', options = {}) {
    const world = new World();
    const seen = watched(url, { resume: true, ...options });
    const told = seen.told = [];
    const { socket } = seen;
    socket.addEventListener('open', ({ resumed, missed }) => told.push(['open', resumed, missed]));
    socket.addEventListener('gap', ({ missed }) => told.push(['gap', missed]));
    socket.addEventListener('message', ({ data }) => told.push(data));
    socket.addEventListener('drop', ({ data, reason }) => told.push(['drop', data, reason]));
    socket.addEventListener('close', ({ code }) => told.push(['close', code]));
    await world.pass(0);
    return { world, ...seen };
}

/* The same, with a session. */
async function open(...args) {
    const all = await begin(...args);
    all.world.last.accept();
    all.world.last.hello('1', 25, 20, session(1));
    all.told.length = 0;
    return all;
}

/* Cut off, and at the door again. */
async function comeBack(world, ms = 250) {
    await world.last.end(1006);
    await world.pass(ms);
    world.last.accept();
}

test('it asks for a session behind its mark, and needs not wait for the first', async () => {
    const { world, socket, told } = await begin();
    assert.match(world.last.url, /^ws:\/\/page\.test\/chat\?moonwire=\d{16,32}\.$/);
    assert.equal(socket.url, 'ws://page.test/chat');
    socket.send('a');
    world.last.accept();
    assert.deepEqual([socket.state, socket.resumed, told], ['open', false, [['open', false, 0]]]);
    socket.send('b');
    assert.deepEqual(world.last.sent, ['a', 'b']);
    world.last.hello('1', 25, 20, session(1));
    assert.deepEqual([socket.id, world.last.sent], ['1', ['a', 'b']]);
    socket.close();
});

test('cut off: it comes back by token and count, waits for the hello, sends the rest first', async () => {
    const { world, socket, told } = await open();
    for (const text of ['x', 'y']) world.last.say(text);
    for (const text of ['a', 'b', 'c']) socket.send(text);
    world.last.say(world.last.mark + '+1');
    await world.last.end(1006);
    socket.send('new');
    assert.equal(socket.bufferedAmount, 5, 'b, c and new');
    await world.pass(250);
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.2`);
    assert.equal(socket.url, 'ws://page.test/chat');
    world.last.accept();
    assert.deepEqual([socket.state, socket.readyState, world.last.sent], ['connecting', 0, []]);
    socket.onopen = () => socket.send('first of all new');
    world.last.hello('2', 25, 20, session(2, { got: 2, back: true, missed: 0 }));
    world.last.say('z');
    assert.deepEqual(world.last.sent, ['c', 'first of all new', 'new']);
    assert.deepEqual([socket.id, socket.resumed, socket.readyState], ['2', true, 1]);
    assert.deepEqual(told, ['x', 'y', ['close', 1006], ['open', true, 0], 'z']);
    socket.close();
});

test('the token of the last hello that came, the count of all that came', async () => {
    const { world, socket } = await open();
    world.last.say('x');
    await comeBack(world);
    await comeBack(world); /* a hello was lost on the way */
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.1`);
    world.last.hello('1', 25, 20, session(3, { back: true, missed: 0 }));
    world.last.say(new ArrayBuffer(3));
    await comeBack(world);
    assert.equal(world.last.asked, `${world.last.mark}.${token(3)}.2`);
    socket.close();
});

test('what is missing is told where it is missing, and counts', async () => {
    const { world, socket, told } = await open();
    world.last.say('1');
    world.last.say(world.last.mark + '-3');
    world.last.say('5');
    await comeBack(world);
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.5`);
    socket.ongap = ({ missed }) => told.push(`ongap ${missed}`);
    world.last.hello('1', 25, 20, session(2, { back: true, missed: 4 }));
    world.last.say('10');
    assert.deepEqual(told, ['1', ['gap', 3], '5', ['close', 1006], ['open', true, 4], 'ongap 4', ['gap', 4], '10']);
    await comeBack(world, 500);
    assert.equal(world.last.asked, `${world.last.mark}.${token(2)}.10`);
    socket.close();
});

test('gaps are told to pages without `resume` too', async () => {
    const world = new World();
    const { socket, messages } = watched();
    const gaps = [];
    socket.ongap = ({ missed }) => gaps.push(missed);
    world.last.accept();
    world.last.hello();
    for (const aside of ['-2', '-1', '-0', '-x', '-']) world.last.say(world.last.mark + aside);
    world.last.say('-7');
    assert.deepEqual([gaps, messages], [[2, 1], ['-7']]);
    socket.close();
});

test('a session that is lost: what was on its way is dropped, never sent twice', async () => {
    const { world, socket, told } = await open();
    world.last.say('x');
    for (const text of ['a', 'b']) socket.send(text);
    world.last.say(world.last.mark + '+1');
    await world.last.end(1006);
    socket.send('waits');
    await world.pass(250);
    world.last.accept();
    world.last.hello('7', 25, 20, session(7));
    assert.deepEqual(told, ['x', ['close', 1006], ['drop', 'b', 'session lost'], ['open', false, 0]]);
    assert.deepEqual([world.last.sent, socket.resumed, socket.id], [['waits'], false, '7']);
    world.last.say('y');
    await comeBack(world);
    assert.equal(world.last.asked, `${world.last.mark}.${token(7)}.1`);
    socket.close();
});

for (const [what, code, reason] of [
    ['a drain', 1001, 'bye;retry=0'], ['an error', 1011, ''], ['no status', 1005, ''], ['a script', 4001, ''],
]) {
    test(`a Close frame ends the session: ${what}`, async () => {
        const { world, socket, told } = await open();
        socket.send('a');
        await world.last.end(code, reason);
        assert.deepEqual(told, [['drop', 'a', 'session lost'], ['close', code]]);
        await world.pass(5000);
        assert.equal(world.last.asked, `${world.last.mark}.`);
        socket.close();
    });
}

test('what the drop handler sends again goes to the next connection', async () => {
    const { world, socket } = await open();
    socket.ondrop = ({ data }) => socket.send(data + ' again');
    socket.send('a');
    await world.last.end(1011);
    await world.pass(1000);
    world.last.accept();
    assert.deepEqual(world.last.sent, ['a again']);
    socket.ondrop = null;
    socket.close();
});

test('the page closes, the server answers: all has arrived, nothing is dropped', async () => {
    for (const [args, code] of [[[], 1005], [[4000, 'bye'], 4000]]) {
        const { world, socket, told } = await open();
        socket.send('a');
        socket.close(...args);
        await world.last.end(code);
        assert.deepEqual(told, [['close', code]]);
        socket.open();
        await world.pass(0);
        assert.equal(world.last.asked, `${world.last.mark}.`);
        socket.close();
    }
});

test('the page closes, and the server was closing, or the line dies: what is not acknowledged is told', async () => {
    for (const code of [1001, 1006]) {
        const { world, socket, told } = await open();
        socket.send('a');
        socket.close();
        await world.last.end(code);
        assert.deepEqual(told.sort(), [['close', code], ['drop', 'a', 'session lost']]);
    }
});

test('the page closes while it waits for the return: over', async () => {
    for (const prepare of [async () => {}, comeBack]) {
        const { world, socket, told } = await open();
        socket.send('a');
        await world.last.end(1006);
        await prepare(world, 1000);
        const isOpen = world.last.readyState == 1;
        socket.close();
        if (isOpen) {
            world.last.hello('1', 25, 20, session(2, { back: true, missed: 0 }));
            assert.deepEqual([world.last.readyState, world.last.sent], [2, []]);
            await world.last.end(1005);
        }
        assert.ok(told.some(([type, data]) => type == 'drop' && data == 'a'));
        assert.equal(socket.state, 'closed');
        assert.equal(told.filter(([type]) => type == 'open').length, 0);
        socket.open();
        await world.pass(0);
        assert.equal(world.last.asked, `${world.last.mark}.`);
        assert.equal(socket.bufferedAmount, 0);
        socket.close();
    }
});

test('open() in a handler of `closed` begins another session', async () => {
    const { world, socket, told } = await open('/', { reconnect: false });
    socket.onstate = ({ state }) => {
        if (state != 'closed') return;
        socket.onstate = null;
        socket.open();
        socket.send('of now');
    };
    socket.send('of before');
    await world.last.end(1006);
    await world.pass(0);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    world.last.accept();
    assert.deepEqual(world.last.sent, ['of now']);
    assert.deepEqual(told.filter(([type]) => type == 'drop'), [['drop', 'of before', 'session lost']]);
    socket.close();
});

test('many on their way: the server is asked, once in its time, until it has them', async () => {
    const { world, socket } = await open();
    const { last } = world;
    const asked = () => last.sent.filter((text) => text == last.mark + '?').length;
    for (let n = 0; n < 64; n++) socket.send('m');
    assert.equal(asked(), 0);
    for (let n = 0; n < 100; n++) socket.send('m');
    assert.equal(asked(), 1);
    await world.pass(1200);
    assert.equal(asked(), 2, 'it may have dropped the question');
    last.say(last.mark + '+100');
    await world.pass(20e3);
    assert.equal(asked(), 2, '64 are left');
    last.say(last.mark + '+99');
    last.say(last.mark + '+165');
    last.say(last.mark + '+164');
    socket.send('x'.repeat(40e3));
    assert.equal(asked(), 3, 'much in bytes');
    await last.end(1006);
    assert.deepEqual([socket.bufferedAmount, world.timers], [40e3, 1]);
    socket.close();
});

test('asked how many it has, it tells, gaps included', async () => {
    const { world, socket } = await open();
    for (const text of ['?', '-2', '?']) {
        world.last.say('x');
        world.last.say(world.last.mark + text);
    }
    assert.deepEqual(world.last.sent, ['+1', '+5'].map((count) => world.last.mark + count));
    socket.close();
});

test('more than can be kept is not sent', async () => {
    const { world, socket, told } = await open();
    for (let n = 0; n < 1025; n++) socket.send(String(n));
    assert.deepEqual(told, [['drop', '1024', 'not acknowledged']]);
    assert.equal(world.last.sent.filter((text) => !text.endsWith('?')).length, 1024);
    world.last.say(world.last.mark + '+1024');
    socket.send('on');
    assert.equal(world.last.sent.at(-1), 'on');
    socket.close();
});

test('what is sent again is what was sent', async () => {
    const { world, socket } = await open();
    const bytes = new Uint8Array([9, 1, 2, 3]);
    const blob = new Blob(['blob']);
    socket.send(bytes.subarray(1));
    socket.send(bytes.buffer);
    socket.send(blob);
    socket.send(null);
    assert.equal(world.last.sent.length, 4);
    bytes.fill(0);
    await world.last.end(1006);
    assert.equal(socket.bufferedAmount, 3 + 4 + 4 + 4);
    await world.pass(250);
    world.last.accept();
    world.last.hello('1', 25, 20, session(2, { back: true, missed: 0 }));
    const { sent } = world.last;
    assert.deepEqual([...new Uint8Array(sent[0])], [1, 2, 3]);
    assert.deepEqual([...new Uint8Array(sent[1])], [9, 1, 2, 3]);
    assert.deepEqual(sent.slice(2), [blob, 'null']);
    socket.close();
});

/* ---- servers of other kinds ---- */

test('a server that does not greet: everything as without', async () => {
    const { world, socket, told } = await begin();
    world.last.accept();
    world.last.say('welcome');
    for (let n = 0; n < 2000; n++) socket.send('m');
    world.last.say('more');
    await world.last.end(1006);
    assert.deepEqual(told, [['open', false, 0], 'welcome', 'more', ['close', 1006]]);
    await world.pass(250);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    assert.equal(socket.bufferedAmount, 0);
    socket.close();
});

test('one that says nothing at all: nothing is held up', async () => {
    const { world, socket, told } = await begin();
    world.last.accept();
    for (let n = 0; n < 2000; n++) socket.send('m');
    assert.equal(world.last.sent.length, 2000, 'and it is asked nothing');
    world.last.hello('1', 25, 20, session(1)); /* after all: too late to count */
    await world.last.end(1006);
    assert.deepEqual(told, [['open', false, 0], ['close', 1006]]);
    await world.pass(250);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    socket.close();
});

test('a Moonwire server whose route has no sessions: id and liveness, nothing kept', async () => {
    const { world, socket, told } = await begin();
    world.last.accept();
    world.last.hello();
    socket.send('a');
    assert.equal(socket.id, '100000001');
    await world.pass(45e3);
    assert.deepEqual([world.last.closedWith, told.at(-1)], [[1005, ''], ['close', 4000]]);
    assert.deepEqual(told.filter(([type]) => type == 'drop'), []);
    socket.close();
});

for (const [what, first] of [
    ['greets without a session', (ws) => ws.hello()],
    ['does not greet', (ws) => ws.say('welcome')],
    ['greets in bytes', (ws) => ws.say(new ArrayBuffer(2))],
    ['knows nothing of resume', (ws) => ws.hello('1', 25, 20, 'yes')],
    ['has more than was sent', (ws) => ws.hello('1', 25, 20, session(2, { got: 3, back: true, missed: 0 }))],
    ['has less than it had', (ws) => ws.hello('1', 25, 20, session(2, { got: 0, back: true, missed: 0 }))],
    ['has no number', (ws) => ws.hello('1', 25, 20, session(2, { got: 1.5, back: true, missed: 0 }))],
    ['has a token that cannot be one', (ws) => ws.hello('1', 25, 20, session(2, { token: 'a&b', got: 1, back: true }))],
]) {
    test(`back at a server that ${what}: lost, told, and nothing of it later`, async () => {
        const { world, socket, told } = await open();
        socket.send('got');
        world.last.say(world.last.mark + '+1');
        socket.send('a');
        await world.last.end(1006);
        socket.send('b');
        await world.pass(250);
        world.last.accept();
        first(world.last);
        assert.deepEqual(told.slice(1, 3), [['drop', 'a', 'session lost'], ['open', false, 0]]);
        assert.deepEqual(world.last.sent, ['b']);
        world.last.say('x');
        await comeBack(world);
        assert.equal(world.last.asked, `${world.last.mark}.`);
        assert.equal(told.filter((it) => it[0] == 'drop').length, 1);
        socket.close();
    });
}

test('back in a session that nobody has asked for: none', async () => {
    const { world, socket } = await begin();
    world.last.accept();
    world.last.hello('1', 25, 20, session(1, { back: true, missed: 9 }));
    socket.send('a');
    await comeBack(world);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    socket.close();
});

test('no mark, no session', async () => {
    for (const [url, options] of [['/', { sideband: false }], ['/?moonwire=mine', {}]]) {
        const { world, socket, told } = await begin(url, options);
        assert.ok(!world.last.url.endsWith('.'));
        world.last.accept();
        socket.send('a');
        for (const text of ['mine-2', 'mine+1']) world.last.say(text);
        await world.last.end(1006);
        assert.deepEqual(told, [['open', false, 0], 'mine-2', 'mine+1', ['close', 1006]]);
        socket.close();
    }
});

/* ---- lines that die without a word ---- */

test('silence: the old connection is not closed, which would end the session', async () => {
    const { world, socket, told } = await open();
    const { last } = world;
    socket.send('a');
    await world.pass(45e3);
    assert.deepEqual([told.at(-1), last.readyState], [['close', 4000], 1]);
    await world.pass(1000);
    for (const text of ['late', `${last.mark}?`]) last.say(text); /* come again over the new one */
    assert.deepEqual(last.sent.slice(1).filter((text) => text != `${last.mark}?`), [],
        'who hears it no more says of nothing that it has it');
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.0`);
    world.last.accept();
    world.last.hello('1', 25, 20, session(2, { got: 1, back: true, missed: 0 }));
    assert.deepEqual([last.readyState, world.last.sent], [2, []], 'now it may go');
    assert.ok(!told.includes('late'));
    socket.close();
});

test('an opening without a hello is given up but not closed, which might end the session, and tried again', async () => {
    const { world, socket, told } = await open('/', { connectTimeout: 3000 });
    socket.send('a');
    await comeBack(world);
    const mute = world.last;
    await world.pass(3000);
    assert.deepEqual([mute.readyState, socket.state, told.at(-1)], [1, 'waiting', ['close', 1006]]);
    await world.pass(500);
    for (const isOver of [false, true]) {
        const again = world.last;
        assert.equal(again.asked, `${again.mark}.${token(1)}.0`);
        again.accept();
        await world.pass(3000);
        assert.deepEqual([mute.readyState, again.readyState], isOver ? [2, 2] : [1, 1]);
        if (!isOver) await world.pass(500);
    }
    assert.deepEqual(told.slice(-2), [['drop', 'a', 'session lost'], ['close', 1006]]);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    world.last.accept();
    assert.equal(socket.state, 'open');
    socket.close();
});

test('a page that is put aside ends its session', async () => {
    const { world, socket, told } = await open();
    socket.send('a');
    await world.window_('pagehide');
    assert.deepEqual([world.last.readyState, told],
        [2, [['drop', 'a', 'session lost'], ['close', 1001]]]);
    await world.window_('pageshow');
    await world.pass(5000);
    assert.equal(world.last.asked, `${world.last.mark}.`);
    socket.close();
});

test('offline and online', async () => {
    const { world, socket } = await open();
    await world.network(false);
    await world.last.end(1006);
    socket.send('a');
    await world.pass(10e3);
    await world.network(true);
    await world.pass(250);
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.0`);
    world.last.accept();
    world.last.hello('1', 25, 20, session(2, { back: true, missed: 0 }));
    assert.deepEqual(world.last.sent, ['a']);
    socket.close();
});

test('a return that is refused for a while keeps the session, one for good ends it', async () => {
    const { world, socket, told } = await open('/', { random: () => 0 });
    socket.send('a');
    await world.last.end(1006);
    await world.pass(250);
    world.answer = { status: 503, error: 'x', cause: 'x', retry: { after: 2, spread: 0 }, text: 'busy' };
    const { mark } = world.last;
    await world.last.end(1006);
    assert.equal(world.asked.at(-1), `http://page.test/_moonwire/why/${mark}`);
    await world.pass(2000);
    assert.equal(world.last.asked, `${world.last.mark}.${token(1)}.0`);
    world.last.accept();
    world.last.hello('1', 25, 20, session(2, { back: true, missed: 0 }));
    await world.last.end(1006);
    await world.pass(1000);
    world.answer = { status: 403, error: 'x', cause: 'x', retry: false, text: 'not you' };
    await world.last.end(1006);
    assert.deepEqual([socket.state, told.filter(([type]) => type == 'drop')],
        ['closed', [['drop', 'a', 'session lost']]]);
});
