/*
 * Made by client/generate.mjs from core/proto/close_catalog.def and core/explain/words_en.def; a
 * test compares them. What each close code means, and what a client does that was told nothing else:
 *
 *   [how many codes from where the last row ended, meaning, least, most, cap, resume, tries]
 *
 * Comes back after least to most ms, most times GROWTH at each failure up to cap, may ask for its
 * session (1), at most tries times in a row (none: without end). Meaning alone: stays away.
 */
export const GROWTH = 2;

export const ROWS = [
    [1000, 'Reserved'],
    [1, 'Normal Closure'],
    [1, 'Going Away', 1000, 5000, 30000, 1],
    [1, 'Protocol Error', 5000, 10000, 60000, 0, 5],
    [1, 'Unsupported Data'],
    [1, 'Reserved'],
    [1, 'No Status Received', 1000, 5000, 30000],
    [1, 'The connection ended without a Close frame', 250, 1000, 30000, 1],
    [1, 'Invalid Frame Payload Data'],
    [1, 'Policy Violation'],
    [1, 'Message Too Big'],
    [1, 'Mandatory Extension'],
    [1, 'Internal Error', 1000, 5000, 60000, 1],
    [1, 'Service Restart', 5000, 30000, 60000, 1],
    [1, 'Try Again Later', 30000, 120000, 300000, 1],
    [1, 'Bad Gateway', 1000, 5000, 60000, 1],
    [1, 'TLS Handshake', 5000, 10000, 60000, 0, 5],
    [1984, 'Reserved'],
    [1, 'Unauthorized'],
    [2, 'Registered Use', 1000, 5000, 30000],
    [1, 'Forbidden'],
    [4, 'Registered Use', 1000, 5000, 30000],
    [1, 'Timeout', 250, 1000, 30000, 1],
    [991, 'Registered Use', 1000, 5000, 30000],
    [500, 'Private Use', 1000, 5000, 30000],
    [500, 'Private Use'],
    [60536, 'Reserved'],
];

export const rowOf = (code) => ROWS.find(([many]) => (code -= many) < 0);
