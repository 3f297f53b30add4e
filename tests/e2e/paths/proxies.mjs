/*
 * Real proxies in front of a server, as Debian packages them: run by this user on free ports, in a
 * folder of their own, and ended by pid. What is not here is told, and its tests are skipped.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, within } from '../harness.mjs';

const UNPACKED = join(root, '.deps/proxies/usr/sbin'); /* by ./dev deps all */

export function find(name) {
    for (const folder of ['/usr/sbin', '/usr/bin', '/usr/local/sbin', UNPACKED]) {
        try {
            accessSync(join(folder, name), constants.X_OK);
            return join(folder, name);
        } catch { /* the next one */ }
    }
    return null;
}

export const nginx = find('nginx');
export const haproxy = find('haproxy');

/* Nobody listens there now; proxies cannot be told to pick one themselves. */
export async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

function connects(port) {
    return new Promise((resolve) => {
        const socket = createConnection({ port, host: '127.0.0.1' });
        socket.on('connect', () => { socket.destroy(); resolve(true); });
        socket.on('error', () => resolve(false));
    });
}

/* Starts it and waits until it listens; { port, dir }. */
async function run(t, program, argv, port, dir) {
    const child = spawn(program, argv, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => { said += chunk; });
    const gone = new Promise((resolve) => child.on('exit', resolve));
    t.after(async () => {
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
        await gone;
        clearTimeout(timer);
        rmSync(dir, { recursive: true, force: true });
    });
    const up = async () => {
        while (!(await connects(port))) {
            if (child.exitCode !== null) throw new Error(`${program} left: ${said}`);
            await sleep(20);
        }
    };
    await within(up(), () => `${program} to listen`, () => said);
    return { port, dir };
}

function folder() {
    return mkdtempSync(join(tmpdir(), 'moonwire-proxy-'));
}

const UPGRADE = `proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $http_host;`;

/*
 * nginx in front of 127.0.0.1:upstream. `upgrade` false: the headers are not passed on, as its
 * defaults have it; `location`: more lines there; `tls`: { cert, key }, PEM.
 */
export async function startNginx(t, upstream, options = {}) {
    const { upgrade = true, location = '', tls } = options;
    const dir = folder();
    const port = await freePort();
    for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(dir, name));
    if (tls) {
        writeFileSync(join(dir, 'cert.pem'), tls.cert);
        writeFileSync(join(dir, 'key.pem'), tls.key);
    }
    writeFileSync(join(dir, 'nginx.conf'), `daemon off;
worker_processes 1;
pid ${dir}/pid;
error_log stderr warn;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port}${tls ? ' ssl' : ''};
    ${tls ? `ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem;` : ''}
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      ${upgrade ? UPGRADE : ''}
      ${location}
    }
  }
}
`);
    return run(t, nginx, ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'], port, dir);
}

/* HAProxy in front of it; `timeouts`: lines of the defaults section; `frontend`: more lines there. */
export async function startHaproxy(t, upstream, options = {}) {
    const { timeouts = 'timeout client 30s\n  timeout server 30s', frontend = '' } = options;
    const dir = folder();
    const port = await freePort();
    writeFileSync(join(dir, 'haproxy.cfg'), `global
  maxconn 64
defaults
  mode http
  timeout connect 5s
  ${timeouts}
frontend in
  bind 127.0.0.1:${port}
  ${frontend}
  default_backend out
backend out
  server one 127.0.0.1:${upstream}
`);
    return run(t, haproxy, ['-db', '-q', '-f', join(dir, 'haproxy.cfg')], port, dir);
}
