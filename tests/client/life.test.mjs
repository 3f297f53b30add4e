/* What happens to the page and its network, in virtual time; workers and Node, which have neither. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, watched } from './world.mjs';

const open = async (world) => { world.last.accept(); await world.pass(10e3); };

test('without a network it does not try, and with it at once', async () => {
    const world = new World();
    const { socket, states } = watched('/', { random: () => 1 });
    await open(world);
    await world.network(false);
    assert.equal(socket.state, 'open', 'a connection may outlive what the browser says');
    await world.last.end();
    assert.deepEqual([states.at(-1), world.timers], [['offline', 1000], 0]);
    await world.pass(60e3);
    assert.equal(world.sockets.length, 1);
    await world.network(true);
    await world.pass(0);
    assert.equal(world.sockets.length, 2);
    socket.close();
});

test('the network goes while it waits', async () => {
    const world = new World();
    const { socket } = watched('/', { random: () => 1 });
    await world.last.end();
    assert.equal(socket.state, 'waiting');
    await world.network(false);
    assert.deepEqual([socket.state, world.timers], ['offline', 0]);
    await world.pass(60e3);
    await world.show(true);
    assert.deepEqual([socket.state, world.sockets.length], ['offline', 1]);
    await world.network(true);
    await world.pass(0);
    assert.equal(world.sockets.length, 2);
    socket.close();
});

for (const [what, wake] of [
    ['shown again', (world) => world.show(true)],
    ['online', (world) => world.network(true)],
    ['back from the page cache', (world) => world.window_('pageshow')],
    ['resumed', (world) => world.document_('resume')],
]) {
    test(`${what}: tries now instead of later`, async () => {
        const world = new World();
        const { socket, states } = watched('/', { random: () => 1 });
        await world.show(false);
        for (const wait of [1000, 2000, 4000, 8000]) {
            await world.last.end();
            await world.pass(wait);
        }
        await world.last.end();
        assert.deepEqual(states.at(-1), ['waiting', 16000]);
        await world.pass(1000);
        await wake(world);
        assert.deepEqual(states.at(-1), ['waiting', 0]);
        await world.pass(0);
        assert.equal(world.sockets.length, 6);
        socket.close();
    });

    test(`${what}: not before the moment that the server has named`, async () => {
        const world = new World();
        const { socket, states } = watched('/', { random: () => 0.5 });
        await open(world);
        await world.last.end(1001, 'server is stopping;retry=4000-6000');
        await world.pass(1000);
        await wake(world);
        assert.deepEqual(states.at(-1), ['waiting', 4000], 'and says so');
        await world.pass(3999);
        assert.equal(world.sockets.length, 1);
        await world.pass(1);
        assert.equal(world.sockets.length, 2);
        socket.close();
    });

    test(`${what}: not before what the code asks for`, async () => {
        const world = new World();
        const { socket, states } = watched('/', { random: () => 1 });
        await open(world);
        await world.last.end(1013);
        await wake(world);
        assert.deepEqual(states.at(-1), ['waiting', 30e3]);
        socket.close();
    });

    test(`${what}: not before the page's own floor`, async () => {
        const world = new World();
        const { socket, states } = watched('/', { floor: 10e3 });
        await open(world);
        await world.last.end();
        await wake(world);
        assert.deepEqual(states.at(-1), ['waiting', 10e3]);
        socket.close();
    });

    test(`${what}: what has ended is not asked whether it is alive`, async () => {
        const world = new World();
        const { socket } = watched();
        await open(world);
        const { last } = world;
        last.hello();
        await world.pass(3000);
        await last.end();
        await wake(world);
        assert.deepEqual([last.sent, world.timers], [[], 1]);
        socket.close();
    });

    test(`${what}: an open connection is asked whether it is alive`, async () => {
        const world = new World();
        const { socket, closes } = watched();
        world.last.accept();
        world.last.hello();
        await world.pass(2000);
        await wake(world);
        await wake(world);
        assert.deepEqual(world.last.sent, [`${world.last.mark}?`], 'once');
        await world.pass(20e3);
        assert.equal(closes[0].code, 4000);
        socket.close();
    });
}

/* As core/session/conn_sideband.c: one answer a second, and more questions are dropped. */
function answerOnceASecond(world, ws) {
    let nextAt = 0;
    ws.send = (data) => {
        if (data != ws.mark + '?' || world.now < nextAt) return;
        nextAt = world.now + 1000;
        setTimeout(() => ws.say(ws.mark + '!'), 5);
    };
}

test('two wakes within a second do not cut a healthy line', async () => {
    const world = new World();
    const { socket, closes } = watched();
    await open(world);
    world.last.hello();
    answerOnceASecond(world, world.last);
    await world.show(true);
    await world.pass(300);
    await world.network(true);
    await world.pass(600e3);
    assert.deepEqual([closes.length, socket.state], [0, 'open']);
    socket.close();
});

