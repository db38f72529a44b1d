/**
 * Builds the pages (src/web) into src/web/dist, where the server reads them. With `--if-needed` nothing happens while the
 * build is newer than every source of it. `--into <folder>` builds there instead.
 */
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import { build, type Plugin } from 'vite'

const ROOT = fileURLToPath(new URL('../src/web', import.meta.url))
const DIST = join(ROOT, 'dist')
const PAGES = ['pair', 'app', 'console']
/** Their change changes the build, too. */
const OTHER_SOURCES = ['build-pages.ts', '../package-lock.json'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

const changedAtMs = async (path: string): Promise<number> => (await stat(path)).mtimeMs

async function isFresh(): Promise<boolean> {
  const builtAtMs = await changedAtMs(join(DIST, 'pair.html')).catch(() => 0)
  const names = (await readdir(ROOT, { recursive: true })).filter((name) => !name.startsWith('dist'))
  const sources = [...names.map((name) => join(ROOT, name)), ...OTHER_SOURCES]
  const changes = await Promise.all(sources.map(changedAtMs))
  return Math.max(...changes) < builtAtMs
}

/** Beside the files that a proxy or the server may send compressed; compressing takes longer than a first paint. */
async function compress(folder: string): Promise<void> {
  const assets = join(folder, 'assets')
  for (const name of await readdir(assets)) {
    const packed = await promisify(brotliCompress)(await readFile(join(assets, name)))
    await writeFile(join(assets, `${name}.br`), packed)
  }
}

/**
 * English stands in every page with its keys. The other languages are data, fetched when they are spoken: their texts alone,
 * in the order of the English keys.
 */
const packedWords: Plugin = {
  name: 'packed-words',
  enforce: 'pre',
  async transform(code, id) {
    if (!id.endsWith('/words/words.ts')) return null
    const read = async (name: string) =>
      JSON.parse(await readFile(join(ROOT, `words/${name}.json`), 'utf8')) as Record<string, string> // our own file
    const keys = Object.keys(await read('en'))
    let packed = code
    for (const [whole, name = ''] of code.matchAll(/import\('\.\/([\w-]+)\.json'[^)]*\)\)/g)) {
      const words = await read(name)
      const source = JSON.stringify(keys.map((key) => words[key]))
      const file = this.emitFile({ type: 'asset', name: `${name}.json`, source })
      packed = packed.replace(
        whole,
        `fetch(import.meta.ROLLUP_FILE_URL_${file}).then(async (answer) => ({ default: await answer.json() })))`,
      )
    }
    return { code: packed, map: null }
  },
}

async function buildPages(dist: string): Promise<void> {
  // Built aside and moved into place: another process may be building, or a server be starting.
  const aside = dist === DIST ? join(ROOT, `dist-${process.pid}`) : `${dist}-${process.pid}`
  // Under a test runner Vite would build pages for developers, with the machine's paths in them.
  process.env['NODE_ENV'] = 'production'
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    plugins: [packedWords],
    // Its front door has canvas and SVG writers behind it; the pages draw by themselves.
    resolve: { alias: [{ find: /^qrcode$/, replacement: 'qrcode/lib/core/qrcode.js' }] },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: aside,
      emptyOutDir: true,
      // The pages allow nothing inline.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: PAGES.map((page) => join(ROOT, `${page}.html`)) },
    },
  })
  await compress(aside)
  await rm(dist, { recursive: true, force: true })
  await rename(aside, dist)
}

const { values: flags } = parseArgs({
  options: { 'if-needed': { type: 'boolean', default: false }, into: { type: 'string', default: DIST } },
})
if (!(flags['if-needed'] && (await isFresh()))) await buildPages(flags.into)
