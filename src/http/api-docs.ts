/**
 * /docs: the OpenAPI document, made from the routes' schemas, the callers they let in and their descriptions, and a page of it
 * for people.
 */
import { fastifySwagger } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyContextConfig, FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import {
  ROUTES as DESCRIBED,
  type Described,
  type Json,
  json,
  object,
  PROXY,
  text,
  VERBS,
} from './api-descriptions.ts'
import type { Admission } from './auth.ts'

const BROWSER_PATH = '/docs/browse'
/** Swagger UI styles its own elements; nothing comes from elsewhere. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The first that fits names the group. */
const GROUPS: readonly (readonly [prefix: RegExp, group: string])[] = [
  [/^\/(health|ready|metrics)/, 'Platform'],
  [/webhook$/, 'Webhooks'],
  [/^\/(oauth|ghl\/(install|callback))/, 'Installation'],
  [/^\/ghl\/location/, 'Numbers'],
  [/^\/(pair|files)/, 'Links'],
  [/^\/api\/(messages|ledger|stats|contacts)/, 'Messages'],
  [/^\/api\/(sso|console)/, 'Pages'],
  [/\/(proxy|keys|audit|token-access|products|call-logs)/, 'Sibling backends'],
  [/./, 'GoHighLevel'],
]

const REFUSAL = object(
  {
    error: object(
      {
        code: { ...text, description: 'Stable; what a program decides by' },
        message: { ...text, description: 'What is certain' },
        action: { ...text, description: 'What to do next' },
      },
      'code',
      'message',
    ),
  },
  'error',
)
const refused = (description: string): Json => json(description, { $ref: '#/components/schemas/Refusal' })

const PROXY_PARAMETERS = ['locationId', 'path'].map((name) => ({
  name,
  in: 'path',
  required: true,
  schema: text,
}))

/** By method and path; what they say about callers is complete once all are registered. */
type Routes = Map<string, RouteOptions>

interface Operation extends Json {
  parameters?: { readonly in: string }[]
  requestBody?: unknown
  responses: Record<string, Json>
}

/** Registers /docs: the OpenAPI document for programs, and a page of it for people. Before any route. */
export async function documentApi(app: FastifyInstance): Promise<void> {
  const routes: Routes = new Map()
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) routes.set(`${method} ${templated(route.url)}`, route)
  })
  await app.register(fastifySwagger, {
    openapi: {
      info: {
        title: 'ghl-whatsapp-bridge',
        version: '1',
        description:
          'WhatsApp numbers inside GoHighLevel. A refusal is always `{error: {code, message, action?}}`.',
      },
      components: {
        securitySchemes: {
          operator: { type: 'http', scheme: 'bearer', description: 'API_KEY, or the console’s token' },
          page: { type: 'http', scheme: 'bearer', description: 'The token of POST /api/sso' },
          serviceKey: { type: 'http', scheme: 'bearer', description: 'A key of POST /api/keys' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (made) => {
      const document = 'openapiObject' in made ? made.openapiObject : made.swaggerObject
      describe(document as unknown as Parameters<typeof describe>[0], routes) // JSON from here on
      return document
    },
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: BROWSER_PATH,
    staticCSP: CSP,
    uiConfig: { docExpansion: 'list' },
    theme: {
      title: 'ghl-whatsapp-bridge: API',
      css: [{ filename: 'ours.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  })
  app.get('/docs', { schema: { hide: true } }, async (request, reply) => {
    void reply.header('vary', 'accept')
    return wantsPage(request) ? await reply.redirect(BROWSER_PATH) : app.swagger()
  })
}

/** Browsers name HTML first; programs name JSON or anything. */
const wantsPage = ({ headers }: FastifyRequest): boolean => headers.accept?.startsWith('text/html') ?? false

/** `/a/:b` as OpenAPI writes it. */
const templated = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}').replace('/*', '/{path}')

/** Adds to each operation what the routes' schemas do not say. */
function describe(document: { paths: Record<string, Json>; components: Json }, routes: Routes): void {
  const { paths, components } = document
  components['schemas'] = { ...(components['schemas'] as Json), Refusal: REFUSAL }
  paths[PROXY] = Object.fromEntries(
    VERBS.map((verb) => [verb, { parameters: PROXY_PARAMETERS, responses: {} }]),
  )
  for (const [path, operations] of Object.entries(paths)) {
    for (const [verb, operation] of Object.entries(operations as Record<string, Operation>)) {
      const name = `${verb.toUpperCase()} ${path}`
      operation['tags'] = [GROUPS.find(([prefix]) => prefix.test(path))?.[1]]
      complete(operation, DESCRIBED[name], routes.get(name)?.config)
    }
  }
}

function complete(
  operation: Operation,
  described: Described | undefined,
  config: FastifyContextConfig | undefined,
): void {
  const { summary, body, answers } = described ?? {}
  const isGuarded = config?.isGuarded === true
  const takesInput =
    body ?? operation.requestBody ?? operation.parameters?.some((each) => each.in !== 'header')
  if (summary !== undefined) operation['summary'] = summary
  if (body !== undefined)
    operation.requestBody = { required: true, content: { 'application/json': { schema: body } } }
  operation['security'] = isGuarded ? callersOf(config.admission ?? {}) : []
  if (isGuarded) operation['description'] = `For ${callerWords(config.admission ?? {})}.`
  operation.responses = {
    // Fastify's own default says nothing.
    ...(answers ?? operation.responses),
    ...(takesInput !== undefined && takesInput !== false && { 400: refused('The request is wrong') }),
    ...(isGuarded && {
      401: refused('No caller: no valid bearer'),
      403: refused('Not for this caller, or not for this location'),
      429: refused('Too many requests, ours or GHL’s'),
    }),
    default: refused('Refused or failed; the code says why'),
  }
}

const callersOf = ({ page, scope }: Admission): Json[] => [
  { operator: [] },
  ...(page === undefined ? [] : [{ page: [] }]),
  ...(scope === undefined ? [] : [{ serviceKey: [] }]),
]

function callerWords({ page, scope }: Admission): string {
  const words = ['the operator']
  if (page !== undefined) words.push(page === 'admin' ? 'an admin’s page' : 'a page of the location')
  if (scope !== undefined) words.push(`a service key with the scope ${[scope].flat().join(' or ')}`)
  return words.join(', ')
}
