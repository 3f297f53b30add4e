/*
 * Made by client/generate.mjs from core/proto/close_catalog.def and core/explain/words_en.def; a
 * test compares them. What each close code means, and what a client does that was told nothing else:
 *
 *   [last code of the range, meaning, least, most, cap, tries, resume]
 *
 * Comes back after least to most ms, most times GROWTH at each failure up to cap, at most tries
 * times in a row (0: without end), and may ask for its session (1). Meaning alone: stays away.
 */
export const GROWTH = 2;

export const ROWS = [
    [999, 'Numbers below 1000 are not close codes'],
    [1000, 'The work is done and both sides know it'],
    [1001, 'This side is leaving', 1000, 5000, 30000, 0, 1],
    [1002, 'The bytes broke a rule of RFC 6455, so the stream cannot be trusted any more', 5000, 10000, 60000, 5],
    [1003, 'The receiver takes another kind of data: binary came where only text is understood, or the other way round'],
    [1004, 'Reserved without a meaning'],
    [1005, 'A Close frame came without a code', 1000, 5000, 30000],
    [1006, 'The connection ended without a Close frame', 250, 1000, 30000, 0, 1],
    [1007, 'The frames were in order, but what they carried was not: text that is not UTF-8, or data that does not inflate'],
    [1008, 'The peer broke a rule of this service, not of the protocol'],
    [1009, 'A message is larger than the receiver takes'],
    [1010, 'A client wanted an extension that the server did not agree to, and cannot work without it'],
    [1011, 'The server met an error of its own', 1000, 5000, 60000, 0, 1],
    [1012, 'The server restarts and will be back', 5000, 30000, 60000, 0, 1],
    [1013, 'The server is overloaded or not ready just now', 30000, 120000, 300000, 0, 1],
    [1014, 'A server in between could not reach the one behind it, or got a bad answer from it', 1000, 5000, 60000, 0, 1],
    [1015, 'The TLS handshake failed, so there never was a WebSocket', 5000, 10000, 60000, 5],
    [2999, 'Kept for later versions of the protocol and its extensions'],
    [3000, 'The client has not shown who it is, or its token is not valid any more'],
    [3002, 'For libraries and frameworks, registered at IANA', 1000, 5000, 30000],
    [3003, 'The server knows who the client is, and does not let it in'],
    [3007, 'For libraries and frameworks, registered at IANA', 1000, 5000, 30000],
    [3008, 'Something was due and did not come in time', 250, 1000, 30000, 0, 1],
    [3999, 'For libraries and frameworks, first come first served at IANA', 1000, 5000, 30000],
    [4499, 'For applications: your script says what it means', 1000, 5000, 30000],
    [4999, 'For applications: your script says what it means'],
    [65535, 'Numbers from 5000 on are not close codes'],
];

export const rowOf = (code) => ROWS.find(([last]) => code <= last);
