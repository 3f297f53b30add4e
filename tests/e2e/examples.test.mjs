/* The examples in scripts/, and those in docs/scripting.md, by the real files. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, refused, root, start } from './harness.mjs';
import { SessionPeer } from './session_peer.mjs';

/* Changes a file as an editor would. That `from` is there is part of the test. */
function edit(project, file, ...changes) {
    let text = readFileSync(project.path(file), 'utf8');
    for (const [from, to] of changes) {
        assert.ok(text.includes(from), `${file} has no '${from}'`);
        text = text.replace(from, () => to);
    }
    project.write(file, text);
}

/* A server with a copy of scripts/, with `edits` made before it starts: file -> [from, to]... */
async function examples(t, edits = {}) {
    const project = new Project();
    cpSync(join(root, 'scripts'), project.path('scripts'), { recursive: true });
    for (const [file, changes] of Object.entries(edits)) {
        edit(project, `scripts/${file}`, ...changes);
    }
    return start(t, project);
}

/* How much CPU time a call took is the machine's affair: the first one of a collector, a new page. */
const isOfTime = ({ msg }) => /took \d+ ms of CPU time/.test(msg);
const uncomplaining = (server) => assert.deepEqual(
    server.all({ level: /^(warn|error)$/ }).filter((line) => !isOfTime(line)), []);
const pick = (message, ...keys) => keys.map((key) => message[key]);
const tell = (peer, message) => peer.send(JSON.stringify(message));

/* The next message of one of these types; others are passed over. */
async function hear(peer, ...types) {
    for (;;) {
        const message = await peer.nextJson();
        if (types.includes(message.type)) return message;
    }
}

/* What an open connection was closed with by the server. */
async function ends(server, path, options) {
    const peer = await server.connect(path, options);
    return peer.seen();
}

/* Instead of a limit that would stop a test in a hurry. */
const patient = 'rate = 1000, burst = 1000';

/* ---- echo ---- */

test('echo: text and bytes come back as they went', async (t) => {
    const server = await examples(t);
    const peer = await server.connect('/echo');
    for (const text of ['', 'hello', 'Großer Mond 🌕', 'x'.repeat(70_000)]) {
        assert.equal(await peer.ask(text), text);
    }
    for (const bytes of [[], [0, 255, 128, 10], Array(70_000).fill(7)]) {
        assert.deepEqual(await peer.ask(Buffer.from(bytes)), Buffer.from(bytes));
    }
    await peer.close(1000);
    uncomplaining(server);
});

/* ---- chat ---- */

const enter = async (server, room, name) => {
    const peer = await server.connect(`/chat/${room}?name=${encodeURIComponent(name)}`);
    return { peer, welcome: await peer.nextJson() };
};

test('chat: a newcomer is told the version, who is here and what was said', async (t) => {
    const server = await examples(t);
    const ann = await enter(server, 'lobby', 'Ann');
    const about = pick(ann.welcome, 'type', 'version', 'room', 'name');
    assert.deepEqual(about, ['welcome', 1, 'lobby', 'Ann']);
    assert.deepEqual(ann.welcome.people, [{ id: ann.welcome.id, name: 'Ann' }]);
    assert.deepEqual(ann.welcome.messages, []);
    tell(ann.peer, { type: 'say', text: '  is anybody there? ' });
    const said = await ann.peer.nextJson();
    assert.deepEqual(pick(said, 'type', 'id', 'name', 'text'),
        ['message', ann.welcome.id, 'Ann', 'is anybody there?']);
    assert.ok(Math.abs(said.at - Date.now() / 1000) < 600);

    const bob = await enter(server, 'lobby', 'Bob');
    assert.deepEqual(bob.welcome.people.map(({ name }) => name), ['Ann', 'Bob']);
    assert.deepEqual(bob.welcome.messages, [said]);
    const joined = { type: 'joined', id: bob.welcome.id, name: 'Bob' };
    assert.deepEqual(await ann.peer.nextJson(), joined);
    uncomplaining(server);
});

