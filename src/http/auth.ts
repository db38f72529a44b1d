/**
 * Who is calling, and who may. Three kinds of callers, each with a bearer of its own: the operator (API_KEY, or the console's
 * token), a page inside GHL (a token from POST /api/sso, bound to one location), a sibling backend (a service key). Every
 * guarded route says with {@link may} who besides the operator is let in; one that says nothing is the operator's alone.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { SessionSnapshot } from '../bridge/ports.ts'
import { RequestError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import { createBearerGuesses } from './bearer-guesses.ts'
import { type SessionShown, shownNow } from './session-body.ts'

/** `user` reads; `admin` also changes things. */
export type PageRole = 'admin' | 'user'

export interface PageCaller {
  readonly kind: 'page'
  readonly locationId: LocationId
  readonly role: PageRole
  /** GHL's id of the person; for audit and rate limit. */
  readonly userId: string
  /** When the token is over. */
  readonly expiresAt: Date
}

/** Who opened a page inside GHL, as GHL's payload says. */
export interface PageUser {
  readonly userId: string
  readonly companyId: string
  readonly role: PageRole
  readonly locationId: LocationId
  /** Under which the agency shows GHL. */
  readonly whiteLabelDomain: string | undefined
}

export interface PageTokens {
  issue(caller: Omit<PageCaller, 'kind' | 'expiresAt'>): { readonly token: string; readonly expiresAt: Date }
  /** `over` for one of ours whose time is over; `undefined` for one that is not ours or was changed. */
  read(token: string): PageCaller | 'over' | undefined
}

export interface ConsoleTokens {
  /** `undefined` for a wrong key. */
  issue(apiKey: string): { readonly token: string; readonly expiresAt: Date } | undefined
  /** `over` for one of ours whose time is over; `undefined` for one that is not ours or was changed. */
  read(token: string): OperatorCaller | 'over' | undefined
}

export interface ServiceCaller {
  readonly kind: 'service'
  readonly id: string
  /** Undefined: every location. */
  readonly locationId: LocationId | undefined
  readonly scopes: readonly string[]
}

export interface OperatorCaller {
  readonly kind: 'operator'
  /** When the console's token is over; undefined for the key itself. */
  readonly expiresAt: Date | undefined
}

export type Caller = OperatorCaller | PageCaller | ServiceCaller

/** Who besides the operator is let in; an absent member lets none of that kind in. */
export interface Admission {
  /** The least role of a page. */
  readonly page?: PageRole
  /** The scope that a service key must have; of several, one. */
  readonly scope?: string | readonly string[]
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every guarded route. */
    caller: Caller | undefined
  }
  interface FastifyContextConfig {
    admission?: Admission
    /** Behind the guard; all others are open. */
    isGuarded?: boolean
  }
}

/** For a route's `config`: who besides the operator may call it. */
export const may = (admission: Admission): { readonly admission: Admission } => ({ admission })

export interface CallerDeps {
  readonly apiKey: string
  /** Of the operator's console. */
  readonly consoleTokens: ConsoleTokens
  readonly pageTokens: PageTokens
  /** The person inside a location behind GHL's payload; undefined for whatever is wrong with it. */
  readonly openPageUser: (payload: string) => PageUser | undefined
  /** The caller behind a service key; undefined for one that is unknown or revoked. */
  readonly findServiceKey: (key: string) => Promise<ServiceCaller | undefined>
}

/**
 * The one guard of all guarded routes: names the caller, checks the route's admission, and, where the path or the query
 * names a location, that the caller is not confined to another.
 */
export function guard(deps: CallerDeps): (request: FastifyRequest) => Promise<void> {
  const expected = digest(deps.apiKey)
  const guesses = createBearerGuesses()
  const findKey = async (bearer: string): Promise<Caller | undefined> =>
    timingSafeEqual(digest(bearer), expected)
      ? { kind: 'operator', expiresAt: undefined }
      : await deps.findServiceKey(bearer)
  const identify = async (ip: string, bearer: string): Promise<Caller | undefined> => {
    // What we signed nobody guesses, and one that is over is no guess: its page comes back with the next.
    const signed = deps.consoleTokens.read(bearer) ?? deps.pageTokens.read(bearer)
    if (signed === 'over') return undefined
    return signed ?? (await guesses.identify(ip, bearer, () => findKey(bearer)))
  }

  return async (request) => {
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const caller = bearer === undefined ? undefined : await identify(request.ip, bearer)
    if (caller === undefined) throw unauthenticated()
    // Before the checks, so that the audit can name whom they refused.
    request.caller = caller
    checkAdmission(caller, request.routeOptions.config.admission ?? {})
    for (const named of [namedLocation(request.params), namedLocation(request.query)])
      if (named !== undefined) requireLocation(request, named)
  }
}

