/* The program at the shell: what it prints, how it ends, what it says to input that cannot be. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { alone, Project, Server, binary, root, start, within } from './harness.mjs';

const OK = 0, USAGE = 2, UNAVAILABLE = 69, BAD_CONFIG = 78;
const any = ['--listen', '127.0.0.1:0'];
const empty = 'return {}';

/* Runs it to its end: { code, out, err }. */
function run(args) {
    const child = spawn(binary, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const result = { out: '', err: '' };
    child.stdout.on('data', (chunk) => { result.out += chunk; });
    child.stderr.on('data', (chunk) => { result.err += chunk; });
    const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, ...result })));
    const what = () => `the end of moonwire ${args.join(' ')}`;
    return within(ended, what, () => `: ${result.out}${result.err}`)
        .finally(() => child.kill('SIGKILL'));
}

/* ---- what it says about itself ---- */

const answers = [
    [['--help'], [/usage/i, /\bdev\b/, /\bserve\b/, /--version/]],
    [['serve', '--help'], [/usage/i, /--listen/]],
    [['dev', '--help'], [/usage/i, /--listen/]],
    [['--version'], [/^moonwire \d+\.\d+\.\d+/]],
];

for (const [args, texts] of answers) {
    test(`moonwire ${args.join(' ')} prints to stdout and ends well`, async () => {
        const { code, out, err } = await run(args);
        assert.equal(code, OK);
        assert.equal(err, '');
        for (const text of texts) assert.match(out, text);
        assert.ok(out.split('\n').every((line) => line.length <= 100), 'fits a terminal');
    });
}

/* ---- bad usage ---- */

const mistakes = [
    [['sevre'], [/sevre/, /serve/]],
    [['Dev'], [/Dev/, /\bdev\b/]],
    [['frobnicate'], [/frobnicate/, /--help/]],
    [['serve', '--lisen', '127.0.0.1:0'], [/--lisen/, /--listen/]],
    [['--verison'], [/--verison/, /--version/]],
    [['serve', '--listen'], [/--listen/, /ADDRESS:PORT/]],
    [['serve', '--listen', 'nonsense'], [/nonsense/, /ADDRESS:PORT/]],
    [['serve', '--listen', '127.0.0.1:65536'], [/65536/, /ADDRESS:PORT/]],
    [['serve', '--listen', '127.0.0.1:http'], [/http/, /ADDRESS:PORT/]],
    [['serve', '--log-level', 'loud'], [/loud/, /debug/]],
    [['serve', 'one', 'two'], [/two/]],
    [['serve', '--trusted-proxies', '10.0.0.0/33'], [/10\.0\.0\.0\/33/, /10\.0\.0\.0\/8, ::1/]],
    [['serve', 'scripts', '--tls'], [/throw-away/, /--tls-cert FILE/]],
    [['dev', 'scripts', '--tls', '--tls-cert', 'a', '--tls-key', 'b'], [/leave out/]],
    [['serve', 'scripts', '--tls-cert', 'a.pem'], [/a\.pem/, /tls\.key/]],
    [['serve', 'scripts', '--proxy-protocol'], [/trusted_proxies/, /list/]],
];

for (const [args, texts] of mistakes) {
    test(`moonwire ${args.join(' ')} is a usage error that says what to type`, async () => {
        const { code, out, err } = await run(args);
        assert.equal(code, USAGE);
        assert.equal(out, '');
        for (const text of texts) assert.match(err, text);
    });
}

/* ---- bad folders and scripts ---- */

const at = (route) => `return { route = "${route}" }`;

