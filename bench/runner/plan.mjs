/*
 * What ten million sockets would take, from the figures of a report: the arithmetic of the plan in
 * docs/performance.md, which says what is behind each row. Pure.
 */
const SOCKETS = 10e6;
const PING_S = 25; /* limits.ping as it ships */
const BACK_S = 300; /* the time in which a crowd is to be back */
const PORTS = 28232; /* net.ipv4.ip_local_port_range as it ships */
const WIRE_BYTES = 64 + 2 + 20 + 20 + 12 + 38; /* payload, frame, IP, TCP with timestamps, Ethernet */

const ours = (report, name) => report.scenarios[name]?.candidates.moonwire ?? {};
const gb = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)} GB`;
const cores = (value) => `${value.toFixed(value < 10 ? 1 : 0)} cores`;
const seconds = (value) => `${value.toFixed(value < 10 ? 1 : 0)} core seconds`;

/* What, how it is reckoned, which figures it wants, and what they make. */
const rows = [
    ['memory of the kernel for sockets', 'N × kernel bytes', ['kernel'], ({ kernel }) => gb(SOCKETS * kernel)],
    ['memory of Moonwire, plain', 'N × bytes', ['plain'], ({ plain }) => gb(SOCKETS * plain)],
    ['memory of Moonwire, TLS', 'N × bytes', ['tls'], ({ tls }) => gb(SOCKETS * tls)],
    ['source addresses of a proxy for one server address', `n / ${PORTS} for n sockets of the server`, [],
        () => `${Math.ceil(1e6 / PORTS)} for each million`],
    ['pings', `N / ${PING_S} s`, [], () => `${Math.round(SOCKETS / PING_S / 1000)} 000 per second`],
    ['CPU for them, many ready at once', 'pings × echo with 1 000 connections', ['message'],
        ({ message }) => cores(SOCKETS / PING_S * message / 1e6)],
    ['CPU for them, each wakes the loop', 'pings × echo with 1 connection', ['alone'],
        ({ alone }) => cores(SOCKETS / PING_S * alone / 1e6)],
    ['CPU for 64 B to everybody', 'N × delivery', ['delivery'],
        ({ delivery }) => seconds(SOCKETS * delivery / 1e6)],
    ['bytes on the wire for it', `N × ${WIRE_BYTES} B`, [], () => gb(SOCKETS * WIRE_BYTES)],
    [`CPU for all to come back in ${BACK_S} s, plain`, `N / ${BACK_S} s × connect, echo, close`, ['cycle'],
        ({ cycle }) => cores(SOCKETS / BACK_S * cycle / 1e6)],
    ['the same with TLS, whole handshakes', 'the same with TLS', ['handshake'],
        ({ handshake }) => cores(SOCKETS / BACK_S * handshake / 1e6)],
];

export function planTable(report) {
    const figures = {
        kernel: ours(report, 'memory-plain').kernel_bytes, plain: ours(report, 'memory-plain').bytes,
        tls: ours(report, 'memory-tls').bytes, message: ours(report, 'echo-1000').cpu_us,
        alone: ours(report, 'echo-one').cpu_us, delivery: ours(report, 'fanout-64').cpu_us,
        cycle: ours(report, 'churn').cpu_us, handshake: ours(report, 'tls-churn').cpu_us,
    };
    const known = rows.filter(([, , wants]) => wants.every((name) => figures[name] !== undefined));
    if (!known.some(([, , wants]) => wants.length)) return '';
    return ['| N = 10 million | reckoned | makes |', '| --- | --- | ---: |',
        ...known.map(([what, how, , make]) => `| ${what} | ${how} | ${make(figures)} |`)].join('\n');
}