/** The caller of a guarded route. @throws {RequestError} `UNAUTHENTICATED` on any other. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === undefined) throw unauthenticated()
  return request.caller
}

/** The only location that the caller may see or touch; undefined when it may all. */
export function confinedTo(request: FastifyRequest): LocationId | undefined {
  const caller = callerOf(request)
  return caller.kind === 'operator' ? undefined : caller.locationId
}

/** Everybody's right is looked at again after this; readers of a stream come back by themselves. */
const STREAM_MS = 15 * 60_000

/** When a stream that begins now must end: with the token that opened it; its next connection shows a fresh one. */
export function streamEnd(request: FastifyRequest): Date {
  const caller = callerOf(request)
  const latest = new Date(Date.now() + STREAM_MS)
  const own = caller.kind === 'service' ? undefined : caller.expiresAt
  return own !== undefined && own < latest ? own : latest
}

/** A session as the caller may see it: a QR or a pairing code is the right to link a phone, so a plain user gets none. */
export function shownTo(request: FastifyRequest): (session: SessionSnapshot) => SessionShown {
  const caller = callerOf(request)
  const isPlainUser = caller.kind === 'page' && caller.role === 'user'
  return (session) => shownNow(isPlainUser ? { ...session, qr: null, pairingCode: null } : session)
}

/** What customers and agents write is for whoever answers for it: a plain user of a page has GHL's own view of it. */
export function mayReadWords(request: FastifyRequest): boolean {
  const caller = callerOf(request)
  return caller.kind !== 'page' || caller.role === 'admin'
}

/**
 * For routes that learn the location from what they look up; one named in the path or the query is checked by the guard.
 *
 * @throws {RequestError} `FORBIDDEN` when the caller is confined to another location.
 */
export function requireLocation(request: FastifyRequest, locationId: string): void {
  const own = confinedTo(request)
  if (own === undefined || own === locationId) return
  throw new RequestError('FORBIDDEN', 'This caller belongs to another location', {
    action: 'Use the token or key of that location.',
  })
}

/** Keys are compared by digest, so that the time it takes says nothing about them. */
export const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function checkAdmission(caller: Caller, { page, scope }: Admission): void {
  if (caller.kind === 'operator') return
  if (caller.kind === 'page') {
    if (page === 'user' || (page === 'admin' && caller.role === 'admin')) return
    throw page === 'admin'
      ? forbidden(
          'Only an admin of this location may do that',
          'Ask an admin of the location or of the agency.',
        )
      : forbidden('Pages may not do that', 'It needs the operator’s key.')
  }
  const wanted = typeof scope === 'string' ? [scope] : scope
  if (wanted?.some((each) => caller.scopes.includes(each))) return
  throw wanted === undefined
    ? forbidden('Service keys may not do that', 'It needs the operator’s key.')
    : forbidden(
        `This key lacks the scope ${wanted.join(' or ')}`,
        'Make a key with that scope: POST /api/keys.',
      )
}

function namedLocation(values: unknown): string | undefined {
  if (typeof values !== 'object' || values === null || !('locationId' in values)) return undefined
  // A parameter given twice arrives as an array, which equals no location and is refused by every schema.
  return String(values.locationId)
}

const forbidden = (message: string, action: string): RequestError =>
  new RequestError('FORBIDDEN', message, { action })

const unauthenticated = (): RequestError =>
  new RequestError('UNAUTHENTICATED', 'This needs a key or a page token that is valid now', {
    action: 'Send it as "Authorization: Bearer <key>"; a page asks for a new token with POST /api/sso.',
  })
