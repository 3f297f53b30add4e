/*
 * docs/closing.md, run: each fenced block of it is typed, loaded or given to the program that it is
 * for. A comment right before a block says what it is:
 *
 *   <!-- situation: NAME -->  console: commands behind "$ " in a situation of situations.mjs, each
 *                             followed by what it prints; json: a line of that server's log
 *   <!-- script: FILE -->     lua: a script that `moonwire check` has nothing to say about
 *   <!-- config: PROGRAM -->  what that program is given
 *
 * What a command prints has to be what the page says, line by line, after VARIES has taken out what
 * is different each time; a line "..." stands for any lines, also for none. In a command an id
 * stands for the connection of the situation, and port 8080 for the server's.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Project, binary, root, within } from './harness.mjs';
import { find } from './paths/proxies.mjs';
import { poke, serve, situations } from './situations.mjs';

const PAGE = readFileSync(join(root, 'docs/closing.md'), 'utf8');

const SPAN = /\b\d+(?:\.\d+)? (?:ms|s|min|h)\b/g;
const MEASURED = /^(?: {2}(?:ended|open|silent) |MOMENT {2}ID|.* and \d+ more like it|drained in| [✓✗!] |connected|closed)/;

const VARIES = [
    [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'MOMENT'],
    [/(?<=^ {2}connection {2}|^MOMENT {2})[0-9a-f]+/, 'ID'],
    [/\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?/g, 'ADDRESS'],
    [/^ +-?\d+\.\d{3}(?= )/, 'BEFORE'],
    [/\bport \d+/, 'port PORT'],
    [/\b[\d.]+ to (?=[\d.]+ ms$)/, 'FROM to '],
    [/\b\d+\.\d MiB\b/g, 'MEMORY'],
    [/\b\d+ bytes wait$/, 'BYTES wait'],
];

function plain(line) {
    let text = line.trimEnd();
    for (const [pattern, word] of VARIES) text = text.replace(pattern, word);
    if (MEASURED.test(text)) text = text.replace(SPAN, 'SPAN');
    return text.replace('each after SPAN', 'after SPAN to SPAN');
}

/* ---- the page ---- */

function blocksOf(page) {
    const fence = /(?:^<!-- (\w+): ([\w.-]+) -->\n)?^```(\w*)\n([^]*?)^```$/gm;
    return [...page.matchAll(fence)].map(([, kind, name, lang, text], nth) =>
        ({ kind, name, lang, text, at: `block ${nth + 1} (${lang})` }));
}

const blocks = blocksOf(PAGE);
const of = (kind, lang) => blocks.filter((block) => block.kind === kind && block.lang === lang);
const files = Object.fromEntries(of('script', 'lua').map(({ name, text }) => [`scripts/${name}`, text]));

/* "$ command" and the lines behind it. */
function commandsOf(text) {
    return text.split(/^\$ /m).slice(1).map((part) => {
        const [command, ...lines] = part.trimEnd().split('\n');
        return { command, lines };
    });
}

/* ---- running ---- */

function run(program, args, options = {}) {
    return within(new Promise((resolve, reject) => {
        execFile(program, args, { maxBuffer: 10_000_000, ...options }, (error, out, err) => {
            if (error && typeof error.code !== 'number') reject(error);
            else resolve({ code: error ? error.code : 0, out, err });
        });
    }), () => `${program} ${args.join(' ')}`);
}

/* As a shell takes it apart, as far as the page needs it: words and 'quotes'. */
const words = (command) => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);

async function typed(stage, command) {
    const said = command
        .replace(/(?<= (?:why|close) )[0-9a-f]{9,16}\b/, () => stage.conn)
        .replace('127.0.0.1:8080', () => `127.0.0.1:${stage.port ?? stage.server.port}`);
    const [name, ...args] = words(said);
    const { dir } = (stage.server ?? stage).project;
    return run(name === 'moonwire' ? binary : name, args,
        { cwd: dir, env: { ...process.env, ...stage.env, LC_ALL: 'C.UTF-8' } });
}

/* Whether the lines of the page, some of which are "...", are these. */
function fits(page, said) {
    if (page.length === 0) return said.length === 0;
    const [first, ...rest] = page;
    if (first !== '...') return first === said[0] && fits(rest, said.slice(1));
    return Array.from({ length: said.length + 1 }).some((_, i) => fits(rest, said.slice(i)));
}

/* The fields that a line of the log has to have; of what was measured only that it is there. */
function fieldsOf(text) {
    const fields = JSON.parse(text);
    for (const key of ['silent', 'lasted']) if (key in fields) fields[key] = /^\d/;
    return fields;
}

async function compare(stage, { command, lines }) {
    const { code, out, err } = await typed(stage, command);
    const isBad = / doctor /.test(command) ? !/nothing found/.test(out) : / connect /.test(command);
    assert.equal(code, isBad ? 1 : 0, `${command}: ${err}`);
    const said = (out + err).trimEnd().split('\n');
    assert.ok(fits(lines.map(plain), said.map(plain)), `$ ${command}\n${out}`);
}

/* ---- tests ---- */