/* what, files, the folder that is named, what the answer says */
const bad = [
    ['a folder that does not exist', {}, 'not/there', [/not\/there/, /no such|not exist/i]],
    ['a file instead of a folder', { 'chat.lua': empty }, 'chat.lua', [/chat\.lua/, /folder/]],
    ['a folder without a script', { 'README': 'hello' }, '', [/no script/, /echo\.lua/]],
    ['an empty script folder', { 'scripts/README': 'hello' }, '', [/scripts/, /no script/]],
    ['nothing but libraries',
        { 'scripts/lib/a.lua': empty, 'scripts/_b.lua': empty, 'scripts/c_test.lua': empty }, '',
        [/scripts/, /no script/]],
    ['settings that do not parse',
        { 'scripts/a.lua': empty, 'moonwire.lua': 'return {\n  listen = = 1 }' }, '',
        [/moonwire\.lua:2/]],
    ['certificates that are not there',
        { 'scripts/a.lua': empty, 'moonwire.lua': 'return { tls = { cert = "c.pem", key = "k" } }' },
        '', [/c\.pem/, /no such file/]],
    ['half a certificate',
        { 'scripts/a.lua': empty,
            'moonwire.lua': 'return { tls = { certificates = { { cert = "c.pem" } } } }' },
        '', [/certificates\[1\]\.cert/, /certificates\[1\]\.key/]],
    ['a setting that there is not',
        { 'scripts/a.lua': empty, 'moonwire.lua': 'return { lisen = ":0" }' }, '',
        [/moonwire\.lua/, /lisen/, /listen/]],
];

/* With these `dev` goes on, for they are being edited; `serve` does not start. */
const badScripts = [
    ['two scripts on one route', { 'scripts/a.lua': at('/b'), 'scripts/b.lua': empty }, '',
        [/a\.lua/, /b\.lua/, /\/b\b/]],
    ['two scripts whose patterns differ by name alone',
        { 'scripts/a.lua': at('/x/:one'), 'scripts/b.lua': at('/x/:two') }, '',
        [/a\.lua/, /b\.lua/]],
    ['a handler that is no function', { 'scripts/a.lua': 'return { on_message = 7 }' }, '',
        [/a\.lua/, /on_message/, /function/]],
];

const refusals = [
    ...bad.flatMap((row) => [['serve', ...row], ['dev', ...row]]),
    ...badScripts.map((row) => ['serve', ...row]),
];

for (const [verb, what, files, dir, texts] of refusals) {
    test(`${verb}: ${what} ends it with 78 and a clear answer`, async (t) => {
        const project = new Project(files);
        t.after(() => project.remove());
        const { code, err } = await run([verb, project.path(dir), ...any]);
        for (const text of texts) assert.match(err, text);
        assert.equal(code, BAD_CONFIG, err);
    });
}

for (const [what, files, , texts] of badScripts) {
    test(`dev: ${what} is told, and mended while it runs`, async (t) => {
        const server = await start(t, files, { verb: 'dev' });
        const { error, file } = await server.log({ msg: 'load refused' });
        for (const text of texts) assert.match(`${file}: ${error}`, text);
        server.project.write(`scripts/${file}`, at('/mended'));
        await server.log({ msg: 'loaded', script: file });
        await (await server.connect('/mended')).close();
    });
}

/* ---- ports ---- */

test('a port in use ends it with 69, and the message names it', async (t) => {
    const project = new Project({ 'scripts/a.lua': empty });
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => { other.close(); project.remove(); });
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address();
    const { code, err } = await run(['serve', project.dir, '--listen', `127.0.0.1:${port}`]);
    assert.equal(code, UNAVAILABLE, err);
    assert.match(err, new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.match(err, /in use/);
    assert.match(err, /--listen/, 'and what to do');
});

test('a second server on the port of the first ends with 69; the first goes on', async (t) => {
    const first = await start(t, { 'scripts/a.lua': empty });
    const { code } = await run(['serve', first.project.dir, '--listen', `127.0.0.1:${first.port}`]);
    assert.equal(code, UNAVAILABLE);
    await (await first.connect('/a')).close();
});