test('chat: all in the room hear the same in the same order, and nobody else does', async (t) => {
    const server = await examples(t);
    const [ann, bob] = [await enter(server, 'lobby', 'Ann'), await enter(server, 'lobby', 'Bob')];
    const eve = await enter(server, 'elsewhere', 'Eve');
    for (let n = 0; n < 5; n++) {
        tell(ann.peer, { type: 'say', text: `a${n}` });
        tell(bob.peer, { type: 'say', text: `b${n}` });
    }
    const heard = async ({ peer }) => {
        const texts = [];
        while (texts.length < 10) texts.push((await hear(peer, 'message')).text);
        return texts;
    };
    const [by_ann, by_bob] = [await heard(ann), await heard(bob)];
    assert.deepEqual(by_ann, by_bob);
    assert.deepEqual(by_ann.filter((text) => text.startsWith('a')), ['a0', 'a1', 'a2', 'a3', 'a4']);
    tell(eve.peer, { type: 'say', text: 'alone' });
    assert.equal((await eve.peer.nextJson()).text, 'alone', 'the first thing that Eve hears');
});

test('chat: names change, people leave', async (t) => {
    const server = await examples(t);
    const [ann, bob] = [await enter(server, 'lobby', 'Ann'), await enter(server, 'lobby', 'Bob')];
    tell(bob.peer, { type: 'rename', name: 'Robert' });
    const renamed = { type: 'renamed', id: bob.welcome.id, name: 'Robert', was: 'Bob' };
    assert.deepEqual(await hear(ann.peer, 'renamed'), renamed);
    tell(bob.peer, { type: 'say', text: 'it is me' });
    assert.equal((await hear(ann.peer, 'message')).name, 'Robert');
    await bob.peer.close(1000);
    const left = { type: 'left', id: bob.welcome.id, name: 'Robert' };
    assert.deepEqual(await hear(ann.peer, 'left'), left);
    const cleo = await enter(server, 'lobby', 'Cleo');
    assert.deepEqual(cleo.welcome.people.map(({ name }) => name), ['Ann', 'Cleo']);
    assert.equal(cleo.welcome.messages.length, 1, 'what Robert said is still there');
});

test('chat: a room remembers its last 50 messages, also while it is empty', async (t) => {
    const server = await examples(t, { 'chat.lua': [['rate = 10, burst = 30', patient]] });
    const ann = await enter(server, 'lobby', 'Ann');
    for (let n = 1; n <= 60; n++) tell(ann.peer, { type: 'say', text: `line ${n}` });
    for (let n = 1; n <= 60; n++) await hear(ann.peer, 'message');
    await ann.peer.close(1000);
    const { messages } = (await enter(server, 'lobby', 'Bob')).welcome;
    assert.equal(messages.length, 50);
    assert.deepEqual([messages[0].text, messages.at(-1).text], ['line 11', 'line 60']);
});

test('chat: a new room takes the place of an empty one, or is refused', async (t) => {
    const server = await examples(t, { 'lib/rooms.lua': [['MOST = 200', 'MOST = 2']] });
    const one = await enter(server, 'one', 'Ann');
    const two = await enter(server, 'two', 'Bob');
    const full = { code: 1013, reason: 'all rooms are taken' };
    assert.deepEqual(await ends(server, '/chat/three?name=Cleo'), full);
    await two.peer.close(1000);
    assert.equal((await enter(server, 'three', 'Cleo')).welcome.room, 'three');
    assert.deepEqual(one.peer.unread, []);
});

test('chat: who has no name, and what is no room, is told by a code of its own', async (t) => {
    const server = await examples(t);
    const refusals = [
        ['/chat/lobby', 4001], ['/chat/lobby?name=', 4001], ['/chat/lobby?name=%20%20', 4001],
        [`/chat/lobby?name=${'x'.repeat(25)}`, 4001], ['/chat/lobby?name=%ff%fe', 4001],
        [`/chat/${'x'.repeat(33)}?name=Ann`, 4002],
    ];
    for (const [path, code] of refusals) assert.equal((await ends(server, path)).code, code, path);
    assert.equal((await refused(server, '/chat?name=Ann')).status, 404);
    const { welcome } = await enter(server, encodeURIComponent('Mond 🌕'), '月');
    assert.deepEqual(pick(welcome, 'room', 'name'), ['Mond 🌕', '月']);
});

