/* The admin socket and its commands: reload, rollback, and going back by itself. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { binary, Project, Server, start, within } from './harness.mjs';

const says = (word) => `return { on_message = function(conn) conn:send("${word}") end }`;
const fails = 'return { on_message = function(conn, data) conn:send(data .. nil) end }';

/* Runs a command of the program to its end. */
async function run(...args) {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => { said.out += text; });
    child.stderr.on('data', (text) => { said.err += text; });
    const code = await within(new Promise((resolve) => child.on('close', resolve)),
        () => `moonwire ${args.join(' ')} to end`);
    return { code, ...said };
}

const command = (server, verb, ...args) => run(verb, server.project.dir, ...args);
/* The watcher may be quicker than a command: what a save became is in the log. */
async function save(server, name, text, v) {
    server.project.write(`scripts/${name}`, text);
    return server.log({ script: name, msg: /^(loaded|reloaded)$/, v });
}

const socketOf = (server) => server.project.path('data/moonwire.sock');

test('the socket is this user\'s alone, and gone at the end', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    assert.equal(statSync(socketOf(server)).mode & 0o777, 0o600);
    assert.equal(statSync(server.project.path('data')).mode & 0o777, 0o700);
    await server.stop();
    assert.ok(!existsSync(socketOf(server)));
});

test('a server that was killed leaves a socket that the next one takes', async (t) => {
    const project = new Project({ 'scripts/chat.lua': says('one') });
    const first = await new Server(project).ready();
    first.process.kill('SIGKILL');
    await first.exited;
    assert.ok(existsSync(socketOf(first)));
    const second = await start(t, project);
    assert.equal((await command(second, 'reload', 'chat.lua')).code, 0);
    assert.deepEqual(second.all({ msg: 'no admin socket' }), []);
});

test('a second server of the same folder says that the first one has the socket', async (t) => {
    const first = await start(t, { 'scripts/chat.lua': says('one') });
    const second = await new Server(first.project).ready();
    const { error } = await second.log({ msg: 'no admin socket', level: 'warn' });
    assert.match(error, /data\/moonwire\.sock: another server listens there/);
    await second.stop();
    assert.deepEqual([second.noise, second.ended.code], [[], 0]);
    assert.equal((await command(first, 'reload', 'chat.lua')).code, 0);
    assert.equal((await first.log({ msg: 'reloaded', script: 'chat.lua' })).v, 2);
});

test('admin.socket moves it or switches it off', async (t) => {
    const args = ['--listen', '127.0.0.1:0', '--admin-socket'];
    const server = await start(t, { 'scripts/chat.lua': says('one') },
        { args: [...args, 'run/here'] });
    assert.equal((await command(server, 'reload', 'chat.lua')).code, 69);
    const there = await command(server, 'reload', 'chat.lua', '--admin-socket', 'run/here');
    assert.equal(there.code, 0, there.err);
    const off = await start(t, { 'scripts/chat.lua': says('one') }, { args: [...args, 'off'] });
    assert.ok(!existsSync(off.project.path('data')));
});

test('without a server a command says where it has looked', async (t) => {
    const project = new Project({ 'scripts/chat.lua': says('one') });
    t.after(() => project.remove());
    const { code, err } = await run('reload', project.dir);
    assert.equal(code, 69);
    assert.match(err, /no server listens at .*data\/moonwire\.sock\n/);
    assert.match(err, /name the folder/);
});

test('reload loads a script that is as it was, and says what the log says', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one'), 'scripts/b.lua': says('b') });
    const nothing = await command(server, 'reload');
    assert.deepEqual([nothing.code, nothing.out], [0, 'nothing has changed\n']);
    const peer = await server.connect('/chat');
    const done = await command(server, 'reload', 'chat.lua');
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /^chat\.lua v1 → v2 {2}[\d.]+ ms {2}1 kept · 0 dropped\n$/);
    const { hash } = await server.log({ msg: 'reloaded', script: 'chat.lua' });
    assert.equal(hash, (await server.log({ msg: 'loaded', script: 'chat.lua' })).hash);
    assert.match(hash, /^[0-9a-f]{8}$/);
    assert.equal(await peer.ask('?'), 'one');
    await peer.close();
});

test('a save that is refused leaves the version, and reload says so with exit code 1', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    const peer = await server.connect('/chat');
    server.project.write('scripts/chat.lua', 'local M = {}\nlocal n = nil + 1\nreturn M');
    const { code, err } = await command(server, 'reload', 'chat.lua');
    assert.equal(code, 1);
    assert.match(err, /^chat\.lua v1 {2}reload refused: v1 goes on serving\n {2}chat\.lua:2: /);
    assert.match(err, /local n = nil \+ 1/);
    const json = await command(server, 'reload', 'chat.lua', '--json');
    assert.equal(json.code, 1);
    const answer = JSON.parse(json.out);
    assert.equal(answer.ok, false);
    assert.deepEqual([answer.lines[0].msg, answer.lines[0].line], ['reload refused', 2]);
    assert.equal(await peer.ask('?'), 'one');
    await peer.close();
    const unknown = await command(server, 'reload', 'chad.lua');
    assert.deepEqual([unknown.code, unknown.out], [1, '']);
    assert.match(unknown.err, /there is no script chad\.lua .*did you mean chat\.lua\?/);
});

