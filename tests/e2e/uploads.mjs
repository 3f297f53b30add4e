/*
 * The ends that a server gives to a client that is in the middle of an upload, for the tests of each
 * kind of client: what it has to read is the code, never 1006.
 */

export const RUNS = 20;
const script = (limits, on_message) => `
    local M = { compression = false, origins = { "*" }, limits = { ${limits} } }
    function M.on_message(conn, data) ${on_message} end
    return M`;

export const scripts = {
    'moonwire.lua': 'return { script = { string = 256 * 1024 * 1024 } }',
    'scripts/small.lua': script('message = 1000', ''),
    'scripts/closing.lua': script('', 'conn:close(4001, "enough")'),
    'scripts/idle.lua': script('idle = 1, message = 256 * 1024 * 1024', ''),
    'scripts/taking.lua': script('', 'log.info("taken")'),
};

/* `pieces` messages of `bytes` each are waiting in the client's own buffer all the time. */
export const ends = [
    { name: 'a message too big', path: '/small', pieces: 1, bytes: 1 << 25, code: 1009 },
    { name: 'a close by the script', path: '/closing', pieces: 8, bytes: 1 << 20, code: 4001 },
];
