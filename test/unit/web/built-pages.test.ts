/** What the build made: small, without secrets, and typed by the API as it is. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
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
    const secrets = Object.entries(VARIABLES).flatMap(([name, { secret }]) => (secret === true ? [name] : []))
    expect(secrets).toContain('GHL_CLIENT_SECRET')
    for (const name of readdirSync(new URL('assets/', DIST)).filter((each) => !each.endsWith('.br'))) {
      const text = read(`assets/${name}`)
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${name}`).toBe(false)
    }
  })

  it('are typed by the API as it is now (npm run docs)', async () => {
    const committed = readFileSync(new URL('../api/openapi.d.ts', DIST), 'utf8')
    expect(await apiTypes()).toBe(committed)
  })
})