test('rollback goes back with every socket open, and again, until nothing is kept', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    const peer = await server.connect('/chat');
    await save(server, 'chat.lua', says('two'), 2);
    await save(server, 'chat.lua', says('three'), 3);
    assert.equal(await peer.ask('?'), 'three');
    const first = await command(server, 'rollback', 'chat.lua');
    assert.match(first.out, /^chat\.lua v3 → v4 \(as v2\) {2}[\d.]+ ms {2}1 kept · 0 dropped\n$/);
    assert.equal(first.code, 0);
    assert.equal(await peer.ask('?'), 'two');
    assert.match((await command(server, 'rollback', 'chat.lua')).out, /v4 → v5 \(as v1\)/);
    assert.equal(await peer.ask('?'), 'one');
    const last = await command(server, 'rollback', 'chat.lua');
    assert.deepEqual([last.code, last.out], [1, '']);
    assert.match(last.err, /nothing is kept of what was before chat\.lua v5/);
    const { from, v, as, kept, dropped, hash } = await server.log({ msg: 'rolled back' }, 2);
    assert.deepEqual([from, v, as, kept, dropped], [4, 5, 1, 1, 0]);
    assert.equal(hash, (await server.log({ msg: 'loaded' })).hash);
    await save(server, 'chat.lua', says('four'), 6);
    assert.equal(await peer.ask('?'), 'four');
    await peer.close();
    assert.equal((await server.log({ msg: 'closed', script: 'chat.lua' })).v, 6);
});

test('rollback --to names a version; what is not kept is said', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    await save(server, 'chat.lua', says('two'), 2);
    await save(server, 'chat.lua', says('three'), 3);
    assert.match((await command(server, 'rollback', 'chat.lua', '--to', 'v9')).err,
        /the sources of chat\.lua v9 are not kept; kept are: v2, v1/);
    assert.match((await command(server, 'rollback', 'scripts/chat.lua', '--to', '1')).out,
        /v3 → v4 \(as v1\)/);
    assert.match((await command(server, 'reload', 'chat')).out, /^chat\.lua v4 → v5/);
    assert.match((await command(server, 'rollback', 'chat')).out, /^chat\.lua v5 → v6 \(as v1\)/);
    assert.match((await command(server, 'reload', server.project.path('scripts/chat.lua'))).out,
        /^chat\.lua v6 → v7/);
    assert.equal((await command(server, 'rollback', 'chat.lua', '--to', 'x')).code, 2);
    assert.equal((await command(server, 'rollback')).code, 2);
});

/* ---- going back by itself ---- */

/* Enough calls for a comparison, then a version whose every call fails, and calls of that. */
async function provoke(server) {
    const peer = await server.connect('/chat');
    for (let i = 0; i < 30; i++) await peer.ask('?');
    await save(server, 'chat.lua', fails, 2);
    for (let i = 0; i < 40; i++) peer.send('?');
    return peer;
}

test('a version that fails all the time is replaced by the one before it, once', async (t) => {
    const args = ['--listen', '127.0.0.1:0', '--reload-auto-rollback'];
    const server = await start(t, { 'scripts/chat.lua': says('one') }, { args });
    const peer = await provoke(server);
    const { v, from, as, why, level } = await server.log({ msg: 'rolled back' });
    assert.deepEqual([from, v, as, level], [2, 3, 1, 'warn']);
    assert.match(why, /^it failed in \d+ of \d+ calls, the version before it in 0 of 31$/);
    let answer;
    do answer = await peer.ask('?'); while (answer !== 'one');
    assert.match((await command(server, 'reload')).out, /^nothing has changed/); /* not tried again */
    assert.equal(server.all({ msg: 'rolled back' }).length, 1);
    await save(server, 'chat.lua', says('mended'), 4);
    await peer.close();
});

test('without the setting the log says what to type, once', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    const peer = await provoke(server);
    const { hint, v } = await server.log({ msg: 'version fails more often' });
    assert.deepEqual([v, hint], [2, 'moonwire rollback chat.lua']);
    const [, script] = hint.match(/^moonwire rollback (\S+)$/);
    assert.equal((await command(server, 'rollback', script)).code, 0);
    assert.equal(await peer.ask('?'), 'one');
    assert.equal(server.all({ msg: 'version fails more often' }).length, 1);
    await peer.close();
});

/* ---- the protocol, by hand ---- */

test('what is no request harms nobody', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    const talk = (bytes) => within(new Promise((resolve) => {
        let heard = '';
        const socket = createConnection(socketOf(server), () => socket.end(bytes));
        socket.on('data', (text) => { heard += text; });
        socket.on('error', () => {});
        socket.on('close', () => resolve(heard));
    }), () => 'the end of the talk');
    const answers = await Promise.all([
        talk('hello\n'), talk('{"cmd":"help"}\n'), talk('{"cmd":"hlep"}\n'), talk(''),
        talk('x'.repeat(1 << 20)), talk('{"cmd":"reload","script":["a"]}\n'), talk('{"cmd":"rel'),
        talk('{"cmd":"rollback"}\n'), talk('{"cmd":"rollback","script":"a.lua","to":-1}\n'),
    ]);
    const want = [/no JSON/, /"reload":/, /did you mean \\"help\\"/, /^$/, /too long|^$/,
        /has to be a text/, /^$/, /"script\\" is missing/, /has to be the number/];
    answers.forEach((answer, i) => assert.match(answer, want[i]));
    assert.equal((await command(server, 'reload', 'chat.lua')).code, 0);
});

test('who asks and goes leaves the server as it was', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': says('one') });
    for (let i = 0; i < 20; i++) {
        const socket = createConnection(socketOf(server));
        await within(new Promise((resolve) => socket.on('connect', resolve)), () => 'a connection');
        socket.write('{"cmd":"reload","script":"chat.lua"}\n'.repeat(5));
        socket.destroy();
    }
    let last; /* those that are gone have their places until their answers find nobody */
    do last = await command(server, 'reload', 'chat.lua'); while (/too many clients/.test(last.err));
    assert.equal(last.code, 0, last.err);
});