/* Things that a page would never send: values, then values of each field. */
const odd = [
    null, 1, 'say', [], [1, 2], {},
    ...[null, 'on_open', ['say'], {}, 1e308].map((type) => ({ type })),
    ...[undefined, null, 7, { a: 1 }, '', ' \n\t ', 'x'.repeat(501)]
        .map((text) => ({ type: 'say', text })),
    ...[undefined, [], 'x'.repeat(25)].map((name) => ({ type: 'rename', name })),
];

test('chat: odd messages are answered, and harm nobody', async (t) => {
    const server = await examples(t);
    const ann = await enter(server, 'lobby', 'Ann');
    for (const message of odd) {
        tell(ann.peer, message);
        assert.equal((await ann.peer.nextJson()).type, 'error', JSON.stringify(message));
    }
    ann.peer.send(Buffer.from('{"type":"say","text":"bytes"}'));
    assert.equal((await ann.peer.nextJson()).type, 'error', 'bytes are no JSON');
    tell(ann.peer, { type: 'say', text: 'a\u0000b\u001bc' });
    assert.equal((await ann.peer.nextJson()).text, 'a b c', 'control characters are blanks');
    tell(ann.peer, { type: 'say', text: '🌕'.repeat(500) });
    assert.equal((await ann.peer.nextJson()).text, '🌕'.repeat(500), 'characters count, not bytes');
    uncomplaining(server);
});

test('chat: text that is no JSON is 1007, one that is too long 1009', async (t) => {
    const server = await examples(t);
    const cases = [['hello', 1007], ['{"type":', 1007], ['', 1007], [' '.repeat(9000), 1009]];
    for (const [text, code] of cases) {
        const { peer } = await enter(server, 'lobby', 'Ann');
        peer.send(text);
        assert.equal((await peer.seen()).code, code, JSON.stringify(text.slice(0, 20)));
    }
});

test('chat: who talks without end is stopped, and told when to come back', async (t) => {
    const server = await examples(t);
    const { peer } = await enter(server, 'lobby', 'Ann');
    for (let n = 0; n < 200; n++) tell(peer, { type: 'say', text: `${n}` });
    assert.deepEqual(await peer.seen(), { code: 4008, reason: 'take a breath;retry=10000-20000' });
});

test('chat: after a save the open connections hear of it, and nothing is lost', async (t) => {
    const server = await examples(t);
    const [ann, bob] = [await enter(server, 'lobby', 'Ann'), await enter(server, 'other', 'Bob')];
    tell(ann.peer, { type: 'say', text: 'before' });
    await hear(ann.peer, 'message');
    const motto = 'Good evening.';
    const old = 'Change this line, save, and watch the page.';
    edit(server.project, 'scripts/chat.lua', [old, motto]);
    for (const { peer } of [ann, bob]) {
        assert.deepEqual(await peer.nextJson(), { type: 'version', version: 2, motto });
    }
    tell(ann.peer, { type: 'say', text: 'after' });
    assert.deepEqual(pick(await ann.peer.nextJson(), 'name', 'text'), ['Ann', 'after']);
    const { welcome } = await enter(server, 'lobby', 'Cleo');
    assert.deepEqual(pick(welcome, 'version', 'motto'), [2, motto]);
    assert.deepEqual(welcome.messages.map(({ text }) => text), ['before', 'after']);
    assert.deepEqual(welcome.people.map(({ name }) => name), ['Ann', 'Cleo']);
    uncomplaining(server);
});

test('chat: a saved library reloads what requires it, and nothing else', async (t) => {
    const server = await examples(t);
    const { peer } = await enter(server, 'lobby', 'Ann');
    edit(server.project, 'scripts/lib/rooms.lua', ['KEEP = 50', 'KEEP = 2']);
    assert.equal((await peer.nextJson()).version, 2);
    for (const text of ['one', 'two', 'three']) tell(peer, { type: 'say', text });
    for (let n = 0; n < 3; n++) await hear(peer, 'message');
    const { messages } = (await enter(server, 'lobby', 'Bob')).welcome;
    assert.deepEqual(messages.map(({ text }) => text), ['two', 'three']);
    assert.deepEqual(server.all({ msg: 'reloaded' }).map(({ script }) => script), ['chat.lua']);
});

/* ---- ticker ---- */

const fast = ['0.5', '1', '2'].map((s) => [`every = ${s} }`, 'every = 0.01 }']);
const symbols = ['LUNA', 'TIDE', 'WIRE'];

