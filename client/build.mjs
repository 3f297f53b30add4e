/*
 * dist/: what pages load and the server carries. The same sources give the same bytes; a test
 * compares them with what is in the repository.
 *
 *   node client/build.mjs
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/* The client, and what it loads where a page wants sessions. */
export const FILES = { 'moonwire.js': 'src/index.js', 'resume.js': 'src/resume.js' };

export async function bundle(file) {
    const { build } = createRequire(here('../tests/e2e/package.json'))('esbuild');
    const options = {
        entryPoints: [here(FILES[file])], bundle: true, minify: true, write: false,
        external: ['./resume.js'], /* beside it also in dist/, and where the server has both */
        mangleProps: /^(ws|over|openedAt|heardAt|doubt|mark|timer)$/, /* of objects that no page sees */
        mangleCache: { ws: 'e', over: 'i', openedAt: 'd', heardAt: 'l', doubt: 'r', mark: 's', timer: 't' },
        target: 'es2022', charset: 'utf8', legalComments: 'none', format: 'esm',
    };
    const { outputFiles } = await build(options);
    return outputFiles[0].text;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
    for (const file in FILES) writeFileSync(here(`dist/${file}`), await bundle(file));
}
