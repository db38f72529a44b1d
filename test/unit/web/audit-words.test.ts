/** The console says in words what the audit holds: every deed that leaves a row has its words. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describedServer } from '../../../scripts/api-types.ts'
import { SERVICE_SCOPES } from '../../../src/bridge/service-keys.ts'
import english from '../../../src/web/words/en.json' with { type: 'json' }

const ROUTES = new URL('../../../src/http/routes/', import.meta.url)

/** As the audit writes them; reads are audited only where the route says so, which the document does not tell. */
async function auditedActions(): Promise<string[]> {
  const app = await describedServer()
  const { paths } = JSON.parse(JSON.stringify(app.swagger())) as {
    paths: Record<string, Record<string, { security: unknown[] }>>
  }
  await app.close()
  return Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs)
      .filter(([verb, { security }]) => verb !== 'get' && security.length > 0)
      .map(([verb]) => `${verb.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  )
}

describe('the words of the audit', () => {
  it('are there for every deed', async () => {
    const actions = (await auditedActions()).filter((action) => !action.includes('/proxy/'))
    expect(actions.length).toBeGreaterThanOrEqual(20)
    const wanted = [...actions, 'GET /api/token-access/:installationId', 'POST /api/console/session', 'proxy']
    expect(wanted.filter((action) => !(`deed.${action}` in english))).toEqual([])
    const said = Object.keys(english).filter((key) => key.startsWith('deed.'))
    expect(said.filter((key) => !wanted.includes(key.slice('deed.'.length)))).toEqual([])
  })

  it('know every read that is audited', () => {
    const always = readdirSync(ROUTES).filter((file) =>
      readFileSync(new URL(file, ROUTES), 'utf8').includes("audit: 'always'"),
    )
    // The proxy and the lent tokens; another file here needs its words above.
    expect(always).toEqual(['proxy.ts'])
  })

  it('explain every scope of a service key', () => {
    const wanted = SERVICE_SCOPES.flatMap((scope) => [`scope.${scope}`, `scope.${scope}.why`])
    expect(wanted.filter((key) => !(key in english))).toEqual([])
  })
})
