/*
 * What is measured: a row each. `load` is what `moonwire bench` is told; `path` what the servers do
 * there; `floor` the program that does the same bytes without a protocol. A goal is the ratio to that
 * floor in the same run, or bytes. `elsewhere` are ratios to such a floor on another machine, of those
 * that neither Debian nor npm has.
 */
const MIB = 1048576;

const echo = (title, words, more) =>
    ({ kind: 'race', title: `echo ${title}`, path: 'echo', floor: 'echo_floor', per: 'message',
        load: ['--mode', 'echo', ...words], ...more });
const fanout = (title, words, more) =>
    ({ kind: 'race', title: `fan-out ${title}`, path: 'fan', floor: 'fanout_floor', per: 'delivery',
        load: ['--mode', 'fanout', '--clients', 1000, ...words], ...more });
/* The floor's connection is cut as well: it has no Close frames. */
const churn = (title, words, more) =>
    ({ kind: 'race', title, path: 'echo', floor: 'echo_floor', per: 'cycle',
        load: ['--mode', 'churn', '--clients', 50, '--sources', 64, ...words], ...more });
const without = (title, path, words, more) =>
    ({ kind: 'race', title, path, per: 'message', load: words, ...more });

export const scenarios = {
    'echo-64': echo('64 B, 50 connections', ['--clients', 50],
        { goal: 1.00, elsewhere: { uwebsockets: 0.94 } }),
    'echo-1000': echo('64 B, 1 000 connections', ['--clients', 1000],
        { goal: 1.03, elsewhere: { uwebsockets: 1.11 } }),
    'echo-deep': echo('64 B, 50 connections, 16 outstanding', ['--clients', 50, '--depth', 16],
        { goal: 1.40, elsewhere: { uwebsockets: 1.05 } }),
    'echo-one': echo('64 B, 1 connection', ['--clients', 1],
        { goal: 1.04, elsewhere: { uwebsockets: 1.04 } }),
    'echo-16k': echo('16 KiB, 50 connections', ['--clients', 50, '--size', 16384],
        { goal: 1.10, elsewhere: { uwebsockets: 1.14 } }),
    'echo-1m': echo('1 MiB, 4 connections', ['--clients', 4, '--size', MIB],
        { goal: 1.20, elsewhere: { uwebsockets: 1.45 } }),
    'fanout-64': fanout('1 to 1 000, 64 B', [],
        { goal: 1.03, elsewhere: { uwebsockets: 1.07 } }),
    'fanout-64-deep': fanout('1 to 1 000, 64 B, 16 in flight', ['--depth', 16],
        { goal: 1.15, elsewhere: { uwebsockets: 1.21 } }),
    'fanout-1k': fanout('1 to 1 000, 1 KiB', ['--size', 1024],
        { goal: 0.98, elsewhere: { uwebsockets: 0.98 } }),
    'fanout-1k-deep': fanout('1 to 1 000, 1 KiB, 16 in flight', ['--size', 1024, '--depth', 16],
        { goal: 1.30, elsewhere: { uwebsockets: 1.51 } }),
    churn: churn('connect, echo once, cut', ['--abrupt'],
        { goal: 1.60, elsewhere: { uwebsockets: 1.42 } }),
    'churn-close': churn('connect, echo once, close in order', []),

    json: without('JSON 300 B, parsed and made anew', 'json',
        ['--clients', 50, '--size', 300, '--body', 'json']),
    'deflate-takeover': without('permessage-deflate 300 B, windows kept', 'echo',
        ['--clients', 50, '--size', 300, '--body', 'json', '--deflate', 'takeover'],
        { deflate: 'takeover' }),
    'deflate-fresh': without('permessage-deflate 300 B, no windows kept', 'echo',
        ['--clients', 50, '--size', 300, '--body', 'json', '--deflate', 'fresh'],
        { deflate: 'fresh' }),
    room: without('publish in on_message, a room of 100', 'fan',
        ['--mode', 'fanout', '--clients', 99], { per: 'delivery' }),
    'tls-64': without('TLS echo 64 B, 50 connections', 'echo', ['--clients', 50], { tls: true }),
    'tls-16k': without('TLS echo 16 KiB, 50 connections', 'echo',
        ['--clients', 50, '--size', 16384], { tls: true }),
    'tls-churn': without('TLS connect, echo once, close', 'echo',
        ['--mode', 'churn', '--clients', 50, '--sources', 64], { tls: true, per: 'cycle' }),

    'memory-plain': { kind: 'idle', title: 'resident bytes per idle connection', path: 'echo',
        floor: 'echo_floor', per: 'connection', clients: 10000, goal_bytes: 512 },
    'memory-tls': { kind: 'idle', title: 'the same with TLS', path: 'echo', tls: true,
        per: 'connection', clients: 2000, goal_bytes: 10240 },
    'memory-fresh': { kind: 'fresh', title: 'resident bytes of a fresh server', path: 'echo',
        floor: 'echo_floor', per: 'server', goal_bytes: 8 * MIB },
};

/* The names that a word means: a scenario's own, or else all that begin with it: `fanout`, `tls`. */
export const namesOf = (word) => (scenarios[word] ? [word]
    : Object.keys(scenarios).filter((name) => name.startsWith(`${word}-`)));

/* Of the other candidates where there is no floor: the one that scripts at the least cost. */
export const baseOf = (scenario) => (scenario.floor ? 'floor' : 'bun');
