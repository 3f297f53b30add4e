/*
 * Node's `ws`, as its readme has it: no compression unless it is what is measured, and then of short
 * messages too. It has no topics: a fan-out is a loop over who is there.
 * node ws.mjs '{ "tls": { "cert", "key" }, "deflate": "takeover" }'
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { WebSocketServer } from '../../tests/node_modules/ws/wrapper.mjs';

const { tls, deflate } = JSON.parse(process.argv[2] ?? '{}');
const all = new Set();

const routes = {
    '/echo': (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })),
    '/json': (ws) => ws.on('message', (data) => ws.send(JSON.stringify(JSON.parse(data)))),
    '/fan': (ws) => {
        all.add(ws);
        ws.on('close', () => all.delete(ws));
        ws.on('message', (data, binary) => {
            for (const other of all) if (other !== ws) other.send(data, { binary });
        });
    },
};

const server = tls
    ? https.createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) })
    : http.createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: deflate ? { threshold: 0 } : false });
sockets.on('connection', (ws, { url }) => {
    ws.on('error', () => {});
    const route = routes[url];
    if (route) route(ws);
    else ws.close();
});
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
