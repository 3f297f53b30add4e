/* moonwire explain at the shell: languages, widths, forms, what a running server adds, and the docs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, binary, root, start, within } from './harness.mjs';

const OK = 0, FAILED = 1, USAGE = 2;
const utf8 = { LC_ALL: 'C.UTF-8' };

/* Runs explain to its end in an empty folder, with these variables of the language and no other. */
async function explain(args, env = {}, folder = undefined) {
    const project = folder ?? new Project();
    const variables = { ...process.env, ...env };
    for (const name of ['LANG', 'LANGUAGE', 'LC_ALL', 'LC_MESSAGES', 'LC_CTYPE', 'MOONWIRE_LANG'])
        if (!(name in env)) delete variables[name];
    const child = spawn(binary, ['explain', ...args],
        { cwd: project.dir, env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
    const result = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => { result.out += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { result.err += text; });
    const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, ...result })));
    try {
        return await within(ended, () => `the end of explain ${args.join(' ')}`);
    } finally {
        child.kill('SIGKILL');
        if (!folder) project.remove();
    }
}

async function text(args, env) {
    const { code, out, err } = await explain(args, env);
    assert.equal(code, OK);
    assert.equal(err, '');
    return out;
}

/* ---- what can be asked ---- */

const questions = [
    [['1006'], [/^1006 Abnormal Closure .*never sent on the wire$/m, /^How to fix {2,}1 /m]],
    [['1001', '1006'], [/^Key differences {2,}1 1001 is said; 1006 is inferred\.$/m]],
    [['1000', '1011'], [/^Key differences/m, /1000 - /, /1011 - /]],
    [['protocol_error'], [/^protocol_error/, /^What happened/m, /1002 Protocol Error/]],
    [['4001'], [/4000 to 4499/, /M\.codes/]],
    [['1016'], [/1016 to 2999/, /1015, 3000/]],
    [[], [/^1006 Abnormal Closure {2,}yes/m, /^4000-4499 Private Use/m]],
];

for (const [words, patterns] of questions) {
    test(`explain ${words.join(' ')}`, async () => {
        const out = await text(words);
        for (const pattern of patterns) assert.match(out, pattern);
    });
}

test('--all is everything, and nothing is wider than 80 cells', async () => {
    const out = await text(['--all']);
    assert.ok(out.split('\n').every((line) => line.length <= 80));
    for (const title of [/^1000 Normal/m, /^5000 Not a Close Code/m, /^admin_close /m, /^1008 \/ 1013$/m])
        assert.match(out, title);
});

/* ---- what cannot ---- */

const mistakes = [
    [['protokol_error'], FAILED, /did you mean "protocol_error"/],
    [['100000'], FAILED, /"100000"/],
    [['1000', 'peer_fin'], FAILED, /two close codes/],
    [['00c0ffee00000001'], FAILED, /moonwire why 00c0ffee00000001/],
    [['1006', '--lang', 'fr'], USAGE, /"fr"; there are en, ko, vi and ja/],
    [['1', '2', '3'], USAGE, /"3"/],
    [['1006', '--all'], USAGE, /--all/],
    [['1006', '--json', '--markdown'], USAGE, /not both/],
];

for (const [args, wanted, pattern] of mistakes) {
    test(`explain ${args.join(' ')} is refused`, async () => {
        const { code, out, err } = await explain(args, utf8);
        assert.equal(code, wanted);
        assert.equal(out, '');
        assert.match(err, pattern);
    });
}

/* ---- forms ---- */

test('--json has the numbers of the table and texts with their language', async () => {
    const code = JSON.parse(await text(['1006', '--json']));
    assert.deepEqual([code.code, code.sender, code.retry, code.resume, code.first_ms],
        [1006, 'nobody', true, true, [250, 1000]]);
    assert.deepEqual(code.sections.map(({ key }) => key), ['description', 'when', 'fix', 'see_also']);
    assert.ok(code.sections.every(({ lines }) => lines.every(({ lang }) => lang === 'en')));
    const pair = JSON.parse(await text(['1001', '1006', '--json']));
    assert.deepEqual(pair.codes.map((row) => row.name), ['going away', 'abnormal closure']);
    const all = JSON.parse(await text(['--all', '--json']));
    assert.ok(all.length > 60);
});

test('docs/close-codes.md is what explain --all --markdown prints', async () => {
    const written = readFileSync(join(root, 'docs/close-codes.md'), 'utf8');
    assert.equal(written, await text(['--all', '--markdown', '--lang', 'en'], utf8));
});

/* ---- languages ---- */

const isAscii = (out) => /^[\x20-\x7e\n]*$/.test(out);

test('where the terminal is not UTF-8 everything is ASCII', async () => {
    for (const env of [{}, { LANG: 'C' }, { LC_ALL: 'POSIX', LANG: 'ko_KR.UTF-8' },
        { LANG: 'ko_KR.EUC-KR' }, { LANG: 'C', MOONWIRE_LANG: 'ja' }])
        assert.ok(isAscii(await text(['--all'], env)));
    const { code, out, err } = await explain(['1006', '--lang', 'ja'], { LANG: 'C' });
    assert.equal(code, OK);
    assert.ok(isAscii(out));
    assert.match(err, /LC_ALL=C\.UTF-8/);
});

const words = [
    ['ko', '비정상 종료', '해결 방법'],
    ['vi', 'Đóng bất thường', 'Cách khắc phục'],
    ['ja', '異常終了', '解決方法'],
];