test('ticker: only what is followed comes, and no more once it is not', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = await server.connect('/ticker');
    assert.deepEqual(await peer.nextJson(), { type: 'symbols', symbols, version: 1 });
    tell(peer, { type: 'follow', symbol: 'LUNA' });
    const { type, symbol, prices } = await peer.nextJson();
    assert.deepEqual([type, symbol], ['prices', 'LUNA']);
    assert.ok(prices.length >= 1 && prices.every((price) => price > 200 && price < 600));
    for (let n = 0; n < 10; n++) {
        const next = await peer.nextJson();
        assert.deepEqual([next.type, next.symbol, typeof next.price], ['price', 'LUNA', 'number']);
    }
    /* The answer to `follow` says that `unfollow`, which was sent before it, was done. */
    tell(peer, { type: 'unfollow', symbol: 'LUNA' });
    tell(peer, { type: 'follow', symbol: 'TIDE' });
    while ((await hear(peer, 'prices', 'price')).symbol !== 'TIDE');
    for (let n = 0; n < 10; n++) assert.equal((await hear(peer, 'price')).symbol, 'TIDE');
    uncomplaining(server);
});

test('ticker: who is cut off has no price less', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = new SessionPeer(`ws://127.0.0.1:${server.port}/ticker`);
    await peer.ready();
    peer.send('{"type":"follow","symbol":"LUNA"}');
    await peer.until(({ heard }) => heard.length > 10);
    await server.log({ msg: 'away', conn: peer.stay().hello.id });
    await peer.back();
    const before = peer.heard.length;
    await peer.until(({ heard }) => heard.length > before + 10);
    const heard = peer.heard.map((text) => JSON.parse(text));
    assert.deepEqual(heard.map(({ type }) => type),
        ['symbols', 'prices', ...heard.slice(2).map(() => 'price')]);
    const other = await server.connect('/ticker');
    tell(other, { type: 'follow', symbol: 'LUNA' });
    const { prices } = await hear(other, 'prices');
    const shown = () => peer.heard.slice(2).map((text) => JSON.parse(text).price).join(' ');
    const last = prices.slice(-10).join(' '); /* among these a price may come twice */
    await peer.until(() => ` ${shown()} `.includes(` ${last} `), `the prices ${last}`);
    await peer.close();
    uncomplaining(server);
});

test('ticker: a newcomer is shown at most 60 prices, the latest', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = await server.connect('/ticker');
    tell(peer, { type: 'follow', symbol: 'WIRE' });
    let last;
    for (let n = 0; n < 70; n++) last = (await hear(peer, 'price')).price;
    const late = await server.connect('/ticker');
    tell(late, { type: 'follow', symbol: 'WIRE' });
    const { prices } = await hear(late, 'prices');
    assert.equal(prices.length, 60);
    assert.ok(prices.includes(last));
});

test('ticker: what cannot be followed is passed over', async (t) => {
    const server = await examples(t, { 'ticker.lua': [['rate = 10, burst = 20', patient]] });
    const peer = await server.connect('/ticker');
    const follows = [undefined, null, 'GOLD', {}, 1].map((symbol) => ({ type: 'follow', symbol }));
    const sale = { type: 'sell', symbol: 'TIDE' };
    for (const message of [...odd, ...follows, sale]) tell(peer, message);
    tell(peer, { type: 'follow', symbol: 'TIDE' });
    assert.equal((await peer.nextJson()).type, 'symbols');
    assert.deepEqual(pick(await peer.nextJson(), 'type', 'symbol'), ['prices', 'TIDE']);
    uncomplaining(server);
});

test('ticker: after a save one timer ticks for each symbol, with the new function', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = await server.connect('/ticker');
    tell(peer, { type: 'follow', symbol: 'LUNA' });
    await hear(peer, 'price');
    edit(server.project, 'scripts/ticker.lua', ['price = price }', 'price = price, v = 2 }']);
    await server.log({ msg: 'reloaded', script: 'ticker.lua' });
    while (!(await hear(peer, 'price')).v);
    for (let n = 0; n < 20; n++) assert.equal((await hear(peer, 'price')).v, 2, 'no old timer');
});