test('each block of the page is executed, and each situation is shown', () => {
    const known = { situation: ['console', 'json'], script: ['lua'],
        config: ['ini', 'yaml', 'nginx', 'haproxy'] };
    for (const { kind, lang, name, at } of blocks) {
        assert.ok(known[kind]?.includes(lang), `${at} has no comment that says how to run it`);
        if (kind === 'situation') assert.ok(situations[name], `${at}: there is no situation ${name}`);
        if (kind === 'config') assert.ok(configs[name], `${at}: nobody knows the program ${name}`);
    }
    assert.equal(blocks.length, PAGE.match(/^```\w/gm).length);
    const shown = new Set(blocks.map(({ name }) => name));
    for (const name of Object.keys({ ...situations, ...configs })) assert.ok(shown.has(name), name);
});

for (const name of Object.keys(situations)) {
    test(`the page tells what is seen: ${name}`, async (t) => {
        const stage = await situations[name](t, files);
        const own = blocks.filter((block) => block.kind === 'situation' && block.name === name);
        for (const { text } of own.filter(({ lang }) => lang === 'console'))
            for (const command of commandsOf(text)) await compare(stage, command);
        for (const { text } of own.filter(({ lang }) => lang === 'json'))
            await stage.server.log(fieldsOf(text));
        await stage.leave?.();
    });
}

test('each link of the page leads to a heading that is there', () => {
    const slug = (title) => title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
    const headings = (text) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => slug(title));
    for (const [, file, anchor] of PAGE.matchAll(/\]\(([\w-]+\.md)?(?:#([\w-]+))?\)/g)) {
        const text = file ? readFileSync(join(root, 'docs', file), 'utf8') : PAGE;
        assert.ok(!anchor || headings(text).includes(anchor), `${file ?? ''}#${anchor}`);
    }
});

/* What the log, `why` and `doctor` know of those in between is what the page says, row by row. */
test('the table of idle limits is that of the program', () => {
    const table = readFileSync(join(root, 'core/explain/idle_limits.def'), 'utf8');
    const text = String.raw`((?:\s*"(?:[^"\\]|\\.)*")+)`;
    const row = new RegExp(String.raw`^MW_IDLE_LIMIT\((\w+), (\d+), (\w+),${text},${text}\)`, 'gm');
    const said = (literals) => [...literals.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map(([, part]) => part).join('').replaceAll('\\n', ' ');
    const rows = [...table.matchAll(row)].map(([, kind, after, verified, says, change]) =>
        `| ${said(says)} | ${after} s of ${kind.toLowerCase()} | ${said(change)} | ${verified === 'true' ? 'yes' : 'no'} |`);
    assert.equal(rows.length, table.match(/^MW_IDLE_LIMIT/gm).length);
    assert.deepEqual(PAGE.match(/^\|.* s of (?:silence|lifetime) \|.*$/gm), rows);
});

test('the scripts of the page are clean', async (t) => {
    const project = new Project(files);
    t.after(() => project.remove());
    const { code, out, err } = await run(binary, ['check', project.dir]);
    assert.equal(code, 0, out + err);
});

/* What stands before a time limit: seconds. */
const seconds = (text, key) => Number(new RegExp(`${key}\\W+(\\d+)`).exec(text)[1]);

/* The server that is told to end says how long it may take: less than who waits for it allows. */
async function endsIn(t, env) {
    const { server, clock } = await serve(t, files, env);
    server.process.kill('SIGTERM');
    const told = await server.log({ msg: 'draining' });
    clock.forward(told.grace + 1);
    await poke(server).catch(() => {}); /* perhaps it did not sleep */
    await server.exited;
    return told;
}

async function tried(t, program, file, text, ...args) {
    const at = find(program);
    if (!at) return t.skip(`there is no ${program} here`);
    const project = new Project({ [file]: text });
    t.after(() => project.remove());
    const { code, err } = await run(at, [...args, project.path(file)], { cwd: project.dir });
    return assert.equal(code, 0, err);
}

const configs = {
    systemd: async (t, text) => {
        const { timeout } = await endsIn(t, { MOONWIRE_DRAIN_GRACE: '2' });
        assert.ok(seconds(text, 'TimeoutStopSec') > timeout);
        for (const [, command] of text.matchAll(/^Exec\w+=\S+ (.*)$/gm)) {
            const verb = command.split(' ')[0];
            const { out } = await run(binary, ['help']);
            assert.match(out, new RegExp(`^ {2}${verb} `, 'm'));
        }
    },
    kubernetes: async (t, text) => {
        const env = Object.fromEntries([...text.matchAll(/name: (MOONWIRE_\w+)\n\s+value: "(.*)"/g)]
            .map(([, name, value]) => [name, value]));
        const { grace, timeout } = await endsIn(t, env);
        assert.equal(Object.keys(env).length, 2);
        assert.ok(seconds(text, 'terminationGracePeriodSeconds') > timeout);
        const notices = seconds(text, 'periodSeconds') * (seconds(text, 'failureThreshold') + 1);
        assert.ok(grace > notices);
        for (const path of ['/readyz', '/healthz']) assert.ok(text.includes(`path: ${path}`));
    },
    nginx: (t, text) => tried(t, 'nginx', 'nginx.conf', `
        pid nginx.pid; error_log stderr; events {}
        http { access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t;
        uwsgi_temp_path t; scgi_temp_path t; server { listen 127.0.0.1:1; ${text} } }`, '-q', '-t', '-p', '.', '-c'),
    haproxy: (t, text) => tried(t, 'haproxy', 'haproxy.cfg', text, '-c', '-f'),
};

for (const [name, run_it] of Object.entries(configs)) {
    const text = blocks.find((block) => block.kind === 'config' && block.name === name)?.text;
    test(`the configuration of ${name} is taken`, (t) => run_it(t, text));
}
