/* What mixture and growth are asked for, and how they show it. */

/* `defaults` are numbers that --NAME N changes; --json FILE and --markdown besides. */
export function numbersOf(defaults) {
    const words = process.argv.slice(2), found = { ...defaults, markdown: false };
    while (words.length) {
        const name = words.shift().replace(/^--/, '');
        if (name === 'markdown') found.markdown = true;
        else if (name === 'json') found.json = words.shift();
        else if (name in defaults && Number(words[0]) > 0) found[name] = Number(words.shift());
        else {
            console.error(`bench: --${name}? There are --json FILE, --markdown and, with a number, ` +
                Object.keys(defaults).map((each) => `--${each}`).join(', '));
            process.exit(2);
        }
    }
    return found;
}

/* The first column is text, the others are numbers. */
export function tableOf(head, rows, isMarkdown) {
    if (isMarkdown) {
        const line = (cells) => `| ${cells.join(' | ')} |`;
        return [line(head), line(head.map((_, i) => (i ? '---:' : '---'))), ...rows.map(line)].join('\n');
    }
    const widths = head.map((_, i) => Math.max(...[head, ...rows].map((cells) => cells[i].length)));
    return [head, ...rows].map((cells) => cells.map((cell, i) =>
        (i ? cell.padStart(widths[i] + 2) : cell.padEnd(widths[i]))).join('').trimEnd()).join('\n');
}