test('ticker: after a save all are told what there is to follow now', async (t) => {
    const server = await examples(t);
    const peer = await server.connect('/ticker');
    await peer.nextJson();
    const reef = 'REEF = { start = 7, every = 0.01 }';
    edit(server.project, 'scripts/ticker.lua', ['TIDE =', `${reef}, TIDE =`]);
    const told = { type: 'symbols', symbols: ['LUNA', 'REEF', 'TIDE', 'WIRE'], version: 2 };
    assert.deepEqual(await peer.nextJson(), told);
    tell(peer, { type: 'follow', symbol: 'REEF' });
    assert.equal((await hear(peer, 'price')).symbol, 'REEF');
});

/* ---- presence ---- */

const hasty = [['GRACE = 3 ', 'GRACE = 0.3 ']];
const person = async (peer, wanted) => {
    for (;;) {
        const { user, status } = await hear(peer, 'person');
        if (user === wanted) return status;
    }
};

test('presence: coming, a status, and going are told to those who are here', async (t) => {
    const server = await examples(t, { 'presence.lua': hasty });
    const ann = await server.connect('/presence?user=Ann');
    const { people: alone } = await ann.nextJson();
    assert.deepEqual(alone.map((one) => pick(one, 'user', 'status')), [['Ann', 'online']]);
    const bob = await server.connect('/presence?user=Bob');
    assert.equal(await person(ann, 'Bob'), 'online');
    for (const status of ['busy', 'away', 'online']) {
        tell(bob, { type: 'status', status });
        assert.equal(await person(ann, 'Bob'), status);
    }
    await bob.close(1000);
    assert.equal(await person(ann, 'Bob'), 'offline');
    const cleo = await server.connect('/presence?user=Cleo');
    const people = Object.fromEntries((await cleo.nextJson()).people.map((one) => [one.user, one]));
    assert.deepEqual(Object.keys(people).sort(), ['Ann', 'Bob', 'Cleo']);
    assert.equal(people.Bob.status, 'offline');
    assert.ok(Math.abs(people.Bob.last_seen - Date.now() / 1000) < 600);
    uncomplaining(server);
});

test('presence: who reloads the page, or has a second tab, is not announced as gone', async (t) => {
    const server = await examples(t);
    const ann = await server.connect('/presence?user=Ann');
    const first = await server.connect('/presence?user=Bob');
    await first.close(1000);
    const second = await server.connect('/presence?user=Bob');
    const third = await server.connect('/presence?user=Bob');
    await third.close(1000);
    const dot = await server.connect('/presence?user=Dot'); /* who goes after all that */
    await dot.close(1000);
    const heard = [];
    while (heard.at(-1) !== 'Dot offline') {
        const { user, status } = await hear(ann, 'person');
        heard.push(`${user} ${status}`);
    }
    assert.deepEqual(heard, ['Bob online', 'Dot online', 'Dot offline']);
    tell(second, { type: 'status', status: 'busy' });
    assert.equal(await person(ann, 'Bob'), 'busy');
});

test('presence: a call that sleeps over a reload is finished', async (t) => {
    const server = await examples(t, { 'presence.lua': [['GRACE = 3 ', 'GRACE = 1 ']] });
    const ann = await server.connect('/presence?user=Ann');
    const bob = await server.connect('/presence?user=Bob');
    assert.equal(await person(ann, 'Bob'), 'online');
    await bob.close(1000);
    edit(server.project, 'scripts/presence.lua', ['QUIET = 60 ', 'QUIET = 61 ']);
    await server.log({ msg: 'reloaded', script: 'presence.lua' });
    assert.equal(await person(ann, 'Bob'), 'offline');
    uncomplaining(server);
});

test('presence: who is silent counts as away until the next beat', async (t) => {
    const server = await examples(t, {
        'presence.lua': [['QUIET = 60 ', 'QUIET = 0.2 '], ['around", 5,', 'around", 0.05,']],
    });
    const ann = await server.connect('/presence?user=Ann');
    assert.equal(await person(ann, 'Ann'), 'away');
    tell(ann, { type: 'beat' });
    assert.equal(await person(ann, 'Ann'), 'online');
});

