/* The examples in scripts/, and those in docs/scripting.md, by the real files. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, refused, root, start } from './harness.mjs';

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
    for (const [file, changes] of Object.entries(edits)) edit(project, `scripts/${file}`, ...changes);
    return start(t, project);
}

const uncomplaining = (server) => assert.deepEqual(server.all({ level: /^(warn|error)$/ }), [], 'no complaint in the log');
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

/* ---- echo ---- */

test('echo: text and bytes come back as they went', async (t) => {
    const server = await examples(t);
    const peer = await server.connect('/echo');
    for (const text of ['', 'hello', 'Großer Mond 🌕', 'x'.repeat(70_000)]) assert.equal(await peer.ask(text), text);
    for (const bytes of [Buffer.alloc(0), Buffer.from([0, 255, 128, 10]), Buffer.alloc(70_000, 7)]) {
        assert.deepEqual(await peer.ask(bytes), bytes);
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
    assert.equal(ann.welcome.type, 'welcome');
    assert.deepEqual([ann.welcome.version, ann.welcome.room, ann.welcome.name], [1, 'lobby', 'Ann']);
    assert.deepEqual(ann.welcome.people, [{ id: ann.welcome.id, name: 'Ann' }]);
    assert.deepEqual(ann.welcome.messages, []);
    tell(ann.peer, { type: 'say', text: '  is anybody there? ' });
    const said = await ann.peer.nextJson();
    assert.deepEqual([said.type, said.name, said.text, said.id], ['message', 'Ann', 'is anybody there?', ann.welcome.id]);
    assert.ok(Math.abs(said.at - Date.now() / 1000) < 600);

    const bob = await enter(server, 'lobby', 'Bob');
    assert.deepEqual(bob.welcome.people.map(({ name }) => name), ['Ann', 'Bob']);
    assert.deepEqual(bob.welcome.messages, [said]);
    assert.deepEqual(await ann.peer.nextJson(), { type: 'joined', id: bob.welcome.id, name: 'Bob' });
    uncomplaining(server);
});

test('chat: everybody in the room hears the same in the same order, and nobody else does', async (t) => {
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
    assert.deepEqual(await hear(ann.peer, 'renamed'), { type: 'renamed', id: bob.welcome.id, name: 'Robert', was: 'Bob' });
    tell(bob.peer, { type: 'say', text: 'it is me' });
    assert.equal((await hear(ann.peer, 'message')).name, 'Robert');
    await bob.peer.close(1000);
    assert.deepEqual(await hear(ann.peer, 'left'), { type: 'left', id: bob.welcome.id, name: 'Robert' });
    const cleo = await enter(server, 'lobby', 'Cleo');
    assert.deepEqual(cleo.welcome.people.map(({ name }) => name), ['Ann', 'Cleo']);
    assert.equal(cleo.welcome.messages.length, 1, 'what Robert said is still there');
});

test('chat: a room remembers its last 50 messages, also while it is empty', async (t) => {
    const server = await examples(t, { 'chat.lua': [['rate = 10, burst = 30', 'rate = 1000, burst = 1000']] });
    const ann = await enter(server, 'lobby', 'Ann');
    for (let n = 1; n <= 60; n++) tell(ann.peer, { type: 'say', text: `line ${n}` });
    for (let n = 1; n <= 60; n++) await hear(ann.peer, 'message');
    await ann.peer.close(1000);
    const { messages } = (await enter(server, 'lobby', 'Bob')).welcome;
    assert.deepEqual([messages.length, messages[0].text, messages.at(-1).text], [50, 'line 11', 'line 60']);
});

test('chat: a full house takes the place of an empty room, and refuses where there is none', async (t) => {
    const server = await examples(t, { 'lib/rooms.lua': [['MOST = 200', 'MOST = 2']] });
    const one = await enter(server, 'one', 'Ann');
    const two = await enter(server, 'two', 'Bob');
    assert.deepEqual(await ends(server, '/chat/three?name=Cleo'), { code: 1013, reason: 'all rooms are taken' });
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
    assert.equal((await enter(server, encodeURIComponent('Mond 🌕'), '月')).welcome.room, 'Mond 🌕');
});

/* Things that a page would never send. Each is answered by a complaint, and the connection goes on. */
const odd = [
    'null', '1', '"say"', '[]', '[1,2]', '{}', '{"type":null}', '{"type":"on_open"}', '{"type":["say"]}', '{"type":{}}', '{"type":1e308}',
    '{"type":"say"}', '{"type":"say","text":null}', '{"type":"say","text":7}', '{"type":"say","text":{"a":1}}',
    '{"type":"say","text":""}', '{"type":"say","text":"  \\n\\t "}', `{"type":"say","text":"${'x'.repeat(501)}"}`,
    '{"type":"rename"}', '{"type":"rename","name":[]}', `{"type":"rename","name":"${'x'.repeat(25)}"}`,
];

test('chat: odd messages are answered, and harm nobody', async (t) => {
    const server = await examples(t);
    const ann = await enter(server, 'lobby', 'Ann');
    for (const text of odd) {
        assert.equal(JSON.parse(await ann.peer.ask(text)).type, 'error', text);
    }
    assert.equal(JSON.parse(await ann.peer.ask(Buffer.from('{"type":"say","text":"bytes"}'))).type, 'error', 'bytes are no JSON');
    tell(ann.peer, { type: 'say', text: 'a\u0000b\u001bc' });
    assert.equal((await ann.peer.nextJson()).text, 'a b c', 'control characters are blanks');
    tell(ann.peer, { type: 'say', text: '🌕'.repeat(500) });
    assert.equal((await ann.peer.nextJson()).text, '🌕'.repeat(500), '500 characters are no bytes');
    uncomplaining(server);
});

test('chat: text that is no JSON is 1007, one that is too long 1009', async (t) => {
    const server = await examples(t);
    for (const [text, code] of [['hello', 1007], ['{"type":', 1007], ['', 1007], [' '.repeat(9000), 1009]]) {
        const { peer } = await enter(server, 'lobby', 'Ann');
        peer.send(text);
        assert.equal((await peer.seen()).code, code, JSON.stringify(text.slice(0, 20)));
    }
});

test('chat: who talks without end is stopped', async (t) => {
    const server = await examples(t);
    const { peer } = await enter(server, 'lobby', 'Ann');
    for (let n = 0; n < 200; n++) tell(peer, { type: 'say', text: `${n}` });
    assert.equal((await peer.seen()).code, 1008);
});

test('chat: after a save the open connections hear the new version, and nothing is lost', async (t) => {
    const server = await examples(t);
    const [ann, bob] = [await enter(server, 'lobby', 'Ann'), await enter(server, 'other', 'Bob')];
    tell(ann.peer, { type: 'say', text: 'before' });
    await hear(ann.peer, 'message');
    edit(server.project, 'scripts/chat.lua', ['Change this line, save, and watch the page.', 'Good evening.']);
    for (const { peer } of [ann, bob]) {
        assert.deepEqual(await peer.nextJson(), { type: 'version', version: 2, motto: 'Good evening.' });
    }
    tell(ann.peer, { type: 'say', text: 'after' });
    assert.deepEqual((({ name, text }) => [name, text])(await ann.peer.nextJson()), ['Ann', 'after']);
    const { welcome } = await enter(server, 'lobby', 'Cleo');
    assert.deepEqual([welcome.version, welcome.motto], [2, 'Good evening.']);
    assert.deepEqual(welcome.messages.map(({ text }) => text), ['before', 'after']);
    assert.deepEqual(welcome.people.map(({ name }) => name), ['Ann', 'Cleo']);
    uncomplaining(server);
});

test('chat: a saved library is a new version of what requires it, and of nothing else', async (t) => {
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

const fast = [['every = 0.5', 'every = 0.01'], ['every = 1 }', 'every = 0.01 }'], ['every = 2 }', 'every = 0.01 }']];

test('ticker: only what is followed comes, and no more once it is not', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = await server.connect('/ticker');
    assert.deepEqual(await peer.nextJson(), { type: 'symbols', symbols: ['LUNA', 'TIDE', 'WIRE'], version: 1 });
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
    const server = await examples(t, { 'ticker.lua': [['rate = 10, burst = 20', 'rate = 1000, burst = 1000']] });
    const peer = await server.connect('/ticker');
    for (const text of [...odd, '{"type":"follow"}', '{"type":"follow","symbol":"GOLD"}', '{"type":"follow","symbol":{}}', '{"type":"sell","symbol":"TIDE"}']) {
        peer.send(text);
    }
    tell(peer, { type: 'follow', symbol: 'TIDE' });
    assert.equal((await peer.nextJson()).type, 'symbols');
    assert.deepEqual((({ type, symbol }) => [type, symbol])(await peer.nextJson()), ['prices', 'TIDE']);
    uncomplaining(server);
});

test('ticker: after a save one timer ticks for each symbol, with the new function', async (t) => {
    const server = await examples(t, { 'ticker.lua': fast });
    const peer = await server.connect('/ticker');
    tell(peer, { type: 'follow', symbol: 'LUNA' });
    await hear(peer, 'price');
    edit(server.project, 'scripts/ticker.lua', ['price = price }', 'price = price, again = true }']);
    await server.log({ msg: 'reloaded', script: 'ticker.lua' });
    while (!(await hear(peer, 'price')).again);
    for (let n = 0; n < 20; n++) assert.ok((await hear(peer, 'price')).again, 'the old timer is gone');
});

test('ticker: after a save those who are connected are told what there is to follow now', async (t) => {
    const server = await examples(t);
    const peer = await server.connect('/ticker');
    await peer.nextJson();
    edit(server.project, 'scripts/ticker.lua', ['TIDE = {', 'REEF = { start = 7, every = 0.01 },\n  TIDE = {']);
    assert.deepEqual(await peer.nextJson(), { type: 'symbols', symbols: ['LUNA', 'REEF', 'TIDE', 'WIRE'], version: 2 });
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
    assert.deepEqual((await ann.nextJson()).people.map(({ user, status }) => [user, status]), [['Ann', 'online']]);
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
    const dot = await server.connect('/presence?user=Dot'); /* goes after all of that, and is told alone */
    await dot.close(1000);
    assert.equal(await person(ann, 'Dot'), 'online');
    assert.equal(await person(ann, 'Dot'), 'offline');
    tell(second, { type: 'status', status: 'busy' });
    assert.equal(await person(ann, 'Bob'), 'busy', 'neither offline nor online before');
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
    const server = await examples(t, { 'presence.lua': [['QUIET = 60 ', 'QUIET = 0.2 '], ['timer.every("look around", 5,', 'timer.every("look around", 0.05,']] });
    const ann = await server.connect('/presence?user=Ann');
    assert.equal(await person(ann, 'Ann'), 'away');
    tell(ann, { type: 'beat' });
    assert.equal(await person(ann, 'Ann'), 'online');
});

test('presence: odd users and messages', async (t) => {
    const server = await examples(t, { 'presence.lua': [['rate = 5, burst = 10', 'rate = 1000, burst = 1000'], ['MOST = 1000 ', 'MOST = 1 ']] });
    for (const path of ['/presence', '/presence?user=%20', '/presence?user=%ff']) assert.equal((await ends(server, path)).code, 4001, path);
    const ann = await server.connect('/presence?user=Ann');
    assert.equal((await ends(server, '/presence?user=Bob')).code, 1013, 'the house is full');
    await ann.nextJson();
    for (const text of [...odd, '{"type":"status","status":"asleep"}', '{"type":"status","status":["busy"]}']) ann.send(text);
    tell(ann, { type: 'status', status: 'busy' });
    assert.deepEqual((({ user, status }) => [user, status])(await ann.nextJson()), ['Ann', 'busy'], 'nothing else was told');
    uncomplaining(server);
});

/* ---- docs/scripting.md ---- */

test('every example in docs/scripting.md is a script that loads without a complaint', async (t) => {
    const page = readFileSync(join(root, 'docs/scripting.md'), 'utf8');
    const fences = [...page.matchAll(/^```lua\n(.*?)^```$/gms)].map(([, text]) => text);
    assert.ok(fences.length >= 5);
    const server = await start(t, Object.fromEntries(fences.map((text, n) => [`scripts/example${n + 1}.lua`, text])));
    uncomplaining(server);
    assert.equal(server.all({ script: /^example/, v: 1 }).length >= fences.length, true);
});

test('the files that docs/scripting.md speaks of are there', () => {
    const page = readFileSync(join(root, 'docs/scripting.md'), 'utf8');
    const links = [...page.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map(([, path]) => path);
    assert.ok(links.length >= 5);
    for (const path of links) assert.ok(existsSync(join(root, path)), path);
});