test('pings more often than the server answers do not cut a healthy line', async () => {
    const world = new World();
    const { socket, closes } = watched();
    await open(world);
    world.last.hello('5', 0.3, 0.5);
    answerOnceASecond(world, world.last);
    await world.pass(600e3);
    assert.deepEqual([closes.length, socket.state], [0, 'open']);
    socket.close();
});

test('what has closed for good listens to nothing, and open() listens again', async () => {
    const world = new World();
    const signals = [];
    for (const target of [world.window, globalThis.document]) {
        const listen = target.addEventListener.bind(target);
        target.addEventListener = (type, call, { signal }) => {
            signals.push(signal);
            listen(type, call, { signal });
        };
    }
    const { socket } = watched();
    const isListening = () => signals.filter(({ aborted }) => !aborted).length;
    assert.equal(isListening(), 7);
    await world.last.end(1008);
    assert.equal(isListening(), 0);
    socket.open();
    assert.equal(isListening(), 7);
    socket.close();
    await world.last.end(1005);
    assert.equal(isListening(), 0);
});

test('hidden is no reason', async () => {
    const world = new World();
    const { socket } = watched('/', { random: () => 1 });
    await world.last.end();
    await world.show(false);
    await world.pass(999);
    assert.equal(world.sockets.length, 1);
    await world.pass(1);
    assert.equal(world.sockets.length, 2);
    socket.close();
});

for (const [what, sleep, wake] of [
    ['put aside', (world) => world.window_('pagehide'), (world) => world.window_('pageshow')],
    ['frozen', (world) => world.document_('freeze'), (world) => world.document_('resume')],
]) {
    test(`a page that is ${what} lets go of its connection, and has it again`, async () => {
        const world = new World();
        const { socket, closes, states } = watched();
        await open(world);
        const first = world.last;
        await sleep(world);
        assert.deepEqual([first.readyState, closes[0].code, socket.state], [2, 1001, 'idle']);
        await world.pass(3600e3);
        await first.end(1005);
        assert.deepEqual([world.sockets.length, closes.length], [1, 1], 'asleep');
        await wake(world);
        await world.pass(0);
        assert.equal(world.sockets.length, 2);
        await open(world);
        assert.deepEqual(states.map(([state]) => state),
            ['open', 'waiting', 'idle', 'waiting', 'connecting', 'open']);
        socket.close();
    });

    test(`a slot holds for a page that was ${what} meanwhile`, async () => {
        const world = new World();
        const { socket } = watched();
        await open(world);
        await world.last.end(1001, ';retry=5000-6000');
        await sleep(world);
        await world.pass(2000);
        await wake(world);
        assert.equal(socket.state, 'waiting');
        await world.pass(2999);
        assert.equal(world.sockets.length, 1);
        await world.pass(1);
        assert.equal(world.sockets.length, 2);
        socket.close();
    });

    test(`a page that is ${what} and has closed its socket: nothing`, async () => {
        const world = new World();
        const { socket, states } = watched();
        await open(world);
        socket.close();
        await world.last.end(1005);
        const { length } = states;
        await sleep(world);
        await wake(world);
        await world.pass(1e6);
        assert.deepEqual([states.length, world.sockets.length], [length, 1]);
    });

    test(`without reconnect a page that was ${what} stays closed`, async () => {
        const world = new World();
        const { socket } = watched('/', { reconnect: false });
        await open(world);
        await sleep(world);
        await wake(world);
        await world.pass(1e6);
        assert.deepEqual([socket.state, world.sockets.length], ['closed', 1]);
    });
}

test('a worker has no document', async () => {
    const world = new World({ document: false });
    const { socket } = watched('/', { random: () => 1 });
    await world.last.end();
    await world.network(false);
    assert.equal(socket.state, 'offline');
    await world.network(true);
    await world.pass(250);
    assert.equal(world.sockets.length, 2);
    socket.close();
});

test('Node has neither page nor crypto, and needs whole addresses', async () => {
    const world = new World({ document: false });
    delete globalThis.addEventListener;
    const crypto = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    for (const name of ['location', 'navigator'])
        Object.defineProperty(globalThis, name, { value: undefined, configurable: true });
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    const { socket, messages } = watched('http://node.test/x');
    Object.defineProperty(globalThis, 'crypto', crypto);
    assert.equal(world.last.url, 'ws://node.test/x');
    world.last.accept();
    world.last.say('hello');
    await world.last.end();
    assert.deepEqual([messages, socket.state], [['hello'], 'waiting']);
    socket.close();
});