test('presence: odd users and messages', async (t) => {
    const server = await examples(t, {
        'presence.lua': [['rate = 5, burst = 10', patient], ['MOST = 1000 ', 'MOST = 1 ']],
    });
    for (const query of ['', '?user=%20', '?user=%ff']) {
        assert.equal((await ends(server, `/presence${query}`)).code, 4001, query);
    }
    const ann = await server.connect('/presence?user=Ann');
    assert.equal((await ends(server, '/presence?user=Bob')).code, 1013, 'the house is full');
    await ann.nextJson();
    const statuses = [undefined, 'asleep', 'offline', ['busy'], 1]
        .map((status) => ({ type: 'status', status }));
    for (const message of [...odd, ...statuses]) tell(ann, message);
    tell(ann, { type: 'status', status: 'busy' });
    assert.deepEqual(pick(await ann.nextJson(), 'user', 'status'), ['Ann', 'busy'], 'nothing else');
    uncomplaining(server);
});

/* ---- docs/scripting.md ---- */

test('every example in docs/scripting.md is a script that loads without a complaint', async (t) => {
    const page = readFileSync(join(root, 'docs/scripting.md'), 'utf8');
    const fences = [...page.matchAll(/^```lua\n(.*?)^```$/gms)].map(([, text]) => text);
    assert.ok(fences.length >= 5);
    const files = fences.map((text, n) => [`scripts/example${n + 1}.lua`, text]);
    const server = await start(t, Object.fromEntries(files));
    uncomplaining(server);
    assert.equal(server.all({ msg: 'loaded', script: /^example/, v: 1 }).length, fences.length);
});

test('the files that docs/scripting.md speaks of are there', () => {
    const page = readFileSync(join(root, 'docs/scripting.md'), 'utf8');
    const links = [...page.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map(([, path]) => path);
    assert.ok(links.length >= 5);
    for (const path of links) assert.ok(existsSync(join(root, path)), path);
});

/* ---- arena ---- */

const fight = async (server, room, name) => {
    const peer = await server.connect(`/arena/${room}?name=${name}`);
    const board = await hear(peer, 'board');
    return { peer, board, id: board.id };
};

test('arena: a square holds one player, whichever worker took the connection', async (t) => {
    const project = new Project();
    cpSync(join(root, 'scripts'), project.path('scripts'), { recursive: true });
    const server = await start(t, project, { args: ['--listen', '127.0.0.1:0', '--workers', '4'] });
    const players = [];
    for (let i = 0; i < 8; i++) players.push(await fight(server, 'one', `P${i}`));
    for (const [i, { board, id }] of players.entries()) {
        assert.equal(board.players.length, i + 1);
        assert.deepEqual(board.players.find((player) => player.id === id),
            { id, name: `P${i}`, x: i + 1, y: 1 });
    }
    const [first, second] = players;
    tell(first.peer, { step: 'right' });
    assert.deepEqual(await hear(first.peer, 'bump'), { type: 'bump', by: second.id });
    tell(first.peer, { step: 'up' });
    assert.deepEqual(await hear(first.peer, 'bump'), { type: 'bump' });
    tell(second.peer, { step: 'down' });
    assert.deepEqual(await hear(first.peer, 'moved'), { type: 'moved', id: second.id, x: 2, y: 2 });
    await second.peer.close(1000);
    assert.deepEqual(await hear(first.peer, 'left'), { type: 'left', id: second.id });
    tell(first.peer, { step: 'right' });
    assert.deepEqual(await hear(first.peer, 'moved'), { type: 'moved', id: first.id, x: 2, y: 1 });
    uncomplaining(server);
});

test('arena: it is full at last, and another one is another one', async (t) => {
    const server = await examples(t);
    const all = await Promise.all(Array.from({ length: 64 }, (_, i) => fight(server, 'one', `P${i}`)));
    const squares = all.flatMap(({ board }) => board.players.map(({ id, x, y }) => `${id} ${x} ${y}`));
    assert.equal(new Set(squares).size, 64);
    assert.deepEqual(await ends(server, '/arena/one?name=late'),
        { code: 1013, reason: 'the arena is full' });
    const { board } = await fight(server, 'two', 'alone');
    assert.equal(board.players.length, 1);
    assert.deepEqual(await ends(server, '/arena/two'),
        { code: 4001, reason: 'say who you are: ?name=, 1 to 24 characters' });
    uncomplaining(server);
});
