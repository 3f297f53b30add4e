/*
 * Made by client/generate.mjs from core/proto/close_catalog.def and core/explain/words_en.def; a
 * test compares them. What each close code means, and what a client does that was told nothing else:
 *
 *   [last code of the range, meaning, least, most, cap, resume, tries]
 *
 * Comes back after least to most ms, most times GROWTH at each failure up to cap, may ask for its
 * session (1), at most tries times in a row (none: without end). Meaning alone: stays away.
 */
export const GROWTH = 2;

export const ROWS = [
    [999, 'Reserved'],
    [1000, 'Normal Closure'],
    [1001, 'Going Away', 1000, 5000, 30000, 1],
    [1002, 'Protocol Error', 5000, 10000, 60000, 0, 5],
    [1003, 'Unsupported Data'],
    [1004, 'Reserved'],
    [1005, 'No Status Received', 1000, 5000, 30000],
    [1006, 'The connection ended without a Close frame', 250, 1000, 30000, 1],
    [1007, 'Invalid Frame Payload Data'],
    [1008, 'Policy Violation'],
    [1009, 'Message Too Big'],
    [1010, 'Mandatory Extension'],
    [1011, 'Internal Error', 1000, 5000, 60000, 1],
    [1012, 'Service Restart', 5000, 30000, 60000, 1],
    [1013, 'Try Again Later', 30000, 120000, 300000, 1],
    [1014, 'Bad Gateway', 1000, 5000, 60000, 1],
    [1015, 'TLS Handshake', 5000, 10000, 60000, 0, 5],
    [2999, 'Reserved'],
    [3000, 'Unauthorized'],
    [3002, 'Registered Use', 1000, 5000, 30000],
    [3003, 'Forbidden'],
    [3007, 'Registered Use', 1000, 5000, 30000],
    [3008, 'Timeout', 250, 1000, 30000, 1],
    [3999, 'Registered Use', 1000, 5000, 30000],
    [4499, 'Private Use', 1000, 5000, 30000],
    [4999, 'Private Use'],
    [65535, 'Reserved'],
];

export const rowOf = (code) => ROWS.find(([last]) => code <= last);
