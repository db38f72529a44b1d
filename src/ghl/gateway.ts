/**
 * What sibling backends may ask of GHL through us. The path is checked segment by segment before it is joined, so that it
 * stays below GHL's own address and within the list; headers are taken over by name, never wholesale.
 */
import { finished, PassThrough, type Readable } from 'node:stream'
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
/** A body up to this size is held, so that it can be looked into, and sent again when only its token was refused. */
const HELD_BYTES = 64 * 1024

export function createGateway(client: GhlClient): GhlGateway {
  return {
    scopesOf: ({ locationId, method, pathAndQuery }) => {
      const { area } = checkedTarget(locationId, pathAndQuery)
      return scopesFor(checkedMethod(method), area)
    },
    async pass(request) {
      const { path, query } = checkedTarget(request.locationId, request.pathAndQuery)
      const passed = await bodyOf(request)
      const call: GhlCall = {
        method: checkedMethod(request.method),
        path: query === '' ? path : `${path}?${query}`,
        priority: 'gateway',
        isPassedOn: true,
        signal: request.signal,
        // PUT and DELETE are repeated by their owner's decision only: it may not expect it.
        idempotent: request.method === 'GET' || request.method === 'HEAD',
        ...passed,
      }
      try {
        const { status, headers, body } = await client.open(request.locationId, call)
        return { status, headers: passedOn(headers), body }
      } finally {
        // What GHL has not read by its answer it never will.
        passed.stream?.body.destroy()
      }
    },
  }
}

function scopesFor(method: Method, area: string): readonly ProxyScope[] {
  const isRead = method === 'GET' || method === 'HEAD'
  if (area === 'medias') return ['media', 'proxy:write', ...(isRead ? (['proxy:read'] as const) : [])]
  return [isRead ? 'proxy:read' : 'proxy:write']
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
  const [area = ''] = segments
  if (!ALLOWED_AREAS.has(area)) throw notAllowed(area)
  if (/[\s\\#]/.test(query)) throw invalid('The query has a character that does not belong there')
  requireOwn(locationId, [...locationsInPath(segments), ...locationsInQuery(query)])
  return { area, path, query }
}

function requireOwn(locationId: string, named: readonly unknown[]): void {
  if (named.every((each) => each === locationId)) return
  throw new RequestError('FORBIDDEN', 'The request names another location than its path', {
    action: 'Ask under /api/ghl/location/<that location>/proxy, with a key that may.',
  })
}

/** What stands behind `locations`, in whatever area; the social planner names the location without that word. */
function locationsInPath(segments: readonly string[]): string[] {
  const plain = segments.map((segment) => decodeURIComponent(segment))
  const named = plain.filter(
    (segment, index) => segment !== '' && /^locations?$/i.test(plain[index - 1] ?? ''),
  )
  const [area, second, third, fourth] = plain
  if (area !== 'social-media-posting' || second === undefined || second === 'statistics') return named
  // Only `/oauth/<platform>/start` is of no location.
  if (second !== 'oauth') return [...named, second]
  return third === undefined || fourth === 'start' ? named : [...named, third]
}

/** Neither empty nor a dot segment, and nothing in it that some server on the way could read as a separator. */
function isPlain(segment: string, mayBeEmpty: boolean): boolean {
  if (segment === '') return mayBeEmpty
  if (!/^(?:[\w.~!$&'()*+,;=:@-]|%[\dA-Fa-f]{2})+$/.test(segment)) return false
  try {
    const decoded = decodeURIComponent(segment)
    // Some servers cut off what stands behind a semicolon before they look for dots.
    const [bare] = decoded.split(';')
    return bare !== '' && bare !== '.' && bare !== '..' && !/[/\\%\p{Cc}]/u.test(decoded)
  } catch {
    return false
  }
}

const LOCATION_NAMES = new Set(['locationid', 'location_id'])

/**
 * GHL names the location in the query by one of these, in brackets too; `altId` is one unless `altType` says that it is a
 * company.
 */
function locationsInQuery(query: string): string[] {
  const params = [...new URLSearchParams(query)].map(
    ([name, value]) => [name.replace(/\[.*$/s, '').toLowerCase(), value] as const,
  )
  const types = params.flatMap(([name, value]) => (name === 'alttype' ? [value] : []))
  const isOfCompany = types.length > 0 && types.every((type) => type === 'company')
  return params.flatMap(([name, value]) =>
    LOCATION_NAMES.has(name) || (name === 'altid' && !isOfCompany) ? [value] : [],
  )
}

/** As in the query; but where no `altType` stands beside it, `altId` is something else (a message's label). */
function locationsInBody(contentType: string, body: Uint8Array): unknown[] {
  const text = Buffer.from(body).toString('utf8')
  if (contentType.startsWith('application/x-www-form-urlencoded')) return locationsInQuery(text)
  const json = /[/+]json\b/.test(contentType) ? parsedJson(text) : undefined
  if (typeof json !== 'object' || json === null) return []
  const isOfLocation = 'altType' in json && json.altType !== 'company'
  return Object.entries(json).flatMap(([name, value]) =>
    LOCATION_NAMES.has(name.toLowerCase()) || (name === 'altId' && isOfLocation) ? [value as unknown] : [],
  )
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // GHL says what is wrong with it.
    return undefined
  }
}

async function bodyOf({
  locationId,
  headers,
  body: asked,
}: ProxyRequest): Promise<Pick<GhlCall, 'raw' | 'stream'>> {
  const passed: Record<string, string> = {}
  for (const name of PASSED_REQUEST_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') passed[name] = value
  }
  const { version } = passed
  if (version !== undefined && !/^(v\d|\d{4}-\d{2}-\d{2})$/.test(version))
    throw invalid('The Version header is no version of GHL’s')
  if (asked === undefined) return { raw: { body: undefined, headers: without(passed, 'content-length') } }
  const body = onward(asked)
  if (Number(headers['content-length'] ?? 0) > HELD_BYTES) return { stream: { body, headers: passed } }
  const whole = await wholeOf(body)
  if (whole === undefined) return { stream: { body, headers: passed } }
  requireOwn(locationId, locationsInBody(passed['content-type'] ?? '', whole))
  return { raw: { body: whole, headers: without(passed, 'content-length') } }
}

/** The whole body when it is short; a longer one can be read again from its start. */
async function wholeOf(body: Readable): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  // A request's body is in binary mode.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size <= HELD_BYTES) continue
    body.unshift(Buffer.concat(chunks))
    return undefined
  }
  return Buffer.concat(chunks)
}

/**
 * The body as a stream of its own, which GHL's refusal may end. The caller's is then read on to nowhere: he may look for the
 * answer only after his last byte.
 */
function onward(body: NodeJS.ReadableStream): Readable {
  const passing = new PassThrough()
  body.pipe(passing)
  // The caller may be gone before the call's turn comes, when nobody listens yet.
  passing.on('error', () => undefined)
  finished(body, { writable: false }, (error) => {
    if (error) passing.destroy(error)
  })
  passing.once('close', () => {
    body.unpipe(passing)
    body.resume()
  })
  return passing
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