test('port 0 picks one, prints it, and answers there', async (t) => {
    const server = await start(t, { 'scripts/a.lua': empty }, { verb: 'dev' });
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*\/$/);
    await (await server.connect('/a')).close();
});

test('scripts may lie in the folder itself, and the folder may be the current one', async (t) => {
    const project = new Project({ 'a.lua': empty });
    t.after(() => project.remove());
    const stdio = ['ignore', 'ignore', 'pipe'];
    const child = spawn(binary, ['serve', ...any], { cwd: project.dir, stdio });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const said = new Promise((resolve) => {
        let text = '';
        child.stderr.on('data', (chunk) => { if (/"msg":"ready"/.test(text += chunk)) resolve(); });
    });
    await within(said, () => 'ready');
    child.kill('SIGTERM');
    assert.equal(await within(ended, () => 'its end'), OK);
});

/* ---- the human log ---- */

test('on a terminal the log is for people, and ^C ends it', async (t) => {
    const project = new Project({ 'scripts/chat.lua': empty });
    t.after(() => project.remove());
    const command = `stty cols 100; exec '${binary}' dev '${project.dir}' ${any.join(' ')}`;
    const stdio = ['pipe', 'pipe', 'inherit'];
    const pty = spawn('script', ['-qec', command, '/dev/null'], { stdio });
    let text = '';
    let look = () => {};
    pty.stdout.on('data', (chunk) => { text += chunk; look(); });
    const shows = (what) => within(new Promise((resolve) => {
        look = () => what.test(text) && resolve();
        look();
    }), () => String(what), () => `: ${text}`);

    await shows(/http:\/\/127\.0\.0\.1:\d+\//);
    await shows(/chat\.lua/);
    project.write('scripts/chat.lua', 'return { on_message = function() end }');
    await shows(/chat\.lua.*v1 → v2/);
    project.write('scripts/chat.lua', 'local M = {}\nreturn M M');
    await shows(/chat\.lua:2/);
    await shows(/return M M/);
    assert.ok(!/^\s*\{"/m.test(text), 'no JSON');
    const ended = new Promise((resolve) => pty.on('close', resolve));
    pty.stdin.write('\x03');
    assert.equal(await within(ended, () => 'its end', () => `: ${text}`), OK);
});

/* ---- signals ---- */

const room = `
    local M = {}
    function M.on_message(conn, data) conn:send(data) end
    function M.on_close(conn, code, reason, info)
      log.info("end", { code = code, cause = info.cause })
    end
    function M.on_stop() log.info("script stopped") end
    return M`;

for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal} closes each connection with 1001, runs its on_close, ends with 0`, async (t) => {
        const server = await start(t, { 'scripts/room.lua': room }, { env: alone });
        const peers = await Promise.all(Array.from({ length: 50 }, () => server.connect('/room')));
        const silent = await server.connect('/room');
        silent.socket._socket.pause(); /* it neither reads nor answers the Close frame */
        const ending = server.stop(signal);
        for (const peer of peers) assert.equal((await peer.seen()).code, 1001);
        assert.deepEqual(await ending, { code: 0, signal: null });
        assert.equal(server.all({ msg: 'end', code: 1001 }).length, 51);
        assert.ok(server.all({ msg: 'end' }).every((line) => line.cause === 'drain'));
        assert.equal(server.all({ msg: 'script stopped' }).length, 1);
        silent.socket.terminate();
    });
}

test('a second signal ends it at once, though a peer does not answer', async (t) => {
    const project = new Project({ 'scripts/room.lua': room });
    const server = new Server(project);
    t.after(() => project.remove());
    await server.ready();
    const peer = await server.connect('/room');
    peer.socket._socket.pause();
    server.process.kill('SIGTERM');
    await server.log({ msg: 'draining' });
    const { code, signal } = await server.stop('SIGTERM');
    assert.notDeepEqual([code, signal], [0, null], 'it did not wait');
    assert.deepEqual(server.noise, []);
    peer.socket.terminate();
});
