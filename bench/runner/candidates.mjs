/*
 * Who is measured. A candidate is `found`, or is left out with what it lacks; `cannot` names what it
 * does not do by paths and features; `start` gives a server on the server's core, one process, with
 * the settings that its makers advise. All serve /echo, /json and /fan (bench/peers, and for Moonwire
 * bench/peers/scripts).
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_CORE, built, folderOf, pinned, startMoonwire } from '../lab.mjs';
import * as programs from './programs.mjs';

const peers = join(programs.root, 'bench/peers');
const peer = (name) => join(peers, name);
const words = ({ tls, deflate }) => JSON.stringify({ ...tls && { tls }, ...deflate && { deflate } });

/* Of those that say their port in their first line. */
async function startSaying(file, args) {
    const server = pinned(SERVER_CORE, file, args);
    return { ...server, port: Number(await server.line()) };
}

/* ---- ours ---- */

async function startOurs({ tls }) {
    const folder = folderOf({});
    cpSync(peer('scripts'), join(folder, 'scripts'), { recursive: true });
    return startMoonwire(folder, ...tls ? ['--tls-cert', tls.cert, '--tls-key', tls.key] : []);
}

/* ---- nginx ---- */

function freePort() {
    return new Promise((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

async function startNginx({ tls }) {
    const found = programs.nginx();
    const folder = folderOf({});
    const port = await freePort();
    const values = {
        folder, port, here: peers, modules: found.modules, lua: found.lua, ssl: tls ? 'ssl' : '',
        certificate: tls ? `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : '',
    };
    const text = readFileSync(peer('nginx.conf'), 'utf8')
        .replace(/@(\w+)@/g, (_, name) => values[name]);
    writeFileSync(join(folder, 'nginx.conf'), text);
    const server = pinned(SERVER_CORE, 'env', [`LD_LIBRARY_PATH=${found.libraries.join(':')}`,
        found.program, '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')]);
    for (let tries = 0; tries < 100 && !existsSync(join(folder, 'nginx.pid')); tries++) await sleep(50);
    return { ...server, port };
}

const nginxVersion = () => {
    const { program, libraries } = programs.nginx();
    return programs.said(program, ['-v'], { env: { LD_LIBRARY_PATH: libraries.join(':') } })
        .split('/').pop();
};

/* ---- the table ---- */

export const candidates = {
    floor: {
        title: 'floor', cannot: ['json', 'tls', 'deflate'],
        found: () => existsSync(join(built, 'bench/echo_floor')), lacks: 'it is not built',
        version: () => 'bare libuv',
        start: async (_, floor) => ({ ...await startSaying(join(built, 'bench', floor), []), bare: true }),
    },
    moonwire: {
        title: 'Moonwire', cannot: [],
        found: () => existsSync(join(built, 'moonwire')), lacks: 'it is not built',
        version: () => programs.said(join(built, 'moonwire'), ['version']).split(/\s+/)[1],
        start: startOurs,
    },
    bun: {
        title: 'Bun', cannot: [],
        found: programs.bun, lacks: 'npm did not bring it',
        version: () => programs.said(programs.bun(), ['--version']),
        start: (options) => startSaying(programs.bun(), [peer('bun.js'), words(options)]),
    },
    deno: {
        title: 'Deno', cannot: ['deflate'],
        found: programs.deno, lacks: 'npm did not bring it',
        version: () => programs.packageBeside(programs.deno(), '.'),
        start: (options) => startSaying('env', [`DENO_DIR=${folderOf({})}`, 'DENO_NO_UPDATE_CHECK=1',
            programs.deno(), 'run', '--no-lock', '--no-config', '--allow-net', '--allow-read',
            peer('deno.js'), words(options)]),
    },
    ws: {
        title: 'Node ws', cannot: [],
        found: programs.ws, lacks: 'npm did not bring it',
        version: () => `${programs.versionOfPackage(programs.ws())}, Node ${process.versions.node}`,
        start: (options) => startSaying(process.execPath, [peer('ws.mjs'), words(options)]),
    },
    nginx: {
        title: 'nginx + Lua', cannot: ['json', 'deflate'],
        found: programs.nginx, lacks: 'apt did not bring nginx and its Lua module',
        version: nginxVersion,
        start: startNginx,
    },
    libwebsockets: {
        title: 'libwebsockets', cannot: ['json'],
        found: () => existsSync(join(built, 'bench/libwebsockets_server')),
        lacks: 'there was no libwebsockets-dev when bench/ was built',
        version: () => programs.said('pkg-config', ['--modversion', 'libwebsockets']),
        start: ({ tls, deflate }) => startSaying(join(built, 'bench/libwebsockets_server'),
            [...tls ? [`tls=${tls.cert},${tls.key}`] : [], ...deflate ? ['deflate'] : []]),
    },
    python: {
        title: 'Python', cannot: [],
        found: programs.python, lacks: 'apt did not bring python3-websockets',
        version: () => `websockets ${programs.python().version}`,
        start: (options) => startSaying(programs.python().program,
            [peer('python_websockets.py'), words(options)]),
    },
};

/* Why one has no part in a scenario; undefined: it has. */
export function lacksFor(name, scenario) {
    if (name === 'floor') return scenario.floor ? undefined : 'floor';
    const needs = [scenario.path, scenario.tls && 'tls', scenario.deflate && 'deflate'];
    return candidates[name].cannot.find((feature) => needs.includes(feature));
}
