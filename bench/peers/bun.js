/*
 * Bun.serve, with its own publish: bun bun.js '{ "tls": { "cert", "key" }, "deflate": true }'
 * Its topics, corks and limits are as it ships. Both kinds of compression share one window, as is
 * its default, unless a client wants the other.
 */
const { tls, deflate } = JSON.parse(process.argv[2] ?? '{}');

const routes = {
    '/echo': { message: (ws, data) => ws.send(data, Boolean(deflate)) },
    '/json': { message: (ws, data) => ws.send(JSON.stringify(JSON.parse(data))) },
    '/fan': {
        open: (ws) => ws.subscribe('all'),
        message: (ws, data) => ws.publish('all', data),
    },
};

const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: tls && { cert: Bun.file(tls.cert), key: Bun.file(tls.key) },
    fetch(request, server) {
        const route = routes[new URL(request.url).pathname];
        if (route && server.upgrade(request, { data: route })) return;
        return new Response('no', { status: 404 });
    },
    websocket: {
        perMessageDeflate: deflate && { compress: deflate === 'takeover' ? 'dedicated' : 'shared' },
        open: (ws) => ws.data.open?.(ws),
        message: (ws, data) => ws.data.message(ws, data),
    },
});
console.log(server.port);
