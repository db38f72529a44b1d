/** What the build made: small, without secrets, and typed by the API as it is. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { apiTypes } from '../../../scripts/api-types.ts'
import { VARIABLES } from '../../../src/config.ts'

const DIST = new URL('../../../src/web/dist/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, DIST), 'utf8')
const MOST_BYTES = 80 * 1024

/** Everything that a page can come to load: its scripts, what they import, and what they import later. */
function scriptsOf(page: string): Set<string> {
  const found = new Set<string>()
  const follow = (text: string): void => {
    for (const [, name = ''] of text.matchAll(/["'`](?:\/assets\/|assets\/|\.\/)([\w.-]+\.js)["'`]/g)) {
      if (found.has(name)) continue
      found.add(name)
      follow(read(`assets/${name}`))
    }
  }
  follow(read(`${page}.html`))
  return found
}

const pages = readdirSync(DIST).filter((name) => name.endsWith('.html'))
const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) => (secret === true ? [name] : []))

describe('the built pages', () => {
  it.each(pages)('%s loads at most 80 kB of script, all of it counted', (page) => {
    const scripts = [...scriptsOf(page.replace('.html', ''))]
    expect(scripts.length).toBeGreaterThan(1)
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(read(`assets/${name}`)).length, 0)
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES)
  })

  it.each(pages)('%s holds nothing inline: its policy allows none', (page) => {
    expect(read(page)).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/)
  })

  it('know no secret of the server, not even by name', () => {
    expect(secrets).toContain('GHL_CLIENT_SECRET')
    for (const name of readdirSync(new URL('assets/', DIST)).filter((each) => !each.endsWith('.br'))) {
      const text = read(`assets/${name}`)
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${name}`).toBe(false)
    }
  })

  it('take over nothing of the environment they are built in', async () => {
    // Vite hands over what begins with VITE_ by itself, so that a page had only to ask for it.
    const env = Object.fromEntries(
      secrets.flatMap((name) => [name, `VITE_${name}`].map((each) => [each, `value-of-${each}-7c1f`])),
    )
    const folder = await mkdtemp(join(tmpdir(), 'pages-'))
    try {
      const build = fileURLToPath(new URL('../../../scripts/build-pages.ts', import.meta.url))
      await promisify(execFile)(process.execPath, [build, '--into', join(folder, 'dist')], {
        env: { PATH: process.env['PATH'], ...env },
      })
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      )
      expect(files.length).toBeGreaterThan(2 * pages.length)
      for (const { parentPath, name } of files) {
        const bytes = await readFile(join(parentPath, name))
        const text = (name.endsWith('.br') ? brotliDecompressSync(bytes) : bytes).toString('utf8')
        expect(/value-of-\w+-7c1f/.test(text), name).toBe(false)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)

  it('are typed by the API as it is now (npm run docs)', async () => {
    const committed = readFileSync(new URL('../api/openapi.d.ts', DIST), 'utf8')
    expect(await apiTypes()).toBe(committed)
  })
})
