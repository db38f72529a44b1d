import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseMessageId } from '../../../src/core/ids.ts'
import { createFileLinks } from '../../../src/http/file-links.ts'

const DAY_MS = 24 * 60 * 60_000
const key = (): string => randomBytes(32).toString('base64')
const tokenOf = (url: string): string => new URL(url).pathname.split('/')[2] ?? ''

describe('a link to a file', () => {
  it('names its message for 30 days, and nothing after', () => {
    let nowMs = Date.parse('2026-11-21T12:00:00Z')
    const links = createFileLinks([key()], 'https://bridge.example', () => nowMs)
    const message = parseMessageId(randomUUID())
    const url = links.to(message, 'a b/ü.zip')
    expect(url).toMatch(/^https:\/\/bridge\.example\/files\/[\w.-]+\/a%20b%2F%C3%BC\.zip$/)
    nowMs += 29 * DAY_MS
    expect(links.read(tokenOf(url))).toBe(message)
    nowMs += 2 * DAY_MS
    expect(links.read(tokenOf(url))).toBeUndefined()
  })

  it('is short enough to click whatever the name, and keeps its ending', () => {
    const links = createFileLinks([key()], 'https://b.example', Date.now)
    const url = links.to(parseMessageId(randomUUID()), `${'😀'.repeat(3_000)}x.zip`)
    expect(url.length).toBeLessThan(2_000)
    expect(url).toMatch(/x\.zip$/)
    expect(() => links.to(parseMessageId(randomUUID()), '\ud800.zip')).not.toThrow()
  })

  it('outlives a change of keys as long as the former one is kept, and cannot be made without one', () => {
    const [old, next] = [key(), key()]
    const token = tokenOf(
      createFileLinks([old], 'https://b.example', Date.now).to(parseMessageId(randomUUID()), 'x'),
    )
    const read = (...keys: string[]) => createFileLinks(keys, 'https://b.example', Date.now).read(token)
    expect(read(next, old)).toBeDefined()
    expect(read(next)).toBeUndefined()
  })

  it.each([0, 10, 40, -1])('is worth nothing when its character %i is another', (at) => {
    const links = createFileLinks([key()], 'https://b.example', Date.now)
    const token = tokenOf(links.to(parseMessageId(randomUUID()), 'x'))
    const index = at < 0 ? token.length - 2 : at
    const changed = token.slice(0, index) + (token[index] === '0' ? '1' : '0') + token.slice(index + 1)
    expect(links.read(changed)).toBeUndefined()
  })
})
