/** The document at /docs is complete, valid, and says who may call what. */
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describedServer } from '../../../scripts/api-types.ts'
import { ROUTES } from '../../../src/http/api-descriptions.ts'

interface Property {
  readonly anyOf?: readonly { readonly type: string; readonly format?: string }[]
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly schema: Property }[]
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly properties: Record<string, Property> } }>
  }
  readonly summary?: string
  readonly security: readonly Record<string, unknown>[]
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema?: object }> }>
}

describe('the document at /docs', () => {
  let app: FastifyInstance
  let operations: Map<string, Operation>
  beforeAll(async () => {
    app = await describedServer()
    const { paths } = (await app.inject('/docs')).json<{ paths: Record<string, Record<string, Operation>> }>()
    operations = new Map(
      Object.entries(paths).flatMap(([path, verbs]) =>
        Object.entries(verbs).map(([verb, operation]) => [`${verb.toUpperCase()} ${path}`, operation]),
      ),
    )
  })
  afterAll(async () => {
    await app.close()
  })

  it('is valid OpenAPI', async () => {
    const document = (await app.inject('/docs')).json<Record<string, unknown>>()
    expect(await new Validator().validate(document)).toMatchObject({ valid: true })
  })

  it('describes every route and no other', () => {
    expect([...operations.keys()].toSorted()).toEqual(Object.keys(ROUTES).toSorted())
    for (const [name, { summary }] of operations) expect(summary, name).toMatch(/^[A-Z]/)
  })

  it('tells a good answer of each route with its shape, and how refusals look', () => {
    for (const [name, { responses }] of operations) {
      const good = Object.entries(responses).filter(([status]) => /^[23]/.test(status))
      expect(good, name).not.toHaveLength(0)
      for (const [status, { content }] of good) {
        const hasNoBody = ['204', '302'].includes(status) || name.includes('/proxy/')
        if (!hasNoBody) expect(Object.values(content ?? {})[0]?.schema, `${name} ${status}`).toBeDefined()
      }
      expect(responses['default'], name).toBeDefined()
    }
  })

  it('says who may call', () => {
    const callers = (name: string) => operations.get(name)?.security.flatMap((each) => Object.keys(each))
    expect(callers('GET /api/keys')).toEqual(['operator'])
    expect(callers('GET /api/messages')).toEqual(['operator', 'page', 'serviceKey'])
    expect(callers('POST /api/products/create')).toEqual(['operator', 'serviceKey'])
    expect(callers('GET /health')).toEqual([])
    expect(operations.get('GET /api/keys')?.responses).toHaveProperty('403')
    expect(operations.get('GET /health')?.responses).not.toHaveProperty('401')
  })

  it('says every form in which a moment may be told', () => {
    const forms = ({ anyOf = [] }: Property = {}) => anyOf.map(({ type, format }) => format ?? type)
    const body = operations.get('POST /api/sync/call-logs')?.requestBody?.content['application/json']?.schema
    const query = operations.get('GET /api/call-logs')?.parameters ?? []
    for (const name of ['startDate', 'endDate']) {
      expect(forms(body?.properties[name])).toEqual(['date-time', 'date', 'integer'])
      const parameter = query.find((each) => each.name === name)
      expect(forms(parameter?.schema)).toEqual(['date-time', 'date'])
    }
  })

  it('is a page for a browser', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml' }
    const moved = await app.inject({ url: '/docs', headers: browser })
    expect(moved.statusCode).toBe(302)
    const page = await app.inject({ url: String(moved.headers.location), headers: browser })
    expect(page.body).toContain('swagger-ui')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';")
  })
})
