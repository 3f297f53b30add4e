/*
 * ./dev bench [SCENARIO...]: what a message costs Moonwire, a bare floor and its peers. With the name of
 * a script beside this one it is that script which runs.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { compare, compareText } from './runner/compare.mjs';
import { Usage, readOptions } from './runner/options.mjs';
import { makeReport } from './runner/report.mjs';
import { scenarios } from './runner/scenarios.mjs';
import { fillPage, markdownParts, scenarioText } from './runner/table.mjs';

const here = new URL('.', import.meta.url);

/* The first sentence of a script's comment. */
function listScripts() {
    return readdirSync(here).filter((name) => name.endsWith('.mjs') && !['run.mjs', 'lab.mjs'].includes(name))
        .map((name) => {
            const text = readFileSync(new URL(name, here), 'utf8');
            const [, sentence = ''] = /\/\*[\s*]*(.*?)[.:](\s|$)/s.exec(text) ?? [];
            return [name.replace(/\.mjs$/, ''), sentence.replace(/\s*\n \* /g, ' ')];
        });
}

const listed = (rows) => rows.map(([name, what]) => `  ${name.padEnd(18)}${what}`).join('\n');

function help() {
    return `./dev bench [SCENARIO...] [OPTION...]

Server CPU per message, beside a bare floor and peers in the same run; server and load generator
on a core each. Without a name: all scenarios, in about 15 minutes. A name may be the beginning of
several: echo, fanout, deflate, tls, memory.

${listed(Object.entries(scenarios).map(([name, { title }]) => [name, title]))}

  --only A,B        these alone: floor, moonwire, bun, deno, ws, nginx, libwebsockets, python
  --quick           one round instead of three, and nothing is run again
  --rounds N        so many rounds
  --seconds S       of a run, after a second to warm up (1)
  --messages N      of a run, instead of a time, and nothing to warm up
  --clients N       connections of the memory scenarios
  --json FILE       the report, with every round
  --compare FILE    which ratios moved since that report
  --markdown FILE   put the tables between their markers in this page; - prints them
  --from FILE       no measurement: tables of that report

./dev bench SCRIPT [...] measures something else:

${listed(listScripts())}
`;
}

function tellReport(report, options) {
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
    if (options.compare) {
        const before = JSON.parse(readFileSync(options.compare, 'utf8'));
        console.log(compareText(before, compare(before, report)));
    }
    if (!options.markdown) return;
    const parts = markdownParts(report);
    if (options.markdown === '-') console.log(Object.values(parts).join('\n\n'));
    else writeFileSync(options.markdown, fillPage(readFileSync(options.markdown, 'utf8'), parts));
}

async function main() {
    const options = readOptions(process.argv.slice(2));
    if (options.help) {
        process.stdout.write(help());
        return;
    }
    const show = (report, name) => console.log(`\n${scenarioText(report, name)}`);
    let report;
    if (options.from) {
        report = JSON.parse(readFileSync(options.from, 'utf8'));
        for (const name of Object.keys(report.scenarios)) show(report, name);
    } else {
        report = await makeReport(options, (line) => console.error(line), show);
    }
    tellReport(report, options);
}

/* Servers and generators end with this process, however it ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

main().catch((error) => {
    console.error(error instanceof Usage ? `bench: ${error.message}` : error);
    process.exitCode = error instanceof Usage ? 2 : 1;
}).finally(() => process.exit());
