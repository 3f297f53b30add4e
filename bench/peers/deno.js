/*
 * Deno.serve. It has no topics: a fan-out is a loop over who is there. No compression.
 * deno run --allow-net --allow-read deno.js '{ "tls": { "cert", "key" } }'
 */
const { tls } = JSON.parse(Deno.args[0] ?? '{}');
const all = new Set();

const routes = {
    '/echo': (socket) => { socket.onmessage = ({ data }) => socket.send(data); },
    '/json': (socket) => {
        socket.onmessage = ({ data }) => socket.send(JSON.stringify(JSON.parse(data)));
    },
    '/fan': (socket) => {
        socket.onopen = () => all.add(socket);
        socket.onclose = () => all.delete(socket);
        socket.onmessage = ({ data }) => {
            for (const other of all) if (other !== socket) other.send(data);
        };
    },
};

Deno.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...tls && { cert: Deno.readTextFileSync(tls.cert), key: Deno.readTextFileSync(tls.key) },
    onListen: ({ port }) => console.log(port),
}, (request) => {
    const route = routes[new URL(request.url).pathname];
    if (!route) return new Response('no', { status: 404 });
    const { socket, response } = Deno.upgradeWebSocket(request);
    route(socket);
    return response;
});
