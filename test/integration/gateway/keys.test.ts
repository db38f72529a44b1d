import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SERVICE_SCOPES } from '../../../src/bridge/service-keys.ts'
import { waitFor } from '../../support/wait-for.ts'
import { codeOf, type GatewayBench, startGatewayBench } from './bench.ts'

interface Listed {
  readonly keys: readonly { readonly id: string; readonly name: string; readonly lastUsedAt: string | null }[]
}
interface Audit {
  readonly entries: readonly Record<string, unknown>[]
  readonly nextCursor: string | null
}

describe('service keys', () => {
  let bench: GatewayBench
  let locationId: string
  beforeAll(async () => {
    bench = await startGatewayBench()
    locationId = await bench.install()
  })
  afterAll(() => bench.stop())

  const listed = async () => (await (await bench.call('GET', '/api/keys')).json()) as Listed
  const audit = async (query = '') => (await (await bench.call('GET', `/api/audit${query}`)).json()) as Audit

  it('are shown once, and never again', async () => {
    const { id, key } = await bench.key(['products'], locationId)
    const answer = await bench.call('GET', '/api/keys')
    const text = await answer.text()
    expect((JSON.parse(text) as Listed).keys.find((each) => each.id === id)).toMatchObject({
      name: 'Shop',
      locationId,
      scopes: ['products'],
      lastUsedAt: null,
    })
    expect(text).not.toContain(key)
  })

  it('open what their scopes name, and only in their own location', async () => {
    const { key } = await bench.key(['messages:read'], locationId)
    const ledger = (location: string) => bench.call('GET', `/api/ledger/${location}`, key)
    expect((await ledger(locationId)).status).toBe(200)
    const other = await bench.install('Other')
    const refused = await ledger(other)
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'FORBIDDEN'])
    const { key: unfit } = await bench.key(['products'], locationId)
    expect((await bench.call('GET', `/api/ledger/${locationId}`, unfit)).status).toBe(403)
    const { key: wide } = await bench.key(['messages:read'])
    expect((await bench.call('GET', `/api/ledger/${other}`, wide)).status).toBe(200)
  })

  it('cannot make, see or revoke keys, nor read the audit', async () => {
    const { id, key } = await bench.key([...SERVICE_SCOPES])
    for (const [method, path] of [
      ['POST', '/api/keys'],
      ['GET', '/api/keys'],
      ['DELETE', `/api/keys/${id}`],
      ['GET', '/api/audit'],
    ] as const) {
      const answer = await bench.call(method, path, key, method === 'POST' ? { name: 'x' } : undefined)
      expect([path, answer.status, await codeOf(answer)]).toEqual([path, 403, 'FORBIDDEN'])
    }
  })

  it('may be made with read or write for all scopes of that kind', async () => {
    const { id } = await bench.key(['read', 'products'], locationId)
    const { id: writer } = await bench.key(['write'], locationId)
    const { keys } = (await (await bench.call('GET', '/api/keys')).json()) as {
      keys: readonly { readonly id: string; readonly scopes: readonly string[] }[]
    }
    const scopesOf = (wanted: string) => keys.find((each) => each.id === wanted)?.scopes
    expect(scopesOf(id)).toEqual([
      'proxy:read',
      'products',
      'locations:read',
      'messages:read',
      'sessions:read',
    ])
    expect(scopesOf(writer)).toEqual(['proxy:write', 'messages:write', 'sessions:write'])
  })

  it('are dead at once when revoked', async () => {
    const { id, key } = await bench.key(['messages:read'], locationId)
    expect((await bench.call('DELETE', `/api/keys/${id}`)).status).toBe(204)
    const answer = await bench.call('GET', `/api/ledger/${locationId}`, key)
    expect([answer.status, await codeOf(answer)]).toEqual([401, 'UNAUTHENTICATED'])
    const again = await bench.call('DELETE', '/api/keys/nobody')
    expect(again.status).toBe(404)
    expect(await again.json()).toMatchObject({
      error: { code: 'KEY_UNKNOWN', action: expect.stringContaining('/api/keys') as string },
    })
  })

  it.each([
    ['no name', { scopes: ['products'] }, 400, 'REQUEST_INVALID'],
    ['no scopes', { name: 'x' }, 400, 'REQUEST_INVALID'],
    ['an empty list of scopes', { name: 'x', scopes: [] }, 400, 'REQUEST_INVALID'],
    ['a scope that is none', { name: 'x', scopes: ['everything'] }, 400, 'REQUEST_INVALID'],
    ['an unknown property', { name: 'x', scopes: ['products'], admin: true }, 400, 'REQUEST_INVALID'],
    [
      'a location that is no id',
      { name: 'x', scopes: ['products'], locationId: '../x' },
      400,
      'REQUEST_INVALID',
    ],
    [
      'a location without the app',
      { name: 'x', scopes: ['products'], locationId: 'no' },
      404,
      'LOCATION_UNKNOWN',
    ],
  ])('are not made with %s', async (_, body, status, code) => {
    const before = (await listed()).keys.length
    const answer = await bench.call('POST', '/api/keys', undefined, body)
    expect([answer.status, await codeOf(answer)]).toEqual([status, code])
    expect((await listed()).keys.length).toBe(before)
  })

  it('leave a trace: who made and revoked which, and what was refused', async () => {
    const { id, key } = await bench.key(['products'], locationId)
    await bench.call('DELETE', `/api/keys/${id}`, key)
    await bench.call('DELETE', `/api/keys/${id}`)
    // The row is written when the caller has his answer.
    const rows = await waitFor('three rows', async () => {
      const found = (await audit('?limit=200')).entries.filter(({ target }) => target === id)
      return found.length === 3 && found
    })
    const deeds = rows.map(({ caller, action, outcome }) => ({ caller, action, outcome }))
    const operator = { kind: 'operator', id: null, name: null }
    expect(deeds).toHaveLength(3)
    expect(deeds).toEqual(
      expect.arrayContaining([
        { caller: operator, action: 'POST /api/keys', outcome: '201' },
        { caller: { kind: 'service', id, name: 'Shop' }, action: 'DELETE /api/keys/:id', outcome: '403' },
        { caller: operator, action: 'DELETE /api/keys/:id', outcome: '204' },
      ]),
    )
    const { entries } = await audit()
    expect(JSON.stringify(entries)).not.toContain(key)
    const first = await audit('?limit=1')
    expect((await audit(`?limit=1&cursor=${first.nextCursor ?? ''}`)).entries).toEqual([entries[1]])
    expect((await bench.call('GET', '/api/audit?limit=0')).status).toBe(400)
    expect((await bench.call('GET', '/api/audit?cursor=x')).status).toBe(400)
  })

  it('can be given every scope that a route asks for, and the docs name each', () => {
    const routes = join(import.meta.dirname, '../../../src/http/routes')
    const asked = readdirSync(routes).flatMap((file) =>
      [...readFileSync(join(routes, file), 'utf8').matchAll(/scope: ('[^']+'|\[[^\]]+\])/g)].flatMap(
        (match) => [...(match[1] ?? '').matchAll(/'([^']+)'/g)].map(([, scope = '']) => scope),
      ),
    )
    expect(asked).toContain('media')
    expect(asked.filter((scope) => !(SERVICE_SCOPES as readonly string[]).includes(scope))).toEqual([])
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/gateway.md'), 'utf8')
    expect(SERVICE_SCOPES.filter((scope) => !docs.includes(`\`${scope}\``))).toEqual([])
  })
})
