/* Where the peers' programs are, and which versions: what ./dev bench has brought, or else the system. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const brought = join(root, '.deps/bench/node_modules');
const unpacked = join(root, '.deps/proxies');

const listOf = (folder) => (existsSync(folder) ? readdirSync(folder) : []);
const firstOf = (paths) => paths.find((path) => existsSync(path));

/* npm's packages hold one program for each kind of machine; only that of this one is there. */
export const bun = () =>
    firstOf(listOf(join(brought, '@oven')).map((name) => join(brought, '@oven', name, 'bin/bun')));
export const deno = () =>
    firstOf(listOf(join(brought, '@deno')).map((name) => join(brought, '@deno', name, 'deno')));
export const ws = () => firstOf([join(root, 'tests/node_modules/ws/package.json')]);

/* nginx is unpacked, not installed: it would serve the machine's port 80. */
export function nginx() {
    const parts = [unpacked, ''].map((at) => ({
        program: join(at, '/usr/sbin/nginx'),
        modules: join(at, '/usr/lib/nginx/modules'),
        lua: join(at, '/usr/share/lua/5.1'),
        libraries: listOf(join(at, '/usr/lib')).filter((name) => name.endsWith('-linux-gnu'))
            .map((name) => join(at, '/usr/lib', name)),
    }));
    return parts.find(({ program, modules, lua }) => existsSync(program) &&
        existsSync(join(modules, 'ngx_http_lua_module.so')) && existsSync(join(lua, 'resty/core.lua')));
}

/* Debian's packages are for Debian's own, which may not be the first of PATH. */
export function python() {
    try {
        const version = execFileSync('/usr/bin/python3', ['-c', 'import websockets.version as v; print(v.version)'],
            { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        return { program: '/usr/bin/python3', version: version.trim() };
    } catch {
        return undefined;
    }
}

export const versionOfPackage = (path) => JSON.parse(readFileSync(path, 'utf8')).version;
export const packageBeside = (program, up) =>
    versionOfPackage(join(dirname(program), up, 'package.json'));
export const said = (program, words, options = {}) =>
    execFileSync('sh', ['-c', '"$0" "$@" 2>&1', program, ...words], { encoding: 'utf8', ...options }).trim();
