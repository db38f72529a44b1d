/**
 * What sibling backends may ask of GHL through us. The path is checked segment by segment before it is joined, so that it
 * stays below GHL's own address and within the list; headers are taken over by name, never wholesale.
 */
import type { GhlGateway, ProxyAnswer, ProxyRequest, ProxyScope } from '../bridge/gateway.ts'
import { RequestError } from '../core/errors.ts'
import type { GhlClient } from './client.ts'
import type { GhlCall } from './transport.ts'

/**
 * Areas of a location's own data. Not on the list: `/oauth` (tokens), `/saas`, `/snapshots`, `/companies`, `/marketplace`
 * (the agency's and the app's own business).
 */
const ALLOWED_AREAS = new Set([
  'associations',
  'blogs',
  'businesses',
  'calendars',
  'campaigns',
  'contacts',
  'conversations',
  'custom-menus',
  'emails',
  'forms',
  'funnels',
  'invoices',
  'links',
  'locations',
  'medias',
  'objects',
  'opportunities',
  'payments',
  'products',
  'social-media-posting',
  'store',
  'surveys',
  'users',
  'voice-ai',
  'workflows',
])
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
type Method = (typeof METHODS)[number]

const PASSED_REQUEST_HEADERS = [
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-length',
  'content-type',
  'if-none-match',
  'version',
]
const PASSED_ANSWER_HEADERS =
  /^(content-(type|length|encoding|disposition|language)|etag|last-modified|retry-after|x-ratelimit-.+|x-(request|trace)-id)$/
/** A body up to this size is held, so that the call can be repeated when only its token was refused. */
const HELD_BYTES = 64 * 1024

export function createGateway(client: GhlClient): GhlGateway {
  return {
    scopeOf: ({ locationId, method, pathAndQuery }) => {
      const { area } = checkedTarget(locationId, pathAndQuery)
      return scopeFor(checkedMethod(method), area)
    },
    async pass(request) {
      const { path, query } = checkedTarget(request.locationId, request.pathAndQuery)
      const call: GhlCall = {
        method: checkedMethod(request.method),
        path: query === '' ? path : `${path}?${query}`,
        priority: 'gateway',
        isPassedOn: true,
        signal: request.signal,
        // PUT and DELETE are repeated by their owner's decision only: it may not expect it.
        idempotent: request.method === 'GET' || request.method === 'HEAD',
        ...(await bodyOf(request)),
      }
      const { status, headers, body } = await client.open(request.locationId, call)
      return { status, headers: passedOn(headers), body }
    },
  }
}

function scopeFor(method: Method, area: string): ProxyScope {
  if (area === 'medias') return 'media'
  return method === 'GET' || method === 'HEAD' ? 'proxy:read' : 'proxy:write'
}

function checkedMethod(method: string): Method {
  const known = METHODS.find((each) => each === method)
  if (known === undefined) throw invalid('GHL knows no such method')
  return known
}

interface Target {
  readonly area: string
  readonly path: string
  readonly query: string
}

function checkedTarget(locationId: string, pathAndQuery: string): Target {
  const cut = pathAndQuery.indexOf('?')
  const path = cut < 0 ? pathAndQuery : pathAndQuery.slice(0, cut)
  const query = cut < 0 ? '' : pathAndQuery.slice(cut + 1)
  const [root, ...segments] = path.split('/')
  if (root !== '' || segments.length === 0) throw invalid('The path must begin with a slash')
  // Only the last may be empty: GHL tells /contacts and /contacts/ apart.
  if (!segments.every((segment, index) => isPlain(segment, index === segments.length - 1)))
    throw invalid('The path has a segment that could lead elsewhere')
  const [area = '', second] = segments
  if (!ALLOWED_AREAS.has(area)) throw notAllowed(area)
  const other = [
    ...(area === 'locations' && second !== undefined && second !== '' ? [second] : []),
    ...namedLocations(query),
  ].find((named) => named !== locationId)
  if (other !== undefined) {
    throw new RequestError('FORBIDDEN', 'The request names another location than its path', {
      action: 'Ask under /api/ghl/location/<that location>/proxy, with a key that may.',
    })
  }
  return { area, path, query }
}

/** Neither empty nor a dot segment, and nothing in it that some server on the way could read as a separator. */
function isPlain(segment: string, mayBeEmpty: boolean): boolean {
  if (segment === '') return mayBeEmpty
  if (!/^(?:[\w.~!$&'()*+,;=:@-]|%[\dA-Fa-f]{2})+$/.test(segment)) return false
  try {
    const decoded = decodeURIComponent(segment)
    return decoded !== '.' && decoded !== '..' && !/[/\\%\p{Cc}]/u.test(decoded)
  } catch {
    return false
  }
}

/** GHL names the location in the query by one of these; `altId` is one when `altType` says so. */
function namedLocations(query: string): string[] {
  if (/[\s\\#]/.test(query)) throw invalid('The query has a character that does not belong there')
  const params = new URLSearchParams(query)
  const names = ['locationId', 'location_id', ...(params.get('altType') === 'location' ? ['altId'] : [])]
  return names.flatMap((name) => params.getAll(name))
}

async function bodyOf({ headers, body }: ProxyRequest): Promise<Pick<GhlCall, 'raw' | 'stream'>> {
  const passed: Record<string, string> = {}
  for (const name of PASSED_REQUEST_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') passed[name] = value
  }
  const { version } = passed
  if (version !== undefined && !/^(v\d|\d{4}-\d{2}-\d{2})$/.test(version))
    throw invalid('The Version header is no version of GHL’s')
  if (body === undefined) return { raw: { body: undefined, headers: without(passed, 'content-length') } }
  const announced = Number(headers['content-length'] ?? Number.NaN)
  if (announced <= HELD_BYTES)
    return { raw: { body: await held(body), headers: without(passed, 'content-length') } }
  return { stream: { body, headers: passed } }
}

async function held(body: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer) // a request's body in binary mode
  return Buffer.concat(chunks)
}

const without = (headers: Record<string, string>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))

function passedOn(headers: Readonly<Record<string, string | string[] | undefined>>): ProxyAnswer['headers'] {
  const passed: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && PASSED_ANSWER_HEADERS.test(name)) passed[name] = value
  return passed
}

const invalid = (message: string): RequestError => new RequestError('REQUEST_INVALID', message)

const notAllowed = (area: string): RequestError =>
  new RequestError('PATH_NOT_ALLOWED', `This area of GHL is not open here: /${area.slice(0, 40)}`, {
    action: 'The open areas are listed in docs/gateway.md.',
  })
