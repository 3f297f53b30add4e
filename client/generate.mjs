/*
 * src/policy.js from the catalogue of close codes, as the program itself tells it:
 *
 *   moonwire explain --all --json --lang en | node client/generate.mjs > client/src/policy.js
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const GROWTH = 2;

/* Its title tells a page nothing, and all pages meet it: its row has a sentence. */
const CUT = 1006;

/*
 * What the code means, in one short line, since every byte of the table is sent to every page: the
 * title. Those that nobody may send are all the same to a page.
 */
function meaning({ code, title, retry, sections, on_wire }) {
    if (!on_wire && !retry) return 'Reserved';
    const { lines } = sections.find(({ key }) => key === 'description');
    const sentence = lines[0].text.match(/^.*?[^0-9 ](?=[.;] |\.$)/)[0];
    return code === CUT ? sentence : title;
}

/* least, most, cap, resume, tries; what is 0 at the end is left out, all of it where one stays. */
function policy(row) {
    if (!row.retry) return [];
    if (row.growth !== GROWTH) throw new Error(`${row.code} grows by ${row.growth}`);
    const numbers = [...row.first_ms, row.cap_ms, Number(row.resume), row.tries];
    while (!numbers.at(-1)) numbers.pop();
    return numbers;
}

/* `book`: what the program printed. */
export function generate(book) {
    const rows = JSON.parse(book).filter((row) => row.code !== undefined && !row.cause);
    let next = 0;
    const line = (row) => {
        const [, last] = row.range ?? [row.code, row.code];
        const many = last + 1 - next;
        next += many;
        return `    [${[many, `'${meaning(row).replaceAll("'", "\\'")}'`, ...policy(row)].join(', ')}],`;
    };
    return `/*
 * Made by client/generate.mjs from core/proto/close_catalog.def and core/explain/words_en.def; a
 * test compares them. What each close code means, and what a client does that was told nothing else:
 *
 *   [how many codes from where the last row ended, meaning, least, most, cap, resume, tries]
 *
 * Comes back after least to most ms, most times GROWTH at each failure up to cap, may ask for its
 * session (1), at most tries times in a row (none: without end). Meaning alone: stays away.
 */
export const GROWTH = ${GROWTH};

export const ROWS = [
${rows.map(line).join('\n')}
];

export const rowOf = (code) => ROWS.find(([many]) => (code -= many) < 0);
`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
    process.stdout.write(generate(readFileSync(0, 'utf8')));