for (const [lang, title, heading] of words) {
    test(`explain speaks ${lang}, chosen by flag or environment`, async () => {
        for (const [args, env] of [[['--lang', lang], utf8], [[], { ...utf8, MOONWIRE_LANG: lang }],
            [[], { LANG: `${lang}_XX.UTF-8` }], [[], { LANG: 'de_DE.UTF-8', LANGUAGE: `fr:${lang}` }]]) {
            const out = await text(['1006', ...args], env);
            assert.ok(out.includes(title) && out.includes(heading), out);
        }
        const code = JSON.parse(await text(['1006', '--json', '--lang', lang]));
        assert.equal(code.lang, lang);
        assert.ok(code.sections.every(({ heading: { lang: own } }) => own === lang));
    });
}

/* ---- where a server runs ---- */

const script = `
return {
  codes = { [4001] = { "kicked", retry = false, fix = "ask a moderator" } },
  on_message = function(conn, text) conn:close(4001, text) end,
}`;

test('a running server adds what it saw, and what its scripts say', async (t) => {
    const server = await start(t, { 'scripts/chat.lua': script });
    const peer = await server.connect('/chat');
    peer.send('bye');
    assert.equal((await peer.seen()).code, 4001);
    await server.log({ msg: 'closed', code: 4001 });
    const { code, out, err } = await explain(['4001'], utf8, server.project);
    assert.deepEqual([code, err], [OK, '']);
    for (const pattern of [/^4001 kicked .*chat\.lua$/m, /ask a moderator/, /no: stay away/,
        /1 times, 100 % of all ends/, /script_close/]) assert.match(out, pattern);
    const page = await (await fetch(`${server.url}_moonwire/explain/4001?lang=vi`)).json();
    assert.deepEqual([page.lang, page.found, page.scripts], ['vi', 'server',
        [{ name: 'chat.lua', text: 'kicked', retry: false, fix: 'ask a moderator' }]]);
    const html = await fetch(`${server.url}_moonwire/explain/1001/1006`, { headers: { accept: 'text/html' } });
    assert.match(await html.text(), /<h2>Key differences<\/h2>/);
    assert.equal((await fetch(`${server.url}_moonwire/explain/nothing`)).status, 404);
});

/* ---- where none runs ---- */

const game = `
return {
  codes = {
    [4001] = { "lost", retry = { after = 30, spread = 30 } },
    [4008] = { "too fast", retry = { after = 2.5 } },
  },
  on_message = function() end,
}`;

/* A project with these files, for as long as the test lasts. */
function lay(t, files) {
    const project = new Project(files);
    t.after(() => project.remove());
    return project;
}

test('without a server the scripts are read, in this folder or a named one', async (t) => {
    const project = lay(t, { 'scripts/chat.lua': script });
    for (const [args, folder] of [[['4001'], project], [['4001', project.dir], undefined]]) {
        const { code, out, err } = await explain(args, utf8, folder);
        assert.deepEqual([code, err], [OK, '']);
        for (const pattern of [/^4001 kicked .*chat\.lua$/m, /chat\.lua \(read from/, /ask a moderator/,
            /no: stay away/]) assert.match(out, pattern);
    }
    const json = JSON.parse((await explain(['4001', '1006', '--json'], utf8, project)).out);
    assert.deepEqual([json.codes[0].found, json.codes[0].retry, json.codes[0].scripts, json.codes[1].scripts],
        ['files', false, [{ name: 'chat.lua', text: 'kicked', retry: false, fix: 'ask a moderator' }], undefined]);
    assert.match((await explain(['4777'], utf8, project)).out, /No script here says what 4777/);
    project.write('chat.lua', 'never()');
    project.write('moonwire.lua', 'return {}');
    assert.match((await explain(['4001', `${project.dir}/scripts`], utf8)).out, /ask a moderator/);
});

test('scripts that say different things are all shown', async (t) => {
    const project = lay(t, { 'scripts/chat.lua': script, 'scripts/game.lua': game });
    const { out } = await explain(['4001'], utf8, project);
    for (const pattern of [/^4001 kicked \/ lost/m, /chat\.lua - no: stay away/, /game\.lua\s+-\s+yes, after 30 to 60 s/,
        /Said by chat\.lua: kicked/, /Said by game\.lua: lost/]) assert.match(out, pattern);
    const { scripts } = JSON.parse((await explain(['4001', '--json'], utf8, project)).out);
    assert.deepEqual(scripts.map(({ name, wait_ms: wait }) => [name, wait]),
        [['chat.lua', undefined], ['game.lua', [30000, 60000]]]);
    assert.match((await explain(['4008'], utf8, project)).out, /yes, after 2\.5 s$/m);
});

test('a script that does not load is named in one line, and the others are heard', async (t) => {
    const project = lay(t, {
        'scripts/chat.lua': script, 'scripts/bad.lua': '\nerror("no\\n\\27[31m")', 'scripts/slow.lua': 'while true do end',
    });
    const { code, out, err } = await explain(['4001'], utf8, project);
    assert.equal(code, OK);
    assert.match(out, /^4001 kicked /m);
    const lines = err.trimEnd().split('\n');
    assert.equal(lines.length, 2, err);
    assert.match(lines[0], /^moonwire: \.\/scripts\/bad\.lua does not load, .*: bad\.lua:2: no/);
    assert.match(lines[1], /^moonwire: \.\/scripts\/slow\.lua.* does not load/);
    assert.ok(!err.includes('\x1b'));
});

test('what is no project is said of a folder that was named, and of no other', async (t) => {
    const project = lay(t, {});
    const { code, out, err } = await explain(['4001', `${project.dir}/nothing`], utf8, project);
    assert.deepEqual([code, /no such folder/.test(err)], [OK, true]);
    assert.match(out, /no\s+scripts\s+were\s+read/);
    assert.equal((await explain(['4001'], utf8, project)).err, '');
    const other = lay(t, { 'scripts/bad.lua': 'error("no")' });
    assert.equal((await explain(['1006'], utf8, other)).err, '');
});
